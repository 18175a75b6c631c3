"""Rows that the report shows one by one; they stand in report_rows.json, beside result.json and previews.json."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Record

Outcome = Literal["right", "wrong", "not_answered"]
"""What came of a test row: an answer that is right, one that is wrong, or none ("not sure", "none of these")."""

MapSource = Literal["features", "descriptors"]
"""What the map of rows places: features of the base model, or classic descriptors."""


class ReportRow(Record):
    """One row, as the gallery and the map of the report show it."""

    id: str = Field(description="Id of the row, the same in every output.")
    split: Literal["train", "test"] = Field(description="Side of the split.")
    true: str = Field(description="Its label in the data; several labels are joined by `;`.")
    predicted: str = Field(
        default="", description="The prediction without the right to abstain; empty for training rows."
    )
    second: str = Field(default="", description="The second most probable class; empty where there is none.")
    probability: float | None = Field(
        default=None,
        description="Probability of `predicted`, 0 to 1; `null` for numbers, several labels and training rows.",
    )
    outcome: Outcome | None = Field(default=None, description="`null` for numbers and for training rows.")
    error: float | None = Field(
        default=None,
        description="Absolute error of a number, or number of wrong labels; `null` for classes and training rows.",
    )
    groups: dict[str, str] = Field(default={}, description="Its value in every column that was compared.")
    x: float | None = Field(default=None, description="Place on the map of all rows, from left to right.")
    y: float | None = Field(default=None, description="Place on the map of all rows, upwards.")


class ReportRows(Record):
    """The rows that the report shows one by one: at most 3,000, of which about 140 have a preview.

    Examples
    --------
    >>> row = ReportRow(id="a.jpg", split="test", true="rust", predicted="blight", outcome="wrong")
    >>> rows = ReportRows(rows=[row], n_test=1, n_shown=1)
    >>> [item.id for item in rows.gallery]
    ['a.jpg']
    """

    format: int = Field(default=1, description="Number of this format.")
    rows: list[ReportRow] = Field(
        description="First the `n_shown` test rows of the gallery, in the order in which they are shown (wrong, not "
        "answered, right), then the other test rows, then training rows.",
    )
    n_test: int = Field(description="Number of all test rows.")
    n_shown: int = Field(description="Number of test rows in the gallery.")
    n_outcomes: dict[Outcome, int] = Field(default={}, description="All test rows by outcome; empty for numbers.")
    examples: dict[str, list[str]] = Field(
        default={}, description="Ids of a few training rows of each class, all of them in previews.json."
    )
    map_source: MapSource | None = Field(
        default=None, description="What the map of rows places; `null` where no row has a place."
    )
    map_spread_share: float = Field(
        default=0.0, description="Share of the variance of these that the two directions of the map show, 0 to 1."
    )

    @property
    def gallery(self) -> list[ReportRow]:
        """Return the test rows of the gallery, in order."""
        return self.rows[: self.n_shown]
