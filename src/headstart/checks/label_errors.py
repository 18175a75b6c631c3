"""Labels that are likely wrong, by the out-of-fold outputs of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.checks import confident_learning
from headstart.checks.confident_learning import LabelErrors
from headstart.checks.record import list_ids
from headstart.checks.settings import SETTINGS
from headstart.records import Finding, Probabilities, Table
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
        `label-errors` with the ids of all suspicious rows, the most suspicious first; empty where there are none.
    rows : tuple of LabelError
        The first 50, with the label that the model suggests.
    """

    findings: tuple[Finding, ...] = ()
    rows: tuple[LabelError, ...] = ()


def find_label_errors(table: Table, task: Task, outputs: Probabilities) -> LabelErrorReport:
    """Return the training rows whose label is likely wrong.

    Parameters
    ----------
    table : Table
        The training rows.
    task : Task
    outputs : Probabilities, shape (n_rows, n_outputs)
        Out of fold.
    """
    errors = _RANK_ROWS[task.kind](task, outputs)
    suspicious = errors.order[: errors.n_suspect]
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
    n, first = len(suspicious), rows[0]
    have = "1 row may have" if n == 1 else f"{n} rows may have"
    summary = f"{have} a wrong label (first {first.id}: {first.label or 'none'}, looks like {first.suggested})."
    n_sure = np.count_nonzero(errors.doubt[suspicious] >= SETTINGS.sure_margin)
    is_sure = n_sure >= SETTINGS.sure_share * len(errors.order)
    finding = make_finding(
        "label-errors",
        summary,
        list_ids(table, suspicious.tolist()),
        severity="warn" if is_sure else "note",
        measure=errors.share,
    )
    return LabelErrorReport((finding,), rows)


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
