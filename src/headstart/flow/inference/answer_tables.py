"""Answers as rows of a CSV: the table that `predict` writes, and test_predictions.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from headstart.coding_frames import count_levels
from headstart.decisions import DEFAULT_POLICY, Decisions
from headstart.evaluation import Truth, join_labels
from headstart.flow.inference.answers import N_RANKED, UNUSABLE, Answer, format_number, make_answers
from headstart.flow.inference.reason_texts import describe_reason
from headstart.records import Predictions
from headstart.task_types import TASK_TYPES

MOST_LABEL_COLUMNS = 20
"""With more labels the CSV has the most probable ones of each row, not a column for each."""
MOST_CLASS_COLUMNS = 100
"""With more classes test_predictions.csv has the most probable ones of each row: it would grow to hundreds of MB."""
MOST_SET_NAMES = 20
"""With more classes in a set the CSV names the most probable ones and says how many more there are."""


@dataclass(frozen=True)
class TaskColumns:
    """The columns of one task in the CSV of `predict`.

    Parameters
    ----------
    list_prediction_columns : (classes) -> names of the columns after the input
    write_prediction : (answer) -> their cells
    decision_columns : tuple of str
    write_decision : (answer) -> their cells
    """

    list_prediction_columns: Callable[[tuple[str, ...]], list[str]]
    write_prediction: Callable[[Answer], list[str]]
    decision_columns: tuple[str, ...]
    write_decision: Callable[[Answer], list[str]]


def _list_class_columns(classes: tuple[str, ...]) -> list[str]:
    return ["label", "probability", *_list_ranked_columns(2, min(N_RANKED, len(classes)))]


def _list_ranked_columns(first: int, last: int) -> list[str]:
    return [f"{name}_{rank}" for rank in range(first, last + 1) for name in ("label", "probability")]


def _list_labels_columns(classes: tuple[str, ...]) -> list[str]:
    few = len(classes) <= MOST_LABEL_COLUMNS
    return ["labels", *([f"p({name})" for name in classes] if few else _list_ranked_columns(1, N_RANKED))]


def _write_top(answer: Answer) -> list[str]:
    return [cell for label, probability in answer.top for cell in (label, f"{probability:.6f}")]


def _write_labels(answer: Answer) -> list[str]:
    if len(answer.classes) > MOST_LABEL_COLUMNS:
        return [answer.predicted, *_write_top(answer)]
    return [answer.predicted, *(f"{probability:.6f}" for probability in answer.probabilities)]


def _write_class_decision(answer: Answer) -> list[str]:
    return [answer.text, _join_names(answer.set), describe_reason(answer.reason), answer.kind]


def _write_labels_decision(answer: Answer) -> list[str]:
    reason = describe_reason(answer.reason)
    return [answer.text, _join_names(answer.sure), _join_names(answer.set), reason, answer.kind]


def _join_names(names: tuple[str, ...]) -> str:
    n_more = len(names) - MOST_SET_NAMES
    return ";".join([*names[:MOST_SET_NAMES], *([f"{n_more} more"] if n_more > 0 else [])])


def _write_number_decision(answer: Answer) -> list[str]:
    ends = [format_number(end) for end in answer.interval] if answer.interval else ["", ""]
    return [
        answer.text,
        " to ".join(ends) if answer.interval else "",
        describe_reason(answer.reason),
        *ends,
        answer.kind,
    ]


_DECISION_COLUMNS = ("answer", "set", "reason", "kind")
_CLASSES = TaskColumns(_list_class_columns, _write_top, _DECISION_COLUMNS, _write_class_decision)
_COLUMNS: Mapping[str, TaskColumns] = {
    "classification": _CLASSES,
    "ordinal": _CLASSES,
    "multi-label": TaskColumns(
        _list_labels_columns, _write_labels, ("answer", "sure", "set", "reason", "kind"), _write_labels_decision
    ),
    "regression": TaskColumns(
        list, lambda answer: [answer.predicted], ("answer", "set", "reason", "low", "high", "kind"),
        _write_number_decision,
    ),
}  # fmt: skip


def list_columns(task: str, classes: tuple[str, ...]) -> list[str]:
    """Return the names of the columns of the CSV that `predict` writes.

    Parameters
    ----------
    task : str
    classes : tuple of str

    Examples
    --------
    >>> list_columns("classification", ("no", "yes"))
    ['input', 'label', 'probability', 'label_2', 'probability_2', 'answer', 'set', 'reason', 'kind']
    >>> list_columns("multi-label", ("food", "water"))
    ['input', 'labels', 'p(food)', 'p(water)', 'answer', 'sure', 'set', 'reason', 'kind']
    >>> list_columns("regression", ("yield",))
    ['input', 'yield', 'answer', 'set', 'reason', 'low', 'high', 'kind']
    """
    columns = _COLUMNS[task]
    return ["input", *columns.list_prediction_columns(classes), *_list_decision_columns(task, classes)]


def _list_decision_columns(task: str, classes: tuple[str, ...]) -> list[str]:
    """Return the columns of a decision; those of the levels of a coding frame stand before the last one."""
    *columns, kind = _COLUMNS[task].decision_columns
    return [*columns, *(f"level_{at + 1}" for at in range(count_levels(classes))), kind]


def _write_decision(answer: Answer) -> list[str]:
    *cells, kind = _COLUMNS[answer.task].write_decision(answer)
    return [*cells, *answer.levels, kind]


def write_row(name: str, answer: Answer) -> list[str]:
    """Return one row of the CSV: the input, its prediction, and the decision.

    Parameters
    ----------
    name : str
        Of the input.
    answer : Answer

    Examples
    --------
    >>> from headstart.records import make_column
    >>> predictions = Predictions(
    ...     ids=make_column(["a.jpg"]), classes=("no", "yes"), probabilities=np.array([[0.25, 0.75]])
    ... )
    >>> write_row("a.jpg", *make_answers(predictions, DEFAULT_POLICY.decide(predictions, None)))
    ['a.jpg', 'yes', '0.750000', 'no', '0.250000', 'yes', 'yes', '75 % sure', 'label']
    """
    return [name, *_COLUMNS[answer.task].write_prediction(answer), *_write_decision(answer)]


def write_unusable_row(name: str, reason: str, task: str, classes: tuple[str, ...]) -> list[str]:
    """Return the row of an input that could not be read: nothing but the reason.

    Parameters
    ----------
    name, reason, task : str
    classes : tuple of str
    """
    columns = list_columns(task, classes)[1:-1]  # A number's column may itself be called "kind".
    return [name, *("" if column != "reason" else reason for column in columns), UNUSABLE]


def format_predictions(predictions: Predictions) -> list[str]:
    """Return the predictions as text, without the right to abstain: a class, several labels or a number.

    Parameters
    ----------
    predictions : Predictions
    """
    return [answer.predicted for answer in make_answers(predictions, DEFAULT_POLICY.decide(predictions, None))]


def list_test_columns(task: str, classes: tuple[str, ...]) -> list[str]:
    """Return the names of the columns of test_predictions.csv.

    Parameters
    ----------
    task : str
    classes : tuple of str
    """
    decision_columns = _list_decision_columns(task, classes)
    if TASK_TYPES[task].is_number:
        return ["id", classes[0], "predicted", *decision_columns]
    many = len(classes) > MOST_CLASS_COLUMNS
    columns = _list_ranked_columns(1, N_RANKED) if many else [f"p({name})" for name in classes]
    return ["id", "label", "predicted", *columns, *decision_columns]


def iterate_test_rows(
    truth: Truth, predictions: Predictions, decisions: Decisions | None = None
) -> Iterator[list[str]]:
    """Yield the rows of test_predictions.csv: id, truth, prediction, probabilities if there are any, decision.

    Parameters
    ----------
    truth : array, shape (n_rows, ...)
    predictions : Predictions
    decisions : Decisions or None
        None: the most probable class is the answer.
    """
    decisions = DEFAULT_POLICY.decide(predictions, None) if decisions is None else decisions
    true_texts = format_truth(truth, predictions.classes, predictions.task)
    for row, answer in enumerate(make_answers(predictions, decisions)):
        first = [str(predictions.ids[row]), true_texts[row], answer.predicted]
        yield [*first, *_write_probabilities(answer), *_write_decision(answer)]


def format_truth(truth: Truth, classes: tuple[str, ...], task: str) -> list[str]:
    """Return what is true of each row as text: a class, several labels or a number.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
        Class indices, or what `Table.targets` holds.
    classes : tuple of str
    task : str
    """
    return _FORMAT_TRUTH[task](truth, classes)


def _write_probabilities(answer: Answer) -> list[str]:
    """Return the probabilities of all classes, or of many only the largest."""
    if len(answer.probabilities) <= MOST_CLASS_COLUMNS:
        return [f"{probability:.6f}" for probability in answer.probabilities]
    largest = np.argsort(-answer.probabilities, kind="stable")[:N_RANKED]
    return [cell for index in largest for cell in (answer.classes[index], f"{answer.probabilities[index]:.6f}")]


def _format_class_truth(truth: Truth, classes: tuple[str, ...]) -> list[str]:
    return [classes[index] for index in truth]


_FORMAT_TRUTH: Mapping[str, Callable[[Truth, tuple[str, ...]], list[str]]] = {
    "classification": _format_class_truth,
    "ordinal": _format_class_truth,
    "multi-label": lambda truth, classes: join_labels(truth == 1, classes),
    "regression": lambda truth, classes: [format_number(value) for value in truth[:, 0]],
}
