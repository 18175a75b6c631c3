"""Figures group by group."""

from __future__ import annotations

from typing import Literal

from headstart.results.metrics import AnyMetrics
from headstart.results.record import Figure, Record


class GroupValue(Record):
    """How the chosen model did on the test rows with one value of a column; `metrics` is None where `told` is False."""

    value: str
    n_rows: int
    told: bool
    metrics: AnyMetrics | None


class ClassGap(Record):
    """The class whose share found differs most between two groups: `found`, `n_rows` in the order of `between`.

    `p_value` is corrected for the number of classes and pairs (and of columns).
    """

    label: str
    between: list[str]
    found: list[float]
    n_rows: list[int]
    gap: Figure
    p_value: float
    n_classes: int
    reading: str


class GroupColumn(Record):
    """Whether the chosen model is equally good for every value of one column.

    `gap` is how much better (in `measure`) the model is on the first value of `gap_between` than on the second;
    `p_value` is corrected for the number of columns compared. All three are None where it cannot be told.
    """

    column: str
    values: list[GroupValue]
    gap: Figure | None
    gap_between: list[str] | None
    p_value: float | None
    reading: str
    measure: Literal["accuracy", "row F1", "mean absolute error"] = "accuracy"
    class_gap: ClassGap | None = None
