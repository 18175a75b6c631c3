"""Is the model equally good for everyone? Figures for each group, and a test of the clearest gap between two.

Too few rows is an answer of its own: "cannot tell". Nothing here knows the meaning of a group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.fairness.class_gaps import measure_class_gap, with_p_value
from headstart.evaluation.fairness.gap_tests import (
    agree_with_test,
    compute_gap_p_value,
    find_clearest_pair,
    gap_interval,
    is_exact_test,
)
from headstart.evaluation.intervals import number_clusters
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.metrics.per_task import Truth, score_predictions
from headstart.evaluation.settings import SETTINGS
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.records import Column, Index, Interval, Predictions
from headstart.results import (
    AnyMetrics,
    ClassGap,
    Figure,
    GroupColumn,
    GroupValue,
    Metrics,
)
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class AnsweredRows:
    """Which rows the model answers, and which answers are right.

    Parameters
    ----------
    answered : array of bool, shape (n_rows,)
    right : array of bool or None, shape (n_rows,)
        None for tasks without one class a row.
    """

    answered: NDArray[np.bool_]
    right: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class _Scoring:
    """What every value of every column is scored with."""

    truth: Truth
    predictions: Predictions
    clusters: Index | None
    answers: AnsweredRows | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """Group column: its values by name and, unless there are too many, scores; the clearest gap of two."""

    names: set[str]
    values: list[GroupValue]
    gap: Interval | None = None
    between: tuple[GroupValue, GroupValue] | None = None
    p_value: float | None = None
    is_exact: bool = False

    @property
    def has_numeric_names(self) -> bool:
        return bool(self.names) and all(name[0].isdigit() and name[-1].isdigit() for name in self.names)


def has_too_many_values(values: Column) -> bool:
    """Return whether a column has too many values to be broken down.

    Parameters
    ----------
    values : Column, shape (n_rows,)
        Empty strings, None and NaN are no value.

    Examples
    --------
    >>> has_too_many_values(np.array(["a", "b"] * 40, dtype=object)), has_too_many_values(np.arange(80).astype(object))
    (False, True)
    """
    counts = Counter(name for name in name_values(values) if name)
    return len(counts) > SETTINGS.max_group_values or (
        len(counts) > 2 and float(np.median(list(counts.values()))) < SETTINGS.min_median_rows
    )


def score_groups(
    truth: Truth,
    predictions: Predictions,
    columns: Mapping[str, Column],
    clusters: Index | None,
    seed: int,
    answers: AnsweredRows | None = None,
) -> list[GroupColumn]:
    """Score predictions for every value of every column, and test the clearest gap between two of them.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
        True class of each row as a position in `predictions.classes`, or what `Table.targets` holds.
    predictions : Predictions
        Every row predicted (no NaN).
    columns : mapping of str to Column, each of shape (n_rows,)
        Group columns by name; rows without a value (empty, None, NaN) are counted but never compared.
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together (a patient, exact copies); not the groups themselves.
    seed : int
        Of bootstrap and permutations.
    answers : AnsweredRows or None
        For the shares that are answered, and right among these.

    Returns
    -------
    list of GroupColumn
        One for each column, in their order; empty without columns.

    Notes
    -----
    Metrics as in `score`. The gap is the clearest difference between two values that can be compared, that is, the
    largest in standard errors: in accuracy, for several labels in the mean F1 of a row, for numbers in the mean
    absolute error. Its interval is the envelope of the bootstrap over rows or clusters and, for shares, Newcombe's
    (1998, method 10) from Wilson's intervals, else Welch's t, and does not know that the pair was picked. The p-value
    does: it is the share of `permutations` in which the *clearest* gap is as clear when the values are permuted, among
    whole clusters where each has one value, else among clusters of equal size; equal ones count half. Over the columns
    it is corrected by Holm (1979). Above 5 % the interval is widened to 0; at 5 % or less it begins above 0 where rows
    are independent and right or wrong, so that the two agree.

    Examples
    --------
    Right on all 40 rows of a, on 20 of 40 of b:

    >>> probabilities = np.eye(2)[[0] * 60 + [1] * 20]
    >>> predictions = Predictions(ids=np.arange(80).astype(object), classes=("x", "y"), probabilities=probabilities)
    >>> site = np.array(["a"] * 40 + ["b"] * 40, dtype=object)
    >>> result = score_groups(np.zeros(80, dtype=int), predictions, {"site": site}, None, 0)[0]
    >>> result.gap.value, result.gap_between, result.p_value
    (0.5, ['a', 'b'], 0.0005)
    """
    numbers = number_clusters(clusters)
    measure = MEASURES[predictions.task]
    scoring = _Scoring(truth=truth, predictions=predictions, clusters=numbers, answers=answers, seed=seed)
    compared = [_compare(scoring, values) for values in columns.values()]
    corrected = correct_by_holm([item.p_value for item in compared])
    n_tests = sum(p is not None for p in corrected)
    gap_by_column = _class_gaps(truth, predictions, columns, clusters=numbers, seed=seed)
    return [
        GroupColumn(
            column=name,
            values=item.values,
            gap=Figure.from_interval(agree_with_test(item.gap, p, item.is_exact))
            if item.gap and p is not None
            else None,
            gap_between=[value.value for value in item.between] if item.between else None,
            p_value=p,
            n_columns_compared=n_tests,
            has_other_mix=item.between is not None and _hold_other_classes(*(value.metrics for value in item.between)),
            n_values=len(item.names),
            has_numeric_values=item.has_numeric_names,
            measure=measure.name,  # type: ignore[arg-type]
            class_gap=gap_by_column[name],
        )
        for name, item, p in zip(columns, compared, corrected, strict=True)
    ]


def _class_gaps(
    truth: Truth, predictions: Predictions, columns: Mapping[str, Column], clusters: Index | None, seed: int
) -> dict[str, ClassGap | None]:
    """Test each column for classes that are found more often in one group; corrected over columns, too."""
    if not TASK_TYPES[predictions.task].has_one_class:
        return dict.fromkeys(columns)
    rows = np.arange(len(truth)) if clusters is None else sample_one_per_cluster(clusters, seed)
    gaps: dict[str, ClassGap | None] = {}
    for name, values in columns.items():
        row_names = name_values(values)
        group_names = () if has_too_many_values(values) else tuple(sorted({value for value in row_names if value}))
        place = {value: at for at, value in enumerate(group_names)}
        members = np.array([place.get(value, -1) for value in row_names], dtype=np.intp)[rows]
        right = (predictions.class_indices == truth)[rows]
        gaps[name] = (
            measure_class_gap(truth[rows], right, members, names=(predictions.classes, group_names), seed=seed)
            if group_names
            else None
        )
    for name, p_value in zip(
        columns, correct_by_holm([item.p_value if item else None for item in gaps.values()]), strict=True
    ):
        item = gaps[name]
        if item is not None and p_value is not None:
            gaps[name] = with_p_value(item, p_value)
    return gaps


def sample_one_per_cluster(clusters: Index, seed: int) -> Index:
    """Draw one row of every cluster (copies, a patient); gives row numbers in order.

    Parameters
    ----------
    clusters : Index, shape (n_rows,)
    seed : int

    Examples
    --------
    >>> len(sample_one_per_cluster(np.array([0, 0, 1, 2, 2]), 0))
    3
    """
    order = np.random.default_rng(seed).permutation(len(clusters))
    return np.sort(order[np.unique(clusters[order], return_index=True)[1]])


def name_values(values: Column) -> list[str]:
    """Values as text; what is missing is the empty text.

    Parameters
    ----------
    values : Column, shape (n_rows,)
    """
    return [
        "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value).strip()
        for value in values
    ]


def _compare(scoring: _Scoring, values: Column) -> _Compared:
    """Score each value of one column and, if two can be compared, test the clearest gap."""
    truth, predictions, clusters, seed = scoring.truth, scoring.predictions, scoring.clusters, scoring.seed
    names = np.array(name_values(values), dtype=object)
    present = {name for name in names if name}
    if has_too_many_values(values):
        return _Compared(names=present, values=[])
    listed = [_score_value(name, np.flatnonzero(names == name), scoring) for name in sorted(set(names))]
    testable = [item for item in listed if item.told]
    if len(testable) < 2:
        return _Compared(names=present, values=listed)
    place = {item.value: at for at, item in enumerate(testable)}
    rows = np.flatnonzero([name in place for name in names])
    members = np.array([place[name] for name in names[rows]], dtype=np.intp)
    measure = MEASURES[predictions.task]
    figures = measure.values(truth, predictions)[rows] * measure.better
    sizes = np.bincount(members)
    pair = find_clearest_pair(np.bincount(members, weights=figures) / sizes, sizes)
    row_clusters = number_clusters(clusters[rows]) if clusters is not None else None
    p_value = compute_gap_p_value(figures, members, pair, row_clusters, seed=seed)
    best, worst = pair
    gap = gap_interval(
        figures, members == best, members == worst, clusters=row_clusters, seed=seed, within=measure.within
    )
    return _Compared(
        names=present, values=listed, gap=gap, between=(testable[best], testable[worst]), p_value=p_value,
        is_exact=is_exact_test(figures, row_clusters),
    )  # fmt: skip


def _score_value(name: str, rows: Index, scoring: _Scoring) -> GroupValue:
    """Score the rows of one value, if there are enough."""
    clusters = scoring.clusters[rows] if scoring.clusters is not None else None
    n_units = len(rows) if clusters is None else len(np.unique(clusters))
    if not name or len(rows) < SETTINGS.min_rows or n_units < SETTINGS.min_clusters:
        return GroupValue(value=name, n_rows=len(rows), told=False, metrics=None)
    metrics = score_predictions(scoring.truth[rows], scoring.predictions.take(rows), clusters, scoring.seed)
    answered = answered_right = None
    if scoring.answers is not None:
        is_answered = scoring.answers.answered[rows]
        answered = Figure.from_interval(share_interval(is_answered, clusters))
        if scoring.answers.right is not None and is_answered.any():
            inside = clusters[is_answered] if clusters is not None else None
            right = scoring.answers.right[rows][is_answered]
            answered_right = Figure.from_interval(share_interval(right, inside))
            if is_answered.all() and isinstance(metrics, Metrics) and abs(right.mean() - metrics.accuracy.value) < 1e-9:
                answered_right = metrics.accuracy  # One figure has one interval.
    return GroupValue(
        value=name, n_rows=len(rows), told=True, metrics=metrics, answered=answered, answered_right=answered_right
    )


def correct_by_holm(p_values: list[float | None]) -> list[float | None]:
    """Correct p-values for their number (Holm 1979); None stays None and does not count.

    Examples
    --------
    >>> correct_by_holm([0.04, None, 0.01])
    [0.04, None, 0.02]
    """
    order = sorted((p, at) for at, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, at) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        corrected[at] = highest
    return corrected


def _hold_other_classes(a: AnyMetrics | None, b: AnyMetrics | None) -> bool:
    """Return whether one group may only hold the more difficult classes."""
    if not (isinstance(a, Metrics) and isinstance(b, Metrics)):
        return False
    shares = [{item.label: item.support / metrics.n_rows for item in metrics.per_class} for metrics in (a, b)]
    labels = sorted({*shares[0], *shares[1]})
    difference = sum(abs(shares[0].get(label, 0.0) - shares[1].get(label, 0.0)) for label in labels) / 2
    return difference > SETTINGS.mix_difference
