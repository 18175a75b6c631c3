"""A model at another place, and two models beside each other."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from headstart.results.data import SetAsideRow
from headstart.results.groups import GroupColumn
from headstart.results.metrics import AnyMetrics, Confusion, ObservedPredicted
from headstart.results.record import FORMAT, Figure, Record
from headstart.results.trust import Abstention, Calibration, Conformal
from headstart.task_types import TaskName


class SiteFigures(Record):
    """What a bundle keeps of its test rows where it was made; `predicted` counts answers by class."""

    data: str = Field(description="The data it was trained on, as it was named on the command line.")
    n_rows: int = Field(description="Test rows.")
    figures: dict[str, Figure] = Field(description="Figures of the chosen model on the test rows, by name.")
    predicted: dict[str, int] = Field(default={}, description="How many test rows got each class as their answer.")


class BesideTraining(Record):
    """One figure where the model was made (`there`, test rows) and on the new rows; `difference`: here less there."""

    name: str = Field(description="Which figure.")
    there: Figure = Field(description="On the test rows of training.")
    n_rows_there: int = Field(description="On the test rows of training.")
    here: Figure = Field(description="On these rows.")
    n_rows: int = Field(description="On these rows.")
    difference: Figure = Field(description="Here less there, with interval.")


class ClassShare(Record):
    """How frequent a class is where the model was made and here."""

    label: str = Field(description="The class.")
    there: Figure = Field(description="On the test rows of training.")
    here: Figure = Field(description="On these rows.")


class PriorShift(Record):
    """Whether classes are as frequent as where the model was made.

    `kind`: "labels" are held against training rows, "predictions" against the answers on the test rows of training.
    """

    kind: Literal["labels", "predictions"] = Field(
        description="`labels` (against training rows) or, without labels, `predictions` (against the answers on the"
        " test rows of training).",
    )
    n_rows: int = Field(description="Rows here and there.")
    n_rows_there: int = Field(description="Rows here and there.")
    classes: list[ClassShare] = Field(description="For each `label` its share `there` and `here`.")
    p_value: float = Field(description="Of rows dealt anew to both places.")
    found: bool = Field(description="Whether the shares differ by more than chance.")
    reading: str = Field(description="The same in words.")


class Drift(Record):
    """How well a simple classifier tells new rows from training rows (0.5: by chance only)."""

    n_rows: int = Field(description="Rows of each side that were looked at.")
    n_rows_trained: int = Field(description="Rows of each side that were looked at.")
    auroc: Figure = Field(description="How often a new row is ranked above a training row: 0.5 by chance, 1 always.")
    p_value: float = Field(description="Share of dealings by chance that tell the sides apart as well.")
    found: bool = Field(description="Whether that is more than chance.")
    reading: str = Field(description="The same in words.")


class Advice(Record):
    """What to do at this place, and why."""

    action: Literal["use", "recalibrate", "re-train", "cannot tell"] = Field(
        description="`use`, `recalibrate`, `re-train` or `cannot tell`.",
    )
    reason: str = Field(description="Why.")


class BeforeAfter(Record):
    """One figure with the rules as they were, and with rules learnt here from the other rows (cross-fitted)."""

    name: str = Field(description="Name of the figure.")
    before: Figure | None = Field(description="With the decision policy of the bundle; `null` where there is none.")
    after: Figure = Field(description="With what was learnt here from the other rows (cross-fitted).")


class Recalibration(Record):
    """What `--recalibrate` learnt from labelled rows here; what did not help beyond noise is as it was.

    `gain` is the log-loss saved on rows held out (nats a row; None for a number).
    """

    bundle: str = Field(description="What was written.")
    n_rows: int = Field(description="Labelled rows that it was learnt from, and how many it takes.")
    least_rows: int = Field(description="Labelled rows that it was learnt from, and how many it takes.")
    calibration_kept: bool = Field(description="What is new; the rest did not help beyond noise.")
    sets_kept: bool = Field(description="What is new; the rest did not help beyond noise.")
    gain: Figure | None = Field(description="Log-loss saved by a new calibration on rows held out, in nats a row.")
    figures: list[BeforeAfter] = Field(
        description="For each `name` the figure `before` and `after` (learnt on other rows, whether kept or not).",
    )
    reading: str = Field(description="The same in words.")


class Evaluation(Record):
    """What `headstart evaluate --json` prints: a bundle on data that it was not trained on, with or without labels.

    `n_learnt` rows were left out, because the model was trained on them.
    """

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Number of this format.")
    task: TaskName = Field(default="classification", description="As above.")
    bundle: str = Field(description="The bundle, as it was named.")
    data: str = Field(description="The data, as it was named.")
    classes: list[str] = Field(description="The bundle's classes, in order.")
    n_rows: int = Field(description="Rows that were scored.")
    labelled: bool = Field(
        default=True,
        description="Whether there are labels; without them `metrics` and all that needs them is `null`.",
    )
    unknown_labels: dict[str, int] = Field(
        description="Labels that are none of the bundle's classes, and how many rows bear them; these rows were not"
        " scored (with several labels they are, without these).",
    )
    n_learnt: int = Field(default=0, description="Rows that were left out because the model was trained on them.")
    metrics: AnyMetrics | None = Field(description="As under [Strategies](#strategies).")
    confusion: Confusion | None = Field(description="As under [Confusion](#confusion).")
    fit: ObservedPredicted | None = Field(default=None, description="As under [Fit](#fit).")
    groups: list[GroupColumn] = Field(
        default=[],
        description="As under [Groups](#groups), for the columns given with `--group`.",
    )
    calibration: Calibration | None = Field(default=None, description="As under [Calibration](#calibration).")
    conformal: Conformal | None = Field(default=None, description="As under [Conformal sets](#conformal-sets).")
    abstention: Abstention | None = Field(default=None, description="As under [Abstention](#abstention).")
    shares: dict[str, Figure] = Field(
        default={},
        description="Share of rows that get a `label`, `not sure` and `none of these`.",
    )
    beside_training: list[BesideTraining] = Field(
        default=[],
        description="As under [At another place](#at-another-place).",
    )
    prior_shift: PriorShift | None = Field(default=None, description="As under [At another place](#at-another-place).")
    drift: Drift | None = Field(default=None, description="As under [At another place](#at-another-place).")
    advice: Advice | None = Field(default=None, description="As under [At another place](#at-another-place).")
    recalibration: Recalibration | None = Field(
        default=None,
        description="As under [Recalibration](#recalibration); `null` without `--recalibrate`.",
    )
    not_measured: dict[str, str] = Field(default={}, description="As in the document above.")
    set_aside: list[SetAsideRow] = Field(description="Inputs that could not be used: `id` and `reason`.")
    trained_on: str = Field(description="The data that the bundle was made from.")


class ComparedPart(Record):
    """How the rows of one class (`column` is empty) or group fared; positive: better with the new model.

    `difference` and `p_value` are None with too few rows; p is corrected for the number of values.
    """

    column: str = Field(description="Group column; empty where the values are classes.")
    value: str = Field(description="The class, or the group.")
    n_rows: int = Field(description="Its rows.")
    n_better: int = Field(description="Rows that the new one does better or worse on.")
    n_worse: int = Field(description="Rows that the new one does better or worse on.")
    difference: Figure | None = Field(description="Advantage of the new one; positive: better (for an error: smaller).")
    p_value: float | None = Field(description="Exact sign test over rows (McNemar's for classes).")


class ChangedRow(Record):
    """A row on which the two models differ in how right they are."""

    id: str = Field(description="Id of the row.")
    label: str = Field(description="Its true label.")
    old: str = Field(description="Answer of the old model.")
    new: str = Field(description="Answer of the new model.")


class Comparison(Record):
    """What `headstart compare --json` prints: two bundles on the same labelled rows; positive: the new one is better.

    `better` and `worse` name the first rows. `n_learnt` rows, on which one of the models was
    trained, were left out.
    """

    format: int = Field(default=FORMAT, description="Number of this format.")
    task: TaskName = Field(
        default="classification",
        description="As in `evaluate`; `n_learnt` counts the training rows of either model.",
    )
    old: str = Field(description="The two bundles.")
    new: str = Field(description="The two bundles.")
    data: str = Field(description="As in `evaluate`; `n_learnt` counts the training rows of either model.")
    classes: list[str] = Field(description="As in `evaluate`; `n_learnt` counts the training rows of either model.")
    n_rows: int = Field(description="Rows that both could read.")
    unknown_labels: dict[str, int] = Field(
        description="As in `evaluate`; `n_learnt` counts the training rows of either model.",
    )
    n_learnt: int = Field(
        default=0,
        description="As in `evaluate`; `n_learnt` counts the training rows of either model.",
    )
    measure: Literal["accuracy", "row F1", "mean absolute error"] = Field(description="What is compared.")
    old_value: Figure = Field(description="That of each bundle.")
    new_value: Figure = Field(description="That of each bundle.")
    difference: Figure = Field(description="Advantage of the new one; positive: better (for an error: smaller).")
    p_value: float = Field(description="Exact sign test over rows (McNemar's for classes).")
    n_better: int = Field(description="Rows that the new one does better or worse on.")
    n_worse: int = Field(description="Rows that the new one does better or worse on.")
    per_class: list[ComparedPart] = Field(
        default=[],
        description="For each `value` (of `column`): `n_rows`, `n_better`, `n_worse`, `difference` and `p_value` "
        "(corrected for the number of values; `null` below 20 rows).",
    )
    groups: list[ComparedPart] = Field(
        default=[],
        description="For each `value` (of `column`): `n_rows`, `n_better`, `n_worse`, `difference` and `p_value` "
        "(corrected for the number of values; `null` below 20 rows).",
    )
    better: list[ChangedRow] = Field(
        default=[],
        description="The first 100 of each: `id`, `label`, `old` and `new` answer.",
    )
    worse: list[ChangedRow] = Field(
        default=[],
        description="The first 100 of each: `id`, `label`, `old` and `new` answer.",
    )
    reading: str = Field(description="The same in words.")
    set_aside: list[SetAsideRow] = Field(
        description="As in `evaluate`; `n_learnt` counts the training rows of either model.",
    )
