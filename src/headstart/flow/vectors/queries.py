"""Queries as rows: words from the command line, a table or a list of them, photos and series from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from headstart import data
from headstart.data.reading.decoding import read_text_file
from headstart.data.texts import TEXT_FILES
from headstart.errors import DataError
from headstart.index import VectorIndex
from headstart.options import SearchOptions
from headstart.records import Table, make_column

_LONGEST_NAME = 200
"""Characters of a query that stand before its hits."""


def read_queries(index: VectorIndex, words: Sequence[str], options: SearchOptions) -> Table:
    """Return queries as rows of the modality of the index; their ids are what was asked.

    Parameters
    ----------
    index : VectorIndex
    words : sequence of str
        From the command line: texts, or paths.
    options : SearchOptions

    Raises
    ------
    DataError
        A query is empty, or a file holds none.
    """
    return READERS.get(index.about.modality, _read_files)(index, words, options)


def _read_texts(index: VectorIndex, words: Sequence[str], options: SearchOptions) -> Table:
    """Return texts as queries; the ids of those from a table are its own where --id names a column."""
    names, texts = list(words), list(words)
    if options.queries is not None:
        own_names, own_texts = _read_text_queries(options.queries, options)
        names, texts = [*names, *own_names], [*texts, *own_texts]
    table = data.make_ordered_inputs(texts, "text", {}).table
    if len(table) < len(texts):
        first = table.set_aside[0]
        raise DataError(f"Query {int(first.id) + 1} cannot be searched for: {first.reason}.", "Leave it out.")
    return replace(table, ids=make_column([" ".join(name.split())[:_LONGEST_NAME] for name in names]))


def _read_text_queries(path: Path, options: SearchOptions) -> tuple[list[str], list[str]]:
    """Return names and texts of the queries of a file: one a line, or one a row of a table."""
    if path.suffix.lower() in TEXT_FILES:
        lines = [line.strip() for line in read_text_file(path, options.encoding)[0].splitlines()]
        texts = [line for line in lines if line]
        if not texts:
            raise DataError(f"{path} holds no query.", "Write one a line.")
        return texts, texts
    table = data.read_rows_as_they_are(path, "text", options)
    if table.set_aside:
        first = table.set_aside[0]
        raise DataError(f"{path}: the query {first.id} cannot be searched for: {first.reason}.", "Leave it out.")
    texts = list(map(str, table.inputs))
    return (list(map(str, table.ids)) if "id" in table.columns else texts), texts


def _read_files(index: VectorIndex, words: Sequence[str], options: SearchOptions) -> Table:
    """Return files as queries."""
    paths = [*map(Path, words), *([options.queries] if options.queries is not None else [])]
    return data.read_ordered_inputs(paths, index.about.modality, {}, {}, options=options).table


READERS: Mapping[str, Callable[[VectorIndex, Sequence[str], SearchOptions], Table]] = {"text": _read_texts}
"""How queries are read, where they are not files."""
