"""Which rows are worth a label: typical ones of groups that have none, or those a model is least sure of, one a group.

Works on features and probabilities that others made. Nothing is quadratic in the rows: groups come from mini-batch
k-means, and a row is compared with a sample of its own group only. Numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.ranking.settings import SETTINGS
from headstart.records import FloatMatrix, Index

Floats = NDArray[np.float64]
_BLOCK = 4_096


@dataclass(frozen=True)
class RowClusters:
    """Rows in groups: the group of each row (n_rows,), and the groups' centres (n_groups, n_dims)."""

    owner: Index
    centres: FloatMatrix


@dataclass(frozen=True)
class RowsToLabel:
    """Rows to label, best first, and the number of rows in each one's group."""

    rows: Index
    group_sizes: Index


def scale_to_unit_length(features: FloatMatrix) -> FloatMatrix:
    """Scale rows to length one.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)

    Examples
    --------
    >>> scale_to_unit_length(np.array([[3.0, 4.0]], dtype=np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", features, features, dtype=np.float64))
    return np.asarray(features / np.maximum(lengths, 1e-12)[:, None], dtype=np.float32)


def find_nearest_centres(features: FloatMatrix, centres: FloatMatrix) -> tuple[Index, Floats]:
    """Return the nearest centre of each row (n_rows,), and the squared distance to it; block by block.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    centres : FloatMatrix, shape (n_centres, n_dims)
    """
    owner, distance = np.empty(len(features), dtype=np.intp), np.empty(len(features))
    half = np.einsum("ij,ij->i", centres, centres) / 2
    for start in range(0, len(features), _BLOCK):
        block = features[start : start + _BLOCK]
        scores = block @ centres.T - half
        best = scores.argmax(axis=1)
        owner[start : start + _BLOCK] = best
        own = np.einsum("ij,ij->i", block, block) - 2 * scores[np.arange(len(block)), best]
        distance[start : start + _BLOCK] = np.maximum(own, 0.0)
    return owner, distance


def _draw_first_centres(features: FloatMatrix, n_groups: int, rng: np.random.Generator) -> FloatMatrix:
    """Spread the first centres (k-means++) over a sample."""
    sample = features[np.sort(rng.permutation(len(features))[: max(SETTINGS.seeding_rows, 4 * n_groups)])]
    chosen = [int(rng.integers(len(sample)))]
    distance = np.square(sample - sample[chosen[0]]).sum(axis=1)
    for _ in range(1, n_groups):
        total = float(distance.sum())
        if total <= 1e-9:
            break
        pick = int(np.searchsorted(np.cumsum(distance), rng.random() * total))
        chosen.append(min(pick, len(sample) - 1))
        distance = np.minimum(distance, np.square(sample - sample[chosen[-1]]).sum(axis=1))
    return sample[chosen].copy()


def cluster_rows(features: FloatMatrix, n_groups: int, seed: int) -> RowClusters:
    """Group rows by mini-batch k-means.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    n_groups : int
        Fewer are made where there are fewer different rows.
    seed : int

    Notes
    -----
    Sculley (2010), with k-means++ seeds on a sample; a centre moves by 1 / (rows it has seen).

    Examples
    --------
    >>> rows = np.array([[0.0], [0.1], [5.0], [5.1]], dtype=np.float32)
    >>> found = cluster_rows(rows, 2, seed=0)
    >>> bool(found.owner[0] == found.owner[1]), bool(found.owner[1] != found.owner[2])
    (True, True)
    """
    rng = np.random.default_rng(seed)
    centres = _draw_first_centres(features, min(n_groups, len(features)), rng)
    seen = np.zeros(len(centres))
    for _ in range(SETTINGS.kmeans_rounds):
        rows = (
            rng.permutation(len(features))[: SETTINGS.kmeans_rows]
            if len(features) > SETTINGS.kmeans_rows
            else np.arange(len(features))
        )
        batch = features[rows]
        owner, _ = find_nearest_centres(batch, centres)
        counts = np.bincount(owner, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, batch)
        # Where a batch is everything this is Lloyd's algorithm: earlier rounds are forgotten.
        seen = seen + counts if len(features) > SETTINGS.kmeans_rows else counts.astype(np.float64)
        nonempty = counts > 0
        step = (counts[nonempty] / seen[nonempty])[:, None]
        centres[nonempty] += (step * (sums[nonempty] / counts[nonempty][:, None] - centres[nonempty])).astype(
            np.float32
        )
    return RowClusters(find_nearest_centres(features, centres)[0], centres)


def compute_typicality(features: FloatMatrix, rng: np.random.Generator) -> Floats:
    """Return how typical each row of one group is: one over the mean distance to its nearest neighbours.

    Notes
    -----
    Hacohen, Dekel and Weinshall (2022), arXiv:2202.02794, with 20 neighbours among at most 1,000 rows of the group.
    """
    others = features[np.sort(rng.permutation(len(features))[: SETTINGS.compared_rows])]
    k = min(SETTINGS.neighbours, len(others) - 1)
    if k < 1:
        return np.zeros(len(features))
    values = np.empty(len(features))
    for start in range(0, len(features), _BLOCK):
        block = features[start : start + _BLOCK]
        squared = np.square(block).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * block @ others.T
        close = np.partition(np.sqrt(np.maximum(squared, 0.0)), k, axis=1)[:, : k + 1]
        values[start : start + _BLOCK] = k / np.maximum(close.sum(axis=1), 1e-6)  # itself is at distance 0
    return values


def _rank_rows(scores: dict[int, list[int]], order: list[int], features: FloatMatrix, n: int) -> list[int]:
    """Rank the best row of each group first, then the second ...; skip near copies of ranked rows."""
    taken: list[int] = []
    waiting = {group: iter(scores[group]) for group in order}
    while waiting and len(taken) < n:
        for group in list(waiting):
            row = next((row for row in waiting[group] if _is_new(features, row, taken)), None)
            if row is None:
                del waiting[group]
                continue
            taken.append(row)
            if len(taken) == n:
                break
    return taken


def _is_new(features: FloatMatrix, row: int, taken: list[int]) -> bool:
    return not taken or float((features[taken] @ features[row]).max()) < SETTINGS.copy_cosine


def choose_typical_rows(features: FloatMatrix, labelled: FloatMatrix | None, n: int, seed: int) -> RowsToLabel:
    """Choose typical rows of groups that hold no labelled row yet.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
        Of rows without labels, of length one.
    labelled : FloatMatrix or None, shape (n_known, n_dims)
        What is labelled already, or centres of it, of length one.
    n : int
        Rows wanted.
    seed : int

    Notes
    -----
    TypiClust (arXiv:2202.02794): as many groups as labelled and wanted rows together, the largest first.
    """
    n_known = 0 if labelled is None else len(labelled)
    clusters = cluster_rows(features, min(n + n_known, SETTINGS.max_groups), seed)
    sizes = np.bincount(clusters.owner, minlength=len(clusters.centres))
    covered = np.zeros(len(sizes), dtype=np.intp)
    if labelled is not None and n_known:
        covered = np.bincount(find_nearest_centres(labelled, clusters.centres)[0], minlength=len(sizes))
    rng, scores = np.random.default_rng(seed), {}
    for group in np.flatnonzero(sizes):
        members = np.flatnonzero(clusters.owner == group)
        scores[int(group)] = members[np.argsort(-compute_typicality(features[members], rng), kind="stable")].tolist()
    order = sorted(
        scores, key=lambda group: (sizes[group] < SETTINGS.small_group_rows, covered[group] > 0, -sizes[group])
    )
    free = [group for group in order if not covered[group]]
    rows = _rank_rows(scores, free if len(free) >= n else order, features, n)
    return RowsToLabel(np.asarray(rows, dtype=np.intp), sizes[clusters.owner[rows]])


def choose_uncertain_rows(features: FloatMatrix, margins: Floats, n: int, seed: int) -> RowsToLabel:
    """Choose rows that a model is least sure of, spread over groups of such rows.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
        Of length one.
    margins : Floats, shape (n_rows,)
        The two highest probabilities' difference, or the like: small where the model is unsure.
    n, seed : int

    Examples
    --------
    >>> rows = scale_to_unit_length(np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], dtype=np.float32))
    >>> choose_uncertain_rows(rows, np.array([0.2, 0.1, 0.9]), 1, seed=0).rows.tolist()
    [1]
    """
    pool = np.argsort(margins, kind="stable")[: SETTINGS.pool_factor * n]
    clusters = cluster_rows(features[pool], min(n, SETTINGS.max_groups), seed)
    scores: dict[int, list[int]] = {}
    for place, group in enumerate(clusters.owner):  # the pool is in order: the least sure comes first
        scores.setdefault(int(group), []).append(int(pool[place]))
    order = sorted(scores, key=lambda group: float(margins[scores[group][0]]))
    rows = _rank_rows(scores, order, features, n)
    place_of = {int(row): place for place, row in enumerate(pool)}
    sizes = np.bincount(clusters.owner)
    return RowsToLabel(np.asarray(rows, dtype=np.intp), sizes[clusters.owner[[place_of[row] for row in rows]]])
