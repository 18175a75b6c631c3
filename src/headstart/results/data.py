"""The rows, and what was noticed about them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class RowCounts(Record):
    """Rows used for training, for testing, and inputs set aside."""

    train: int = Field(description="Rows learnt from.")
    test: int = Field(description="Rows kept apart and used for nothing but the figures.")
    set_aside: int = Field(description="Inputs that could not be used.")


class SetAsideRow(Record):
    """One input that could not be used."""

    id: str = Field(description="Id of the input.")
    reason: str = Field(description="Why it could not be used.")


class FindingRow(Record):
    """One thing noticed about the data."""

    kind: str = Field(description="Permanent name of what was found.")
    severity: Literal["stop", "warn", "note"] = Field(description="`stop`, `warn` or `note`.")
    n_rows: int = Field(description="How many rows are concerned.")
    rows: list[str] = Field(description="Their ids.")
    summary: str = Field(description="What was found.")
    measure: Figure | None = Field(
        description="A figure with interval: where nothing else is said below, the share of rows that are concerned"
        " (for findings across the splits: of the test rows). `null` where no row is named.",
    )
    advice: str = Field(description="What to do.")


class LabelError(Record):
    """A training row whose label is likely wrong: what the chosen model would say, having learnt from other rows.

    `doubt` is what the rows are ranked by: for classes the probability of the best other class less that of the given
    one, for a number how far off it is.
    """

    id: str = Field(description="The row.")
    label: str = Field(description="The label it has.")
    suggested: str = Field(description="What the model would say.")
    doubt: float = Field(
        description="What the rows are ranked by: probability of `suggested` less that of `label`; for a number, "
        "how far off it is.",
    )


class LeakageGap(Record):
    """What a simple head scores in cross-validation, rows dealt by chance (naive) and kept together (honest).

    `gap` is how much better the naive figure looks, in `measure` (for an error: how much smaller); `n_together` of
    `n_rows` training rows have copies or belong to a group.
    """

    measure: str = Field(description="What is compared.")
    n_rows: int = Field(description="Training rows.")
    n_together: int = Field(description="Of these, rows that have copies or belong to a group.")
    naive: Figure = Field(description="With rows dealt by chance.")
    honest: Figure = Field(description="With copies and groups kept together.")
    gap: Figure = Field(description="How much better the naive figure looks.")
    sentence: str = Field(description="The same in words.")
