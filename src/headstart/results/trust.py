"""Calibration, prediction sets and abstention."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class ReliabilityBin(Record):
    """Test rows with similar probability of the predicted label."""

    n_rows: int = Field(description="Number of test rows.")
    mean_probability: float = Field(description="Mean probability of their predicted labels, 0 to 1.")
    share_right: Figure = Field(description="Proportion of correct predictions, 0 to 1.")


CalibrationError = Annotated[
    Figure,
    Field(
        description="Calibration error: root mean square difference between probability and accuracy over bins of "
        "equal size, without the noise of small bins (Kumar et al. 2019, arXiv:1909.10155). 0 is perfect, 1 is worst."
    ),
]
Overconfidence = Annotated[
    Figure, Field(description="Mean probability minus accuracy, -1 to 1; positive: overconfident.")
]
BrierScore = Annotated[
    Figure,
    Field(
        description="Brier score: mean over rows of half the squared distance between the probabilities and the true "
        "class. With two classes the usual (probability - outcome)². 0 is perfect, 1 is worst."
    ),
]
ReliabilityTable = Annotated[
    list[ReliabilityBin],
    Field(
        description="Reliability table by rising probability: at most ten bins of about 20 rows or more; equal "
        "probabilities are in one bin, and so are neighbouring bins whose means differ by less than 0.01."
    ),
]


class Uncorrected(Record):
    """Calibration on the same test rows before the correction."""

    error: CalibrationError
    overconfidence: Overconfidence
    brier: BrierScore
    log_loss: Figure = Field(description="Log-loss in nats; lower is better.")
    bins: ReliabilityTable


class Correction(Record):
    """Correction of the probabilities, fitted on out-of-fold predictions of training rows."""

    method: Literal["none", "temperature", "isotonic", "platt"] = Field(
        description="`none` if no correction lowered the held-out log-loss; `platt` for several labels a row: a slope "
        "and a shift of the logit of each label, drawn to those of all labels.",
    )
    temperature: float | None = Field(
        description="What logits are divided by, 1 or more; `null` unless `method` is `temperature`.",
    )
    gain: float = Field(
        description="Decrease of the log-loss on held-out training rows, in nats a row; of several labels the sum."
    )
    n_rows: int = Field(description="Training rows it was fitted on.")
    reading: str = Field(default="", description="The result in words.")


class LabelCalibration(Record):
    """Calibration of one of several labels on test rows."""

    label: str = Field(description="The label.")
    mean_probability: float = Field(description="Mean probability of the label, 0 to 1.")
    share_true: float = Field(description="Share of test rows that have it, 0 to 1.")
    error: CalibrationError
    before: CalibrationError | None = Field(
        default=None, description="The same without the correction; `null` if there is none."
    )


class Calibration(Record):
    """Probability of the predicted label against accuracy, on test rows, after the correction.

    For several labels a row, every label of every row counts: its probability against whether the row has it.
    """

    n_rows: int = Field(description="Number of test rows.")
    error: CalibrationError
    overconfidence: Overconfidence
    brier: BrierScore
    bins: ReliabilityTable
    mean_probability: float | None = Field(
        default=None,
        description="Mean probability of the predicted labels, 0 to 1; `null` in results of older versions.",
    )
    share_right: float | None = Field(
        default=None,
        description="Accuracy on these rows, 0 to 1; `null` in results of older versions.",
    )
    reading: str = Field(default="", description="The result in words.")
    log_loss: Figure | None = Field(
        default=None, description="Log-loss in nats; lower is better. `null` in results of older versions."
    )
    correction: Correction | None = Field(
        default=None, description="The correction of the probabilities; `null` in results of older versions."
    )
    before: Uncorrected | None = Field(
        default=None, description="The same without the correction; `null` if there is none."
    )
    per_label: list[LabelCalibration] = Field(
        default=[], description="For several labels a row: each label that some test row has."
    )


class LabelSetFigures(Record):
    """From which probability on a label is possible or sure, and how often that is right on test rows."""

    label: str = Field(description="The label.")
    n_positives: int = Field(description="Training rows that have it.")
    possible_from: float | None = Field(
        description="The label is possible from this probability on, 0 to 1; `null`: too few rows to state it."
    )
    sure_from: float | None = Field(
        description="The label is sure from this probability on, if it is given at all, 0 to 1; `null`: too few rows, "
        "or too often wrong, to state it."
    )
    n_test: int = Field(description="Test rows that have it.")
    n_sure: int = Field(description="Test rows for which it is sure.")
    held: Figure | None = Field(
        description="Of the test rows that have it, the proportion for which it is possible, 0 to 1; `null` if there "
        "are none, or if it is not stated."
    )
    right: Figure | None = Field(
        description="Of the test rows for which it is sure, the proportion that have it, 0 to 1; `null` if there are "
        "none."
    )


class Conformal(Record):
    """Prediction sets of classes, possible and sure labels, or intervals of numbers, and their coverage on test rows.

    For several labels a row: of the true labels the stated share is possible, for each label by itself; and of the
    labels that are sure the stated share is true, with the probability `confidence`.
    """

    n_rows: int = Field(description="Number of test rows.")
    n_rows_learnt: int = Field(description="Training rows that the thresholds are computed from.")
    stated: float = Field(description="Target coverage (`--coverage`), 0 to 1.")
    measured: Figure = Field(
        description="Coverage on test rows, 0 to 1: proportion whose true class is in the set (true number in the "
        "interval); for several labels, proportion of the true labels that are possible. Binomial interval.",
    )
    exact: Figure | None = Field(
        default=None,
        description="Coverage before the most probable class is added to empty sets, 0 to 1; `null` for numbers.",
    )
    mean_size: Figure | None = Field(
        default=None, description="Mean number of classes in a set, or of possible labels; `null` for numbers."
    )
    single_share: Figure | None = Field(
        default=None,
        description="Proportion of sets with exactly one class, 0 to 1; `null` for several labels and numbers.",
    )
    width: float | None = Field(
        default=None,
        description="Width of an interval, in the unit of the label; `null` for classes, and with too few rows for an "
        "interval.",
    )
    method: Literal["label-conditional", "partly label-conditional", "marginal", "residuals", "per-label"] = Field(
        description="`label-conditional`: each class has its own threshold; `marginal`: one for all classes; "
        "`residuals`: for numbers; `per-label`: for several labels a row.",
    )
    below: bool = Field(description="Whether the whole interval of `measured`, or of `sure`, is below `stated`.")
    confidence: float | None = Field(
        default=None, description="For several labels: probability with which sure labels are as often true as stated."
    )
    sure: Figure | None = Field(
        default=None, description="Of the labels that are sure, the proportion that is true, 0 to 1; `null` if none is."
    )
    mean_sure: Figure | None = Field(
        default=None, description="Mean number of sure labels a row; `null` unless a row may have several."
    )
    per_label: list[LabelSetFigures] = Field(default=[], description="For several labels a row: each label.")
    reading: str = Field(default="", description="The result in words.")


class RiskPoint(Record):
    """Errors if only the most confident rows are answered."""

    answered_share: float = Field(description="Proportion of test rows that are answered, 0 to 1.")
    n_rows: int = Field(description="Test rows that are answered.")
    wrong_share: Figure = Field(description="Proportion of these answers that are wrong, 0 to 1.")
    least_sure: float = Field(description="Lowest probability among these answers, 0 to 1.")


class RiskCoverage(Record):
    """Risk-coverage curve."""

    area: Figure = Field(
        description="AURC: mean proportion of wrong answers over all proportions answered, 0 to 1; lower is better.",
    )
    points: list[RiskPoint] = Field(description="The curve at every tenth of the rows.")


class OutOfDistributionFigures(Record):
    """Detection of rows that are out of distribution: unlike the training rows."""

    reads: str = Field(
        description="Distances are measured on `features` of the base model, on `descriptors`, or on the "
        "`representation` of rows in the model itself, which no base model helped to learn.",
    )
    threshold: float = Field(description="Rows at a larger distance (0 to 2) are out of distribution.")
    stated_false_alarm: float = Field(description="Target share of ordinary rows beyond the threshold, 0 to 1.")
    measured_false_alarm: Figure | None = Field(
        description="Share of ordinary test rows beyond it, 0 to 1; `null` if there are none.",
    )
    n_rows_learnt: int = Field(description="Training rows that the threshold is computed from.")
    n_rows_kept: int = Field(
        description="Training rows that the bundle stores for it: at most 1,000, or one of each class.",
    )


class CostFigures(Record):
    """Costs on test rows, with decisions by expected cost (`--cost`). A correct answer costs nothing."""

    given: list[str] = Field(description="The costs as given on the command line.")
    refer: float = Field(description="Cost of no answer.")
    mean_cost: Figure = Field(description="Mean cost of a test row.")
    mean_cost_always: Figure = Field(description="The same if the most probable class were always the answer.")


class Miss(Record):
    """Test rows of one class that were answered as another class."""

    label: str = Field(description="The true class.")
    answer: str = Field(description="The answer.")
    n_rows: int = Field(description="Number of such test rows.")
    per_hundred: Figure = Field(description="The same per 100 test rows of all classes.")
    cost: float = Field(description="Cost of one such mistake.")


class Abstention(Record):
    """How often the model answers, and how good its answers are, on test rows.

    Every prediction is a label, "not sure", or "none of these": see [answers](../explanation/answers.md).
    """

    n_rows: int = Field(description="Number of test rows.")
    n_answered: int = Field(description="Test rows that got a label.")
    shares: dict[str, Figure] = Field(
        description="Proportion of test rows by kind of answer: `label`, `not sure`, `none of these`.",
    )
    accuracy_answered: Figure | None = Field(
        description="Accuracy of the rows that got a label, 0 to 1; `null` if there are none, and for several labels "
        "and numbers.",
    )
    accuracy_all: Figure | None = Field(
        description="Accuracy if the most probable class were always the answer, 0 to 1; `null` for several labels and "
        "numbers.",
    )
    wrong: Figure | None = Field(
        description="Wrong answers per 100 test rows; `null` for several labels and numbers.",
    )
    referred: Figure = Field(description='"Not sure" per 100 test rows.')
    refused: Figure = Field(description='"None of these" per 100 test rows.')
    misses: list[Miss] = Field(default=[], description="Classes answered as others, the costliest first; at most ten.")
    risk_coverage: RiskCoverage | None = Field(
        description="Errors if only the most confident rows were answered; `null` for several labels and numbers.",
    )
    novelty: OutOfDistributionFigures | None = Field(
        description="Detection of out-of-distribution rows; `null` if the bundle stores neither features nor "
        "descriptors.",
    )
    costs: CostFigures | None = Field(description="Costs with `--cost`; else `null`.")
    reserved_classes: list[str] = Field(
        default=[],
        description='Classes that mean "none of these", by their names or by `--reserved`.',
    )
    without: dict[str, str] = Field(default={}, description="Which of these parts do not apply, and why.")
    reading: str = Field(default="", description="The result in words.")
