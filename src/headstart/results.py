"""`result.json`: the one document that says what a run found, format number first.

Every number that the report or the model card shows stands here. The fields are documented for users in
`docs/result.md`; names and meanings are permanent, new fields may be added within a format number.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from headstart.records import Interval

FORMAT = 1
Task = Literal["classification", "multi-label", "regression", "ordinal"]


class Record(BaseModel):
    """What all parts of the document share."""

    model_config = ConfigDict(extra="forbid")


class Figure(Record):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> Figure:
        """Take over an `Interval`."""
        return cls(value=interval.value, low=interval.low, high=interval.high)


class ClassFigures(Record):
    """How one class fared; `support` is its number of test rows."""

    label: str
    support: int
    precision: Figure
    recall: Figure


class Metrics(Record):
    """All metrics of one strategy on one set of rows; shares are 0-1, log-loss is in nats (lower is better)."""

    n_rows: int
    accuracy: Figure
    macro_f1: Figure
    balanced_accuracy: Figure
    log_loss: Figure
    per_class: list[ClassFigures] = []


class OrdinalMetrics(Metrics):
    """Metrics of grades: those of classes, and how far off.

    `quadratic_kappa` is Cohen's kappa with quadratic weights (1 is perfect, 0 is chance); `mean_grade_error` is the
    mean distance in grades (lower is better).
    """

    quadratic_kappa: Figure | None
    mean_grade_error: Figure


class LabelFigures(Record):
    """How one label fared where a row may have several; `support` is the number of test rows that have it.

    `threshold` is the probability from which on it is given; `average_precision` is the area under precision against
    recall over all thresholds.
    """

    label: str
    support: int
    threshold: float
    precision: Figure
    recall: Figure
    average_precision: Figure


class MultiLabelMetrics(Record):
    """Metrics where a row may have several labels; shares are 0-1, log-loss is in nats (lower is better)."""

    n_rows: int
    macro_f1: Figure
    micro_f1: Figure
    mean_average_precision: Figure
    exact_match: Figure
    row_f1: Figure
    log_loss: Figure
    per_label: list[LabelFigures] = []


class RegressionMetrics(Record):
    """Metrics of a predicted number, in the unit of the label; `r2` and `spearman` have none (1 is perfect).

    They are None where they are not defined: all test rows, or all predictions, have one value.
    """

    n_rows: int
    mean_absolute_error: Figure
    root_mean_squared_error: Figure
    median_absolute_error: Figure
    absolute_error_90: Figure
    r2: Figure | None
    spearman: Figure | None


AnyMetrics = OrdinalMetrics | Metrics | MultiLabelMetrics | RegressionMetrics


class StrategyResult(Record):
    """One strategy that was tried.

    `test` has the metrics of the task: `Metrics` for classes, `OrdinalMetrics`, `MultiLabelMetrics` or
    `RegressionMetrics`.

    `cross_validation` (mean of accuracy and macro-F1) and `cross_validation_log_loss` (nats) are its figures inside
    the training rows; the model with the lowest log-loss is chosen. `test` is None where there were no test rows.
    `forecast_seconds` and `forecast_memory_bytes` are what it was expected to cost; None where nothing was measured.
    """

    name: str
    kind: Literal["baseline", "scratch", "transfer"]
    summary: str
    test: AnyMetrics | None
    cross_validation: float | None
    cross_validation_log_loss: float | None = None
    seconds: float
    forecast_seconds: float | None = None
    forecast_memory_bytes: float | None = None
    notes: list[str] = []


class Skipped(Record):
    """A strategy that was not tried, and why."""

    name: str
    reason: str


class Verdict(Record):
    """Did transfer help? The difference is in `measure` on the same test rows (positive: transfer is better)."""

    measure: Literal["accuracy", "macro-F1", "mean absolute error", "quadratic kappa"] = "accuracy"
    transfer: Literal["helped", "hurt", "no evidence"]
    strategy: str | None
    against: str | None
    difference: Figure | None
    sentence: str


class BaseFigures(Record):
    """The base model used."""

    name: str
    modality: str
    licence: str
    pretrained: bool
    training_data: str
    known_biases: str
    sha256: str
    n_dims: int
    fingerprint: str
    runtime: str


class RankedBase(Record):
    """One base model that was compared, on training rows."""

    base: str
    label: str
    probe: Figure
    head: str
    logme: float | None
    hscore: float | None
    knn: float | None
    log_loss: float | None
    seconds: float
    n_rows: int
    licence: str
    size_bytes: int
    tie: bool
    taken: bool
    unknown_share: float | None
    pieces_per_word: float | None


class LeftOut(Record):
    """A base model that was not compared, and why."""

    base: str
    reason: str


class BaseRanking(Record):
    """Which base models were compared for `--base auto`, best first, and why one was taken."""

    ranking: list[RankedBase]
    left_out: list[LeftOut]
    why: str


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


class Confusion(Record):
    """Test rows by true class (row) and predicted class (column), in the order of `classes`."""

    matrix: list[list[int]]


class WorstRow(Record):
    """A test row that the chosen model got most wrong.

    `probability` is what it gave to its answer (None where that is a number or several labels); `error` is how far off
    a number is, or how many labels are wrong (None for classes).
    """

    id: str
    label: str
    predicted: str
    probability: float | None
    error: float | None = None


class ObservedPredicted(Record):
    """Test rows as pairs of the true and the predicted number: all, or an even sample of `n_rows`."""

    n_rows: int
    observed: list[float]
    predicted: list[float]


class GroupValue(Record):
    """How the chosen model did on the test rows with one value of a column; `metrics` is None where `told` is False."""

    value: str
    n_rows: int
    told: bool
    metrics: AnyMetrics | None


class GroupColumn(Record):
    """Whether the chosen model is equally good for every value of one column.

    `gap` is how much better (in `measure`) the model is on the first value of `gap_between` than on the second;
    `p_value` is corrected for the number of columns compared. All three are None where it cannot be told.
    """

    column: str
    values: list[GroupValue]
    gap: Figure | None
    gap_between: list[str] | None
    p_value: float | None
    reading: str
    measure: Literal["accuracy", "row F1", "mean absolute error"] = "accuracy"


class ReliabilityBin(Record):
    """Test rows whose answers were given with similar probability."""

    n_rows: int
    mean_probability: float
    share_right: Figure


class Calibration(Record):
    """Whether the probability that the chosen model gives to its answers is how often they are right."""

    n_rows: int
    error: Figure
    overconfidence: Figure
    brier: Figure
    bins: list[ReliabilityBin]
    reading: str


class Evaluation(Record):
    """What `headstart evaluate --json` prints: a bundle on labelled data that it was not trained on."""

    format: int = FORMAT
    task: Task = "classification"
    bundle: str
    data: str
    classes: list[str]
    n_rows: int
    unknown_labels: dict[str, int]
    metrics: AnyMetrics
    confusion: Confusion | None
    fit: ObservedPredicted | None = None
    groups: list[GroupColumn] = []
    calibration: Calibration | None = None
    not_measured: dict[str, str] = {}
    set_aside: list[SetAsideRow]
    trained_on: str


class CurvePoint(Record):
    """What a simple head reached with so many labels; `labels_per_class` is an average, None without classes."""

    labels: int
    labels_per_class: float | None
    n_draws: int
    value: Figure


class CurveFit(Record):
    """The power law through the curve: loss = floor + scale * labels ** -exponent."""

    floor: float
    scale: float
    exponent: float


class CurveForecast(Record):
    """What more labels of the same kind are expected to bring; positive is better."""

    labels: int
    more_labels: int
    gain: Figure


class LearningCurve(Record):
    """How the score grows with the number of labels, and how much more of them would help."""

    metric: str
    points: list[CurvePoint] = []
    fit: CurveFit | None = None
    forecast: list[CurveForecast] = []
    holds_up_to_labels: int | None = None
    shape: Literal["rising", "flat", "noisy", "unknown"]
    sentence: str


class Result(Record):
    """The whole document."""

    format: int = FORMAT
    modality: Literal["image", "text", "series"]
    task: Task = "classification"
    data: str
    classes: list[str]
    n_rows: RowCounts
    class_counts: dict[str, dict[str, int]]
    split: str
    group_columns: list[str] = []
    base: BaseFigures
    ranking: BaseRanking | None = None
    chosen: str
    strategies: list[StrategyResult]
    skipped: list[Skipped] = []
    verdict: Verdict
    confusion: Confusion | None
    fit: ObservedPredicted | None = None
    groups: list[GroupColumn] = []
    calibration: Calibration | None = None
    not_measured: dict[str, str] = {}
    learning_curve: LearningCurve | None = None
    worst: list[WorstRow] = []
    checks: list[FindingRow] = []
    set_aside: list[SetAsideRow] = []
    seconds: dict[str, float]
    cost: dict[str, float] = Field(default_factory=dict, description="What was forecast and what it was.")
    seed: int
    options: dict[str, Any]
    versions: dict[str, str]
    created: str

    def strategy(self, name: str) -> StrategyResult:
        """Give the entry of one strategy."""
        return next(item for item in self.strategies if item.name == name)
