"""Figures group by group."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.results.metrics import AnyMetrics
from headstart.results.record import Figure, Record

GroupMeasure = Annotated[
    Literal["accuracy", "row F1", "mean absolute error"],
    Field(description="The metric: `accuracy`, for several labels `row F1`, for numbers `mean absolute error`."),
]


GroupOrigin = Literal["named", "column", "date", "number", "language", "script", "folder"]
LeftAloneReason = Literal["personal", "many-values", "free-text", "one-value", "label", "same", "limit"]


class GroupValue(Record):
    """The test rows with one value of a group column."""

    value: str = Field(description="The value; empty for rows without one. These are counted and never compared.")
    n_rows: int = Field(description="Test rows with this value.")
    told: bool = Field(
        description="False with fewer than 20 test rows, or fewer than 10 independent ones (patients, sets of "
        "copies): too few for a comparison.",
    )
    metrics: AnyMetrics | None = Field(description="Metrics of the chosen model; `null` where `told` is false.")
    answered: Figure | None = Field(
        default=None,
        description="Share of these rows that the model answers, 0 to 1; `null` where `told` is false, and in results "
        "of older versions.",
    )
    answered_right: Figure | None = Field(
        default=None,
        description="Share of the answers that are right, 0 to 1; `null` where none was given, where `told` is false, "
        "and for tasks without one class a row.",
    )


class ClassGap(Record):
    """The class whose recall differs most between two groups.

    The accuracy of a whole group can hide this: a model may miss one class in one group and another class in the other.
    """

    label: str = Field(description="The class.")
    between: list[str] = Field(description="The two groups, the one with the higher recall first.")
    found: list[float] = Field(description="Recall of the class in each of the two groups, 0 to 1.")
    n_rows: list[int] = Field(description="Test rows of the class in each of the two groups.")
    gap: Figure = Field(description="Difference of the two recalls.")
    p_value: float = Field(
        description="Permutation test, 0 to 1: groups are permuted within classes. Corrected for classes, pairs of "
        "groups and columns.",
    )
    n_classes: int = Field(description="Classes that could be compared.")
    reading: str = Field(default="", description="The result in words.")


class GroupColumn(Record):
    """Metrics of the chosen model by the values of one column, on test rows."""

    column: str = Field(description="Name of the column.")
    origin: GroupOrigin = Field(
        default="named",
        description="`named` with `--group`; else compared without being asked: a `column` of few values, a column of "
        "dates as periods (`date`) or of numbers as thirds (`number`), or what the inputs show: the `language` or "
        "`script` of texts, the `folder` of files.",
    )
    values: list[GroupValue] = Field(
        description="Its values among the test rows, sorted by name. Empty where the column has more than 30 values, "
        "or half of them have fewer than 5 rows (patients, farms): such a column only keeps rows together.",
    )
    gap: Figure | None = Field(
        description="Clearest difference in `measure` between two values, that is, the largest in standard errors; "
        "`null` where no two can be compared. Zero is inside the interval where `p_value` is above 0.05.",
    )
    gap_between: list[str] | None = Field(description="These two values, the better one first; else `null`.")
    p_value: float | None = Field(
        description="Permutation test of the clearest difference, 0 to 1, corrected for the number of columns; else "
        "`null`.",
    )
    n_columns_compared: int | None = Field(
        default=None,
        description="Number of columns that `p_value` is corrected for; `null` in results of older versions.",
    )
    has_other_mix: bool = Field(
        default=False,
        description="Whether the class frequencies of the two values differ so much that this may explain the gap.",
    )
    n_values: int | None = Field(
        default=None,
        description="Number of distinct values of the column; `null` in results of older versions.",
    )
    has_numeric_values: bool = Field(
        default=False,
        description="Whether every value begins and ends with a digit, as ages and dates do.",
    )
    same_as: str = Field(
        default="",
        description="A column before this one through which the same gap is seen: most rows of the worse group are the "
        "same. Else empty.",
    )
    reading: str = Field(default="", description="The result in words, or why nothing could be compared.")
    measure: GroupMeasure = "accuracy"
    class_gap: ClassGap | None = Field(
        default=None,
        description="The class whose recall differs most between two groups; `null` where no class has 20 independent "
        "test rows in two groups.",
    )
