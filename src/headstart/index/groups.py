"""Groups of near-equal rows, and rows in an order in which neighbours are alike.

A group is a star (Aslam, Pelekhov and Rus 2004): a row and all that are near to it, so that a chain of small steps
does not join what is far apart. The row with the most near ones comes first. Memory grows with the rows, not with
their pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart import progress
from headstart.index.record import Halves
from headstart.index.settings import SETTINGS
from headstart.records import FloatMatrix, Index


@dataclass(frozen=True)
class NearGroup:
    """Near-equal rows: their numbers, the most typical first, and the cosine of each with it."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]


def choose_least_score(vectors: Halves, seed: int = 0) -> float:
    """Return the cosine from which on rows count as near-equal: far nearer than two rows usually are.

    Bases differ in how near their vectors lie, so that one number would not do for all.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    seed : int
        Of the pairs that are drawn.
    """
    if len(vectors) < 2:
        return 1.0
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(vectors), SETTINGS.drawn_pairs)
    second = (first + rng.integers(1, len(vectors), SETTINGS.drawn_pairs)) % len(vectors)
    pairs = vectors[first].astype(np.float32), vectors[second].astype(np.float32)
    median = float(np.median(np.einsum("ij,ij->i", *pairs)))
    return 1.0 - SETTINGS.near_share * (1.0 - median)


def group_near_rows(vectors: Halves, least_score: float) -> list[NearGroup]:
    """Return groups of two or more near-equal rows, the largest first.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    least_score : float
        Cosine with the first row of a group, -1 to 1.

    Examples
    --------
    >>> rows = np.asarray([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=np.float16)
    >>> [group.rows for group in group_near_rows(rows, 0.99)]
    [(0, 2)]
    """
    values = vectors.astype(np.float32)
    counts, near = _list_near_rows(values, least_score)
    is_free = np.ones(len(values), dtype=bool)
    groups = []
    for row in np.argsort(-counts, kind="stable"):
        if counts[row] < 2:
            break
        if not is_free[row]:
            continue
        listed = near.get(int(row))
        if listed is None:
            listed = np.flatnonzero(values @ values[row] >= least_score)
        members = listed[is_free[listed]]
        if len(members) < 2:
            continue
        is_free[members] = False
        groups.append(_make_group(values, members))
    return sorted(groups, key=lambda group: (-len(group.rows), group.rows[0]))


def _list_near_rows(values: FloatMatrix, least_score: float) -> tuple[Index, dict[int, Index]]:
    """Return how many rows are near each, itself included, and which, where they are few."""
    n_rows = len(values)
    counts, near = np.ones(n_rows, dtype=np.intp), dict[int, Index]()
    step = max(16, min(n_rows, SETTINGS.pair_values // max(n_rows, 1)))
    with progress.open_bar("Comparing", n_rows, "rows") as bar:
        for start in range(0, n_rows, step):
            is_near = values[start : start + step] @ values.T >= least_score
            places = np.arange(len(is_near))
            is_near[places, start + places] = True
            sizes = is_near.sum(axis=1)
            counts[start : start + len(sizes)] = sizes
            for place in np.flatnonzero((sizes > 1) & (sizes <= SETTINGS.listed_rows)):
                near[start + int(place)] = np.flatnonzero(is_near[place])
            bar.advance(len(sizes))
    return counts, near


def _make_group(values: FloatMatrix, members: Index) -> NearGroup:
    """Return rows as a group; the one nearest to their mean stands for them."""
    middle = values[members].mean(axis=0)
    first = members[int(np.argmax(values[members] @ middle))]
    scores = np.where(members == first, 1.0, values[members] @ values[first])
    order = np.lexsort((members, -scores, members != first))
    return NearGroup(tuple(map(int, members[order])), tuple(float(min(score, 1.0)) for score in scores[order]))


def order_by_likeness(vectors: Halves) -> Index:
    """Return the numbers of all rows in an order in which neighbours are alike.

    Rows are split at the median of the direction in which they differ most, and each half again.

    Parameters
    ----------
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    """
    values = vectors.astype(np.float32)
    return _order_part(values, np.arange(len(values)), None)


def _order_part(values: FloatMatrix, rows: Index, along: Sequence[float] | FloatMatrix | None) -> Index:
    if len(rows) < 3:
        return rows if along is None else rows[np.argsort(values[rows] @ np.asarray(along), kind="stable")]
    part = values[rows] - values[rows].mean(axis=0)
    direction = _find_main_direction(part)
    if along is not None and direction @ np.asarray(along) < 0:
        direction = -direction
    order = rows[np.argsort(part @ direction, kind="stable")]
    half = len(order) // 2
    return np.concatenate([_order_part(values, order[:half], direction), _order_part(values, order[half:], direction)])


def _find_main_direction(part: FloatMatrix) -> FloatMatrix:
    """Return the direction of the largest variance (n_dims,), by a few steps of the power method."""
    direction = part[int(np.argmax(np.einsum("ij,ij->i", part, part)))]
    for _ in range(SETTINGS.power_steps):
        following = part.T @ (part @ direction)
        length = float(np.linalg.norm(following))
        if length < 1e-12:
            break
        direction = following / length
    result: FloatMatrix = direction.astype(np.float32)
    return result
