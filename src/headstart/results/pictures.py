"""Figures that only the pictures of the report need: counts and quantiles, never rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class CertaintyBin(Record):
    """Test rows whose most probable answer has a probability in one range."""

    low: float = Field(description="Lower end of the range, 0 to 1, part of it.")
    high: float = Field(description="Upper end of the range, 0 to 1; part of it in the last range only.")
    n_right: int = Field(description="Rows whose most probable answer is right.")
    n_wrong: int = Field(description="Rows whose most probable answer is wrong.")


class OutcomeShares(Record):
    """What becomes of test rows: right, wrong, not answered. The three add up to 1."""

    name: str = Field(description="Name of the class or label; empty for all test rows.")
    n_rows: int = Field(description="Number of test rows.")
    right: Figure = Field(description="Proportion that got the right answer (several labels: exactly the right ones).")
    near: Figure | None = Field(
        default=None,
        description="Proportion that was wrong by one grade, a part of `wrong`; `null` unless `task` is `ordinal`.",
    )
    wrong: Figure = Field(description="Proportion that got a wrong answer.")
    not_answered: Figure = Field(description='Proportion without an answer: "not sure" or "none of these".')


class GroupOutcomes(Record):
    """What becomes of the test rows with each value of one compared column."""

    column: str = Field(description="Name of the column, as in `groups`.")
    values: list[OutcomeShares] = Field(description="Its values that are compared in `groups`, in the same order.")


class SeriesBand(Record):
    """The training series of one class, step by step; `null` where fewer than two have a value."""

    label: str = Field(description="The class; empty for all rows, where rows have no single class.")
    n_rows: int = Field(description="Number of training series.")
    median: list[float | None] = Field(description="Half of the values are below.")
    low: list[float | None] = Field(description="A tenth of the values is below.")
    high: list[float | None] = Field(description="A tenth of the values is above.")


class SeriesChannel(Record):
    """One channel of the training series, by class."""

    name: str = Field(description="Its name; empty where it has none.")
    bands: list[SeriesBand] = Field(description="The largest classes.")


class SeriesOverview(Record):
    """Median and spread of the training series, by class and step."""

    steps: list[float] = Field(description="Steps of time that are drawn, counted from 0: at most 80, evenly spread.")
    n_steps: int = Field(description="Steps of the longest series.")
    n_channels: int = Field(description="Number of channels; at most three are drawn.")
    n_classes: int = Field(description="Number of classes with training series; at most six are drawn.")
    n_rows: int = Field(description="Training series that were read: at most 2,000, evenly spread.")
    channels: list[SeriesChannel] = Field(description="The first channels.")


class Period(Record):
    """The test rows of one month, quarter or year."""

    start: str = Field(description="Its first day, such as `2025-04-01`.")
    n_rows: int = Field(description="Number of test rows.")
    right: Figure = Field(description="Proportion of them whose most probable answer is right, 0 to 1.")
    not_answered: Figure | None = Field(description="Proportion of them without an answer, 0 to 1.")


class OverTime(Record):
    """Test rows by a column of dates."""

    column: str = Field(description="Name of the column.")
    unit: Literal["month", "quarter", "year"] = Field(
        description="Length of a period: the shortest of which at most 24 cover all dates, with 5 rows each on average."
    )
    periods: list[Period] = Field(description="Periods that have test rows, the earliest first.")
    n_without: int = Field(default=0, description="Test rows without a date.")


class PictureFigures(Record):
    """What the pictures of the report are drawn from, beside the figures in other parts."""

    guessing: float | None = Field(
        default=None,
        description="Proportion of test rows that always giving the most frequent class of the training rows gets "
        "right, 0 to 1; `null` where rows have no single class.",
    )
    certainty: list[CertaintyBin] = Field(
        default=[], description="Histogram of the highest probability; empty where rows have no single class."
    )
    outcomes: OutcomeShares | None = Field(
        default=None, description="All test rows; `null` for a number and without test rows."
    )
    per_class: list[OutcomeShares] = Field(
        default=[], description="Test rows of each class (several labels: that have this label)."
    )
    per_group: list[GroupOutcomes] = Field(
        default=[], description="Test rows of each group that is compared; empty for a number."
    )
    series: SeriesOverview | None = Field(default=None, description="The training series; `null` for images and texts.")
    over_time: list[OverTime] = Field(
        default=[], description="For each column of dates with at least two periods; at most two columns."
    )
