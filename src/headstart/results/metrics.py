"""How well each strategy did, what was skipped, and whether transfer helped."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.results.record import Figure, Record

Precision = Annotated[
    Figure,
    Field(
        description="Proportion of correct rows among those predicted as this class, 0 to 1; 0 with the interval 0 to "
        "1 where it was never predicted."
    ),
]
Recall = Annotated[Figure, Field(description="Proportion of rows of this class that were predicted as such, 0 to 1.")]


class ClassFigures(Record):
    """Figures of one class."""

    label: str = Field(description="Name of the class.")
    support: int = Field(description="Number of its test rows.")
    precision: Precision
    recall: Recall


class Metrics(Record):
    """Metrics of a classification."""

    n_rows: int = Field(description="Number of test rows.")
    accuracy: Figure = Field(description="Proportion of correct rows, 0 to 1; higher is better.")
    macro_f1: Figure = Field(description="Mean F1 of the classes that have test rows, 0 to 1; higher is better.")
    balanced_accuracy: Figure = Field(
        description="Mean recall of the classes that have test rows, 0 to 1; higher is better.",
    )
    log_loss: Figure = Field(
        description="Mean of -log(probability of the true class), in nats; lower is better, 0 is perfect.",
    )
    per_class: list[ClassFigures] = Field(default=[], description="The classes that have test rows.")


class OrdinalMetrics(Metrics):
    """Metrics of grades.

    The predicted grade is the median of the predicted distribution, which has the smallest expected distance.
    """

    quadratic_kappa: Figure | None = Field(
        description="Cohen's kappa with quadratic weights: 1 is perfect, 0 is chance; `null` where all test rows have "
        "one grade.",
    )
    mean_grade_error: Figure = Field(
        description="Mean absolute difference between predicted and true grade, in grades; lower is better.",
    )


class LabelFigures(Record):
    """Figures of one label where a row may have several."""

    label: str = Field(description="Name of the label.")
    support: int = Field(description="Number of test rows that have it.")
    threshold: float = Field(
        description="The label is predicted from this probability on, 0 to 1. It maximises F1 on held-out training "
        "rows; where few rows have the label, it is shrunk towards a common threshold.",
    )
    precision: Precision
    recall: Recall
    average_precision: Figure = Field(
        description="Average precision over all thresholds, 0 to 1; 1 if all rows with the label rank first.",
    )


class MultiLabelMetrics(Record):
    """Metrics where a row may have several labels."""

    n_rows: int = Field(description="Number of test rows.")
    macro_f1: Figure = Field(description="Mean F1 of the labels that some test row has, 0 to 1; higher is better.")
    micro_f1: Figure = Field(description="F1 over all pairs of row and label, 0 to 1; higher is better.")
    mean_average_precision: Figure = Field(description="Mean `average_precision` of these labels, 0 to 1.")
    exact_match: Figure = Field(description="Proportion of rows with exactly the right labels, 0 to 1.")
    row_f1: Figure = Field(
        description="Mean F1 of the labels of a row, 0 to 1; 1 for a row that has no label and got none.",
    )
    log_loss: Figure = Field(description="Mean over rows and labels, in nats; lower is better.")
    per_label: list[LabelFigures] = Field(default=[], description="The labels that some test row has.")


class RegressionMetrics(Record):
    """Metrics of a predicted number. Errors are in the unit of the label; lower is better."""

    n_rows: int = Field(description="Number of test rows.")
    mean_absolute_error: Figure = Field(description="Mean absolute error.")
    root_mean_squared_error: Figure = Field(description="Root of the mean squared error: large errors count more.")
    median_absolute_error: Figure = Field(description="Half of the errors are at most this large.")
    absolute_error_90: Figure = Field(description="Nine of ten errors are at most this large.")
    r2: Figure | None = Field(
        description="Proportion of the variance that is explained: 1 is perfect, 0 is as good as the mean, negative is "
        "worse; `null` where all true numbers are equal.",
    )
    spearman: Figure | None = Field(
        description="Rank correlation, -1 to 1; `null` where all predictions are equal, as those of `majority`.",
    )


AnyMetrics = OrdinalMetrics | Metrics | MultiLabelMetrics | RegressionMetrics


class StrategyResult(Record):
    """A strategy that was tried."""

    name: str = Field(description="Permanent name.")
    kind: Literal["baseline", "scratch", "transfer"] = Field(
        description="`baseline`: a simple reference, such as `majority`; `scratch`: fitted without any pre-trained "
        "model; `transfer`: uses the base model.",
    )
    summary: str = Field(description="What it does, in a sentence.")
    test: AnyMetrics | None = Field(
        description="Metrics of the task on the test rows; `null` without test rows, and for a costly strategy that "
        "was not chosen if no time was left to score it.",
    )
    cross_validation: float | None = Field(
        description="Cross-validation score on training rows: mean of accuracy and macro-F1, for several labels of "
        "micro- and macro-F1 (0 to 1); for a number R². A row that is the only one of its class is not scored. `null` "
        "if no training row could be held out; the reason is in `not_measured`.",
    )
    cross_validation_log_loss: float | None = Field(
        default=None,
        description="Cross-validation loss on training rows; the model with the lowest is chosen. Log-loss in nats "
        "(for several labels the mean over labels); for a number the squared error divided by the variance. `null` if "
        "not computed.",
    )
    seconds: float = Field(description="Time that fitting took, in seconds.")
    forecast_seconds: float | None = Field(
        default=None,
        description="Forecast of the time on all rows, in seconds, from a short measurement on this machine; `null` if "
        "nothing was measured.",
    )
    forecast_memory_bytes: float | None = Field(
        default=None,
        description="Forecast of the memory beside the features, in bytes; `null` if nothing was measured.",
    )
    notes: list[str] = Field(default=[], description="Notes, such as that it was fitted on a sample of the rows.")


class SkippedStrategy(Record):
    """A strategy that was not tried."""

    name: str = Field(description="Name of the strategy.")
    reason: str = Field(description="Why it was not tried.")


class Verdict(Record):
    """Did transfer help?"""

    measure: Literal["accuracy", "macro-F1", "mean absolute error", "quadratic kappa"] = Field(
        default="accuracy",
        description="The metric: `accuracy`, for grades `quadratic kappa`, for several labels `macro-F1`, for numbers "
        "`mean absolute error`.",
    )
    transfer: Literal["helped", "hurt", "no evidence"] = Field(
        description="`helped` if the whole interval of `difference` is above 0, `hurt` if it is below; else, and "
        "always if the base model is not pre-trained, `no evidence`.",
    )
    strategy: str | None = Field(
        description="The best strategy of kind `transfer` by cross-validation; `null` if there is none.",
    )
    against: str | None = Field(
        description="The best other strategy by cross-validation, `majority` excluded; `null` if there is none.",
    )
    difference: Figure | None = Field(
        description="How much better `strategy` is than `against` on the same test rows (for an error: how much "
        "smaller); `null` if nothing could be compared.",
    )
    n_rows: int | None = Field(default=None, description="Number of test rows; `null` in results of older versions.")
    pretrained: bool | None = Field(
        default=None,
        description="Whether the base model is pre-trained; `null` in results of older versions.",
    )
    strategy_error: float | None = Field(
        default=None,
        description="For numbers: mean absolute error of `strategy`, in the unit of the label; else `null`.",
    )
    against_error: float | None = Field(
        default=None,
        description="For numbers: mean absolute error of `against`, in the unit of the label; else `null`.",
    )
    n_rows_needed: int | None = Field(
        default=None,
        description="If there is no evidence: about how many test rows would show such a difference with a power of "
        "80 %; 0 if more rows would, but their number is not known; else `null`.",
    )
    sentence: str = Field(default="", description="The verdict in words.")


class Confusion(Record):
    """Confusion matrix of the test rows."""

    matrix: list[list[int]] = Field(
        description="Test rows by true class (row) and predicted class (column), in the order of `classes`.",
    )


class WorstRow(Record):
    """One of the most confident mistakes on test rows."""

    id: str = Field(description="Id of the row, the same in every output.")
    label: str = Field(description="Its label in the data.")
    predicted: str = Field(description="The predicted label.")
    probability: float | None = Field(
        description="Probability of the predicted label, 0 to 1; `null` for numbers and several labels.",
    )
    error: float | None = Field(
        default=None,
        description="Absolute error of a number, or number of wrong labels; `null` for classes.",
    )


class ObservedPredicted(Record):
    """True and predicted numbers of the test rows."""

    n_rows: int = Field(description="Number of test rows.")
    observed: list[float] = Field(
        description="True numbers in rising order; if there are more than 500 rows an even sample.",
    )
    predicted: list[float] = Field(description="Predicted numbers of the same rows.")
