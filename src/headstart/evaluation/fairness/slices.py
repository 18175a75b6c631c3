"""Slice discovery: are there kinds of rows on which the model fails more often than the mix of their classes explains?

Rows come in clusters that were made without labels or errors, so that a test of each is valid; the largest
of all is corrected for how many were tried. Nothing here knows what made a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import Floats, compute_wilson_interval, envelope, t_quantile
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.metrics.per_task import Truth
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval, Predictions


@dataclass(frozen=True)
class FailingCluster:
    """A cluster that fails more than elsewhere: which clustering and number, its rows, and its corrected p-value."""

    clustering: int
    cluster: int
    rows: Index
    p_value: float


def compute_row_errors(truth: Truth, predictions: Predictions) -> Floats:
    """Return the error of each row (n_rows,): 1 or 0 for classes, 1 - F1 for several labels, the distance for numbers.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
    predictions : Predictions

    Examples
    --------
    >>> predictions = Predictions(ids=np.arange(2).astype(object),
    ...     classes=("a", "b"), probabilities=np.array([[0.9, 0.1], [0.8, 0.2]]))
    >>> compute_row_errors(np.array([0, 1]), predictions).tolist()
    [0.0, 1.0]
    """
    measure = MEASURES[predictions.task]
    values = np.asarray(measure.values(truth, predictions), dtype=np.float64)
    return 1 - values if measure.better > 0 else values


def find_failing_clusters(
    errors: Floats, clusterings: Sequence[Index], strata: Index, seed: int
) -> list[FailingCluster]:
    """Find clusters with more errors than their strata explain.

    Parameters
    ----------
    errors : Floats, shape (n_rows,)
        Of rows that do not depend on each other (one of each patient, no copies).
    clusterings : sequence of Index, shape (n_rows,) each
        Several clusterings of the rows.
    strata : Index, shape (n_rows,)
        True classes: errors are compared within them, so that a hard class is no slice.
    seed : int

    Returns
    -------
    list of Found
        The clearest first; empty where chance explains all.

    Notes
    -----
    Errors less the mean of their stratum are summed in each cluster and divided by the standard deviation of
    permutations within strata. The p-value is the share of these permutations in which the *largest* figure of all
    clusters is as large (Westfall and Young 1993).

    Examples
    --------
    Rows 0 to 29 are wrong, the 90 others right:

    >>> wrong = (np.arange(120) < 30).astype(float)
    >>> result = find_failing_clusters(wrong, [np.arange(120) // 30], np.zeros(120, dtype=int), 0)
    >>> [(item.cluster, item.p_value) for item in result]
    [(0, 0.001)]
    """
    strata = _merge_small_strata(strata)
    residual = errors - (np.bincount(strata, errors) / np.bincount(strata))[strata]
    parts = [_Clustering.build(members, strata, residual) for members in clusterings]
    observed = [part.score_clusters(residual) for part in parts]
    largest, rng = np.empty(SETTINGS.slice_permutations), np.random.default_rng([seed, len(errors)])
    order = np.argsort(strata, kind="stable")
    for turn in range(SETTINGS.slice_permutations):
        permuted = np.empty_like(residual)
        permuted[order] = residual[np.lexsort((rng.random(len(residual)), strata))]
        largest[turn] = max(float(part.score_clusters(permuted).max(initial=-np.inf)) for part in parts)
    ranked = sorted(
        ((float(value), at, number) for at, values in enumerate(observed) for number, value in enumerate(values)),
        reverse=True,
    )
    failing: list[FailingCluster] = []
    for value, at, number in ranked:
        p_value = (1 + int((largest >= value - 1e-9).sum())) / (1 + SETTINGS.slice_permutations)
        if not np.isfinite(value) or p_value > SETTINGS.level:
            break
        rows = np.flatnonzero(clusterings[at] == number)
        if all(
            len(np.intersect1d(rows, other.rows)) <= SETTINGS.max_slice_overlap * min(len(rows), len(other.rows))
            for other in failing
        ):
            failing.append(FailingCluster(at, number, rows, p_value))
    return failing


@dataclass(frozen=True)
class _Clustering:
    """Clustering: the standard deviation of each cluster's sum, infinite where it is too small to test."""

    members: Index
    spread: Floats

    @classmethod
    def build(cls, members: Index, strata: Index, residual: Floats) -> _Clustering:
        n_clusters, n_strata = int(members.max()) + 1, int(strata.max()) + 1
        counts = np.bincount(members * n_strata + strata, minlength=n_clusters * n_strata).reshape(n_clusters, n_strata)
        sizes = counts.sum(axis=0)
        variance = np.bincount(strata, np.square(residual), n_strata) / np.maximum(sizes - 1, 1)
        spread = np.sqrt((counts * (1 - counts / np.maximum(sizes, 1)) * variance).sum(axis=1))
        testable = (counts.sum(axis=1) >= SETTINGS.min_rows) & (spread > 1e-12)
        return cls(members, np.where(testable, spread, np.inf))

    def score_clusters(self, residual: Floats) -> Floats:
        sums = np.bincount(self.members, residual, len(self.spread))
        return np.where(np.isfinite(self.spread), sums / self.spread, -np.inf)


def _merge_small_strata(strata: Index) -> Index:
    """Merge classes with fewer than five rows into one stratum."""
    counts = np.bincount(strata)
    small = counts[strata] < 5
    return np.asarray(np.unique(np.where(small, -1, strata), return_inverse=True)[1], dtype=np.intp)


def mean_error_interval(errors: Floats, upper: float = 1.0) -> Interval:
    """Return the mean of independent rows' errors with its interval: Wilson's for shares, else Student's t.

    Parameters
    ----------
    errors : Floats, shape (n_rows,)
        Of independent rows.
    upper : float
        The largest error there can be.

    Examples
    --------
    >>> result = mean_error_interval(np.array([1.0] * 5 + [0.0] * 5))
    >>> result.value, round(result.low, 2), round(result.high, 2)
    (0.5, 0.24, 0.76)
    """
    n, value = len(errors), float(errors.mean())
    if bool(np.isin(errors, (0.0, 1.0)).all()):
        low, high = compute_wilson_interval(np.array([errors.sum()]), np.array([float(n)]))
        return envelope(value, (float(low[0]), float(high[0])))
    half = t_quantile(n - 1) * float(errors.std(ddof=1)) / float(np.sqrt(n))
    return envelope(value, (value - half, value + half), within=(0.0, upper))


def median_shift(values: NDArray[np.float64], rows: Index, others: Index) -> float:
    """Return how far the median of some rows lies from that of others, in interquartile ranges of the others.

    Parameters
    ----------
    values : array, shape (n_rows,)
        NaN is left out.
    rows, others : Index
        Rows compared, and rows they are compared with.
    """
    quartiles = np.nanpercentile(values[others], [25, 50, 75])
    wide = float(quartiles[2] - quartiles[0])
    return float((np.nanmedian(values[rows]) - quartiles[1]) / wide) if wide > 0 else 0.0
