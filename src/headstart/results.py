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


class ClassGap(Record):
    """The class whose share found differs most between two groups: `found`, `n_rows` in the order of `between`.

    `p_value` is corrected for the number of classes and pairs (and of columns).
    """

    label: str
    between: list[str]
    found: list[float]
    n_rows: list[int]
    gap: Figure
    p_value: float
    n_classes: int
    reading: str


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
    class_gap: ClassGap | None = None


class ReliabilityBin(Record):
    """Test rows whose answers were given with similar probability."""

    n_rows: int
    mean_probability: float
    share_right: Figure


class Uncorrected(Record):
    """Calibration on the same test rows before the correction."""

    error: Figure
    overconfidence: Figure
    brier: Figure
    log_loss: Figure
    bins: list[ReliabilityBin]


class Correction(Record):
    """How the probabilities were corrected, on training rows held out; `method` is "none" where that did not help.

    `gain` is the log-loss saved on rows held out once more, in nats a row.
    """

    method: Literal["none", "temperature", "isotonic"]
    temperature: float | None
    gain: float
    n_rows: int
    reading: str


class Calibration(Record):
    """Whether the probability that the chosen model gives to its answers is how often they are right.

    `before` is the same without the correction; None where nothing was corrected.
    """

    n_rows: int
    error: Figure
    overconfidence: Figure
    brier: Figure
    bins: list[ReliabilityBin]
    reading: str
    log_loss: Figure | None = None
    correction: Correction | None = None
    before: Uncorrected | None = None


class Conformal(Record):
    """Sets of classes, or ranges of numbers, that hold the truth in a stated share of rows; measured on test rows.

    `exact` and `mean_size` are None for numbers, `width` for classes (and where ranges have no ends); `below`: the
    whole interval of `measured` lies below `stated`.
    """

    n_rows: int
    n_rows_learnt: int
    stated: float
    measured: Figure
    exact: Figure | None = None
    mean_size: Figure | None = None
    single_share: Figure | None = None
    width: float | None = None
    method: Literal["label-conditional", "partly label-conditional", "marginal", "residuals"]
    below: bool
    reading: str


class RiskPoint(Record):
    """How many answers are wrong when only the surest rows are answered."""

    answered_share: float
    n_rows: int
    wrong_share: Figure
    least_sure: float


class RiskCoverage(Record):
    """Wrong answers for every share of rows answered; `area` is their mean over all shares (AURC)."""

    area: Figure
    points: list[RiskPoint]


class NoveltyFigures(Record):
    """How rows unlike the training rows are told; shares of ordinary rows that are called so."""

    reads: str
    threshold: float
    stated_false_alarm: float
    measured_false_alarm: Figure | None
    n_rows_learnt: int
    n_rows_kept: int


class CostFigures(Record):
    """What decisions by expected cost come to on test rows, per row; a right answer costs nothing."""

    given: list[str]
    refer: float
    mean_cost: Figure
    mean_cost_always: Figure


class Miss(Record):
    """Rows of one class that got the answer of another, per 100 test rows of any class; the costliest first."""

    label: str
    answer: str
    n_rows: int
    per_hundred: Figure
    cost: float


class Abstention(Record):
    """What the chosen model answers on test rows: shares of each kind of answer, and how good the answers are.

    `wrong`, `referred` and `refused` are per 100 test rows: wrong answers, "not sure" and "none of these".
    """

    n_rows: int
    n_answered: int
    shares: dict[str, Figure]
    accuracy_answered: Figure | None
    accuracy_all: Figure | None
    wrong: Figure | None
    referred: Figure
    refused: Figure
    misses: list[Miss] = []
    risk_coverage: RiskCoverage | None
    novelty: NoveltyFigures | None
    costs: CostFigures | None
    reserved_classes: list[str] = []
    without: dict[str, str] = {}
    reading: str


class SiteFigures(Record):
    """What a bundle keeps of its test rows where it was made; `predicted` counts answers by class."""

    data: str
    n_rows: int
    figures: dict[str, Figure]
    predicted: dict[str, int] = {}


class BesideTraining(Record):
    """One figure where the model was made (`there`, test rows) and on the new rows; `difference`: here less there."""

    name: str
    there: Figure
    n_rows_there: int
    here: Figure
    n_rows: int
    difference: Figure


class ClassShare(Record):
    """How frequent a class is where the model was made and here."""

    label: str
    there: Figure
    here: Figure


class PriorShift(Record):
    """Whether classes are as frequent as where the model was made.

    `kind`: "labels" are held against training rows, "predictions" against the answers on the test rows of training.
    """

    kind: Literal["labels", "predictions"]
    n_rows: int
    n_rows_there: int
    classes: list[ClassShare]
    p_value: float
    found: bool
    reading: str


class Drift(Record):
    """How well a simple classifier tells new rows from training rows (0.5: by chance only)."""

    n_rows: int
    n_rows_trained: int
    auroc: Figure
    p_value: float
    found: bool
    reading: str


class Advice(Record):
    """What to do at this place, and why."""

    action: Literal["use", "recalibrate", "re-train", "cannot tell"]
    reason: str


class BeforeAfter(Record):
    """One figure with the rules as they were, and with rules learnt here from the other rows (cross-fitted)."""

    name: str
    before: Figure | None
    after: Figure


class Recalibration(Record):
    """What `--recalibrate` learnt from labelled rows here; what did not help beyond noise is as it was.

    `gain` is the log-loss saved on rows held out (nats a row; None for a number).
    """

    bundle: str
    n_rows: int
    least_rows: int
    calibration_kept: bool
    sets_kept: bool
    gain: Figure | None
    figures: list[BeforeAfter]
    reading: str


class Evaluation(Record):
    """What `headstart evaluate --json` prints: a bundle on data that it was not trained on, with or without labels."""

    format: int = FORMAT
    task: Task = "classification"
    bundle: str
    data: str
    classes: list[str]
    n_rows: int
    labelled: bool = True
    unknown_labels: dict[str, int]
    metrics: AnyMetrics | None
    confusion: Confusion | None
    fit: ObservedPredicted | None = None
    groups: list[GroupColumn] = []
    calibration: Calibration | None = None
    conformal: Conformal | None = None
    abstention: Abstention | None = None
    shares: dict[str, Figure] = {}
    beside_training: list[BesideTraining] = []
    prior_shift: PriorShift | None = None
    drift: Drift | None = None
    advice: Advice | None = None
    recalibration: Recalibration | None = None
    not_measured: dict[str, str] = {}
    set_aside: list[SetAsideRow]
    trained_on: str


class ComparedPart(Record):
    """How the rows of one class (`column` is empty) or group fared; positive: better with the new model.

    `difference` and `p_value` are None with too few rows; p is corrected for the number of values.
    """

    column: str
    value: str
    n_rows: int
    n_better: int
    n_worse: int
    difference: Figure | None
    p_value: float | None


class ChangedRow(Record):
    """A row on which the two models differ in how right they are."""

    id: str
    label: str
    old: str
    new: str


class Comparison(Record):
    """What `headstart compare --json` prints: two bundles on the same labelled rows; positive: the new one is better.

    `better` and `worse` name the first rows.
    """

    format: int = FORMAT
    task: Task = "classification"
    old: str
    new: str
    data: str
    classes: list[str]
    n_rows: int
    unknown_labels: dict[str, int]
    measure: Literal["accuracy", "row F1", "mean absolute error"]
    old_value: Figure
    new_value: Figure
    difference: Figure
    p_value: float
    n_better: int
    n_worse: int
    per_class: list[ComparedPart] = []
    groups: list[ComparedPart] = []
    better: list[ChangedRow] = []
    worse: list[ChangedRow] = []
    reading: str
    set_aside: list[SetAsideRow]


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


class Readable(Record):
    """How well a group, or a plain property of a row, can be read off what a model sees (balanced accuracy, 0-1).

    `frozen`: the base's features; `adapted`: features of the model with moved weights; `answers`: the chosen model's
    probabilities; `without_base`: simple descriptors that no base made. None where there is no such thing.
    """

    name: str
    kind: Literal["group", "property"]
    values: list[str]
    n_rows: int
    chance: float
    frozen: Figure | None
    adapted: Figure | None
    answers: Figure | None
    without_base: Figure | None
    reading: str


class GapOrigin(Record):
    """Where a gap between two groups comes from, in `measure`: each gap is the first of `between` minus the second.

    `brought` is the frozen gap minus that without the base; `adaptation` the chosen model's minus the frozen one.
    """

    column: str
    between: list[str]
    measure: Literal["accuracy", "row F1", "mean absolute error"]
    n_rows: int
    without_base: Figure | None
    without_base_strategy: str | None
    frozen: Figure | None
    chosen: Figure
    brought: Figure | None
    adaptation: Figure | None
    reading: str


class FlipShare(Record):
    """Share of changed rows with another answer, for one class (`column` is empty) or group; None: too few rows."""

    column: str
    value: str
    n_rows: int
    flips: Figure | None


class Counterfactual(Record):
    """Test rows that were changed in a way that should not matter, and how many got another answer."""

    name: str
    says: str
    n_rows: int
    flips: Figure | None
    without_base_strategy: str | None
    without_base_flips: Figure | None
    parts: list[FlipShare] = []
    reading: str


class Inherited(Record):
    """What the base brought in: the audit of features, gaps and answers."""

    n_rows: int
    base: str
    readable: list[Readable] = []
    gaps: list[GapOrigin] = []
    counterfactuals: list[Counterfactual] = []
    not_measured: dict[str, str] = {}


class Slice(Record):
    """Similar rows on which the chosen model fails more often than the mix of their classes explains.

    `error` and `elsewhere` are mean errors on training rows predicted by models that did not see them; `test_error` on
    the test rows nearest to these, None with too few. `p_value` is corrected for all clusters that were tried.
    """

    n_rows: int
    error: Figure
    elsewhere: Figure
    p_value: float
    n_test_rows: int
    test_error: Figure | None
    test_elsewhere: Figure | None
    labels: list[str]
    properties: list[str]
    examples: list[str]
    reading: str


class Slices(Record):
    """Whether there are kinds of rows on which the model fails, found without group columns."""

    n_rows: int
    n_clusters: int
    measure: Literal["accuracy", "row F1", "mean absolute error"]
    found: list[Slice] = []
    reading: str


class MitigatedCell(Record):
    """Rows of one class in one group: the share right before and after; None with too few rows."""

    label: str
    group: str
    n_rows: int
    before: Figure | None
    after: Figure | None


class MitigatedFigures(Record):
    """Accuracy before and after on one set of rows: of the worst group (class and group together) and of all rows."""

    n_rows: int
    worst_before: Figure
    worst_after: Figure
    worst_gain: Figure
    mean_before: Figure
    mean_after: Figure
    mean_gain: Figure
    cells: list[MitigatedCell] = []


class Mitigation(Record):
    """What `--mitigate` did: `kept` says whether its model is the one in the bundle, decided on training rows only."""

    way: Literal["group-balance", "reweight"]
    columns: list[str]
    before: str
    after: str
    out_of_fold: MitigatedFigures | None
    test: MitigatedFigures | None
    kept: bool
    mean_may_lose: float
    reading: str


class Result(Record):
    """The whole document."""

    format: int = FORMAT
    modality: Literal["image", "text", "series"]
    task: Task = "classification"
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
    skipped: list[Skipped] = []
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
    seconds: dict[str, float]
    cost: dict[str, float] = Field(default_factory=dict, description="What was forecast and what it was.")
    seed: int
    options: dict[str, Any]
    versions: dict[str, str]
    created: str

    def strategy(self, name: str) -> StrategyResult:
        """Give the entry of one strategy."""
        return next(item for item in self.strategies if item.name == name)
