"""Approximate search for indexes above a million rows: a graph of near rows, by usearch.

The graph (HNSW, Malkov and Yashunin 2018) is a file beside the vectors, used only while every byte is the one that was
written. Its hits are scored again on the vectors themselves: scores are exact, though a hit may be missing. A search
among filtered rows stays exact.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime  # noqa: F401 - loaded after usearch (2.26), onnxruntime (1.32) ends the process with a fault.
from usearch.index import Index as Graph

from headstart.errors import DataError
from headstart.home import write_whole
from headstart.index.exact import score_rows
from headstart.index.record import Halves, Hit, VectorIndex
from headstart.index.settings import SETTINGS
from headstart.records import FloatMatrix
from headstart.sealed_folders import hash_file


def build_graph(vectors: Halves, path: Path) -> str:
    """Write the graph of vectors, and return the SHA-256 of its file.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    path : Path
    """
    graph = Graph(ndim=vectors.shape[1], metric="ip", dtype="f16")
    for start in range(0, len(vectors), SETTINGS.block_rows):
        block = np.asarray(vectors[start : start + SETTINGS.block_rows])
        graph.add(np.arange(start, start + len(block)), block)
    with write_whole(path) as partial:
        graph.save(str(partial))
    return hash_file(path)


def search_graph(index: VectorIndex, queries: FloatMatrix, k: int) -> list[list[Hit]]:
    """Return good rows for each query, best first; nearly always the best ones.

    Parameters
    ----------
    index : VectorIndex
        With a graph.
    queries : FloatMatrix, shape (n_queries, n_dims)
        Of unit length; a query of zeros finds nothing.
    k : int
        Hits for each query.

    Raises
    ------
    DataError
        The graph is damaged.
    """
    path = index.graph
    if path is None or not path.is_file() or hash_file(path) != index.about.graph:
        raise DataError(f"The graph {path} of the index is damaged.", "Make the index again: headstart embed.")
    graph = Graph.restore(str(path), view=True)
    results: list[list[Hit]] = []
    for query in queries:
        matches = graph.search(query.astype(np.float16), min(len(index), max(k, SETTINGS.graph_hits)))
        rows = np.sort(np.asarray(matches.keys, dtype=np.intp))
        scores = score_rows(index.vectors[rows], query[None])[0]
        order = np.argsort(-scores, kind="stable")[:k]
        results.append([Hit(int(rows[at]), float(scores[at])) for at in order] if query.any() else [])
    return results
