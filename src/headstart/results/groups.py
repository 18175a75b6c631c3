"""Figures group by group."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.metrics import AnyMetrics
from headstart.results.record import Figure, Record


class GroupValue(Record):
    """How the chosen model did on the test rows with one value of a column; `metrics` is None where `told` is False."""

    value: str = Field(description="The value; empty for rows that have none (counted, never compared).")
    n_rows: int = Field(description="Its test rows.")
    told: bool = Field(
        description="False where it has fewer than 20 test rows, or these come from fewer than 10 independent ones "
        "(patients, copies): then nothing is claimed.",
    )
    metrics: AnyMetrics | None = Field(description="As under [Strategies](#strategies); `null` where `told` is false.")


class ClassGap(Record):
    """The class whose share found differs most between two groups: `found`, `n_rows` in the order of `between`.

    `p_value` is corrected for the number of classes and pairs (and of columns).
    """

    label: str = Field(description="The class.")
    between: list[str] = Field(description="The two groups, the better one first.")
    found: list[float] = Field(
        description="Share of its test rows that got this class, and their number, in that order.",
    )
    n_rows: list[int] = Field(
        description="Share of its test rows that got this class, and their number, in that order.",
    )
    gap: Figure = Field(description="The difference of the two shares.")
    p_value: float = Field(
        description="How often dealing the groups anew within each class gives so large a difference for any class "
        "and pair; corrected over columns as well.",
    )
    n_classes: int = Field(description="Classes that could be compared.")
    reading: str = Field(description="The same for people.")


class GroupColumn(Record):
    """Whether the chosen model is equally good for every value of one column.

    `gap` is how much better (in `measure`) the model is on the first value of `gap_between` than on the second;
    `p_value` is corrected for the number of columns compared. All three are None where it cannot be told.
    """

    column: str = Field(description="Name of the column.")
    values: list[GroupValue] = Field(
        description="Its values among the test rows, by name: the fields below. Empty where the column has more "
        "than 30 values or half of them have fewer than 5 rows each (patients, farms): such a column "
        "only keeps rows together.",
    )
    gap: Figure | None = Field(
        description="The largest difference in `measure` between two values that can be told; `null` where it "
        "cannot be told.",
    )
    gap_between: list[str] | None = Field(description="These two values, the better one first; else `null`.")
    p_value: float | None = Field(
        description="How often chance alone gives a gap at least as large as the largest one found, 0 to 1, "
        "corrected for the number of columns compared; else `null`.",
    )
    reading: str = Field(description="The same for people, or why it cannot be told.")
    measure: Literal["accuracy", "row F1", "mean absolute error"] = Field(
        default="accuracy",
        description="What groups are compared in: `accuracy`, for several labels `row F1`, for numbers `mean "
        "absolute error`.",
    )
    class_gap: ClassGap | None = Field(
        default=None,
        description="The class whose share found differs most between two groups; `null` where no class can be told.",
    )
