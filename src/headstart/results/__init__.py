"""`result.json`: the one document that says what a run found, format number first.

Every number that the report or the model card shows stands here. The fields are documented for users in
`docs/reference/result.md`; names and meanings are permanent, new fields may be added within a format number.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from headstart.results.base import BaseFigures, BaseRanking, LeftOut, RankedBase
from headstart.results.context import (
    Advice,
    BeforeAfter,
    BesideTraining,
    ChangedRow,
    ClassShare,
    ComparedPart,
    Comparison,
    Drift,
    Evaluation,
    PriorShift,
    Recalibration,
    SiteFigures,
)
from headstart.results.curve import CurveFit, CurveForecast, CurvePoint, LearningCurve
from headstart.results.data import FindingRow, LabelError, LeakageGap, RowCounts, SetAsideRow
from headstart.results.groups import ClassGap, GroupColumn, GroupValue
from headstart.results.inherited import (
    AttributeProbe,
    Counterfactual,
    FlipShare,
    GapOrigin,
    Inherited,
    MitigatedCell,
    MitigatedFigures,
    Mitigation,
    Slice,
    Slices,
)
from headstart.results.metrics import (
    AnyMetrics,
    ClassFigures,
    Confusion,
    LabelFigures,
    Metrics,
    MultiLabelMetrics,
    ObservedPredicted,
    OrdinalMetrics,
    RegressionMetrics,
    SkippedStrategy,
    StrategyResult,
    Verdict,
    WorstRow,
)
from headstart.results.portable import PortableForm
from headstart.results.record import FORMAT, Figure, ModalityName, Record
from headstart.results.trust import (
    Abstention,
    Calibration,
    Conformal,
    Correction,
    CostFigures,
    Miss,
    OutOfDistributionFigures,
    ReliabilityBin,
    RiskCoverage,
    RiskPoint,
    Uncorrected,
)
from headstart.task_types import TaskName


class Result(Record):
    """The whole document; assembled once, by `headstart.flow.adaptation.document`, and never changed."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Number of this format.")
    modality: ModalityName = Field(description="`image`, `text` or `series`.")
    task: TaskName = Field(
        default="classification",
        description="What the label is: `classification` (one class), `ordinal` (a grade), `multi-label` (any of "
        "several labels) or `regression` (a number).",
    )
    data: str = Field(description="The data, as it was named on the command line.")
    classes: list[str] = Field(
        description="Names of the classes (grades: the lowest first), of the labels, or the one name of the number;"
        " all lists and matrices below follow this order.",
    )
    n_rows: RowCounts = Field(description="How many rows: see [Rows](#rows).")
    class_counts: dict[str, dict[str, int]] = Field(
        description="Rows of each class or label by split; empty for a number.",
    )
    scripts: dict[str, int] = Field(
        default={},
        description="Text only: training rows by the script (Latin, Arabic, Ethiopic ...) of most of their letters;"
        " with more than 5,000 rows an even sample, 300 letters each. Empty for images and series.",
    )
    split: str = Field(description="How the test rows were chosen, in a sentence.")
    group_columns: list[str] = Field(
        default=[],
        description="Columns whose values stay on one side of every split; empty where none were given.",
    )
    base: BaseFigures = Field(description="The base model: see [Base model](#base-model).")
    ranking: BaseRanking | None = Field(
        default=None,
        description="How the base model was chosen: see [Which base](#which-base); `null` unless `--base auto` had "
        "several to compare.",
    )
    chosen: str = Field(
        description="Name of the strategy that was kept; its figures stand under that name in `strategies`.",
    )
    strategies: list[StrategyResult] = Field(description="What was tried: see [Strategies](#strategies).")
    skipped: list[SkippedStrategy] = Field(default=[], description="What was not tried: `name` and `reason`.")
    verdict: Verdict = Field(description="Did transfer help? See [Verdict](#verdict).")
    confusion: Confusion | None = Field(
        description="See [Confusion](#confusion); `null` without test rows, and where a row has no class.",
    )
    fit: ObservedPredicted | None = Field(
        default=None,
        description="True and predicted numbers: see [Fit](#fit); `null` unless `task` is `regression`.",
    )
    groups: list[GroupColumn] = Field(
        default=[],
        description="Whether it is equally good for everyone: see [Groups](#groups); empty where no group column "
        "was given or there were no test rows.",
    )
    calibration: Calibration | None = Field(
        default=None,
        description="Whether its probabilities can be believed: see [Calibration](#calibration); `null` with fewer "
        "than 20 test rows.",
    )
    conformal: Conformal | None = Field(
        default=None,
        description="Do sets of classes, or ranges of numbers, hold the truth as often as stated? See [Conformal "
        "sets](#conformal-sets); `null` without test rows and for several labels.",
    )
    abstention: Abstention | None = Field(
        default=None,
        description="When it gives no answer, and how good its answers are: see [Abstention](#abstention); `null` "
        "without test rows.",
    )
    not_measured: dict[str, str] = Field(
        default={},
        description="What of the above makes no sense for this task or could not be measured, and why. Under "
        "`cross_validation`: classes whose only row cannot be held out, or that no row could be.",
    )
    learning_curve: LearningCurve | None = Field(
        default=None,
        description="Would more labels help? See [Learning curve](#learning-curve); `null` in results of older "
        "versions.",
    )
    inherited: Inherited | None = Field(
        default=None,
        description="What the base brought in: see [Inherited](#inherited); `null` with `--audit none` and in "
        "results of older versions.",
    )
    slices: Slices | None = Field(
        default=None,
        description="Kinds of rows on which the chosen model fails: see [Slices](#slices); `null` with `--audit none`.",
    )
    mitigation: Mitigation | None = Field(
        default=None,
        description="What `--mitigate` did: see [Mitigation](#mitigation); `null` where it was not asked for.",
    )
    worst: list[WorstRow] = Field(
        default=[],
        description="The surest mistakes on test rows: see [Worst rows](#worst-rows).",
    )
    checks: list[FindingRow] = Field(default=[], description="What was noticed about the data: see [Checks](#checks).")
    label_errors: list[LabelError] = Field(
        default=[],
        description="Training rows whose label is likely wrong, the most suspicious first, at most 50: see [Label "
        "errors](#label-errors).",
    )
    honest_score: LeakageGap | None = Field(
        default=None,
        description="What copies and groups would do to the score: see [Honest score](#honest-score). `null` where "
        "no two training rows belong together.",
    )
    set_aside: list[SetAsideRow] = Field(default=[], description="Inputs that could not be used: `id` and `reason`.")
    portable: PortableForm | None = Field(
        default=None,
        description="Whether the model runs where torch is not installed: see [Portable form](#portable-form); "
        "`null` where no bundle was written.",
    )
    seconds: dict[str, float] = Field(description="Wall time of each part, in seconds; `total` is everything.")
    cost: dict[str, float] = Field(default_factory=dict, description="What was forecast and what it was.")
    seed: int = Field(description="Seed of everything random.")
    options: dict[str, Any] = Field(description="All options of the run, with defaults.")
    versions: dict[str, str] = Field(description="Versions of Headstart, Python and the packages that matter.")
    created: str = Field(description="When, in ISO 8601 with time zone.")

    def strategy(self, name: str) -> StrategyResult:
        """Return the entry of one strategy."""
        return next(item for item in self.strategies if item.name == name)


__all__ = [
    "FORMAT",
    "Abstention",
    "Advice",
    "AnyMetrics",
    "AttributeProbe",
    "BaseFigures",
    "BaseRanking",
    "BeforeAfter",
    "BesideTraining",
    "Calibration",
    "ChangedRow",
    "ClassFigures",
    "ClassGap",
    "ClassShare",
    "ComparedPart",
    "Comparison",
    "Conformal",
    "Confusion",
    "Correction",
    "CostFigures",
    "Counterfactual",
    "CurveFit",
    "CurveForecast",
    "CurvePoint",
    "Drift",
    "Evaluation",
    "Figure",
    "FindingRow",
    "FlipShare",
    "GapOrigin",
    "GroupColumn",
    "GroupValue",
    "Inherited",
    "LabelError",
    "LabelFigures",
    "LeakageGap",
    "LearningCurve",
    "LeftOut",
    "Metrics",
    "Miss",
    "MitigatedCell",
    "MitigatedFigures",
    "Mitigation",
    "MultiLabelMetrics",
    "ObservedPredicted",
    "OrdinalMetrics",
    "OutOfDistributionFigures",
    "PortableForm",
    "PriorShift",
    "RankedBase",
    "Recalibration",
    "Record",
    "RegressionMetrics",
    "ReliabilityBin",
    "Result",
    "RiskCoverage",
    "RiskPoint",
    "RowCounts",
    "SetAsideRow",
    "SiteFigures",
    "SkippedStrategy",
    "Slice",
    "Slices",
    "StrategyResult",
    "Task",
    "Uncorrected",
    "Verdict",
    "WorstRow",
]
