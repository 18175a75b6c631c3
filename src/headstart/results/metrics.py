"""How well each strategy did, what was skipped, and whether transfer helped."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class ClassFigures(Record):
    """How one class fared; `support` is its number of test rows."""

    label: str = Field(description="Name of the class.")
    support: int = Field(description="Its number of test rows.")
    precision: Figure = Field(
        description="Of the rows given this label, the share that are of this class; 0 with interval 0 to 1 where "
        "the label was never given.",
    )
    recall: Figure = Field(description="Of the rows of this class, the share that got its label.")


class Metrics(Record):
    """All metrics of one strategy on one set of rows; shares are 0-1, log-loss is in nats (lower is better)."""

    n_rows: int = Field(description="Number of test rows.")
    accuracy: Figure = Field(description="Share of rows labelled right; higher is better.")
    macro_f1: Figure = Field(
        description="F1 averaged over the classes that have test rows, each counting alike; higher is better.",
    )
    balanced_accuracy: Figure = Field(
        description="Recall averaged over the classes that have test rows; higher is better.",
    )
    log_loss: Figure = Field(
        description="Mean of minus the logarithm of the probability given to the true class, in nats; lower is "
        "better, 0 is perfect.",
    )
    per_class: list[ClassFigures] = Field(
        default=[],
        description="For each class that has test rows: the fields below.",
    )


class OrdinalMetrics(Metrics):
    """Metrics of grades: those of classes, and how far off.

    `quadratic_kappa` is Cohen's kappa with quadratic weights (1 is perfect, 0 is chance); `mean_grade_error` is the
    mean distance in grades (lower is better).
    """

    quadratic_kappa: Figure | None = Field(
        description="Cohen's kappa with squared distances as weights: agreement beyond chance, 1 is perfect, 0 is "
        "chance; `null` where all test rows have one grade.",
    )
    mean_grade_error: Figure = Field(
        description="Mean distance between the answer and the true grade, in grades; lower is better.",
    )


class LabelFigures(Record):
    """How one label fared where a row may have several; `support` is the number of test rows that have it.

    `threshold` is the probability from which on it is given; `average_precision` is the area under precision against
    recall over all thresholds.
    """

    label: str = Field(description="Name of the label.")
    support: int = Field(description="Its number of test rows.")
    threshold: float = Field(
        description="The probability from which on it is given: the best for its F1 on training rows that were held"
        " out, drawn towards a common one where few rows have the label.",
    )
    precision: Figure = Field(
        description="Of the rows given this label, the share that are of this class; 0 with interval 0 to 1 where "
        "the label was never given.",
    )
    recall: Figure = Field(description="Of the rows of this class, the share that got its label.")
    average_precision: Figure = Field(
        description="Precision averaged over recall as the threshold falls: 1 where all rows with the label come "
        "before all others.",
    )


class MultiLabelMetrics(Record):
    """Metrics where a row may have several labels; shares are 0-1, log-loss is in nats (lower is better)."""

    n_rows: int = Field(description="Number of test rows.")
    macro_f1: Figure = Field(description="F1 averaged over the labels that some test row has; higher is better.")
    micro_f1: Figure = Field(description="F1 over all answers together; higher is better.")
    mean_average_precision: Figure = Field(
        description="Average precision averaged over these labels; higher is better.",
    )
    exact_match: Figure = Field(description="Share of rows that got exactly the right labels.")
    row_f1: Figure = Field(
        description="F1 of each row's labels, averaged over rows; 1 for a row that has none and was given none.",
    )
    log_loss: Figure = Field(description="Mean over rows and labels, in nats; lower is better.")
    per_label: list[LabelFigures] = Field(
        default=[],
        description="For each label that some test row has: the fields below.",
    )


class RegressionMetrics(Record):
    """Metrics of a predicted number, in the unit of the label; `r2` and `spearman` have none (1 is perfect).

    They are None where they are not defined: all test rows, or all predictions, have one value.
    """

    n_rows: int = Field(description="Number of test rows.")
    mean_absolute_error: Figure = Field(description="How far off the answers are on average.")
    root_mean_squared_error: Figure = Field(description="The root of the mean squared error: large errors count more.")
    median_absolute_error: Figure = Field(description="Half of the answers are off by at most so much.")
    absolute_error_90: Figure = Field(description="Nine of ten answers are off by at most so much.")
    r2: Figure | None = Field(
        description="Share of the spread of the true numbers that is explained: 1 is perfect, 0 is no better than "
        "the mean, negative is worse; `null` where all true numbers are equal.",
    )
    spearman: Figure | None = Field(
        description="Rank correlation, -1 to 1; `null` where all answers are equal, as those of `majority`.",
    )


AnyMetrics = OrdinalMetrics | Metrics | MultiLabelMetrics | RegressionMetrics


class StrategyResult(Record):
    """One strategy that was tried.

    `test` has the metrics of the task: `Metrics` for classes, `OrdinalMetrics`, `MultiLabelMetrics` or
    `RegressionMetrics`.

    `cross_validation` (mean of accuracy and macro-F1) and `cross_validation_log_loss` (nats) are its figures inside
    the training rows; the model with the lowest log-loss is chosen. `test` is None where there were no test rows.
    `forecast_seconds` and `forecast_memory_bytes` are what it was expected to cost; None where nothing was measured.
    """

    name: str = Field(description="Permanent name.")
    kind: Literal["baseline", "scratch", "transfer"] = Field(
        description="`baseline` (a simple reference such as `majority`), `scratch` (learnt without any pre-trained "
        "model) or `transfer` (uses the base model).",
    )
    summary: str = Field(description="What it does, in a sentence.")
    test: AnyMetrics | None = Field(
        description="Its metrics on the test rows (below; which ones depends on `task`); `null` without test rows, "
        "and for a costly strategy that was not chosen where no time was left to score it.",
    )
    cross_validation: float | None = Field(
        description="A score inside the training rows, 0 to 1: mean of accuracy and macro-F1, for several labels of"
        " micro- and macro-F1, for a number the share of the spread explained; `null` where it was not "
        "measured: no training row could be held out (then `not_measured` says why under "
        "`cross_validation`). Rows whose class has no other row are learnt from and not scored.",
    )
    cross_validation_log_loss: float | None = Field(
        default=None,
        description="The loss inside the training rows, by which the model is chosen (the lowest wins): log-loss in"
        " nats (for several labels a mean over labels), for a number the squared error as a share of "
        "the spread; `null` where it was not computed.",
    )
    seconds: float = Field(description="Time it took.")
    forecast_seconds: float | None = Field(
        default=None,
        description="Seconds that it was expected to take on all rows, on the machine as busy as it was, from a "
        "short measurement before it was fitted; `null` where nothing was measured.",
    )
    forecast_memory_bytes: float | None = Field(
        default=None,
        description="Memory that it was expected to need beside the features; `null` where nothing was measured.",
    )
    notes: list[str] = Field(
        default=[],
        description="What a reader should know, such as that it learnt from a sample of the rows.",
    )


class SkippedStrategy(Record):
    """A strategy that was not tried, and why."""

    name: str = Field(description="Name of the strategy.")
    reason: str = Field(description="Why it was not tried.")


class Verdict(Record):
    """Did transfer help? The difference is in `measure` on the same test rows (positive: transfer is better)."""

    measure: Literal["accuracy", "macro-F1", "mean absolute error", "quadratic kappa"] = Field(
        default="accuracy",
        description="What the two are compared in: `accuracy`, for grades `quadratic kappa`, for several labels "
        "`macro-F1`, for numbers `mean absolute error`.",
    )
    transfer: Literal["helped", "hurt", "no evidence"] = Field(
        description="`helped` only if the whole interval of `difference` lies above 0, `hurt` only if below, else "
        "`no evidence`; always `no evidence` where the base is not pre-trained.",
    )
    strategy: str | None = Field(
        description="The best strategy of kind `transfer`, chosen inside the training rows; `null` where there is "
        "none.",
    )
    against: str | None = Field(
        description="The best strategy that does without the base model (`majority` does not count), chosen "
        "likewise; `null` where there is none.",
    )
    difference: Figure | None = Field(
        description="How much better `strategy` is than `against` in `measure` on the same test rows (for numbers: "
        "how much smaller its error is); `null` where nothing could be compared.",
    )
    sentence: str = Field(description="The same for people.")


class Confusion(Record):
    """Test rows by true class (row) and predicted class (column), in the order of `classes`."""

    matrix: list[list[int]] = Field(description="Test rows by true class (row) and predicted class (column).")


class WorstRow(Record):
    """A test row that the chosen model got most wrong.

    `probability` is what it gave to its answer (None where that is a number or several labels); `error` is how far off
    a number is, or how many labels are wrong (None for classes).
    """

    id: str = Field(description="The row's id, the same in every output.")
    label: str = Field(description="Its label in the data.")
    predicted: str = Field(description="The model's answer.")
    probability: float | None = Field(
        description="What the model gave to that answer; `null` for numbers and several labels.",
    )
    error: float | None = Field(
        default=None,
        description="How far off a number is, or how many labels are wrong; `null` for classes.",
    )


class ObservedPredicted(Record):
    """Test rows as pairs of the true and the predicted number: all, or an even sample of `n_rows`."""

    n_rows: int = Field(description="Number of test rows.")
    observed: list[float] = Field(
        description="True numbers of the test rows, ascending; of more than 500 rows an even sample.",
    )
    predicted: list[float] = Field(description="The answers for the same rows.")
