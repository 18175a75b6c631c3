"""Two models on the same rows: which rows got better, which got worse, and whether that is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.comparison.transfer_verdict import compare_accuracy
from headstart.evaluation.fairness.groups import has_too_many_values, name_values
from headstart.evaluation.intervals import mean_interval, number_clusters
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.metrics.per_task import Truth
from headstart.evaluation.settings import SETTINGS
from headstart.records import Column, Index, Interval, Predictions
from headstart.results import ComparedPart, Figure


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """Change of each row.

    Parameters
    ----------
    measure : str
        "accuracy", "row F1" or "mean absolute error".
    old, new : array, shape (n_rows,)
        The measure of each row.
    gain : array, shape (n_rows,)
        Positive: better with the new model.
    within : tuple of float
        What a mean gain can be.
    """

    measure: str
    old: NDArray[np.float64]
    new: NDArray[np.float64]
    gain: NDArray[np.float64]
    within: tuple[float, float]


def compare_rows(truth: Truth, old: Predictions, new: Predictions) -> RowChanges:
    """Compare two models row by row.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
    old, new : Predictions
        Of the same rows in the same order, classes in the same order.
    """
    measure = MEASURES[old.task]
    before, after = (measure.values(truth, predictions).astype(np.float64) for predictions in (old, new))
    return RowChanges(
        measure=measure.name, old=before, new=after, gain=measure.better * (after - before), within=measure.within
    )


def sign_test(gain: NDArray[np.float64], clusters: Index | None) -> float:
    """Return the two-sided p-value that better and worse are equally likely.

    Parameters
    ----------
    gain : array, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
        Rows that belong together count once, by what most of them did.

    Notes
    -----
    Exact sign test; for right and wrong answers that is McNemar's exact test (1947).

    Examples
    --------
    Six better and none worse: 2 / 2**6.

    >>> round(sign_test(np.array([1.0] * 6 + [0.0] * 9), None), 5)
    0.03125
    """
    numbers = number_clusters(clusters)
    cluster_gains = gain if numbers is None else np.bincount(numbers, weights=gain)
    better, worse = int((cluster_gains > 1e-12).sum()), int((cluster_gains < -1e-12).sum())
    n, few = better + worse, min(better, worse)
    logs = [_log_choose(n, k) - n * math.log(2) for k in range(few + 1)]
    return min(1.0, 2 * sum(math.exp(value) for value in logs))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def measure_advantage(
    truth: Truth, old: Predictions, new: Predictions, clusters: Index | None, seed: int
) -> tuple[Interval, float]:
    """Return how much better the new model is (positive: better), with interval, and the p-value of `sign_test`.

    For classes and grades the interval is that of `difference`: if the exact test is not significant, it contains 0.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
    old, new : Predictions
        Of the same rows in the same order.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.
    seed : int
        Of the bootstrap.
    """
    row_changes = compare_rows(truth, old, new)
    p_value = sign_test(row_changes.gain, clusters)
    if row_changes.measure == "accuracy":
        return compare_accuracy(truth, new, old, clusters=clusters, seed=seed), p_value
    return mean_interval(row_changes.gain, number_clusters(clusters), seed, row_changes.within), p_value


def compare_parts(
    row_changes: RowChanges, column: str, values: Column, clusters: Index | None, seed: int
) -> list[ComparedPart]:
    """Break the changes down by the values of a column, the most frequent first.

    Parameters
    ----------
    row_changes : RowChanges
    column : str
        Empty: the values are classes.
    values : Column, shape (n_rows,)
        Rows without a value are left out; a column of very many values is not broken down.
    clusters : Index or None, shape (n_rows,)
    seed : int

    Returns
    -------
    list of ComparedPart
        `difference` is None below `min_rows` rows; `p_value` is corrected by Holm (1979) over the values.
    """
    if column and has_too_many_values(values):
        return []
    names = np.asarray(name_values(values), dtype=object)
    counts = {str(name): int((names == name).sum()) for name in set(names) if name}
    order = sorted(counts, key=lambda name: (-counts[name], name))
    parts = [
        _compare_part(row_changes, column, name, rows=np.flatnonzero(names == name), clusters=clusters, seed=seed)
        for name in order
    ]
    return _correct_p_values(parts)


def _compare_part(
    row_changes: RowChanges, column: str, name: str, rows: Index, clusters: Index | None, seed: int
) -> ComparedPart:
    gain, inside = row_changes.gain[rows], None if clusters is None else clusters[rows]
    is_testable = len(rows) >= SETTINGS.min_rows
    interval = mean_interval(gain, number_clusters(inside), seed, row_changes.within) if is_testable else None
    return ComparedPart(
        column=column,
        value=name,
        n_rows=len(rows),
        n_better=int((gain > 1e-12).sum()),
        n_worse=int((gain < -1e-12).sum()),
        difference=None if interval is None else Figure.from_interval(interval),
        p_value=sign_test(gain, inside) if is_testable else None,
    )


def _correct_p_values(parts: list[ComparedPart]) -> list[ComparedPart]:
    """Correct p-values for their number; if they are not significant, widen the interval to no difference."""
    tested = sorted((part for part in parts if part.p_value is not None), key=lambda part: part.p_value or 0.0)
    most = 0.0
    for rank, part in enumerate(tested):
        assert part.p_value is not None and part.difference is not None
        most = max(most, min(1.0, part.p_value * (len(tested) - rank)))
        part.p_value = most
        if most > SETTINGS.level:
            low, high = min(part.difference.low, 0.0), max(part.difference.high, 0.0)
            part.difference = Figure(value=part.difference.value, low=low, high=high)
    return parts
