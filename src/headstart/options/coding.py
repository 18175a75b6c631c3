"""Options of the commands on coding frames."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.columns import ColumnOptions
from headstart.options.fields import TaskChoice, TrainingLabel


class CodesDiffOptions(ColumnOptions):
    """Which labelled rows to look at."""

    data: Path | None = Field(None, description="Labelled rows: how many of them bear a code that changed.")
    label: TrainingLabel = ()
    task: TaskChoice = Field("auto", description="What the label is, as for adapt: one class, or several labels.")
