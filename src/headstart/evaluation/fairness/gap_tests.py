"""Interval of a gap between two groups, which gap is the clearest, and how often chance gives one as clear."""

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

_TIE = 1e-9
"""Statistics that lie nearer are the same."""


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


def find_clearest_pair(means: Floats, sizes: Index) -> tuple[int, int]:
    """Return the better and the worse of the two values whose means differ by most standard errors.

    Parameters
    ----------
    means : Floats, shape (n_values,)
        Of the figures of the rows of each value; higher is better.
    sizes : Index, shape (n_values,)
        Rows of each value, one at least.

    Examples
    --------
    Four of 25 rows more say less than 15 of 200:

    >>> find_clearest_pair(np.array([0.80, 0.65, 0.64]), np.array([200, 200, 25]))
    (0, 1)
    """
    scaled = _scale_differences(means, sizes)
    better, worse = np.unravel_index(int(scaled.argmax()), scaled.shape)
    return (int(better), int(worse)) if better != worse else (0, 1)


def compute_gap_p_value(
    figures: NDArray[np.float32], members: Index, pair: tuple[int, int], clusters: Index | None, seed: int
) -> float:
    """Return how often chance gives a gap between any two values that is as clear as that of a pair.

    Parameters
    ----------
    figures : array of float32, shape (n_rows,)
    members : Index, shape (n_rows,)
        Number of each row's value; every number has rows.
    pair : tuple of int
        The better and the worse value.
    clusters : Index or None, shape (n_rows,)
        As `number_clusters` returns them.
    seed : int

    Returns
    -------
    float
        0 to 1; 1 where the pair does not differ.

    Notes
    -----
    The statistic is the largest difference of two means over the root of 1 / n_a + 1 / n_b (in standard errors, the
    variance of the rows being the same in every permutation), so that small values do not hide what large ones show
    (Westfall and Young 1993). Permutations with the very same statistic count half (mid-p, Lancaster 1961; Lydersen,
    Fagerland and Laake 2009): shares of few rows take few values, and a test that counts them whole rejects in 3 to 4 %
    where it states 5 (decision 0039).

    Examples
    --------
    >>> site = np.arange(80) // 40
    >>> compute_gap_p_value(np.float32(site == 0), site, (0, 1), None, 0)
    0.0005
    """
    sizes = np.bincount(members)
    means = np.bincount(members, weights=figures) / sizes
    observed = float(_scale_differences(means, sizes)[pair])
    if abs(observed) <= _TIE:
        return 1.0
    return count_mid_p(_sample_null_statistics(figures, members, clusters, seed), abs(observed))


def count_mid_p(null: Floats, observed: float) -> float:
    """Return the share of permutations whose statistic is larger, or equal and then counted half.

    Parameters
    ----------
    null : Floats, shape (n_permutations,)
    observed : float
        Counts as one permutation more.

    Examples
    --------
    >>> count_mid_p(np.array([1.0, 2.0, 2.0, 3.0]), 2.0)
    0.6
    """
    larger = int((null > observed + _TIE).sum())
    equal = int((null >= observed - _TIE).sum()) - larger
    return (1 + larger + equal / 2) / (1 + len(null))


def agree_with_test(gap: Interval, p_value: float, is_exact: bool) -> Interval:
    """Return the interval of a gap, changed so that it says of 0 what the test says.

    Parameters
    ----------
    gap : Interval
        Value 0 or more.
    p_value : float
        Above 5 % the interval is stretched to 0.
    is_exact : bool
        Whether the test holds for every pair of equal shares, as with independent rows that are right or wrong: then at
        5 % or less the interval begins above 0. In clusters, or for other figures, both have to exclude 0.

    Examples
    --------
    >>> agree_with_test(Interval(0.2, -0.01, 0.4), 0.04, is_exact=True).low > 0
    True
    """
    if p_value > SETTINGS.level:
        return Interval(gap.value, min(gap.low, 0.0), gap.high)
    return Interval(gap.value, max(gap.low, SETTINGS.least_gap_share * gap.value), gap.high) if is_exact else gap


def is_exact_test(figures: NDArray[np.float32], clusters: Index | None) -> bool:
    """Return whether equal means leave nothing else by which values can differ: rows right or wrong, independent.

    Parameters
    ----------
    figures : array of float32, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
        As `number_clusters` returns them.
    """
    return clusters is None and _are_hits(figures)


def _scale_differences(means: Floats, sizes: NDArray[np.integer]) -> Floats:
    """Return differences of any two means (..., n, n) over the root of 1 / n_a + 1 / n_b."""
    rows = 1.0 / np.maximum(sizes, 1)
    error = np.sqrt(rows[..., :, None] + rows[..., None, :])
    return np.asarray((means[..., :, None] - means[..., None, :]) / error, dtype=np.float64)


def _sample_null_statistics(figures: NDArray[np.float32], members: Index, clusters: Index | None, seed: int) -> Floats:
    """Return the largest scaled difference between values when they are permuted, `permutations` times."""
    sizes = np.bincount(members)
    rng = np.random.default_rng([seed, len(sizes)])
    if is_exact_test(figures, clusters):
        hits = rng.multivariate_hypergeometric(sizes, int(figures.sum()), size=SETTINGS.permutations)
        return np.asarray(_scale_differences(hits / sizes, sizes).max(axis=(-2, -1)), dtype=np.float64)
    if clusters is None:
        clusters = np.arange(len(members))
    first = np.zeros(int(clusters.max()) + 1, dtype=np.intp)
    first[clusters] = members
    whole = bool((first[clusters] == members).all())
    statistics = np.empty(SETTINGS.permutations)
    for turn in range(SETTINGS.permutations):
        permuted = rng.permutation(first)[clusters] if whole else _exchange_clusters(members, clusters, rng)
        drawn = np.bincount(permuted, minlength=len(sizes))
        means = np.bincount(permuted, weights=figures, minlength=len(sizes)) / np.maximum(drawn, 1)
        statistics[turn] = _scale_differences(means, drawn).max()
    return statistics


def _exchange_clusters(members: Index, clusters: Index, rng: np.random.Generator) -> Index:
    """Exchange the values of whole clusters among clusters of equal size, in any order within a cluster."""
    sizes = np.bincount(clusters)[clusters]
    ranks = rng.permutation(int(clusters.max()) + 1)[clusters]
    permuted = np.empty_like(members)
    permuted[np.lexsort((clusters, sizes))] = members[np.lexsort((rng.random(len(members)), ranks, sizes))]
    return permuted
