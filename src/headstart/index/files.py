"""Write an index whole, and open it with every doubt: another format, a damaged file, one half replaced.

Every file of an index bears the same stamp. Each is written whole, index.json last; a reader that meets two stamps
reads again.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_files import ArraySpec, DamagedArrays, map_array, read_arrays, read_header, write_arrays
from headstart.errors import DataError
from headstart.extras import find_missing
from headstart.home import read_json, remove_leftovers, write_json
from headstart.index.record import Array, Halves, IndexFacts, VectorIndex
from headstart.index.settings import SETTINGS

FORMAT = 1
"""Of the folder."""
VECTORS, WORDS, GRAPH = "vectors.safetensors", "words.safetensors", "graph.usearch"
IDS, ROWS, ABOUT = "ids.json", "rows.json", "index.json"
PARQUET = "vectors.parquet"
"""Written beside an index for other programs, and never read."""
_FILES = (ABOUT, VECTORS, WORDS, GRAPH, IDS, ROWS, PARQUET)
_NAME, _STAMP = "vectors", "stamp"
_SPECS = {_NAME: ArraySpec("float16", ("rows", "dims"))}
_AGAIN = "Make it again: headstart embed DATA -o FOLDER."


class _Torn(Exception):
    """The files of an index do not belong together: another process may just be replacing it."""


@dataclass(frozen=True, kw_only=True)
class IndexDraft:
    """What an index is written from.

    Parameters
    ----------
    ids : sequence of str, length n_rows
        Unique.
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    about : IndexFacts
        Sizes and columns are filled in.
    columns : mapping of str to sequence of str
        Cells of the columns that rows can be filtered by.
    texts : sequence of str
        Length n_rows, or empty; their beginnings are kept.
    words : mapping of str to array
        Of `headstart.index.words`, for a hybrid index; else empty.
    """

    ids: Sequence[str]
    vectors: Halves
    about: IndexFacts
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Sequence[str] = ()
    words: Mapping[str, Array] = field(default_factory=dict)


def is_index(folder: Path) -> bool:
    """Return whether a folder holds an index.

    Parameters
    ----------
    folder : Path
    """
    return (folder / ABOUT).is_file() and (folder / VECTORS).is_file()


def may_hold_index(folder: Path) -> bool:
    """Return whether nothing but an index, or what a killed process left of one, lies in a folder.

    Parameters
    ----------
    folder : Path
        It need not be there.
    """
    return not folder.is_dir() or all(
        path.name in _FILES or (path.name.startswith(".") and path.suffix == ".partial") for path in folder.iterdir()
    )


def remove_index(folder: Path) -> None:
    """Remove an index, with what was written beside it; other files in its folder stay.

    Parameters
    ----------
    folder : Path
    """
    remove_leftovers(folder, ".*.partial")
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)


def make_index(draft: IndexDraft) -> VectorIndex:
    """Return an index that is in memory only.

    Parameters
    ----------
    draft : IndexDraft

    Raises
    ------
    DataError
        Two rows have one id.
    """
    vectors = np.asarray(draft.vectors, dtype=np.float16)
    ids = _require_unique(draft.ids)
    rows = {"columns": draft.columns, "texts": _list_beginnings(draft)}
    return VectorIndex(
        ids=ids,
        vectors=vectors,
        about=_complete_facts(draft, vectors),
        read_rows=lambda: rows,
        read_words=lambda: draft.words,
    )


def _require_unique(names: Sequence[str]) -> list[str]:
    ids = list(map(str, names))
    if len(set(ids)) != len(ids):
        name = next(name for name, n in Counter(ids).items() if n > 1)
        raise DataError(f"Two rows of the index would have the id '{name}'.", "Give every row an id of its own.")
    return ids


def _list_beginnings(draft: IndexDraft) -> list[str]:
    return [str(text)[: SETTINGS.text_characters] for text in draft.texts]


def _complete_facts(draft: IndexDraft, vectors: Halves) -> IndexFacts:
    """Return the facts with what follows from the rows."""
    assert vectors.ndim == 2 and len(vectors) == len(draft.ids), vectors.shape
    columns = tuple(map(str, draft.columns))
    return replace(
        draft.about, n_rows=len(vectors), n_dims=vectors.shape[1], columns=columns, is_hybrid=bool(draft.words)
    )


def write_index(folder: Path, draft: IndexDraft) -> VectorIndex:
    """Write an index, in the place of the one that is there, and return it opened.

    Parameters
    ----------
    folder : Path
        Made if need be.
    draft : IndexDraft

    Raises
    ------
    DataError
        Two rows have one id.
    OSError
        It cannot be written.
    """
    ids = _require_unique(draft.ids)
    vectors = np.asarray(draft.vectors, dtype=np.float16)
    about, beginnings = _complete_facts(draft, vectors), _list_beginnings(draft)
    stamp = uuid.uuid4().hex
    columns = {str(name): list(map(str, cells)) for name, cells in draft.columns.items()}
    remove_leftovers(folder, ".*.partial")
    (folder / PARQUET).unlink(missing_ok=True)  # Of the index that is replaced.
    write_arrays(folder / VECTORS, {_NAME: vectors}, {_STAMP: stamp})
    if draft.words:
        write_arrays(folder / WORDS, draft.words, {_STAMP: stamp})
    else:
        (folder / WORDS).unlink(missing_ok=True)
    if len(ids) > SETTINGS.exact_rows and not find_missing("search"):
        graph = import_module("headstart.index.graph")  # usearch is loaded only where it is needed.
        about = replace(about, graph=graph.build_graph(vectors, folder / GRAPH))
    else:
        (folder / GRAPH).unlink(missing_ok=True)
    write_json(folder / IDS, {_STAMP: stamp, "ids": ids})
    write_json(folder / ROWS, {_STAMP: stamp, "columns": columns, "texts": beginnings})
    write_json(folder / ABOUT, {"format": FORMAT, "kind": "vectors", _STAMP: stamp, "ids": IDS, **about.to_document()})
    return open_index(folder)


def open_index(folder: Path) -> VectorIndex:
    """Open an index; a large one stays on disk and is read as a memory map.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        There is none, it is of a newer format, or it is damaged.
    """
    problem = ""
    for attempt in range(SETTINGS.tries):
        if attempt:
            time.sleep(SETTINGS.wait_seconds)
        try:
            return _open_once(folder)
        except _Torn as error:
            problem = str(error)
        except DamagedArrays as error:
            problem = f"{error}"
    raise DataError(f"The index {folder} is damaged: {problem.rstrip('.')}.", _AGAIN)


def _open_once(folder: Path) -> VectorIndex:
    if not is_index(folder):
        what = "is no index" if folder.exists() else "is not there"
        raise DataError(f"{folder} {what}.", _AGAIN)
    document = _read_part(folder / ABOUT)
    if document.get("kind") != "vectors":
        raise DataError(f"{folder / ABOUT} is not of an index of vectors.", _AGAIN)
    if document.get("format") != FORMAT:
        raise DataError(
            f"The index {folder} has the format {str(document.get('format'))[:20]}; this version reads {FORMAT}.",
            "Update Headstart, or make the index again: headstart embed.",
        )
    try:
        about = IndexFacts.from_document(document)
    except (KeyError, TypeError) as error:
        raise _Torn(f"{ABOUT} is not complete ({error})") from error
    stamp = document.get(_STAMP)
    vectors = _read_vectors(folder / VECTORS, stamp)
    ids = _require_texts(_read_stamped(folder / IDS, stamp).get("ids"), IDS)
    if vectors.shape != (about.n_rows, about.n_dims) or len(ids) != about.n_rows or len(set(ids)) != len(ids):
        raise _Torn(f"{VECTORS} has {len(vectors)} rows, {IDS} {len(ids)} ids, {ABOUT} says {about.n_rows}")
    return VectorIndex(
        ids=ids,
        vectors=vectors,
        about=about,
        graph=folder / GRAPH if about.graph else None,
        read_rows=lambda: _read_rows(folder, stamp, len(ids)),
        read_words=lambda: _read_words(folder, stamp),
    )


def _read_vectors(path: Path, stamp: object) -> Halves:
    """Return the vectors: read and compared with their checksum where they are small, else as a memory map."""
    try:
        if read_header(path).notes.get(_STAMP) != stamp:
            raise _Torn(f"{VECTORS} and {ABOUT} are not of one piece")
        if path.stat().st_size <= SETTINGS.mapped_bytes:
            return np.asarray(read_arrays(path, _SPECS, need_checksums=True)[_NAME], dtype=np.float16)
        vectors = map_array(path, _NAME, is_private=True)  # torch takes no read-only memory.
    except FileNotFoundError as error:
        raise _Torn(f"{path.name} is missing") from error
    if vectors.dtype != np.float16 or vectors.ndim != 2:
        raise _Torn(f"{VECTORS} holds no float16 rows")
    return vectors


def _read_rows(folder: Path, stamp: object, n_rows: int) -> Mapping[str, Any]:
    """Return columns and texts of the rows, checked."""
    try:
        document = _read_stamped(folder / ROWS, stamp)
        columns, texts = document.get("columns"), _require_texts(document.get("texts"), ROWS)
        if not isinstance(columns, dict):
            raise _Torn(f"{ROWS} has no columns")
        cells = {name: _require_texts(values, ROWS) for name, values in columns.items()}
        if any(len(values) != n_rows for values in cells.values()) or len(texts) not in (0, n_rows):
            raise _Torn(f"{ROWS} does not have {n_rows} rows")
    except _Torn as error:
        raise DataError(f"The index {folder} is damaged: {error}.", _AGAIN) from error
    return {"columns": cells, "texts": texts}


def _read_words(folder: Path, stamp: object) -> Mapping[str, Array]:
    """Return the arrays of the words, with their checksums compared."""
    try:
        if read_header(folder / WORDS).notes.get(_STAMP) != stamp:
            raise DamagedArrays(f"{WORDS} and {ABOUT} are not of one piece")
        return read_arrays(folder / WORDS, need_checksums=True)
    except (DamagedArrays, FileNotFoundError) as error:
        raise DataError(f"The index {folder} is damaged: {error}.", _AGAIN) from error


def _read_stamped(path: Path, stamp: object) -> dict[str, Any]:
    """Return a JSON document of the index."""
    document = _read_part(path)
    if document.get(_STAMP) != stamp:
        raise _Torn(f"{path.name} and {ABOUT} are not of one piece")
    return document


def _read_part(path: Path) -> dict[str, Any]:
    """Return a JSON document of the index."""
    try:
        document = read_json(path)
    except FileNotFoundError as error:
        raise _Torn(f"{path.name} is missing") from error
    except ValueError as error:
        raise _Torn(f"{path.name} cannot be understood") from error
    if not isinstance(document, dict):
        raise _Torn(f"{path.name} holds no document")
    return document


def _require_texts(values: object, name: str) -> list[str]:
    if not isinstance(values, list) or not all(type(value) is str for value in values):
        raise _Torn(f"{name} holds what are no texts")
    return values
