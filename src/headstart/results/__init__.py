"""Records of `result.json`, and of what `evaluate` and `compare` print as JSON.

Names and meanings of fields are permanent; new fields may be added within a format number. `docs/reference/result.md`
is made from the descriptions.
"""

from __future__ import annotations

from html import escape
from typing import Any

from pydantic import ConfigDict, Field

from headstart.results.base import (
    Agreement,
    BaseChoice,
    BaseFigures,
    BaseRanking,
    LeftOut,
    RankedBase,
    VocabularyFit,
)
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
from headstart.results.data import FindingRow, LabelError, LeakageGap, RowCounts, SetAsideRow, SplitKind
from headstart.results.groups import ClassGap, GroupColumn, GroupOrigin, GroupValue, LeftAloneReason
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
    SliceGroup,
    SliceMistake,
    Slices,
    SliceShift,
)
from headstart.results.levels import LevelFigures
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
from headstart.results.pictures import (
    CertaintyBin,
    GroupOutcomes,
    OutcomeShares,
    OverTime,
    Period,
    PictureFigures,
    SeriesBand,
    SeriesChannel,
    SeriesOverview,
)
from headstart.results.portable import PortableForm
from headstart.results.readiness import (
    READINESS_LEVELS,
    NextStep,
    NextStepCode,
    Readiness,
    ReadinessLevel,
    ReadinessReason,
    ReasonCode,
    WorstGroup,
)
from headstart.results.record import FORMAT, Figure, ModalityName, Record, Setting
from headstart.results.trust import (
    Abstention,
    Calibration,
    Conformal,
    Correction,
    CostFigures,
    LabelCalibration,
    LabelSetFigures,
    Miss,
    OutOfDistributionFigures,
    ReliabilityBin,
    RiskCoverage,
    RiskPoint,
    Uncorrected,
)
from headstart.task_types import TaskName


class Result(Record):
    """The whole document: every figure of the report and the model card."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Number of this format.")
    modality: ModalityName = Field(description="What the rows are.")
    task: TaskName = Field(
        default="classification",
        description="`classification`: one class; `ordinal`: a grade; `multi-label`: any of several labels; "
        "`regression`: a number.",
    )
    data: str = Field(description="The data, as named on the command line.")
    classes: list[str] = Field(
        description="Names of the classes (grades: the lowest first), of the labels, or of the number. All lists and "
        "matrices follow this order.",
    )
    n_rows: RowCounts = Field(description="Numbers of rows.")
    class_counts: dict[str, dict[str, int]] = Field(
        description="Rows of each class or label, by split; empty for a number.",
    )
    scripts: dict[str, int] = Field(
        default={},
        description="Texts: training rows by their main script (Latin, Arabic, Ethiopic ...), from the first 300 "
        "letters of at most 5,000 rows. Else empty.",
    )
    languages: dict[str, int] = Field(
        default={},
        description="Texts: training rows by the language they are written in, by English name, the most frequent "
        "first; under the empty name those whose language cannot be told. Of at most 5,000 rows. Else empty.",
    )
    split_kind: SplitKind | None = Field(
        default=None,
        description="How the test rows were chosen: there are `none`, they are `separate` data, `given` in the data, "
        "or `drawn` from it, stratified. `null` in older results.",
    )
    test_data: str = Field(default="", description="The separate test data, as it was named.")
    split: str = Field(default="", description="How the test rows were chosen, in a sentence.")
    group_columns: list[str] = Field(
        default=[],
        description="Group columns: rows with the same value are on the same side of every split.",
    )
    base: BaseFigures = Field(description="The base model.")
    ranking: BaseRanking | None = Field(
        default=None,
        description="How the base model was chosen; `null` unless `--base auto` compared several.",
    )
    base_choice: BaseChoice | None = Field(
        default=None,
        description="Texts with `--base default`: why this base model was taken. Else `null`.",
    )
    chosen: str = Field(description="Name of the chosen strategy.")
    strategies: list[StrategyResult] = Field(description="The strategies that were tried.")
    skipped: list[SkippedStrategy] = Field(default=[], description="The strategies that were not tried.")
    verdict: Verdict = Field(description="Did transfer help?")
    confusion: Confusion | None = Field(
        description="Confusion matrix; `null` without test rows, and where rows have no single class.",
    )
    fit: ObservedPredicted | None = Field(
        default=None,
        description="True and predicted numbers; `null` unless `task` is `regression`.",
    )
    groups: list[GroupColumn] = Field(
        default=[],
        description="Is the model equally good for all groups? The columns of `--group` and every column of few "
        "values; real gaps first, the largest first. Empty without such columns or test rows.",
    )
    columns_left_alone: dict[str, LeftAloneReason] = Field(
        default={},
        description="Columns that were not compared without being asked, and why: `personal` (they name persons or "
        "ways to reach them), `many-values` (words, or ids), `free-text`, `one-value`, `label` (equals it), `same` "
        "(as another column), `limit` (eight others were compared).",
    )
    calibration: Calibration | None = Field(
        default=None,
        description="Are the probabilities calibrated? `null` with fewer than 20 test rows.",
    )
    conformal: Conformal | None = Field(
        default=None,
        description="Prediction sets and their coverage; `null` without test rows and for several labels.",
    )
    rows_missing_for_sets: int | None = Field(
        default=None,
        description="Labelled training rows that are missing at least until a prediction set can leave a class out, "
        "in classes with two rows or more; 0 if there are enough. `null` where a row has no single class, and in "
        "results of older versions.",
    )
    abstention: Abstention | None = Field(
        default=None,
        description="How often the model answers, and how well; `null` without test rows.",
    )
    levels: list[LevelFigures] = Field(
        default=[],
        description="Codes in levels: how good the model is at each, the widest first. Empty without a coding frame.",
    )
    readiness: Readiness | None = Field(
        default=None,
        description="Is the model ready for use? `null` in results of older versions.",
    )
    not_measured: dict[str, str] = Field(
        default={},
        description="Which parts do not apply to this task or could not be measured, and why. `cross_validation`: "
        "classes with a single row, which cannot be held out.",
    )
    learning_curve: LearningCurve | None = Field(
        default=None,
        description="Would more labels help? `null` in results of older versions.",
    )
    inherited: Inherited | None = Field(
        default=None,
        description="What the base model brought in; `null` with `--audit none` and in results of older versions.",
    )
    slices: Slices | None = Field(
        default=None,
        description="Kinds of rows on which the chosen model fails; `null` with `--audit none`.",
    )
    mitigation: Mitigation | None = Field(default=None, description="What `--mitigate` did; `null` without it.")
    pictures: PictureFigures | None = Field(
        default=None,
        description="What only the pictures of the report need; `null` in results of older versions.",
    )
    worst: list[WorstRow] = Field(default=[], description="The most confident mistakes on test rows.")
    checks: list[FindingRow] = Field(default=[], description="Findings about the data.")
    label_errors: list[LabelError] = Field(
        default=[],
        description="Training rows whose label is likely wrong, the most suspicious first; at most 50. Empty where a "
        "model doubts no more labels than its own mistakes explain.",
    )
    label_errors_wrong: Figure | None = Field(
        default=None,
        description="Share of the rows of the finding `label-errors` whose label is expected to be really wrong, 0 to "
        "1 (labels as a mixture of right and random ones, fitted to the out-of-fold outputs); `null` without them.",
    )
    honest_score: LeakageGap | None = Field(
        default=None,
        description="How much copies and groups would raise the score if they were split; `null` if there are none.",
    )
    set_aside: list[SetAsideRow] = Field(default=[], description="Inputs that could not be used.")
    portable: PortableForm | None = Field(
        default=None,
        description="Whether the model runs without torch; `null` if no bundle was written.",
    )
    seconds: dict[str, float] = Field(description="Wall time of each part, in seconds; `total` is the whole run.")
    cost: dict[str, float] = Field(
        default_factory=dict,
        description="Forecasts (`..._forecast_...`) and what was measured (the same name without `forecast_`).",
    )
    seed: int = Field(description="Random seed.")
    options: dict[str, Any] = Field(description="All options of the run, with defaults.")
    settings: dict[str, dict[str, Setting]] = Field(
        default={},
        description="The tunable numbers of each part of Headstart: see [Settings](settings.md); empty in results of "
        "older versions.",
    )
    versions: dict[str, str] = Field(description="Versions of Headstart, Python and the packages that matter.")
    created: str = Field(description="Date and time, in ISO 8601 with time zone.")

    def __repr__(self) -> str:
        """Return the verdict in a line; the fields are those of `model_fields`."""
        level = f"{self.readiness.level}; " if self.readiness else ""
        rows = f"{self.n_rows.train:,} rows learnt, {self.n_rows.test:,} tested"
        return f"Result({level}{self.task} of {self.modality}, {rows}, chosen: {self.chosen}. {self.verdict.sentence})"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"

    def strategy(self, name: str) -> StrategyResult:
        """Return the entry of one strategy."""
        return next(item for item in self.strategies if item.name == name)


__all__ = [
    "FORMAT",
    "READINESS_LEVELS",
    "Abstention",
    "Advice",
    "Agreement",
    "AnyMetrics",
    "AttributeProbe",
    "BaseChoice",
    "BaseFigures",
    "BaseRanking",
    "BeforeAfter",
    "BesideTraining",
    "Calibration",
    "CertaintyBin",
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
    "GroupOrigin",
    "GroupOutcomes",
    "GroupValue",
    "Inherited",
    "LabelCalibration",
    "LabelError",
    "LabelFigures",
    "LabelSetFigures",
    "LeakageGap",
    "LearningCurve",
    "LeftAloneReason",
    "LeftOut",
    "LevelFigures",
    "Metrics",
    "Miss",
    "MitigatedCell",
    "MitigatedFigures",
    "Mitigation",
    "MultiLabelMetrics",
    "NextStep",
    "NextStepCode",
    "ObservedPredicted",
    "OrdinalMetrics",
    "OutOfDistributionFigures",
    "OutcomeShares",
    "OverTime",
    "Period",
    "PictureFigures",
    "PortableForm",
    "PriorShift",
    "RankedBase",
    "Readiness",
    "ReadinessLevel",
    "ReadinessReason",
    "ReasonCode",
    "Recalibration",
    "Record",
    "RegressionMetrics",
    "ReliabilityBin",
    "Result",
    "RiskCoverage",
    "RiskPoint",
    "RowCounts",
    "SeriesBand",
    "SeriesChannel",
    "SeriesOverview",
    "SetAsideRow",
    "Setting",
    "SiteFigures",
    "SkippedStrategy",
    "Slice",
    "SliceGroup",
    "SliceMistake",
    "SliceShift",
    "Slices",
    "SplitKind",
    "StrategyResult",
    "Uncorrected",
    "Verdict",
    "VocabularyFit",
    "WorstGroup",
    "WorstRow",
]
