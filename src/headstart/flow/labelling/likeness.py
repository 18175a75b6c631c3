"""Rows by likeness: an order in which neighbours are alike, rows most like one, and groups of sure guesses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.flow.active_learning.label_next import project_features
from headstart.flow.labelling.learning import BLOCK, Vectors, take_rows
from headstart.flow.labelling.settings import SETTINGS
from headstart.ranking.typicality import cluster_rows
from headstart.records import FloatMatrix, Index

Floats = NDArray[np.float64]


def read_alike_rows(vectors: Vectors, rows: Index) -> FloatMatrix:
    """Return rows (n_rows, at most 256) of length one whose products are their likeness: their mean is taken off.

    Parameters
    ----------
    vectors : Vectors, shape (n_all, n_dims)
    rows : Index, shape (n_rows,)
    """
    blocks = [
        project_features(take_rows(vectors, rows[start : start + BLOCK]), _WIDE) for start in range(0, len(rows), BLOCK)
    ]
    if not blocks:
        return np.zeros((0, 1), dtype=np.float32)
    values = np.concatenate(blocks)
    return take_rows(values - values.mean(axis=0), slice(None))


_WIDE = 10**9
"""Rows for which vectors are always projected."""


def order_rows(vectors: Vectors, rows: Index) -> Index:
    """Order rows so that neighbours are alike.

    Parameters
    ----------
    vectors : Vectors, shape (n_all, n_dims)
    rows : Index, shape (n_rows,)

    Returns
    -------
    Index, shape (n_rows,)
        The same rows.

    Notes
    -----
    A chain of nearest neighbours through the centres of groups (mini-batch k-means), then through each group, from the
    row nearest to the last one. Linear in the rows for groups of one size.

    Examples
    --------
    >>> points = np.array([[1, 0.0], [0, 1.0], [0.9, 0.1], [0.1, 0.9]])
    >>> order = order_rows(points, np.arange(4)).tolist()
    >>> abs(order.index(0) - order.index(2)), abs(order.index(1) - order.index(3))
    (1, 1)
    """
    if len(rows) < 3:
        return rows
    values = read_alike_rows(vectors, rows)
    clusters = cluster_rows(values, max(1, len(rows) // SETTINGS.order_group), seed=0)
    order: list[int] = []
    members = [np.flatnonzero(clusters.owner == group) for group in range(len(clusters.centres))]
    for group in _chain(clusters.centres, 0):
        if len(members[group]) == 0:
            continue
        inside = values[members[group]]
        first = int((inside @ values[order[-1]]).argmax()) if order else 0
        order += members[group][_chain_in_blocks(inside, first)].tolist()
    return rows[np.asarray(order, dtype=np.intp)]


def _chain_in_blocks(values: FloatMatrix, first: int) -> Index:
    """Chain rows; a group that stayed very large is cut along its widest direction, so that no product is huge."""
    if len(values) <= SETTINGS.order_block:
        return _chain(values, first)
    axis = values[np.argmin(values @ values[first])] - values[first]
    order = np.argsort(values @ axis, kind="stable")
    parts = np.array_split(order, -(-len(order) // SETTINGS.order_block))
    return np.concatenate([part[_chain(values[part], 0)] for part in parts])


def _chain(values: FloatMatrix, first: int) -> Index:
    """Go from row to the nearest row that was not visited, (n_rows,)."""
    likeness = values @ values.T
    order = np.empty(len(values), dtype=np.intp)
    at = first
    for place in range(len(values)):
        order[place] = at
        likeness[:, at] = -np.inf
        at = int(likeness[at].argmax())
    return order


def find_alike(vectors: Vectors, query: NDArray[np.floating], rows: Index, n: int) -> tuple[Index, Floats]:
    """Return the rows most like a vector, best first, with their cosines.

    Parameters
    ----------
    vectors : Vectors, shape (n_all, n_dims)
    query : array, shape (n_dims,)
    rows : Index
        Rows to look through.
    n : int

    Examples
    --------
    >>> find_alike(np.eye(2), np.array([0.6, 0.8]), np.arange(2), 1)[0].tolist()
    [1]
    """
    direction = np.asarray(query, dtype=np.float32)
    direction = direction / max(float(np.linalg.norm(direction)), 1e-12)
    scores = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        scores[start : start + BLOCK] = take_rows(vectors, rows[start : start + BLOCK]) @ direction
    best = np.argsort(-scores, kind="stable")[:n]
    return rows[best], scores[best]


def group_sure_rows(vectors: Vectors, rows: Index, certainty: Floats) -> list[Index]:
    """Group rows whose guess is the same kind into cohorts of alike rows, each in order of likeness.

    Parameters
    ----------
    vectors : Vectors, shape (n_all, n_dims)
    rows : Index, shape (n_rows,)
    certainty : Floats, shape (n_rows,)
        Probability of the guess; only rows that reach `SETTINGS.cohort_certainty` are grouped.
    """
    order = np.argsort(-certainty, kind="stable")[: SETTINGS.cohort_pool]
    sure = rows[order[certainty[order] >= SETTINGS.cohort_certainty]]
    if len(sure) < SETTINGS.least_cohort:
        return []
    values = read_alike_rows(vectors, sure)
    clusters = cluster_rows(values, -(-len(sure) // SETTINGS.cohort_rows), seed=0)
    cohorts = []
    for group, centre in enumerate(clusters.centres):
        members = np.flatnonzero(clusters.owner == group)
        nearest = members[np.argsort(-(values[members] @ centre), kind="stable")[: SETTINGS.cohort_rows]]
        if len(nearest) >= SETTINGS.least_cohort:
            cohorts.append(order_rows(vectors, sure[np.sort(nearest)]))
    return cohorts
