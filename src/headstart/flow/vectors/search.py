"""`search`: the rows of an index that are most like a query, or like one of its own rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from headstart.csv_files import format_csv
from headstart.errors import OptionError, make_unknown_name
from headstart.extras import find_missing, require
from headstart.flow.vectors.encoder import QueryEncoder, open_encoder
from headstart.flow.vectors.hybrid import add_word_hits, count_joined, warn_of_unreadable
from headstart.flow.vectors.queries import read_queries
from headstart.home import write_text
from headstart.index import Hit, VectorIndex, open_index, search_vectors
from headstart.offline import offline
from headstart.options import SearchOptions
from headstart.projects import is_project
from headstart.projects.places import VECTORS
from headstart.records import FloatMatrix, Index, Table


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """One line of the answer.

    Parameters
    ----------
    query : str
        As it was asked, or the id of the row to find more of.
    rank : int
        1 is the best.
    id : str
        Of the row that was hit.
    score : float
        Cosine, -1 to 1, or the sum of reciprocal ranks of a hybrid index; high is alike. Scores of two bases cannot
        be compared.
    text : str
        Beginning of a text; "" for other rows.
    """

    query: str
    rank: int
    id: str
    score: float
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class SearchAnswer:
    """What `search` found.

    Parameters
    ----------
    hits : tuple of SearchHit
        Query by query, best first.
    n_rows, n_searched : int
        Rows of the index, and those that the filter left.
    """

    hits: tuple[SearchHit, ...]
    n_rows: int
    n_searched: int


def search_index(folder: Path, queries: Sequence[str], options: SearchOptions) -> SearchAnswer:
    """Search in an index.

    Parameters
    ----------
    folder : Path
        Of the index, or of a project that has one.
    queries : sequence of str
        Words; for images and series paths of files.
    options : SearchOptions
        `queries` and `like` ask for more.

    Raises
    ------
    HeadstartError
        The index or a query cannot be used, or the index is of another base than the one that was named.
    """
    index = open_index(folder / VECTORS if is_project(folder) else folder)
    if not (queries or options.like or options.queries):
        raise OptionError("There is nothing to search for.", 'Give words ("no water"), --queries FILE, or --like ID.')
    table = read_queries(index, queries, options) if queries or options.queries else None
    return search_opened(index, table, options)


def search_opened(index: VectorIndex, table: Table | None, options: SearchOptions) -> SearchAnswer:
    """Search in an index that is open.

    Parameters
    ----------
    index : VectorIndex
    table : Table or None
        Queries; their ids stand before their hits.
    options : SearchOptions
        `like` asks for more.

    Raises
    ------
    HeadstartError
        A query cannot be used, or the index is of another base than the one that was named.
    """
    rows = filter_rows(index, options.filter)
    hits = [line for name in options.like for line in _search_like(index, name, rows, options.k)]
    if table is not None:
        require("adapt", "Embedding a query")
        with offline(options.offline):
            vectors = embed_queries(index, table, options)
        k = count_joined(options.k) if index.about.is_hybrid else options.k
        ranked = _rank_rows(index, vectors, k, rows)
        if index.about.is_hybrid:
            ranked = add_word_hits(index, table, ranked, options.k, rows=rows)
        for name, best in zip(table.ids, ranked, strict=True):
            hits += _list_hits(index, str(name), best)
    return SearchAnswer(hits=tuple(hits), n_rows=len(index), n_searched=len(index) if rows is None else len(rows))


def write_hits(answer: SearchAnswer, path: Path) -> None:
    """Write hits as a CSV file with the columns query, rank, id and score.

    Parameters
    ----------
    answer : SearchAnswer
    path : Path
    """
    lines = [(hit.query, hit.rank, hit.id, f"{hit.score:.6f}") for hit in answer.hits]
    write_text(path, format_csv([("query", "rank", "id", "score"), *lines]))


def embed_queries(index: VectorIndex, table: Table, options: SearchOptions) -> FloatMatrix:
    """Compute the vectors of queries with the base of the index (n_queries, n_dims), float32 of unit length.

    Parameters
    ----------
    index : VectorIndex
    table : Table
        The queries.
    options : SearchOptions

    Raises
    ------
    DataError
        A query cannot be read.
    OptionError
        The index is of another base.
    """
    reference, about = options.base or index.about.base, index.about
    encoder = open_encoder(reference, table, options.precision, options.offline, input_spec=about.input_spec)
    require_same_base(index, encoder)
    warn_of_unreadable(table, encoder.extractor.spec)
    return encoder.encode(table)


def require_same_base(index: VectorIndex, encoder: QueryEncoder) -> None:
    """Refuse an index whose vectors another base made: the two cannot be compared.

    Parameters
    ----------
    index : VectorIndex
    encoder : QueryEncoder

    Raises
    ------
    OptionError
    """
    if encoder.fingerprint == index.about.fingerprint and encoder.prefix == index.about.query_prefix:
        return
    name = encoder.base_name
    which = name if name != index.about.base_name else f"another version of {name}"
    raise OptionError(
        f"The index was made with {index.about.base_name}, and {which} would read the query.",
        "Leave --base out, or make the index again: headstart embed DATA --base ...",
    )


def filter_rows(index: VectorIndex, conditions: Sequence[str]) -> Index | None:
    """Return the numbers of the rows that conditions leave, ascending; None for all.

    Parameters
    ----------
    index : VectorIndex
    conditions : sequence of str
        Such as "district=Kisumu": values of one column are alternatives, columns must all hold.

    Raises
    ------
    OptionError, UnknownName
        A condition is none, or there is no such column or value.
    """
    if not conditions:
        return None
    values: dict[str, set[str]] = {}
    for condition in conditions:
        column, sign, value = condition.partition("=")
        if not sign or not column.strip():
            raise OptionError(
                f"--filter {condition!r} is no condition.", "Write COLUMN=VALUE, such as district=Kisumu."
            )
        if column.strip() not in index.columns:
            raise make_unknown_name("column", column.strip(), list(index.columns), "the index")
        values.setdefault(column.strip(), set()).add(value.strip())
    fits = np.ones(len(index), dtype=bool)
    for column, wanted_values in values.items():
        fits &= np.asarray([cell.strip() in wanted_values for cell in index.columns[column]], dtype=bool)
    if not fits.any():
        raise OptionError(
            f"No row of the index fits --filter {' '.join(conditions)}.", "Check how the values are written."
        )
    return np.flatnonzero(fits)


def find_like(index: VectorIndex, row: int, k: int, rows: Index | None = None) -> list[Hit]:
    """Return the rows most like one of the index, without itself, best first.

    Parameters
    ----------
    index : VectorIndex
    row : int
        Its number.
    k : int
    rows : Index, optional
        The rows that may be hit, ascending; all.
    """
    query = index.vectors[row : row + 1].astype(np.float32)
    hits = search_vectors(index.vectors, query, k + 1, rows)[0]
    return [hit for hit in hits if hit.row != row][:k]


def _rank_rows(index: VectorIndex, queries: FloatMatrix, k: int, rows: Index | None) -> list[list[Hit]]:
    """Return the best rows of each query: by the graph of a very large index, else exactly."""
    if rows is None and index.graph is not None and not find_missing("search"):
        graph = import_module("headstart.index.graph")  # usearch is loaded only where it is needed.
        ranked: list[list[Hit]] = graph.search_graph(index, queries, k)
        return ranked
    return search_vectors(index.vectors, queries, k, rows)


def _search_like(index: VectorIndex, name: str, rows: Index | None, k: int) -> list[SearchHit]:
    row = index.find_row(name)
    if row is None:
        raise make_unknown_name("row", name, index.ids, "the index")
    return _list_hits(index, name, find_like(index, row, k, rows))


def _list_hits(index: VectorIndex, query: str, hits: Sequence[Hit]) -> list[SearchHit]:
    texts = index.texts
    return [
        SearchHit(query=query, rank=rank, id=index.ids[hit.row], score=hit.score, text=texts[hit.row] if texts else "")
        for rank, hit in enumerate(hits, 1)
    ]
