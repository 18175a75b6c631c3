"""Which rows are to be forgotten: by their names, and by the beginning of the hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.bundle.integrity import CONFIG, read_json
from headstart.data.reading.inputs import read_ordered_inputs
from headstart.errors import BundleError, DataError, HeadstartError
from headstart.modalities.image import SUFFIXES

KEY_CHARACTERS = 16
_PLAIN = ("text", "series")


@dataclass(frozen=True)
class PersonRows:
    """Rows to forget.

    Parameters
    ----------
    ids : frozenset of str
        Names of rows.
    keys : frozenset of str
        The first 16 hexadecimal digits of the sha256 of contents.
    """

    ids: frozenset[str]
    keys: frozenset[str]

    def has_digest(self, digest: bytes) -> bool:
        """Return whether the hash of a content, or its first 8 bytes, is one of them."""
        return digest.hex()[:KEY_CHARACTERS] in self.keys

    def add_names(self, names: Sequence[tuple[str, str]]) -> PersonRows:
        """Return the rows with what a run knows of them: names of the keys, keys of the names.

        Parameters
        ----------
        names : sequence of (str, str)
            Keys, each with one of its names.
        """
        keys = self.keys | {key for key, name in names if name in self.ids}
        ids = self.ids | {name for key, name in names if key in keys}
        return replace(self, ids=ids, keys=keys)


def read_person_rows(ids: Iterable[str], files: Sequence[Path], bundles: Sequence[Path]) -> PersonRows:
    """Return the rows that a user names.

    Parameters
    ----------
    ids : iterable of str
    files : sequence of Path
        A photo, a text file, or a table of rows.
    bundles : sequence of Path
        Models whose columns say how a table is read.

    Raises
    ------
    DataError
        A file cannot be read as a row.
    """
    keys = {key for file in files for key in _hash_rows(file, bundles)}
    return PersonRows(frozenset(ids), frozenset(keys))


def _hash_rows(file: Path, bundles: Sequence[Path]) -> set[str]:
    if file.suffix.lower() in SUFFIXES:
        return {hashlib.sha256(file.read_bytes()).hexdigest()[:KEY_CHARACTERS]}
    keys, reason = set[str](), ""
    for modality, columns in [*_read_columns(bundles), *((name, {}) for name in _PLAIN)]:
        try:
            table = read_ordered_inputs([file], modality, columns, {}).table
            keys |= {str(digest)[:KEY_CHARACTERS] for digest in table.hashes}
        except HeadstartError as error:
            reason = reason or error.problem
    if not keys:
        raise DataError(
            f"{file} cannot be read as rows ({reason}).", "Give a photo, a text file or a table with the rows."
        )
    return keys


def _read_columns(bundles: Sequence[Path]) -> list[tuple[str, Mapping[str, str]]]:
    """Return modality and columns of models whose rows are no files."""
    known: list[tuple[str, Mapping[str, str]]] = []
    for folder in bundles:
        try:
            config = read_json(folder / CONFIG)
            item = (str(config["modality"]), {str(key): str(name) for key, name in config["columns"].items()})
        except (BundleError, OSError, KeyError, TypeError, AttributeError):
            continue
        if item[0] in _PLAIN and item not in known:
            known.append(item)
    return known
