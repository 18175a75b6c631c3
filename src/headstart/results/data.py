"""The rows, and what was noticed about them."""

from __future__ import annotations

from typing import Literal

from headstart.results.record import Figure, Record


class RowCounts(Record):
    """Rows used for training, for testing, and inputs set aside."""

    train: int
    test: int
    set_aside: int


class SetAsideRow(Record):
    """One input that could not be used."""

    id: str
    reason: str


class FindingRow(Record):
    """One thing noticed about the data."""

    kind: str
    severity: Literal["stop", "warn", "note"]
    n_rows: int
    rows: list[str]
    summary: str
    measure: Figure | None
    advice: str


class LabelError(Record):
    """A training row whose label is likely wrong: what the chosen model would say, having learnt from other rows.

    `doubt` is what the rows are ranked by: for classes the probability of the best other class less that of the given
    one, for a number how far off it is.
    """

    id: str
    label: str
    suggested: str
    doubt: float


class HonestScore(Record):
    """What a simple head scores in cross-validation, rows dealt by chance (naive) and kept together (honest).

    `gap` is how much better the naive figure looks, in `measure` (for an error: how much smaller); `n_together` of
    `n_rows` training rows have copies or belong to a group.
    """

    measure: str
    n_rows: int
    n_together: int
    naive: Figure
    honest: Figure
    gap: Figure
    sentence: str
