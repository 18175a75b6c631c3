"""95 % intervals for shares and means, also where rows come in clusters (groups, duplicates) or are few.

The percentile bootstrap collapses to a point when every row is right and is too narrow for small tests, so each share
gets the envelope of the bootstrap and Wilson's score interval. Nothing here knows what a class is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval

Floats = NDArray[np.float64]
SERIES_DEGREES = 200
_CELLS = 4_000_000


def compute_wilson_interval(hits: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Return Wilson's 95 % score interval of shares.

    Parameters
    ----------
    hits : Floats, shape (m,)
        Number of successes; need not be whole.
    sizes : Floats, shape (m,)
        Number of trials; where it is 0 the interval is 0 to 1.

    Returns
    -------
    low, high : Floats, shape (m,)

    Notes
    -----
    Wilson (1927), without continuity correction.

    Examples
    --------
    With 30 of 30 right the low end is n / (n + z^2) = 30 / 33.84:

    >>> low, high = compute_wilson_interval(np.array([30.0]), np.array([30.0]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.8865, 1.0)
    """
    n = np.maximum(sizes, 1e-12)
    share = np.clip(hits / n, 0.0, 1.0)
    z = SETTINGS.interval_quantile
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / (1 + z**2 / n)
    known = sizes > 0
    return np.where(known, np.clip(centre - half, 0.0, 1.0), 0.0), np.where(
        known, np.clip(centre + half, 0.0, 1.0), 1.0
    )


@cache
def t_quantile(degrees: int) -> float:
    """Return the 97.5 % point of Student's t distribution.

    Parameters
    ----------
    degrees : int
        Degrees of freedom; fewer than 1 count as 1.

    Notes
    -----
    Up to `SERIES_DEGREES` the finite series for whole degrees (Abramowitz and Stegun 26.7.3 and 26.7.4) is inverted by
    bisection, to 1e-12; beyond, the expansion of Cornish and Fisher (26.7.5) is off by less than 1e-9.

    Examples
    --------
    >>> [round(t_quantile(n), 4) for n in (1, 2, 9, 1000)]
    [12.7062, 4.3027, 2.2622, 1.9623]
    """
    n = max(degrees, 1)
    if n > SERIES_DEGREES:
        z = SETTINGS.interval_quantile
        terms = (
            (z**3 + z) / 4,
            (5 * z**5 + 16 * z**3 + 3 * z) / 96,
            (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
            (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
        )
        return z + float(sum(term / n ** (power + 1) for power, term in enumerate(terms)))
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (low, angle) if _central_probability(angle, n) > 0.95 else (angle, high)
    return math.sqrt(n) * math.tan((low + high) / 2)


def _central_probability(angle: float, degrees: int) -> float:
    """Return the probability that |t| is at most sqrt(degrees) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0 if degrees == 1 else term
    for k in range(3 if is_odd else 2, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total


def number_clusters(clusters: Index | None) -> Index | None:
    """Number clusters 0 .. n - 1; None where no two rows share one.

    Parameters
    ----------
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together.
    """
    if clusters is None:
        return None
    names, numbers = np.unique(clusters, return_inverse=True)
    return None if len(names) == len(clusters) else np.asarray(numbers, dtype=np.intp)


def sum_by_cluster(values: NDArray[np.float32], clusters: Index | None) -> NDArray[np.float32]:
    """Add up the rows of each cluster: (n_rows, m) -> (n_clusters, m).

    Parameters
    ----------
    values : float32, shape (n_rows, m)
    clusters : Index or None, shape (n_rows,)
        Numbers 0 .. n_clusters - 1; None: every row stands for itself.
    """
    if clusters is None:
        return values
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0), dtype=np.float32)


def effective_sizes(hits: NDArray[np.float32], sizes: NDArray[np.float32], clustered: bool) -> Floats:
    """Return the number of independent rows that would be as informative as these clusters.

    Parameters
    ----------
    hits, sizes : float32, shape (n_units, m)
        Successes and trials of each row or cluster.
    clustered : bool
        Without clusters the sizes are simply added up.

    Returns
    -------
    Floats, shape (m,)
        Between Kish's size (all rows of a cluster alike) and the number of rows.

    Notes
    -----
    Korn and Graubard (1998): share (1 - share) / linearised variance between clusters, times (z / t)^2 with
    n_clusters - 1 degrees of freedom. A share of 0 or 1 says nothing about clustering: Kish's size is taken.
    """
    total = sizes.sum(axis=0, dtype=np.float64)
    if not clustered:
        return np.asarray(total, dtype=np.float64)
    squares = np.square(sizes, dtype=np.float64).sum(axis=0)
    kish = total**2 / np.maximum(squares, 1e-12)
    n_units = np.count_nonzero(sizes, axis=0)
    share = hits.sum(axis=0, dtype=np.float64) / np.maximum(total, 1e-12)
    residual = np.square(hits - share * sizes, dtype=np.float64).sum(axis=0) * n_units / np.maximum(n_units - 1, 1)
    spread = share * (1 - share) * total**2
    known = (n_units > 1) & (residual > 0) & (spread > 0)
    size = np.where(known, np.clip(spread / np.where(known, residual, 1.0), np.minimum(kish, total), total), kish)
    shrink = np.array([(SETTINGS.interval_quantile / t_quantile(int(n) - 1)) ** 2 for n in n_units])
    return np.asarray(size * shrink, dtype=np.float64)


def draw_bootstrap_weights(n_units: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Draw `resamples` bootstrap samples: blocks of shape (b, n_units), how often each unit was drawn.

    Parameters
    ----------
    n_units : int
        Rows or clusters.
    seed : int
    """
    rng = np.random.default_rng(seed)
    block = max(1, min(SETTINGS.resamples, _CELLS // n_units))
    for start in range(0, SETTINGS.resamples, block):
        rows = min(block, SETTINGS.resamples - start)
        drawn = rng.integers(0, n_units, (rows, n_units)) + np.arange(rows)[:, None] * n_units
        yield np.bincount(drawn.ravel(), minlength=rows * n_units).reshape(rows, n_units).astype(np.float32)


def percentiles(values: Floats) -> tuple[Floats, Floats]:
    """Return the 2.5 and 97.5 % points of each column of (resamples, m), NaN left out (all NaN: NaN).

    Parameters
    ----------
    values : Floats, shape (resamples, m)
    """
    ordered = np.sort(values, axis=0)
    last = np.count_nonzero(~np.isnan(ordered), axis=0) - 1
    columns = np.arange(ordered.shape[1])
    low = ordered[np.floor(np.maximum(last, 0) * 0.025).astype(int), columns]
    high = ordered[np.ceil(np.maximum(last, 0) * 0.975).astype(int), columns]
    return low, high


def mean_interval(values: Floats, clusters: Index | None, seed: int, within: tuple[float, float]) -> Interval:
    """Mean of a figure of each row (n_rows,): envelope of bootstrap and Student's t over rows or clusters.

    Where every row lies at one end of `within`, so that neither varies, Wilson's interval says what else there may be.

    Parameters
    ----------
    values : Floats, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
        As `number_clusters` returns them.
    seed : int
        Of the bootstrap.
    within : (float, float)
        Least and largest value that a row can have.

    Examples
    --------
    >>> found = mean_interval(np.ones(30), None, 0, (0.0, 1.0))
    >>> round(found.low, 4), found.high
    (0.8865, 1.0)
    """
    cluster_sums = sum_by_cluster(np.column_stack([values, np.ones_like(values)]).astype(np.float32), clusters)
    value, n = float(values.mean()), len(cluster_sums)
    drawn = np.concatenate([times @ cluster_sums for times in draw_bootstrap_weights(n, seed)]).astype(np.float64)
    low, high = percentiles(drawn[:, :1] / drawn[:, 1:])
    residual = cluster_sums[:, 0] - value * cluster_sums[:, 1].astype(np.float64)
    half = t_quantile(n - 1) * float(np.sqrt(np.square(residual).sum() * n / max(n - 1, 1))) / len(values)
    ends = (value - half, value + half)
    if np.ptp(values) == 0 and value in within and np.isfinite(within).all():
        reach = (within[1] - within[0]) * (
            1.0 - float(compute_wilson_interval(np.array([float(n)]), np.array([float(n)]))[0][0])
        )
        ends = (value - reach, value + reach)
    return envelope(value, (low[0], high[0]), ends, within=within)


def ratio_interval(counts: NDArray[np.int64], seed: int) -> Interval | None:
    """Interval of a share of pieces that come in rows, such as tokens in texts: rows are resampled.

    Parameters
    ----------
    counts : array of int, shape (n_rows, 2)
        Pieces that count, and all pieces of each row.
    seed : int

    Returns
    -------
    Interval or None
        Between 0 and 1; None without any piece.

    Examples
    --------
    >>> ratio_interval(np.array([[1, 4], [1, 4], [1, 4]]), 0)
    Interval(value=0.25, low=0.25, high=0.25)
    """
    counted, total = (int(n) for n in counts.sum(axis=0))
    if total == 0:
        return None
    drawn = np.concatenate([times @ counts.astype(np.float32) for times in draw_bootstrap_weights(len(counts), seed)])
    low, high = percentiles((drawn[:, :1] / np.maximum(drawn[:, 1:], 1)).astype(np.float64))
    return envelope(counted / total, (float(low[0]), float(high[0])))


def jackknife_interval(value: float, left_out: Floats) -> tuple[float, float]:
    """Return the interval of a figure that is no mean of rows, from its values without one row or cluster each.

    Parameters
    ----------
    value : float
        The figure on all rows.
    left_out : Floats, shape (n_units,)
        The figure without each row or cluster.

    Returns
    -------
    low, high : float
        NaN where there are fewer than two rows or clusters.

    Notes
    -----
    Standard error of the delete-one jackknife, which is too wide rather than too narrow (Efron and Stein 1981), with
    Student's t at n_units - 1 degrees of freedom.

    Examples
    --------
    For a mean it is Student's interval: of 0, 0, 1, 1 the standard error is 1 / sqrt(12), t is 3.1824.

    >>> low, high = jackknife_interval(0.5, np.array([2 / 3, 2 / 3, 1 / 3, 1 / 3]))
    >>> round(low, 3), round(high, 3)
    (-0.419, 1.419)
    """
    n = len(left_out)
    if n < 2:
        return np.nan, np.nan
    half = t_quantile(n - 1) * float(np.sqrt((n - 1) * left_out.var()))
    return value - half, value + half


def mover_interval(values: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Interval of a mean from the intervals of its parts, each (m,) (Zou and Donner 2008).

    Parameters
    ----------
    values, low, high : Floats, shape (m,)
        The parts and the ends of their intervals.
    """
    centre = float(values.mean())
    below, above = (float(np.sqrt(np.square(ends - values).sum())) / len(values) for ends in (low, high))
    return centre - below, centre + above


def balanced_accuracy_interval(codes: Index, predicted: Index, clusters: Index | None) -> Interval:
    """Return balanced accuracy (0-1, higher is better) with its interval.

    Parameters
    ----------
    codes, predicted : Index, shape (n_rows,)
        True and predicted values; every value up to the largest of `codes` has rows.
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together.

    Notes
    -----
    Wilson's interval of each value's recall at the effective number of rows, combined by MOVER (Zou and Donner 2008).

    Examples
    --------
    >>> result = balanced_accuracy_interval(np.array([0] * 20 + [1] * 20), np.array([0] * 30 + [1] * 10), None)
    >>> result.value, round(result.low, 2), round(result.high, 2)
    (0.75, 0.62, 0.85)
    """
    sizes = np.eye(int(codes.max()) + 1, dtype=np.float32)[codes]
    numbers = number_clusters(clusters)
    hits, sizes = (
        sum_by_cluster(sizes * (codes == predicted)[:, None].astype(np.float32), numbers),
        sum_by_cluster(sizes, numbers),
    )
    shares = np.asarray(hits.sum(axis=0, dtype=np.float64) / sizes.sum(axis=0, dtype=np.float64))
    n = effective_sizes(hits, sizes, numbers is not None)
    return envelope(float(shares.mean()), mover_interval(shares, *compute_wilson_interval(shares * n, n)))


def difference_interval(values: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Return the interval of the first of two independent figures minus the second.

    Parameters
    ----------
    values, low, high : Floats, shape (2,)
        The figures and the ends of their intervals.

    Notes
    -----
    Newcombe (1998, method 10); for other figures than shares MOVER (Zou and Donner 2008).

    Examples
    --------
    >>> low, high = difference_interval(np.array([0.6, 0.9]), np.array([0.5, 0.86]), np.array([0.7, 0.93]))
    >>> round(low, 3), round(high, 3)
    (-0.404, -0.192)
    """
    difference = values[0] - values[1]
    below = np.hypot(values[0] - low[0], high[1] - values[1])
    above = np.hypot(high[0] - values[0], values[1] - low[1])
    return float(difference - below), float(difference + above)


def envelope(value: float, *pairs: tuple[float, float], within: tuple[float, float] = (0.0, 1.0)) -> Interval:
    """Return the smallest interval around `value` that holds all pairs, kept inside `within`; NaN is left out.

    Parameters
    ----------
    value : float
    *pairs : (float, float)
        Low and high end of an interval each.
    within : (float, float)
        What the ends are cut at.
    """
    low = float(np.nanmin([value, *(pair[0] for pair in pairs)]))
    high = float(np.nanmax([value, *(pair[1] for pair in pairs)]))
    return Interval(value, min(value, max(low, within[0])), max(value, min(high, within[1])))
