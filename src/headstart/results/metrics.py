"""How well each strategy did, what was skipped, and whether transfer helped."""

from __future__ import annotations

from typing import Literal

from headstart.results.record import Figure, Record


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


class SkippedStrategy(Record):
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
