"""What can be refused before a model is loaded: photos for a model of messages, and the like."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from headstart.bundle import find_bundle
from headstart.bundle.integrity import CONFIG, read_json
from headstart.data.reading.inputs import INPUT_READERS
from headstart.errors import BundleError, DataError
from headstart.modalities import MODALITIES
from headstart.modalities.image import SUFFIXES

_MOST_FILES = 2_000
_MANY_PHOTOS = 10
"""With so many photos for each table, the table is about the photos."""


def require_inputs_of_model(bundle_path: Path, paths: Sequence[Path]) -> None:
    """Refuse inputs of which the endings alone say that the model cannot read them; nothing is loaded.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`; what is wrong with it is told when it is loaded.
    paths : sequence of Path
        Files, folders, zips.

    Raises
    ------
    DataError
        None of the inputs is of the model's kind, all are of another.
    """
    modality = _read_modality(bundle_path)
    if modality is None:
        return
    endings = Counter(ending for path in paths for ending in _list_endings(path.expanduser()))
    n_readable = sum(endings[ending] for ending in _list_readable(modality))
    n_photos = 0 if MODALITIES[modality].is_file else sum(endings[ending] for ending in SUFFIXES)
    if not endings or (n_readable and n_photos < _MANY_PHOTOS * n_readable):
        return
    others = [
        name for name in INPUT_READERS if name != modality and INPUT_READERS[name].searched_suffixes & set(endings)
    ]
    if not others:
        return
    mine = MODALITIES[modality].nouns[1]
    theirs = "photos" if n_photos else " or ".join(MODALITIES[name].nouns[1] for name in others)
    raise DataError(
        f"{bundle_path} is a model for {mine}; {', '.join(map(str, paths))} holds {theirs}.",
        INPUT_READERS[modality].advice,
    )


def _read_modality(bundle_path: Path) -> str | None:
    try:
        config = read_json(find_bundle(bundle_path.expanduser()) / CONFIG)
    except (BundleError, OSError):
        return None
    modality = config.get("modality") if isinstance(config, dict) else None
    return modality if isinstance(modality, str) and modality in INPUT_READERS else None


def _list_readable(modality: str) -> frozenset[str]:
    """Return endings that the model may read: those it looks for, and those of tables that name photos."""
    reader = INPUT_READERS[modality]
    tables = INPUT_READERS["text"].searched_suffixes - {".txt"} if MODALITIES[modality].is_file else frozenset[str]()
    return reader.searched_suffixes | tables


def _list_endings(path: Path) -> Iterator[str]:
    try:
        if path.is_dir():
            files: Iterator[str] = (name for _, _, names in os.walk(path) for name in names)
        elif path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                files = iter(archive.namelist())
        else:
            files = iter([path.name])
        yield from (Path(name).suffix.lower() for name in islice(files, _MOST_FILES))
    except (OSError, zipfile.BadZipFile, ValueError):
        return
