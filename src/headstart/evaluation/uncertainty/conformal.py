"""Do sets of classes, and ranges of numbers, hold the truth as often as stated? Measured on test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    effective_sizes,
    envelope,
    mean_interval,
    number_clusters,
    sum_by_cluster,
)
from headstart.records import Index, Interval
from headstart.results import Conformal, Figure

ClassSets = NDArray[np.bool_]
"""(n_rows, n_classes)."""


def share_interval(hits: NDArray[Any], clusters: Index | None) -> Interval:
    """Return a share of rows (n_rows,), each 0 to 1, with its binomial interval (at the effective number of rows).

    Parameters
    ----------
    hits : array, shape (n_rows,)
        0 to 1 each.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.

    Examples
    --------
    >>> result = share_interval(np.array([True] * 30), None)
    >>> round(result.low, 4), result.high
    (0.8865, 1.0)
    """
    numbers = number_clusters(clusters)
    over = sum_by_cluster(np.column_stack([hits, np.ones(len(hits))]).astype(np.float32), numbers)
    n = effective_sizes(over[:, :1], over[:, 1:], numbers is not None)
    value = float(hits.mean())
    low, high = compute_wilson_interval(value * n, n)
    return envelope(value, (float(low[0]), float(high[0])))


@dataclass(frozen=True)
class StatedCoverage:
    """The share of sets that should hold the truth, and what the thresholds were learnt from.

    Parameters
    ----------
    coverage : float
        0-1.
    n_rows_learnt : int
        Training rows that the thresholds come from.
    n_own_thresholds : int
        Classes that have a threshold of their own.
    """

    coverage: float
    n_rows_learnt: int
    n_own_thresholds: int


def measure_set_coverage(
    codes: Index,
    class_sets: ClassSets,
    exact: ClassSets,
    stated: StatedCoverage,
    clusters: Index | None,
    seed: int,
) -> Conformal:
    """Measure sets of classes.

    Parameters
    ----------
    codes : Index, shape (n_rows,), n_rows >= 1
        True classes.
    class_sets, exact : ClassSets, shape (n_rows, n_classes)
        The sets as they are given, and as the method made them (some of these may be empty).
    stated : StatedCoverage
    clusters : Index or None, shape (n_rows,)
        Rows that are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Conformal
        `measured` should not lie below `stated`, `exact` should hold it.

    Examples
    --------
    >>> codes, sets = np.array([0, 1] * 20), np.tile([[True, False]], (40, 1))
    >>> result = measure_set_coverage(
    ...     codes, sets, sets, StatedCoverage(0.9, n_rows_learnt=100, n_own_thresholds=0), clusters=None, seed=0
    ... )
    >>> result.measured.value, result.mean_size.value, result.below
    (0.5, 1.0, True)
    """
    rows, n_classes = np.arange(len(codes)), class_sets.shape[1]
    measured, plain = share_interval(class_sets[rows, codes], clusters), share_interval(exact[rows, codes], clusters)
    size = mean_interval(
        class_sets.sum(axis=1).astype(np.float64), number_clusters(clusters), seed, (1.0, float(n_classes))
    )
    method: Literal["label-conditional", "partly label-conditional", "marginal"] = "marginal"
    if stated.n_own_thresholds:
        method = "label-conditional" if stated.n_own_thresholds == n_classes else "partly label-conditional"
    return Conformal(
        n_rows=len(codes), n_rows_learnt=stated.n_rows_learnt, stated=stated.coverage,
        measured=Figure.from_interval(measured),
        exact=Figure.from_interval(plain),
        mean_size=Figure.from_interval(size),
        single_share=Figure.from_interval(share_interval(class_sets.sum(axis=1) == 1, clusters)),
        method=method,
        below=measured.high < stated.coverage,
    )  # fmt: skip


def measure_range_coverage(
    truth: Floats, predicted: Floats, margin: float, stated: float, n_rows_learnt: int, clusters: Index | None
) -> Conformal:
    """Measure ranges of numbers: `predicted` plus and minus `margin`, against `truth`, each (n_rows,).

    Parameters
    ----------
    truth, predicted : Floats, shape (n_rows,)
    margin : float
        Half the width of the ranges, in the unit of the label; may be infinite.
    stated : float
        0-1.
    n_rows_learnt : int
        Training rows the margin comes from.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.

    Examples
    --------
    >>> result = measure_range_coverage(np.arange(20.0), np.arange(20.0) + 1, 2.0, 0.9, 50, None)
    >>> result.measured.value, result.width
    (1.0, 4.0)
    """
    measured = share_interval(np.abs(truth - predicted) <= margin, clusters)
    return Conformal(
        n_rows=len(truth), n_rows_learnt=n_rows_learnt, stated=stated, measured=Figure.from_interval(measured),
        width=2 * margin if np.isfinite(margin) else None, method="residuals",
        below=measured.high < stated,
    )  # fmt: skip
