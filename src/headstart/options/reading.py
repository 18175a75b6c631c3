"""Options of everything that reads data: which column is what, and what the label is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.columns import ColumnOptions
from headstart.options.fields import (
    Columns,
    MergeLabels,
    ModalityChoice,
    Names,
    SplitGroups,
    TaskChoice,
)
from headstart.task_types import TASK_TYPES, TaskType


class SourceOptions(ColumnOptions):
    """What is in data that may have labels."""

    label: Columns = Field(
        (),
        description="Label column (default: found by name). For several labels a row several columns of 0 and 1: A,B,C "
        "or 'tag_*', or repeated; for codes in levels the column of each level, the widest first.",
    )
    frame: Path | None = Field(
        None,
        description="Coding frame of the labels (CSV or Excel): codes with their levels. Labels may be ids or paths.",
    )
    level_mark: str = Field(
        "",
        max_length=5,
        description="What stands between the levels of a label, such as '/' (default: ' > ').",
    )
    group: SplitGroups = ()
    modality: ModalityChoice = Field("auto", description="What the data is.")
    merge_labels: MergeLabels = False
    task: TaskChoice = Field(
        "auto",
        description="What the label is: one class, several labels, a number, a grade, or spans of words; auto = found.",
    )
    order: Names = Field((), description="The grades, lowest first, for --task ordinal: low,medium,high.")

    @property
    def task_type(self) -> TaskType | None:
        """The task that is named; None for "auto"."""
        return TASK_TYPES.get(self.task)


class ReadOptions(SourceOptions):
    """How to read the user's data."""

    unlabelled: str = Field(
        "stop",
        description="Rows without a label: stop with an error, drop them, or use them (adapt: learn from them, too); "
        "or a PATH of unlabelled data to learn from.",
    )
