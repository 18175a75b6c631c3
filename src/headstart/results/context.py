"""A model at another place, and two models beside each other."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from headstart.results.data import SetAsideRow
from headstart.results.groups import GroupColumn
from headstart.results.metrics import AnyMetrics, Confusion, ObservedPredicted
from headstart.results.record import FORMAT, Figure, Record
from headstart.results.trust import Abstention, Calibration, Conformal
from headstart.task_types import TaskName


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
    """What `headstart evaluate --json` prints: a bundle on data that it was not trained on, with or without labels.

    `n_learnt` rows were left out, because the model was trained on them.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    task: TaskName = "classification"
    bundle: str
    data: str
    classes: list[str]
    n_rows: int
    labelled: bool = True
    unknown_labels: dict[str, int]
    n_learnt: int = 0
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

    `better` and `worse` name the first rows. `n_learnt` rows, on which one of the models was
    trained, were left out.
    """

    format: int = FORMAT
    task: TaskName = "classification"
    old: str
    new: str
    data: str
    classes: list[str]
    n_rows: int
    unknown_labels: dict[str, int]
    n_learnt: int = 0
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
