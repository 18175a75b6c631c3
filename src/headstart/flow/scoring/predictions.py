"""How good the predictions of one model are on labelled rows, whatever made them."""

from __future__ import annotations

from dataclasses import dataclass, field

from headstart import evaluation
from headstart.data.grouping.columns import ComparedColumn
from headstart.decisions import DecisionPolicy
from headstart.flow.scoring.decisions import ScoredRows, measure_abstention, measure_coverage
from headstart.flow.scoring.groups import compare_groups
from headstart.flow.scoring.levels import measure_levels
from headstart.flow.scoring.settings import SETTINGS
from headstart.results import (
    Abstention,
    AnyMetrics,
    Calibration,
    Conformal,
    Confusion,
    GroupColumn,
    LevelFigures,
    ObservedPredicted,
    WorstRow,
)
from headstart.strategies.record import Fitted, Task
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class ModelFigures:
    """Figures of one model on labelled rows; a part that does not apply is None or empty, and `not_measured` says why.

    Parameters
    ----------
    metrics : metrics of the task
    confusion : Confusion or None
    fit : ObservedPredicted or None
    calibration : Calibration or None
    conformal : Conformal or None
    abstention : Abstention or None
    levels : list of LevelFigures
    groups : list of GroupColumn
    worst : list of WorstRow
        Rows whose answers are farthest from the truth.
    not_measured : dict of str to str
    """

    metrics: AnyMetrics
    confusion: Confusion | None = None
    fit: ObservedPredicted | None = None
    calibration: Calibration | None = None
    conformal: Conformal | None = None
    abstention: Abstention | None = None
    levels: list[LevelFigures] = field(default_factory=list)
    groups: list[GroupColumn] = field(default_factory=list)
    worst: list[WorstRow] = field(default_factory=list)
    not_measured: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GroupsToCompare:
    """Columns whose values are compared, and those of them whose rows belong together.

    Parameters
    ----------
    columns : tuple of ComparedColumn
        With the values of the rows that are scored.
    group_columns : tuple of str
        Names given with `--group`.
    """

    columns: tuple[ComparedColumn, ...] = ()
    group_columns: tuple[str, ...] = ()


def measure_model(
    rows: ScoredRows, metrics: AnyMetrics, policy: DecisionPolicy, groups: GroupsToCompare, seed: int,
    n_rows_learnt: int = 0,
) -> ModelFigures:  # fmt: skip
    """Return how good a model is on labelled rows.

    Parameters
    ----------
    rows : ScoredRows
    metrics : metrics of the task
        Of the same rows.
    policy : DecisionPolicy
    groups : GroupsToCompare
    seed : int
        Of the bootstrap.
    n_rows_learnt : int
        Rows that the margin of ranges was learnt from.
    """
    truth, predictions, clusters = rows.truth, rows.predictions, rows.clusters
    not_measured = dict(_NOT_MEASURED.get(predictions.task, {}))
    single, is_number = TASK_TYPES[predictions.task].has_one_class, TASK_TYPES[predictions.task].is_number
    conformal = measure_coverage(rows, policy, seed, n_rows_learnt)
    if conformal is None:
        not_measured["conformal"] = _NO_SETS if policy.labels is None else _NO_LABEL_STATED
    return ModelFigures(
        metrics=metrics,
        confusion=Confusion(matrix=evaluation.confusion_matrix(truth, predictions).tolist()) if single else None,
        fit=evaluation.pair_observed_predicted(truth, predictions) if is_number else None,
        calibration=None if is_number else evaluation.measure_calibration(truth, predictions, clusters, seed),
        conformal=conformal,
        abstention=measure_abstention(rows, policy, seed, accuracy=getattr(metrics, "accuracy", None)),
        levels=measure_levels(rows, policy, seed),
        groups=compare_groups(rows, groups.columns, groups.group_columns, seed),
        worst=evaluation.list_worst_rows(truth, predictions, SETTINGS.worst_rows),
        not_measured=not_measured,
    )


def choose_label_thresholds(task: Task, fitted: Fitted) -> tuple[float, ...]:
    """Return from which probability on each label is given; empty where a row has one answer.

    Parameters
    ----------
    task : Task
    fitted : Fitted
        Its out-of-fold probabilities are what is chosen on.
    """
    if not TASK_TYPES[task.kind].has_label_sets or task.truth is None:
        return ()
    return evaluation.choose_thresholds(task.truth, fitted.out_of_fold)


_NO_SETS = "The bundle is of an older version and gives no sets."
_NO_LABEL_STATED = "There are too few rows that have a label to state which labels are possible."
_NO_PROBABILITY = {
    "confusion": "A number is not confused with another; the errors say how far off it is.",
    "calibration": "The model gives a number and no probability.",
}
_SEVERAL_LABELS = {
    "confusion": "A row may have several labels, so none is taken for another; each label is judged by itself.",
}
_NOT_MEASURED = {"regression": _NO_PROBABILITY, "multi-label": _SEVERAL_LABELS}
