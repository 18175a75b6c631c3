"""What the page without network collected on a phone comes home: inputs, with the answers that people gave."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.reading.content import compose_text, hash_series, hash_text
from headstart.errors import DataError
from headstart.flow.using.examples import add_correction, add_unlabelled
from headstart.flow.using.open_models import ReadInput
from headstart.home import read_json
from headstart.modalities import image
from headstart.projects import Project

KIND = "headstart-collected"
_BROKEN = (KeyError, TypeError, ValueError, binascii.Error)


@dataclass(frozen=True)
class CollectedCounts:
    """How many inputs came, how many of them with an answer of a person, and how many were of no use."""

    n_added: int
    n_labelled: int
    n_unusable: int


def add_collected(project: Project, path: Path) -> CollectedCounts:
    """Take what a phone collected into a project; what is there already stays.

    Parameters
    ----------
    project : Project
    path : Path
        The file that the page on the phone saved.

    Raises
    ------
    DataError
        It is no such file, or of another kind of examples.
    """
    document = _read_document(path)
    modality = str(project.get_setting("modality") or document.get("modality"))
    if document.get("modality") != modality:
        raise DataError("This file is of another project: its examples are of another kind.", "Open that project.")
    kinds = {kind.name for kind in project.list_kinds()}
    n_added = n_labelled = n_unusable = 0
    for entry, item in _read_entries(document, modality):
        if item is None:
            n_unusable += 1
            continue
        label = entry.get("label")
        if isinstance(label, str) and label in kinds:
            add_correction(project, item, label, str(entry.get("who") or ""))
            n_labelled += 1
        else:
            add_unlabelled(project, item)
        n_added += 1
    return CollectedCounts(n_added, n_labelled, n_unusable)


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except (ValueError, OSError, RecursionError) as error:
        raise DataError("This is not the file of a page on a phone.", _HINT) from error
    if not isinstance(document, dict) or document.get("kind") != KIND or not isinstance(document.get("entries"), list):
        raise DataError("This is not the file of a page on a phone.", _HINT)
    return document


_HINT = 'Press "Save for Studio" on the page, and choose the file that it saves.'


def _read_entries(document: Mapping[str, Any], modality: str) -> Iterator[tuple[Mapping[str, Any], ReadInput | None]]:
    for entry in document["entries"]:
        try:
            value, content_hash = _PARSERS[modality](entry)
            yield entry, ReadInput(name=f"phone {entry['time']}"[:80], value=value, content_hash=content_hash)
        except _BROKEN:
            yield {}, None


def _parse_image(entry: Mapping[str, Any]) -> tuple[Any, str]:
    content = base64.b64decode(entry["picture"].partition("base64,")[2], validate=True)
    if image.explain_unusable(content):
        raise ValueError("no picture")
    return content, hashlib.sha256(content).hexdigest()


def _parse_text(entry: Mapping[str, Any]) -> tuple[Any, str]:
    if not isinstance(entry["text"], str) or not entry["text"].strip():
        raise ValueError("no text")
    text = compose_text(entry["text"])
    return text, hash_text(text)


def _parse_series(entry: Mapping[str, Any]) -> tuple[Any, str]:
    channels = [[np.nan if value is None else float(value) for value in channel] for channel in entry["series"]]
    values = np.asarray(channels, dtype=np.float32)
    if values.ndim != 2 or not np.isfinite(values).any():
        raise ValueError("no series")
    return values, hash_series(values)


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, str]]] = {
    "image": _parse_image,
    "text": _parse_text,
    "series": _parse_series,
}
"""How an input in JSON is read, by modality."""
