"""`result.json`: the one document that says what a run found, format number first.

Every number that the report or the model card shows stands here. The fields are documented for users in
`docs/reference/result.md`; names and meanings are permanent, new fields may be added within a format number.
"""

from __future__ import annotations

from typing import Any, Literal

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
from headstart.results.data import FindingRow, HonestScore, LabelError, RowCounts, SetAsideRow
from headstart.results.groups import ClassGap, GroupColumn, GroupValue
from headstart.results.inherited import (
    Counterfactual,
    FlipShare,
    GapOrigin,
    Inherited,
    MitigatedCell,
    MitigatedFigures,
    Mitigation,
    Readable,
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
from headstart.results.record import FORMAT, Figure, Record
from headstart.results.trust import (
    Abstention,
    Calibration,
    Conformal,
    Correction,
    CostFigures,
    Miss,
    NoveltyFigures,
    ReliabilityBin,
    RiskCoverage,
    RiskPoint,
    Uncorrected,
)
from headstart.task_types import TaskName


class Result(Record):
    """The whole document; assembled once, by `headstart.flow.adaptation.document`, and never changed."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    modality: Literal["image", "text", "series"]
    task: TaskName = "classification"
    data: str
    classes: list[str]
    n_rows: RowCounts
    class_counts: dict[str, dict[str, int]]
    scripts: dict[str, int] = {}
    split: str
    group_columns: list[str] = []
    base: BaseFigures
    ranking: BaseRanking | None = None
    chosen: str
    strategies: list[StrategyResult]
    skipped: list[SkippedStrategy] = []
    verdict: Verdict
    confusion: Confusion | None
    fit: ObservedPredicted | None = None
    groups: list[GroupColumn] = []
    calibration: Calibration | None = None
    conformal: Conformal | None = None
    abstention: Abstention | None = None
    not_measured: dict[str, str] = {}
    learning_curve: LearningCurve | None = None
    inherited: Inherited | None = None
    slices: Slices | None = None
    mitigation: Mitigation | None = None
    worst: list[WorstRow] = []
    checks: list[FindingRow] = []
    label_errors: list[LabelError] = []
    honest_score: HonestScore | None = None
    set_aside: list[SetAsideRow] = []
    portable: PortableForm | None = None
    seconds: dict[str, float]
    cost: dict[str, float] = Field(default_factory=dict, description="What was forecast and what it was.")
    seed: int
    options: dict[str, Any]
    versions: dict[str, str]
    created: str

    def strategy(self, name: str) -> StrategyResult:
        """Give the entry of one strategy."""
        return next(item for item in self.strategies if item.name == name)


__all__ = [
    "FORMAT",
    "Abstention",
    "Advice",
    "AnyMetrics",
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
    "HonestScore",
    "Inherited",
    "LabelError",
    "LabelFigures",
    "LearningCurve",
    "LeftOut",
    "Metrics",
    "Miss",
    "MitigatedCell",
    "MitigatedFigures",
    "Mitigation",
    "MultiLabelMetrics",
    "NoveltyFigures",
    "ObservedPredicted",
    "OrdinalMetrics",
    "PortableForm",
    "PriorShift",
    "RankedBase",
    "Readable",
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
