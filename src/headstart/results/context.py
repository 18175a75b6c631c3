"""A model at another place, and two models beside each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from headstart.results.data import SetAsideRow
from headstart.results.groups import GroupColumn, GroupMeasure, LeftAloneReason
from headstart.results.inherited import PartColumn, PartValue
from headstart.results.levels import LevelFigures
from headstart.results.metrics import AnyMetrics, Confusion, ObservedPredicted
from headstart.results.readiness import Readiness, ReadinessReason
from headstart.results.record import FORMAT, Figure, Record
from headstart.results.trust import Abstention, Calibration, Conformal
from headstart.task_types import TaskName

Classes = Annotated[list[str], Field(description="Classes of the bundle, in order.")]
DataName = Annotated[str, Field(description="The data, as named on the command line.")]
UnknownLabels = Annotated[
    dict[str, int],
    Field(
        description="Labels that are not among the classes of the bundle, with their numbers of rows. These rows are "
        "not scored (with several labels they are, without these labels)."
    ),
]
Difference = Annotated[
    Figure, Field(description="Advantage of the new model; positive: better (for an error: smaller).")
]
NumberBetter = Annotated[int, Field(description="Rows on which the new model is better.")]
NumberWorse = Annotated[int, Field(description="Rows on which the new model is worse.")]


class SiteFigures(Record):
    """Figures that a bundle stores about the test rows of its training."""

    data: str = Field(description="The training data, as named on the command line.")
    n_rows: int = Field(description="Number of test rows.")
    figures: dict[str, Figure] = Field(description="Figures of the chosen model on the test rows, by name.")
    predicted: dict[str, int] = Field(default={}, description="Number of test rows by predicted class.")


class BesideTraining(Record):
    """A figure on the test rows of training (there) and on the new rows (here)."""

    name: str = Field(description="Name of the figure.")
    there: Figure = Field(description="The figure there.")
    n_rows_there: int = Field(description="Number of rows there.")
    here: Figure = Field(description="The figure here.")
    n_rows: int = Field(description="Number of rows here.")
    difference: Figure = Field(description="`here` minus `there`.")


class ClassShare(Record):
    """Frequency of a class there and here."""

    label: str = Field(description="The class.")
    there: Figure = Field(description="Proportion of rows there, 0 to 1.")
    here: Figure = Field(description="Proportion of rows here, 0 to 1.")


class PriorShift(Record):
    """Are classes as frequent here as where the model was trained?"""

    kind: Literal["labels", "predictions"] = Field(
        description="`labels`: compared with the labels of training rows; without labels `predictions`: compared with "
        "those on the test rows of training.",
    )
    n_rows: int = Field(description="Number of rows here.")
    n_rows_there: int = Field(description="Number of rows there.")
    classes: list[ClassShare] = Field(description="Frequency of each class.")
    p_value: float = Field(description="Permutation test, 0 to 1.")
    found: bool = Field(description="Whether the frequencies differ significantly.")
    reading: str = Field(default="", description="The result in words.")


class Drift(Record):
    """Classifier two-sample test between new rows and training rows that the bundle stores."""

    n_rows: int = Field(description="Number of new rows.")
    n_rows_trained: int = Field(description="Number of training rows.")
    auroc: Figure = Field(description="AUROC of the classifier: 0.5 is chance, 1 is perfect separation.")
    p_value: float = Field(description="Permutation test, 0 to 1.")
    found: bool = Field(description="Whether the separation is significant.")
    reading: str = Field(default="", description="The result in words.")


AdviceCode = Literal[
    "none-of-these", "spellings", "few-rows", "unknown-classes", "worse", "too-sure", "too-unsure", "coverage",
    "no-site", "not-worse", "drift-not-measured", "drift", "no-drift", "no-labels", "supervised", "not-ready",
    "tested-before",
]  # fmt: skip


class Advice(Record):
    """What to do with the model at this place."""

    action: Literal["use", "use with a person checking", "do not use", "recalibrate", "re-train", "cannot tell"] = (
        Field(
            description="The advice. `use` only where the model is ready by its figures on labelled rows of this place."
        )
    )
    code: AdviceCode | None = Field(default=None, description="The reason as a code; `null` in older results.")
    n_rows: int | None = Field(default=None, description="Rows that the reason is about.")
    n_rows_total: int | None = Field(default=None, description="All rows, those with unknown labels included.")
    n_labels: int | None = Field(default=None, description="Labelled rows that would help.")
    measure: str | None = Field(default=None, description="The metric that is compared.")
    here: Figure | None = Field(default=None, description="The metric on these rows, or what the reason is about.")
    there: Figure | None = Field(default=None, description="The metric on the test rows of training.")
    stated: float | None = Field(default=None, description="Stated coverage of prediction sets, 0 to 1.")
    spellings: dict[str, str] = Field(default={}, description="Unknown labels, and the class each is similar to.")
    recalibrated: Literal["corrected", "unchanged"] | None = Field(
        default=None,
        description="With `--recalibrate`: whether that corrected it.",
    )
    bundle: str | None = Field(default=None, description="The corrected bundle.")
    because: ReadinessReason | None = Field(
        default=None, description="The rule that the model does not pass here (`supervised` and `not-ready`)."
    )
    reason: str = Field(default="", description="The reason in words.")


class BeforeAfter(Record):
    """A figure before and after recalibration."""

    name: str = Field(description="Name of the figure.")
    before: Figure | None = Field(description="With the decision policy of the bundle; `null` if there is none.")
    after: Figure = Field(description="With what was fitted on the other rows here (cross-fitted), used or not.")


class Recalibration(Record):
    """What `--recalibrate` fitted on labelled rows of this place. What did not help beyond noise stays as it was."""

    bundle: str = Field(description="The bundle that was written.")
    n_rows: int = Field(description="Labelled rows here.")
    least_rows: int = Field(description="Labelled rows that are needed.")
    calibration_kept: bool = Field(description="Whether the calibration is new.")
    sets_kept: bool = Field(description="Whether the thresholds of the prediction sets are new.")
    gain: Figure | None = Field(
        description="Decrease of the log-loss on held-out rows by a new calibration, in nats a row; `null` for numbers."
    )
    figures: list[BeforeAfter] = Field(description="Figures before and after.")
    reading: str = Field(default="", description="The result in words.")


class Evaluation(Record):
    """What `headstart evaluate --json` prints: a bundle on new data, with or without labels.

    Here are the new rows, there is where the model was trained.
    """

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Number of this format.")
    task: TaskName = Field(default="classification", description="The task.")
    bundle: str = Field(description="The bundle, as named on the command line.")
    data: DataName
    modality: str = Field(default="", description="The modality; empty in older results.")
    classes: Classes
    n_rows: int = Field(description="Rows that were scored.")
    labelled: bool = Field(
        default=True,
        description="Whether there are labels. Without labels `metrics` and all parts that need labels are `null`.",
    )
    unknown_labels: UnknownLabels
    n_learnt: int = Field(default=0, description="Rows left out because the model was trained on them.")
    n_near_copies: int = Field(
        default=0, description="Of these, images that are nearly the same as a training image (saved again, mirrored)."
    )
    n_tested: int = Field(default=0, description="Rows among those scored that were test rows when the model was made.")
    metrics: AnyMetrics | None = Field(description="Metrics of the task.")
    confusion: Confusion | None = Field(description="Confusion matrix; `null` where rows have no single class.")
    fit: ObservedPredicted | None = Field(default=None, description="True and predicted numbers (`regression` only).")
    groups: list[GroupColumn] = Field(
        default=[], description="Metrics by group: the columns of `--group` and those of few values."
    )
    columns_left_alone: dict[str, LeftAloneReason] = Field(
        default={}, description="Columns that were not compared without being asked, and why; as in `Result`."
    )
    calibration: Calibration | None = Field(default=None, description="Are the probabilities calibrated?")
    conformal: Conformal | None = Field(default=None, description="Prediction sets and their coverage.")
    abstention: Abstention | None = Field(default=None, description="How often the model answers, and how well.")
    levels: list[LevelFigures] = Field(default=[], description="Codes in levels: how good the model is at each.")
    shares: dict[str, Figure] = Field(
        default={},
        description="Proportion of rows by kind of answer: `label`, `not sure`, `none of these`.",
    )
    beside_training: list[BesideTraining] = Field(default=[], description="Figures here and there.")
    prior_shift: PriorShift | None = Field(default=None, description="Did the class frequencies change?")
    drift: Drift | None = Field(default=None, description="Did the inputs change?")
    readiness: Readiness | None = Field(
        default=None,
        description="Is the model ready for use here? `null` without labels, where all rows were its test rows, and in "
        "older results.",
    )
    advice: Advice | None = Field(default=None, description="What to do.")
    recalibration: Recalibration | None = Field(default=None, description="`null` without `--recalibrate`.")
    not_measured: dict[str, str] = Field(default={}, description="Which parts were not measured, and why.")
    set_aside: list[SetAsideRow] = Field(description="Inputs that could not be used.")
    trained_on: str = Field(description="The training data of the bundle.")


class ComparedPart(Record):
    """Two models on the rows of one class or group."""

    column: PartColumn
    value: PartValue
    n_rows: int = Field(description="Number of rows.")
    n_better: NumberBetter
    n_worse: NumberWorse
    difference: Figure | None = Field(description="Advantage of the new model; `null` with fewer than 20 rows.")
    p_value: float | None = Field(
        description="Exact sign test over rows, corrected for the number of values; `null` with fewer than 20 rows."
    )


class ChangedRow(Record):
    """A row on which one of the models is better."""

    id: str = Field(description="Id of the row.")
    label: str = Field(description="Its true label.")
    old: str = Field(description="Answer of the old model.")
    new: str = Field(description="Answer of the new model.")


class Comparison(Record):
    """What `headstart compare --json` prints: two bundles on the same labelled rows."""

    format: int = Field(default=FORMAT, description="Number of this format.")
    task: TaskName = Field(default="classification", description="The task.")
    old: str = Field(description="The old bundle.")
    new: str = Field(description="The new bundle.")
    data: DataName
    modality: str = Field(default="", description="The modality; empty in older results.")
    classes: Classes
    n_rows: int = Field(description="Rows that both models could read.")
    unknown_labels: UnknownLabels
    n_learnt: int = Field(default=0, description="Rows left out because one of the models was trained on them.")
    n_near_copies: int = Field(
        default=0, description="Of these, images that are nearly the same as a training image (saved again, mirrored)."
    )
    n_tested: int = Field(
        default=0, description="Rows among those scored that were test rows when one of the models was made."
    )
    measure: GroupMeasure
    old_value: Figure = Field(description="`measure` of the old model.")
    new_value: Figure = Field(description="`measure` of the new model.")
    difference: Difference
    p_value: float = Field(description="Exact sign test over rows, 0 to 1 (McNemar's test for classes).")
    n_better: NumberBetter
    n_worse: NumberWorse
    per_class: list[ComparedPart] = Field(default=[], description="The comparison for each class.")
    groups: list[ComparedPart] = Field(default=[], description="The comparison for each value of a group column.")
    better: list[ChangedRow] = Field(default=[], description="The first 100 rows on which the new model is better.")
    worse: list[ChangedRow] = Field(default=[], description="The first 100 rows on which the new model is worse.")
    reading: str = Field(default="", description="The result in words.")
    set_aside: list[SetAsideRow] = Field(description="Inputs that could not be used.")
