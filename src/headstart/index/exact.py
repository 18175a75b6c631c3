"""Exact search: the score of every row, block by block, and the best of them.

A large index is compared in float16 where torch is installed (numpy turns float16 into float32 slowly); every row that
may be among the best is then scored in float32, so that the answer is the same.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from headstart.index.record import Halves, Hit
from headstart.index.settings import SETTINGS
from headstart.records import FloatMatrix, Index

Scores = NDArray[np.float32]


def score_rows(vectors: Halves, queries: FloatMatrix) -> Scores:
    """Return the cosine of every query with every row (n_queries, n_rows); high is alike.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    queries : FloatMatrix, shape (n_queries, n_dims)
        Of unit length.

    Examples
    --------
    >>> rows = np.asarray([[1.0, 0.0], [0.6, 0.8]], dtype=np.float16)
    >>> score_rows(rows, np.asarray([[1.0, 0.0]], dtype=np.float32)).round(1).tolist()
    [[1.0, 0.6000000238418579]]
    """
    scores = np.empty((len(queries), len(vectors)), dtype=np.float32)
    for start in range(0, len(vectors), SETTINGS.block_rows):
        block = vectors[start : start + SETTINGS.block_rows].astype(np.float32)
        scores[:, start : start + len(block)] = queries @ block.T
    return scores


def search_vectors(vectors: Halves, queries: FloatMatrix, k: int, rows: Index | None = None) -> list[list[Hit]]:
    """Return the best rows for each query, best first; rows of equal score in their order.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    queries : FloatMatrix, shape (n_queries, n_dims)
        Of unit length; a query of zeros finds nothing.
    k : int
        Hits for each query; of fewer rows all are returned.
    rows : Index, optional
        The rows that may be hit, ascending; all.

    Examples
    --------
    >>> rows = np.asarray([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], dtype=np.float16)
    >>> [hit.row for hit in search_vectors(rows, np.asarray([[0.0, 1.0]], dtype=np.float32), 2)[0]]
    [2, 1]
    """
    n_rows = len(vectors) if rows is None else len(rows)
    k = min(k, n_rows)
    if k == 0:
        return [[] for _ in queries]
    if len(queries) <= SETTINGS.half_queries and n_rows >= SETTINGS.half_rows and find_spec("torch") is not None:
        best = [_search_half(vectors, query, k, rows) for query in queries]
    else:
        best = _search_blocks(vectors, queries, k, rows)
    return [
        [Hit(int(row), float(score)) for row, score in zip(*pairs, strict=True)] if query.any() else []
        for query, pairs in zip(queries, best, strict=True)
    ]


def _search_half(vectors: Halves, query: NDArray[np.float32], k: int, rows: Index | None) -> tuple[Index, Scores]:
    """Score all rows in float16; those whose score may be among the best, in float32."""
    torch = import_module("torch")
    with torch.inference_mode():
        rough = (torch.from_numpy(vectors) @ torch.from_numpy(query).half()).float().numpy()
    values = rough if rows is None else rough[rows]
    least = np.partition(values, len(values) - k)[len(values) - k]
    places = np.flatnonzero(values >= least - 2 * SETTINGS.half_error)
    candidates = places if rows is None else rows[places]
    return _search_blocks(vectors, query[None], k, candidates)[0]


def _search_blocks(vectors: Halves, queries: FloatMatrix, k: int, rows: Index | None) -> list[tuple[Index, Scores]]:
    """Score rows in float32, a block at a time, and keep the best of each query."""
    best: list[tuple[Index, Scores]] = [(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)) for _ in queries]
    n_rows = len(vectors) if rows is None else len(rows)
    for start in range(0, n_rows, SETTINGS.block_rows):
        stop = min(start + SETTINGS.block_rows, n_rows)
        block_rows = np.arange(start, stop) if rows is None else rows[start:stop]
        scores = score_rows(vectors[start:stop] if rows is None else vectors[block_rows], queries)
        for number, row_scores in enumerate(scores):
            joined_rows = np.concatenate([best[number][0], block_rows])
            joined = np.concatenate([best[number][1], row_scores])
            order = _order_best(joined, k)
            best[number] = (joined_rows[order], joined[order])
    return best


def _order_best(values: Scores, k: int) -> Index:
    """Return the places of the k highest scores, highest first; equal ones in their order."""
    places = np.arange(len(values))
    if k < len(values):
        places = np.flatnonzero(values >= np.partition(values, len(values) - k)[len(values) - k])
    order: Index = places[np.argsort(-values[places], kind="stable")][:k]
    return order
