"""What becomes of test rows, counted for pictures: right, wrong, not answered; how sure; period by period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.scoring.decisions import ScoredRows
from headstart.flow.scoring.settings import SETTINGS
from headstart.records import Column, Index
from headstart.results import CertaintyBin, Figure, GroupColumn, GroupOutcomes, OutcomeShares, OverTime, Period
from headstart.task_types import TASK_TYPES

Mask = NDArray[np.bool_]
"""(n_rows,)."""
_PERIOD_MONTHS: dict[Literal["month", "quarter", "year"], int] = {"month": 1, "quarter": 3, "year": 12}


def measure_certainty(rows: ScoredRows) -> list[CertaintyBin]:
    """Count rows by the highest probability, right and wrong ones; empty where rows have no single class.

    Parameters
    ----------
    rows : ScoredRows
    """
    predictions = rows.predictions
    if not TASK_TYPES[predictions.task].has_one_class:
        return []
    codes = predictions.class_indices
    sure, right = predictions.probabilities[np.arange(len(codes)), codes], codes == rows.truth
    n_bins = SETTINGS.certainty_bins
    places = np.minimum((sure * n_bins + 1e-9).astype(np.intp), n_bins - 1)
    counts = [np.bincount(places[part], minlength=n_bins) for part in (right, ~right)]
    return [
        CertaintyBin(
            low=at / n_bins, high=(at + 1) / n_bins, n_right=int(counts[0][at]), n_wrong=int(counts[1][at])
        )
        for at in range(n_bins)
    ]  # fmt: skip


def measure_outcomes(rows: ScoredRows) -> OutcomeShares | None:
    """Return what becomes of all rows; None for numbers, which are neither right nor wrong, and without rows.

    Parameters
    ----------
    rows : ScoredRows
    """
    kind = TASK_TYPES[rows.predictions.task]
    if kind.is_number or not len(rows.table):
        return None
    right = _find_right(rows)
    near = np.abs(_answer_codes(rows) - rows.truth) == 1 if kind.is_ordered else None
    return _count("", np.arange(len(rows.table)), right=right, near=near, rows=rows)


def measure_class_outcomes(rows: ScoredRows) -> list[OutcomeShares]:
    """Return what becomes of the rows of each class that has some; of labels: whether rows that have one are given it.

    Parameters
    ----------
    rows : ScoredRows
    """
    predictions, kind = rows.predictions, TASK_TYPES[rows.predictions.task]
    if kind.is_number:
        return []
    if kind.has_label_sets:
        members = [np.flatnonzero(labels) for labels in (rows.truth == 1).T]
        mask = predictions.label_mask
        return [
            _count(name, index, right=mask[:, at], near=None, rows=rows)
            for at, (name, index) in enumerate(zip(predictions.classes, members, strict=True))
            if len(index)
        ]
    right = _find_right(rows)
    near = np.abs(_answer_codes(rows) - rows.truth) == 1 if kind.is_ordered else None
    order = np.argsort(rows.truth, kind="stable")
    members = np.split(order, np.searchsorted(rows.truth[order], np.arange(1, len(predictions.classes))))
    return [
        _count(name, index, right=right, near=near, rows=rows)
        for name, index in zip(predictions.classes, members, strict=True)
        if len(index)
    ]


def measure_group_outcomes(
    rows: ScoredRows, groups: Sequence[GroupColumn], values_by_column: Mapping[str, Column]
) -> list[GroupOutcomes]:
    """Return what becomes of the rows of each group that was compared; empty for numbers.

    Parameters
    ----------
    rows : ScoredRows
    groups : sequence of GroupColumn
    values_by_column : mapping of str to Column, shape (n_rows,)
        Values of these rows in the columns that were compared.
    """
    if TASK_TYPES[rows.predictions.task].is_number:
        return []
    right = _find_right(rows)
    columns = []
    for part in groups:
        if part.column not in values_by_column:
            continue
        values = np.array([str(value) for value in values_by_column[part.column]], dtype=object)
        members = {item.value: np.flatnonzero(values == item.value) for item in part.values if item.told}
        shares = [
            _count(name, index, right=right, near=None, rows=rows) for name, index in members.items() if len(index)
        ]
        columns += [GroupOutcomes(column=part.column, values=shares)] if shares else []
    return columns


def measure_over_time(
    rows: ScoredRows, read_dates: Callable[[list[str]], NDArray[np.float64] | None]
) -> list[OverTime]:
    """Return how good the model is period by period, for each column of dates; empty for numbers.

    Parameters
    ----------
    rows : ScoredRows
    read_dates : (texts) -> (n_rows,) or None
        Seconds since 1970, NaN where there is none; None for a column that holds no dates.
    """
    if TASK_TYPES[rows.predictions.task].is_number or not len(rows.table):
        return []
    right = _find_first_guess_right(rows)
    columns = []
    for name, values in rows.table.metadata.items():
        seconds = read_dates([str(value) for value in values])
        if seconds is not None:
            part = _measure_periods(name, seconds, right=right, rows=rows)
            columns += [part] if part else []
    return columns[: SETTINGS.date_columns]


def _measure_periods(column: str, seconds: NDArray[np.float64], right: Mask, rows: ScoredRows) -> OverTime | None:
    """Return the figures of the shortest periods that are not too many; None where all dates are in one."""
    known = np.flatnonzero(np.isfinite(seconds))
    months = seconds[known].astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    if not len(known):
        return None
    for unit, size in _PERIOD_MONTHS.items():
        numbers = months // size
        span = int(numbers.max() - numbers.min()) + 1
        if unit == "year" or (span <= SETTINGS.most_periods and len(known) >= SETTINGS.period_rows * span):
            break
    starts = np.unique(numbers)
    if not 2 <= len(starts) <= SETTINGS.most_periods:
        return None
    silent = rows.decisions.outcomes != "answered"
    periods = []
    for start in starts:
        index = known[numbers == start]
        clusters = None if rows.clusters is None else rows.clusters[index]
        first_day = f"{np.datetime64(int(start) * size, 'M')}-01"
        figures = [Figure.from_interval(share_interval(hits[index], clusters)) for hits in (right, silent)]
        periods.append(Period(start=first_day, n_rows=len(index), right=figures[0], not_answered=figures[1]))
    return OverTime(column=column, unit=unit, periods=periods, n_without=len(seconds) - len(known))


def _find_right(rows: ScoredRows) -> Mask:
    """Return which rows got a right answer, had each been answered."""
    kind = TASK_TYPES[rows.predictions.task]
    if kind.has_label_sets:
        return np.asarray((rows.predictions.label_mask == (rows.truth == 1)).all(axis=1))
    return np.asarray(_answer_codes(rows) == rows.truth)


def _answer_codes(rows: ScoredRows) -> Index:
    """Return the class answered, the most probable one where there is no answer."""
    answered = rows.decisions.outcomes == "answered"
    return np.asarray(np.where(answered, rows.decisions.codes, rows.predictions.class_indices), dtype=np.intp)


def _find_first_guess_right(rows: ScoredRows) -> Mask:
    if TASK_TYPES[rows.predictions.task].has_label_sets:
        return _find_right(rows)
    return np.asarray(rows.predictions.class_indices == rows.truth)


def _count(name: str, index: Index, right: Mask, near: Mask | None, rows: ScoredRows) -> OutcomeShares:
    answered = rows.decisions.outcomes[index] == "answered"
    clusters = None if rows.clusters is None else rows.clusters[index]
    good = right[index] & answered
    shares = {"right": good, "wrong": answered & ~good, "not_answered": ~answered}
    shares |= {} if near is None else {"near": near[index] & answered & ~good}
    return OutcomeShares(
        name=name,
        n_rows=len(index),
        **{key: Figure.from_interval(share_interval(hits, clusters)) for key, hits in shares.items()},
    )
