"""The rules of readiness in one table: for each task which figures decide, and the bounds of each.

A task has its own tuple of rules in `RULES`; rules of all tasks (test rows, coverage, copies, shortcuts) stand in
`headstart.flow.scoring.readiness`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headstart.evaluation.intervals import compute_wilson_interval, envelope
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.scoring.settings import READINESS
from headstart.results import (
    Abstention,
    AnyMetrics,
    ClassFigures,
    Conformal,
    Figure,
    FindingRow,
    GroupColumn,
    LabelFigures,
    Metrics,
    MultiLabelMetrics,
    ReasonCode,
    RegressionMetrics,
)


@dataclass(frozen=True, kw_only=True)
class JudgedModel:
    """What is known of a model on rows that it did not learn from.

    Parameters
    ----------
    task : str
    classes : sequence of str
    metrics : metrics of the task or None
        None without labelled rows.
    abstention : Abstention or None
    conformal : Conformal or None
    groups : sequence of GroupColumn
    asked_columns : frozenset of str
        Columns that the user named: each of their values has to be judged.
    checks : sequence of FindingRow
        Findings about the data.
    """

    task: str
    classes: Sequence[str]
    metrics: AnyMetrics | None
    abstention: Abstention | None = None
    conformal: Conformal | None = None
    groups: Sequence[GroupColumn] = ()
    asked_columns: frozenset[str] = frozenset()
    checks: Sequence[FindingRow] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One figure that a rule looks at, what it is of, and its number of rows."""

    figure: Figure
    n_rows: int
    column: str = ""
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class ReadinessRule:
    """A figure with its bounds.

    Parameters
    ----------
    figure : str
        Its name in `headstart.options.requirements.REQUIRABLE`.
    code : str
        Of the reason.
    bounds : (float, float)
        For "ready" and for "supervised".
    measure : (JudgedModel) -> Measurement or None
        None where there is nothing to judge.
    is_error : bool
        The upper end has to be at most the bound; else the lower end at least.
    is_needed : bool
        Without this figure no model is ready.
    """

    figure: str
    code: ReasonCode
    bounds: tuple[float, float]
    measure: Callable[[JudgedModel], Measurement | None]
    is_error: bool = False
    is_needed: bool = False


def list_class_figures(metrics: AnyMetrics | None) -> Sequence[ClassFigures | LabelFigures]:
    """Return the figures of each class or label that has test rows; empty where there are none.

    Parameters
    ----------
    metrics : metrics of a task or None
    """
    if isinstance(metrics, MultiLabelMetrics):
        return metrics.per_label
    return metrics.per_class if isinstance(metrics, Metrics) else ()


def read_group_figure(metrics: AnyMetrics) -> Figure:
    """Return the figure that groups are judged by: accuracy, row F1 or mean absolute error.

    Parameters
    ----------
    metrics : metrics of a task
    """
    if isinstance(metrics, MultiLabelMetrics):
        return metrics.row_f1
    return metrics.mean_absolute_error if isinstance(metrics, RegressionMetrics) else metrics.accuracy


def _measure_metric(name: str) -> Callable[[JudgedModel], Measurement | None]:
    def measure(model: JudgedModel) -> Measurement | None:
        figure = getattr(model.metrics, name)
        return None if figure is None or model.metrics is None else Measurement(
            figure=figure, n_rows=model.metrics.n_rows
        )  # fmt: skip

    return measure


def _measure_answered(model: JudgedModel) -> Measurement | None:
    if model.abstention is None:
        return None
    return Measurement(figure=model.abstention.shares["label"], n_rows=model.abstention.n_rows)


def _measure_answered_right(model: JudgedModel) -> Measurement | None:
    if model.abstention is None or model.abstention.accuracy_answered is None:
        return None
    return Measurement(figure=model.abstention.accuracy_answered, n_rows=model.abstention.n_answered)


def _measure_worst_class(model: JudgedModel) -> Measurement | None:
    return find_worst(list_class_measurements(model))


def _measure_small_classes(model: JudgedModel) -> Measurement | None:
    """Return recall of all classes with too few rows together, where there are many classes."""
    if not judges_classes_together(model):
        return None
    small = [item for item in list_class_figures(model.metrics) if item.support < EVALUATION_SETTINGS.min_rows]
    n_rows = sum(item.support for item in small)
    if n_rows < EVALUATION_SETTINGS.min_rows:
        return None
    n_right = sum(item.recall.value * item.support for item in small)
    low, high = compute_wilson_interval(np.array([n_right]), np.array([float(n_rows)]))
    interval = envelope(n_right / n_rows, (float(low[0]), float(high[0])))
    return Measurement(figure=Figure.from_interval(interval), n_rows=n_rows)


def judges_classes_together(model: JudgedModel) -> bool:
    """Return whether there are so many classes that those of few test rows are judged together.

    Parameters
    ----------
    model : JudgedModel
    """
    return len(model.classes) > READINESS.many_classes


def list_class_measurements(model: JudgedModel) -> list[Measurement]:
    """Return recall of each class or label that has enough rows.

    Parameters
    ----------
    model : JudgedModel
    """
    return [
        Measurement(figure=item.recall, n_rows=item.support, value=item.label)
        for item in list_class_figures(model.metrics)
        if item.support >= EVALUATION_SETTINGS.min_rows
    ]


def list_group_measurements(model: JudgedModel) -> list[Measurement]:
    """Return the figure of each value of each compared column that has enough rows.

    A column that nobody named counts where its gap is real: of many values the worst is low by chance.

    Parameters
    ----------
    model : JudgedModel
    """
    return [
        Measurement(figure=read_group_figure(item.metrics), n_rows=item.n_rows, column=part.column, value=item.value)
        for part in model.groups
        if part.origin == "named" or (part.gap is not None and part.gap.low > 0)
        for item in part.values
        if item.told and item.value and item.metrics is not None
    ]


def find_worst(measured: Sequence[Measurement], is_error: bool = False) -> Measurement | None:
    """Return the measurement whose cautious end is worst; None of none.

    Parameters
    ----------
    measured : sequence of Measurement
    is_error : bool
        Lower is better.
    """
    sign = -1.0 if is_error else 1.0
    end = "high" if is_error else "low"
    return min(measured, key=lambda item: (sign * getattr(item.figure, end), sign * item.figure.value), default=None)


def _measure_worst_group(model: JudgedModel) -> Measurement | None:
    return find_worst(list_group_measurements(model))


def _measure_worst_group_error(model: JudgedModel) -> Measurement | None:
    """Return the mean error of the worst group as a multiple of that of all rows."""
    assert isinstance(model.metrics, RegressionMetrics)
    whole = model.metrics.mean_absolute_error.value
    if whole <= 0:
        return None
    worst = find_worst(list_group_measurements(model), is_error=True)
    if worst is None:
        return None
    figure = Figure(**{name: getattr(worst.figure, name) / whole for name in ("value", "low", "high")})
    return Measurement(figure=figure, n_rows=worst.n_rows, column=worst.column, value=worst.value)


_ANSWERED = ReadinessRule(
    figure="answered", code="answered", bounds=READINESS.answered, measure=_measure_answered, is_needed=True
)  # fmt: skip


def _make_class_rules(
    right: tuple[float, float], weakest: tuple[float, float], group: tuple[float, float]
) -> tuple[ReadinessRule, ...]:
    """Return the rules of a task whose rows have one class each."""
    return (
        ReadinessRule(
            figure="answered right",
            code="answered_right",
            bounds=right,
            measure=_measure_answered_right,
            is_needed=True,
        ),
        _ANSWERED,
        *_make_part_rules(weakest, group),
    )


def _make_part_rules(weakest: tuple[float, float], group: tuple[float, float]) -> tuple[ReadinessRule, ...]:
    """Return the rules about the weakest class and the worst group."""
    return (
        ReadinessRule(figure="worst class", code="worst_class", bounds=weakest, measure=_measure_worst_class),
        ReadinessRule(
            figure="worst class", code="worst_classes_together", bounds=weakest, measure=_measure_small_classes
        ),
        ReadinessRule(figure="worst group", code="worst_group", bounds=group, measure=_measure_worst_group),
    )


RULES: Mapping[str, tuple[ReadinessRule, ...]] = {
    "classification": _make_class_rules(READINESS.answered_right, READINESS.worst_class, READINESS.worst_group),
    "ordinal": (
        ReadinessRule(
            figure="kappa", code="kappa", bounds=READINESS.kappa, measure=_measure_metric("quadratic_kappa"),
            is_needed=True,
        ),
        *_make_class_rules(READINESS.grade_right, READINESS.grade_class, READINESS.grade_group),
    ),
    "multi-label": (
        ReadinessRule(figure="row f1", code="row_f1", bounds=READINESS.row_f1, measure=_measure_metric("row_f1"),
                      is_needed=True),
        ReadinessRule(
            figure="exact", code="exact_match", bounds=READINESS.exact_match, measure=_measure_metric("exact_match")
        ),
        _ANSWERED,
        *_make_part_rules(READINESS.label_recall, READINESS.label_group),
    ),
    "regression": (
        ReadinessRule(figure="explained", code="explained", bounds=READINESS.explained, measure=_measure_metric("r2"),
                      is_needed=True),
        _ANSWERED,
        ReadinessRule(
            figure="worst group error", code="worst_group_error", bounds=READINESS.group_error,
            measure=_measure_worst_group_error, is_error=True,
        ),
    ),
}  # fmt: skip
"""By task. A figure that cannot be measured (no answer was given, no group has enough rows) is passed over."""
