"""Is the model ready for use: a level, its reasons, the worst group and the next step. Words stand in the report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.results.record import Figure, Record

ReadinessLevel = Literal["ready", "supervised", "not_ready"]
READINESS_LEVELS: tuple[ReadinessLevel, ...] = ("not_ready", "supervised", "ready")
"""The levels, the lowest first."""
ReasonCode = Literal[
    "no_test_rows", "few_test_rows", "answered_right", "answered", "worst_class", "worst_group", "cannot_tell",
    "worst_classes_together", "kappa", "row_f1", "exact_match", "explained", "worst_group_error", "coverage",
    "not_measured", "test_copies", "shortcut", "worse_here",
]  # fmt: skip
NextStepCode = Literal[
    "label_class", "label_group", "label_more", "other_base", "other_place", "look_at_labels", "remove_copies",
    "look_at_shortcut", "label_test_rows", "learn_here", "use",
]  # fmt: skip
ColumnName = Annotated[str, Field(description="Group column; empty where `value` is a class, or where there is none.")]
ValueName = Annotated[str, Field(description="The class or the value of the group column; empty where there is none.")]


class ReadinessReason(Record):
    """One rule that keeps the model below a level, or allows the level it has."""

    code: ReasonCode = Field(description="Permanent code of the rule.")
    level: ReadinessLevel = Field(description="The best level that this rule allows.")
    figure: Figure | None = Field(default=None, description="What was measured; `null` where the rule has none.")
    bound: float | None = Field(
        default=None,
        description="What the cautious end of `figure` (or `n_rows`) has to reach for the next level; for `ready` what "
        "it reached. `null` where the rule has none.",
    )
    column: ColumnName = ""
    value: ValueName = ""
    n_rows: int | None = Field(default=None, description="Rows that `figure` is about, or rows concerned.")
    n_more: int = Field(default=0, description="`cannot_tell`: further values of which the same holds.")
    is_required: bool = Field(default=False, description="Whether `--require` set the bound for `ready`.")


class WorstGroup(Record):
    """The class, or the value of a group column, on which the model does worst, of those that can be judged."""

    column: ColumnName = ""
    value: ValueName
    n_rows: int = Field(description="Its test rows.")
    measure: str = Field(description="The metric: `recall` of a class, else that of the group column.")
    figure: Figure = Field(description="The metric on these rows, whether they are answered or not.")
    answered: Figure | None = Field(default=None, description="Share of them that is answered; `null` if not known.")
    better_value: str = Field(default="", description="The value of the column that does best; empty for a class.")
    better_figure: Figure | None = Field(default=None, description="The metric there; `null` for a class.")


class NextStep(Record):
    """What would help most against the first reason."""

    code: NextStepCode = Field(description="Permanent code of the step.")
    column: ColumnName = ""
    value: ValueName = ""
    n_rows: int | None = Field(default=None, description="Rows to label or to look at; `null`: cannot tell how many.")
    command: str = Field(default="", description="The command to run, with the data of the run; empty if none.")


class Readiness(Record):
    """Is the model ready for use? Decided by stated rules on the cautious ends of intervals."""

    level: ReadinessLevel = Field(
        description="`ready` to try, `supervised`: only with a person who checks, or `not_ready`."
    )
    reasons: list[ReadinessReason] = Field(description="The rules and what each allows, the worst first.")
    worst_group: WorstGroup | None = Field(
        default=None, description="Where the model does worst; `null` where no class or group can be judged."
    )
    next: NextStep = Field(description="What to do next.")
