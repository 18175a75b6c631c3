"""Is a model ready for use: the rules applied to its figures, the worst first, and where it does worst.

A pure function of figures; the sentences stand in `headstart.report.sentences.readiness`.
"""

from __future__ import annotations

from collections.abc import Sequence

from headstart.errors import OptionError
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.scoring.next_step import choose_next_step
from headstart.flow.scoring.readiness_rules import (
    RULES,
    JudgedModel,
    Measurement,
    ReadinessRule,
    find_worst,
    judges_classes_together,
    list_class_figures,
    list_class_measurements,
    list_group_measurements,
)
from headstart.flow.scoring.settings import READINESS
from headstart.options.requirements import Requirement, parse_requirement
from headstart.results import (
    READINESS_LEVELS,
    Figure,
    Readiness,
    ReadinessLevel,
    ReadinessReason,
    Result,
    WorstGroup,
)
from headstart.task_types import TASK_TYPES

_COPIES = ("duplicates-across-splits", "near-duplicates-across-splits")
_DOUBTS_OF_THE_TEST = ("no_test_rows", "test_copies", "shortcut")
"""Reasons that come before others of their level: they make all other figures doubtful."""
_ERRORS = ("worst_group_error", "test_copies")
"""Reasons whose figure has to be at most their bound."""


def require_known_figures(task: str, requirements: Sequence[str]) -> None:
    """Refuse `--require` of a figure that the task does not have, before anything long begins.

    Parameters
    ----------
    task : str
    requirements : sequence of str
        As they were written.

    Raises
    ------
    OptionError
        With the figures of the task.
    """
    names = [*dict.fromkeys(rule.figure for rule in RULES[task]), "test rows"]
    unknown = [text for text in requirements if parse_requirement(text).figure not in names]
    if unknown:
        raise OptionError(
            f"--require: '{unknown[0]}' is no figure of the task {task}.", f"Its figures: {', '.join(names)}."
        )


def judge_result(result: Result, out: str = "") -> Readiness:
    """Return whether the model of a run is ready for use.

    Parameters
    ----------
    result : Result
        With everything but `readiness`.
    out : str
        The run folder, for the command of the next step; empty where there is none.
    """
    requirements = [parse_requirement(text) for text in result.options.get("require", ())]
    model = JudgedModel(
        task=result.task,
        classes=result.classes,
        metrics=result.strategy(result.chosen).test,
        abstention=result.abstention,
        conformal=result.conformal,
        groups=result.groups,
        asked_columns=frozenset(result.group_columns),
        checks=result.checks,
    )
    reasons = judge_model(model, requirements)
    return Readiness(
        level=reasons[0].level,
        reasons=reasons,
        worst_group=find_worst_group(model),
        next=choose_next_step(result, reasons, out),
    )


def judge_model(model: JudgedModel, requirements: Sequence[Requirement] = ()) -> list[ReadinessReason]:
    """Return what each rule allows, the worst first; the level of the first is that of the model.

    Parameters
    ----------
    model : JudgedModel
    requirements : sequence of Requirement
        Bounds of the user for "ready"; that for "supervised" is never stricter.

    Notes
    -----
    A rule looks at the cautious end of an interval, so that few rows never make a model look ready.
    """
    if model.metrics is None or not model.metrics.n_rows:
        return [ReadinessReason(code="no_test_rows", level="not_ready", n_rows=0)]
    bounds = {item.figure: item.bound for item in requirements}
    reasons = [reason for rule in RULES[model.task] for reason in _apply_rule(rule, model, bounds)]
    reasons += [
        *_judge_test_rows(model.metrics.n_rows, bounds),
        *_judge_small_parts(model),
        *_judge_coverage(model),
        *_judge_data(model),
    ]
    return sorted(reasons, key=rank_reason)


def rank_reason(reason: ReadinessReason) -> tuple[int, bool, float]:
    """Return the place of a reason: by level, doubts of the test first, then by how far it is from its bound.

    Parameters
    ----------
    reason : ReadinessReason
    """
    shortfall = 0.0
    if reason.figure is not None and reason.bound:
        below, above = reason.bound - reason.figure.low, reason.figure.high - reason.bound
        shortfall = (above if reason.code in _ERRORS else below) / reason.bound
    return READINESS_LEVELS.index(reason.level), reason.code not in _DOUBTS_OF_THE_TEST, -shortfall


def _apply_rule(rule: ReadinessRule, model: JudgedModel, required: dict[str, float]) -> list[ReadinessReason]:
    measured = rule.measure(model)
    if measured is None:
        missing = ReadinessReason(code="not_measured", level="supervised", value=rule.figure)
        return [missing] if rule.is_needed else []
    ready, supervised = rule.bounds
    if rule.figure in required:
        ready = required[rule.figure]
        supervised = max(supervised, ready) if rule.is_error else min(supervised, ready)
    level = _choose_level(measured, (ready, supervised), rule.is_error)
    return [
        ReadinessReason(
            code=rule.code, level=level, figure=measured.figure, bound=supervised if level == "not_ready" else ready,
            column=measured.column, value=measured.value, n_rows=measured.n_rows, is_required=rule.figure in required,
        )
    ]  # fmt: skip


def _choose_level(measured: Measurement, bounds: tuple[float, float], is_error: bool) -> ReadinessLevel:
    """Return the best level that the cautious end of a figure allows."""
    ready, supervised = bounds
    reaches = (
        (measured.figure.high <= ready, measured.figure.high <= supervised)
        if is_error
        else (measured.figure.low >= ready, measured.figure.low >= supervised)
    )
    return "ready" if reaches[0] else "supervised" if reaches[1] else "not_ready"


def _judge_test_rows(n_rows: int, required: dict[str, float]) -> list[ReadinessReason]:
    least = max(READINESS.min_test_rows, required.get("test rows", 0.0))
    level: ReadinessLevel = "ready" if n_rows >= least else "supervised"
    is_required = "test rows" in required
    return [ReadinessReason(code="few_test_rows", level=level, bound=least, n_rows=n_rows, is_required=is_required)]


def _judge_small_parts(model: JudgedModel) -> list[ReadinessReason]:
    """Return the classes, and the values of columns that the user named, that have too few rows to be judged."""
    support = {name: 0 for name in model.classes if not TASK_TYPES[model.task].is_number}
    support |= {item.label: item.support for item in list_class_figures(model.metrics)}
    few = {name: n for name, n in support.items() if n < EVALUATION_SETTINGS.min_rows}
    parts = {} if judges_classes_together(model) or not few else {"": few}
    for part in model.groups:
        few = {item.value: item.n_rows for item in part.values if item.value and not item.told}
        if few and part.column in model.asked_columns:
            parts[part.column] = few
    reasons = []
    for column, sizes in parts.items():
        value = min(sizes, key=lambda name: (sizes[name], name))
        reasons.append(
            ReadinessReason(
                code="cannot_tell", level="supervised", bound=EVALUATION_SETTINGS.min_rows, column=column, value=value,
                n_rows=sizes[value], n_more=len(sizes) - 1,
            )
        )  # fmt: skip
    return reasons


def _judge_coverage(model: JudgedModel) -> list[ReadinessReason]:
    """Return whether prediction sets or ranges hold the truth as often as stated."""
    if model.conformal is None:
        return []
    measured, stated = model.conformal.measured, model.conformal.stated
    level: ReadinessLevel = "supervised" if measured.high < stated else "ready"
    return [
        ReadinessReason(
            code="coverage", level=level, figure=measured, bound=stated, n_rows=model.conformal.n_rows
        )
    ]  # fmt: skip


def _judge_data(model: JudgedModel) -> list[ReadinessReason]:
    """Return what was noticed about the data that makes the test doubtful."""
    reasons = []
    assert model.metrics is not None
    n_copies = sum(item.n_rows for item in model.checks if item.kind in _COPIES)
    share = min(1.0, n_copies / model.metrics.n_rows)
    for_ready, for_supervised = READINESS.test_copies
    if share > for_ready:
        reasons.append(
            ReadinessReason(
                code="test_copies", level="supervised" if share <= for_supervised else "not_ready", n_rows=n_copies,
                figure=Figure(value=share, low=share, high=share),
                bound=for_ready if share <= for_supervised else for_supervised,
            )
        )  # fmt: skip
    for item in model.checks:
        if item.kind == "shortcut" and item.severity != "note":
            reasons.append(
                ReadinessReason(code="shortcut", level="supervised", figure=item.measure, n_rows=item.n_rows or None)
            )
            break
    return reasons


def find_worst_group(model: JudgedModel) -> WorstGroup | None:
    """Return the group on which a model does worst, of those with enough rows; without groups the weakest class.

    Parameters
    ----------
    model : JudgedModel
    """
    is_error = TASK_TYPES[model.task].is_number
    groups = list_group_measurements(model)
    worst = find_worst(groups, is_error) or find_worst(list_class_measurements(model))
    if worst is None:
        return None
    part = next((item for item in model.groups if item.column == worst.column), None)
    others = [item for item in groups if item.column == worst.column and item.value != worst.value]
    best = max(others, key=lambda item: item.figure.value * (-1 if is_error else 1), default=None)
    return WorstGroup(
        column=worst.column,
        value=worst.value,
        n_rows=worst.n_rows,
        measure=part.measure if part else "recall",
        figure=worst.figure,
        answered=next((item.answered for item in part.values if item.value == worst.value), None) if part else None,
        better_value=best.value if best else "",
        better_figure=best.figure if best else None,
    )
