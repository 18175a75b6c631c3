"""Labels that are likely wrong, by the out-of-fold outputs of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.checks import confident_learning
from headstart.checks.confident_learning import LabelErrors
from headstart.checks.record import list_ids
from headstart.checks.settings import SETTINGS
from headstart.checks.wrong_labels import WrongLabels, estimate_wrong_classes, estimate_wrong_numbers
from headstart.records import Finding, Index, Interval, Probabilities, Table
from headstart.results import LabelError
from headstart.results.findings import make_finding
from headstart.strategies.record import Task
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class LabelErrorReport:
    """Likely label errors of the training rows.

    Parameters
    ----------
    findings : tuple of Finding
        `label-errors` with the ids of the listed rows, the most suspicious first; empty where none is listed.
    rows : tuple of LabelError
        The first 50, with the label that the model suggests.
    expected_wrong : Interval or None
        Share (0-1) of the listed rows whose label is expected to be really wrong.
    """

    findings: tuple[Finding, ...] = ()
    rows: tuple[LabelError, ...] = ()
    expected_wrong: Interval | None = None


def find_label_errors(table: Table, task: Task, outputs: Probabilities) -> LabelErrorReport:
    """Return the training rows whose label is likely wrong, where the model is good enough to tell.

    Parameters
    ----------
    table : Table
        The training rows.
    task : Task
    outputs : Probabilities, shape (n_rows, n_outputs)
        Out of fold.

    Returns
    -------
    LabelErrorReport
        Empty where the doubts are as many as the model's own mistakes explain.
    """
    errors = _RANK_ROWS[task.kind](task, outputs)
    wrong = _ESTIMATE_WRONG[task.kind](task, outputs, errors)
    suspicious = list_likely_wrong(errors, wrong)
    if not len(suspicious):
        return LabelErrorReport()
    rows = tuple(
        LabelError(
            id=str(table.ids[row]),
            label=_name_label(table, task, row),
            suggested=_name_suggested_label(task, errors, row),
            doubt=float(errors.doubt[row]),
        )
        for row in suspicious[: SETTINGS.listed_label_errors]
    )
    n, first, expected = len(suspicious), rows[0], wrong.take(suspicious).expected_share()
    have = "1 row may have" if n == 1 else f"{n} rows may have"
    summary = (
        f"{have} a wrong label (first {first.id}: {first.label or 'none'}, looks like {first.suggested}); of such a "
        f"list about {10 * expected.value:.0f} in 10 are really wrong."
    )
    is_warning = n * expected.value >= SETTINGS.warned_wrong_share * len(errors.order)
    finding = make_finding(
        "label-errors",
        summary,
        list_ids(table, suspicious.tolist()),
        severity="warn" if is_warning else "note",
        measure=expected,
    )
    return LabelErrorReport((finding,), rows, expected)


def list_likely_wrong(errors: LabelErrors, wrong: WrongLabels) -> Index:
    """Return the doubted rows, the most suspicious first, as long as half of them are surely expected to be wrong.

    Parameters
    ----------
    errors : LabelErrors
    wrong : WrongLabels
    """
    doubted = errors.order[: errors.n_suspect]
    doubted = doubted[np.argsort(-wrong.low[doubted], kind="stable")]
    shares = np.cumsum(wrong.low[doubted]) / np.arange(1, len(doubted) + 1)
    return doubted[: int((shares >= SETTINGS.min_wrong_share).sum())]


def _rank_by_class(task: Task, outputs: Probabilities) -> LabelErrors:
    return confident_learning.find_class_errors(task.codes, outputs)


def _rank_by_labels(task: Task, outputs: Probabilities) -> LabelErrors:
    assert task.truth is not None
    return confident_learning.find_multilabel_errors(task.truth, outputs)


def _rank_by_number(task: Task, outputs: Probabilities) -> LabelErrors:
    assert task.truth is not None
    return confident_learning.find_number_errors(task.truth, outputs)


_RANK_ROWS: dict[str, Callable[[Task, Probabilities], LabelErrors]] = {
    "classification": _rank_by_class,
    "ordinal": _rank_by_class,
    "multi-label": _rank_by_labels,
    "regression": _rank_by_number,
}


def _estimate_classes(task: Task, outputs: Probabilities, errors: LabelErrors) -> WrongLabels:
    return estimate_wrong_classes(task.codes, outputs)


def _estimate_labels(task: Task, outputs: Probabilities, errors: LabelErrors) -> WrongLabels:
    """Return the estimate of the label that is doubted most in each row."""
    assert task.truth is not None
    by_label = [
        estimate_wrong_classes((task.truth[:, at] == 1).astype(np.intp), np.column_stack([1 - shares, shares]))
        for at, shares in enumerate(outputs.T)
    ]
    rows, columns = np.arange(len(task.truth)), errors.suggested.astype(np.intp)
    parts = [
        np.column_stack([getattr(one, name) for one in by_label])[rows, columns]
        for name in ("probability", "low", "high")
    ]
    return WrongLabels(probability=parts[0], low=parts[1], high=parts[2])


def _estimate_numbers(task: Task, outputs: Probabilities, errors: LabelErrors) -> WrongLabels:
    assert task.truth is not None
    return estimate_wrong_numbers(task.truth, outputs)


_ESTIMATE_WRONG: dict[str, Callable[[Task, Probabilities, LabelErrors], WrongLabels]] = {
    "classification": _estimate_classes,
    "ordinal": _estimate_classes,
    "multi-label": _estimate_labels,
    "regression": _estimate_numbers,
}


def _name_label(table: Table, task: Task, row: int) -> str:
    if TASK_TYPES[task.kind].has_one_class:
        return str(task.classes[int(task.codes[row])])
    return "" if table.labels is None else str(table.labels[row])


def _name_suggested_label(task: Task, errors: LabelErrors, row: int) -> str:
    value = errors.suggested[row]
    if TASK_TYPES[task.kind].is_number:
        return f"{value:.4g}"
    name = str(task.classes[int(value)])
    if TASK_TYPES[task.kind].has_label_sets:
        assert task.truth is not None
        return f"without {name}" if task.truth[row, int(value)] == 1 else f"with {name}"
    return name
