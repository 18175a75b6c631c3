"""Interval of a gap between two groups, and the gaps that chance gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    difference_interval,
    draw_bootstrap_weights,
    effective_sizes,
    envelope,
    percentiles,
    sum_by_cluster,
    t_quantile,
)
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval


def gap_interval(
    figures: NDArray[np.float32],
    a: NDArray[np.bool_],
    b: NDArray[np.bool_],
    clusters: Index | None,
    seed: int,
    within: tuple[float, float],
) -> Interval:
    """Return the mean figure on `a` minus that on `b`, resampled over rows or clusters.

    Parameters
    ----------
    figures : array of float32, shape (n_rows,)
    a, b : array of bool, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
    seed : int
    within : tuple of float
        Least and largest difference that can be.
    """
    sizes = np.column_stack([a, b]).astype(np.float32)
    hits = sizes * figures[:, None]
    hits, sizes = sum_by_cluster(hits, clusters), sum_by_cluster(sizes, clusters)
    drawn = []
    for weights in draw_bootstrap_weights(len(hits), seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = (weights @ hits) / (weights @ sizes)
        drawn.append((shares[:, 0] - shares[:, 1]).astype(np.float64))
    low, high = percentiles(np.concatenate(drawn)[:, None])
    share = hits.sum(axis=0, dtype=np.float64) / sizes.sum(axis=0, dtype=np.float64)
    if _are_hits(figures):
        n = effective_sizes(hits, sizes, clusters is not None)
        ends = compute_wilson_interval(share * n, n)
        second = difference_interval(share, *ends)
    else:
        second = _welch(hits, sizes, share)
    return envelope(share[0] - share[1], (low[0], high[0]), second, within=within)


def _are_hits(figures: NDArray[np.float32]) -> bool:
    return bool(np.isin(figures, (0.0, 1.0)).all())


def _welch(totals: NDArray[np.float32], sizes: NDArray[np.float32], means: Floats) -> tuple[float, float]:
    """Interval of the difference of two means by Student's t with the smaller number of rows or clusters."""
    n_units = np.count_nonzero(sizes, axis=0)
    residual = np.square(totals - means * sizes, dtype=np.float64).sum(axis=0) * n_units / np.maximum(n_units - 1, 1)
    error = float(np.sqrt((residual / np.square(sizes.sum(axis=0, dtype=np.float64))).sum()))
    half = t_quantile(int(n_units.min()) - 1) * error
    return float(means[0] - means[1] - half), float(means[0] - means[1] + half)


def sample_null_gaps(
    figures: NDArray[np.float32], members: Index, clusters: Index | None, n_values: int, seed: int
) -> Floats:
    """Return the largest gap between values when they are permuted, `permutations` times.

    Parameters
    ----------
    figures : array of float32, shape (n_rows,)
    members : Index, shape (n_rows,)
        Number of each row's value.
    clusters : Index or None, shape (n_rows,)
    n_values : int
    seed : int
    """
    rng = np.random.default_rng([seed, n_values])
    sizes = np.bincount(members, minlength=n_values)
    if clusters is None and _are_hits(figures):
        hits = rng.multivariate_hypergeometric(sizes, int(figures.sum()), size=SETTINGS.permutations)
        return np.asarray(np.ptp(hits / sizes, axis=1), dtype=np.float64)
    if clusters is None:
        clusters = np.arange(len(members))
    n_clusters = int(clusters.max()) + 1
    first = np.zeros(n_clusters, dtype=np.intp)
    first[clusters] = members
    whole = bool((first[clusters] == members).all())
    gaps = np.empty(SETTINGS.permutations)
    for turn in range(SETTINGS.permutations):
        permuted = rng.permutation(first)[clusters] if whole else _exchange_clusters(members, clusters, rng)
        shares = np.bincount(permuted, weights=figures, minlength=n_values) / np.bincount(permuted, minlength=n_values)
        gaps[turn] = shares.max() - shares.min()
    return gaps


def _exchange_clusters(members: Index, clusters: Index, rng: np.random.Generator) -> Index:
    """Exchange the values of whole clusters among clusters of equal size, in any order within a cluster."""
    sizes = np.bincount(clusters)[clusters]
    ranks = rng.permutation(int(clusters.max()) + 1)[clusters]
    permuted = np.empty_like(members)
    permuted[np.lexsort((clusters, sizes))] = members[np.lexsort((rng.random(len(members)), ranks, sizes))]
    return permuted
