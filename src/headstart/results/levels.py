"""How good a model is at each level of a coding frame."""

from __future__ import annotations

from pydantic import Field

from headstart.results.metrics import Metrics, MultiLabelMetrics
from headstart.results.record import Figure, Record


class LevelFigures(Record):
    """Figures of one level of a coding frame, on the test rows."""

    name: str = Field(description="Name of the level.")
    n_codes: int = Field(description="Codes that the model knows at this level, and classes that end above it.")
    metrics: Metrics | MultiLabelMetrics = Field(
        description="Metrics of the codes at this level, without the right to abstain. The probability of a code is "
        "the sum of that of its classes; where a row may have several, each code is a label of its own.",
    )
    answered: Figure | None = Field(
        default=None,
        description="Share of rows with an answer at this level, 0 to 1, those included that are answered only down to "
        "here; `null` where a row may have several codes.",
    )
    right: Figure | None = Field(
        default=None,
        description="Share of these answers that are right at this level, 0 to 1; `null` without answers, and where a "
        "row may have several codes.",
    )
    rolled_up: Figure | None = Field(
        default=None,
        description="Share of rows whose answer ends at this level although codes stand below: which of them is not "
        "sure; `null` where a row may have several codes.",
    )
    rolled_up_right: Figure | None = Field(
        default=None,
        description="Share of the rolled-up answers that are right, 0 to 1; `null` without such answers.",
    )
