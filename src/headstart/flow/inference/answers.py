"""Answers, one a row: made once from predictions and decisions, then written as CSV, JSON or Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.coding_frames import count_levels, join_label_levels
from headstart.decisions import Decisions, Outcome, Reason
from headstart.decisions.rolling_up import is_rolled_up, split_answer
from headstart.flow.inference.reason_texts import describe_reason, find_fault_code
from headstart.records import Predictions, make_column
from headstart.task_types import TASK_TYPES

N_RANKED = 3
"""Classes of an answer that are named with their probability: the predicted one and the runners-up."""
UNUSABLE = "unusable"
"""The `kind` of an input that could not be read."""
_KINDS: Mapping[Outcome, str] = {"answered": "label", "not_sure": "not_sure", "none_of_these": "none_of_these"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer of a model to one input.

    Parameters
    ----------
    task : str
    classes : tuple of str
        Of the model; for numbers the name of the column.
    outcome : "answered", "not_sure" or "none_of_these"
    text : str
        The answer as people read it: a class, several labels, a number, or the words of an abstention.
    predicted : str
        The prediction without the right to abstain, written the same way.
    labels : tuple of str
        The predicted labels of a multi-label task.
    value : float or None
        The predicted number of a regression.
    set : tuple of str
        Classes that are likely enough, or labels that are possible, the most probable first.
    sure : tuple of str
        Labels of a multi-label task that are sure, the most probable first.
    interval : tuple of two floats, or None
        The likely range of a number.
    reason : Reason
        A code with values; `describe_reason` has the words.
    probabilities : array, shape (n_classes,)
    ranked : tuple of int
        Indices of the predicted class and the runners-up; of several labels the most probable ones.
    """

    task: str
    classes: tuple[str, ...]
    outcome: Outcome
    text: str
    predicted: str
    reason: Reason
    labels: tuple[str, ...] = ()
    value: float | None = None
    set: tuple[str, ...] = ()
    sure: tuple[str, ...] = ()
    interval: tuple[float, float] | None = None
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    ranked: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """The public name of the outcome; a class called "not sure" is not taken for an abstention."""
        return _KINDS[self.outcome]

    @property
    def levels(self) -> tuple[str, ...]:
        """What is answered at each level of a coding frame, the widest first; empty where classes have no levels."""
        depth = count_levels(self.classes)
        if not depth or not (self.outcome == "answered" or is_rolled_up(self.text)):
            return ("",) * depth
        if TASK_TYPES[self.task].has_label_sets:
            return join_label_levels(self.labels, depth)
        path = split_answer(self.text)
        return (*path, *[""] * (depth - len(path)))

    @property
    def top(self) -> list[tuple[str, float]]:
        """The ranked classes with their probabilities."""
        return [(self.classes[index], float(self.probabilities[index])) for index in self.ranked]


def make_answers(predictions: Predictions, decisions: Decisions) -> list[Answer]:
    """Return the answers to all rows, in order.

    Parameters
    ----------
    predictions : Predictions
        With corrected probabilities.
    decisions : Decisions
        Of the same rows.
    """
    return _FORMATS[predictions.task].make_answers(predictions, decisions)


def _make_answer(predictions: Predictions, decisions: Decisions, row: int, **parts: Any) -> Answer:
    return Answer(
        task=predictions.task,
        classes=predictions.classes,
        outcome=decisions.outcomes[row],
        reason=decisions.reasons[row],
        **parts,
    )


def _make_class_answers(predictions: Predictions, decisions: Decisions) -> list[Answer]:
    classes, probabilities = predictions.classes, predictions.probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : N_RANKED + 1]
    answers = []
    for row, predicted in enumerate(predictions.class_indices):
        others = [index for index in order[row] if index != predicted]  # The predicted grade is the middle one.
        answers.append(
            _make_answer(
                predictions,
                decisions,
                row,
                text=str(decisions.answers[row]),
                predicted=classes[predicted],
                set=_order_set(classes, decisions.sets[row], probabilities[row]),
                probabilities=probabilities[row],
                ranked=tuple(map(int, (predicted, *others)))[:N_RANKED],
            )
        )
    return answers


def _make_labels_answers(predictions: Predictions, decisions: Decisions) -> list[Answer]:
    classes, probabilities = predictions.classes, predictions.probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :N_RANKED]
    answers = []
    for row, mask in enumerate(predictions.label_mask):
        labels = _name_classes(classes, np.flatnonzero(mask))
        text = ";".join(labels)
        answers.append(
            _make_answer(
                predictions,
                decisions,
                row,
                text=text if decisions.outcomes[row] == "answered" else str(decisions.answers[row]),
                predicted=text,
                labels=labels,
                set=_order_set(classes, decisions.sets[row], probabilities[row]),
                sure=_order_set(classes, decisions.sure[row], probabilities[row]),
                probabilities=probabilities[row],
                ranked=tuple(map(int, order[row])),
            )
        )
    return answers


def _make_number_answers(predictions: Predictions, decisions: Decisions) -> list[Answer]:
    answers = []
    for row, value in enumerate(predictions.values):
        ends = decisions.ends[row]
        has_interval = len(ends) == 2 and bool(np.isfinite(ends).all())
        text = format_number(value)
        answers.append(
            _make_answer(
                predictions,
                decisions,
                row,
                text=text if decisions.outcomes[row] == "answered" else str(decisions.answers[row]),
                predicted=text,
                value=float(value),
                interval=(float(ends[0]), float(ends[1])) if has_interval else None,
            )
        )
    return answers


def format_number(value: float) -> str:
    """Return a predicted number as text, with seven digits.

    Parameters
    ----------
    value : float
    """
    return f"{value:.7g}"


def _name_classes(classes: tuple[str, ...], indices: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(classes[index] for index in indices)


def _order_set(
    classes: tuple[str, ...], members: NDArray[np.bool_], probabilities: NDArray[np.float64]
) -> tuple[str, ...]:
    """Return the names of the classes in a set, the most probable first; empty for tasks without sets."""
    indices = np.flatnonzero(members)
    return _name_classes(classes, indices[np.argsort(-probabilities[indices], kind="stable")])


@dataclass(frozen=True, kw_only=True)
class AnswerFormat:
    """The format of the answers of one task.

    Parameters
    ----------
    make_answers : (predictions, decisions) -> answers
    document : (answer) -> JSON fields of what the model predicts
    unusable : JSON fields of an input that could not be read
    python_values : (predictions) -> array (n_rows,), for Python
    """

    make_answers: Callable[[Predictions, Decisions], list[Answer]]
    document: Callable[[Answer], dict[str, Any]]
    unusable: dict[str, Any]
    python_values: Callable[[Predictions], NDArray[Any]]


def _make_class_document(answer: Answer) -> dict[str, Any]:
    top = [{"label": label, "probability": probability} for label, probability in answer.top]
    return {**top[0], "top": top}


def _make_labels_document(answer: Answer) -> dict[str, Any]:
    probabilities = dict(zip(answer.classes, map(float, answer.probabilities), strict=True))
    return {"labels": list(answer.labels), "sure": list(answer.sure), "probabilities": probabilities}


def _list_label_tuples(predictions: Predictions) -> NDArray[Any]:
    names = np.array(predictions.classes, dtype=object)
    return make_column([tuple(names[mask]) for mask in predictions.label_mask])


_CLASSES = AnswerFormat(
    make_answers=_make_class_answers,
    document=_make_class_document,
    unusable={"label": None, "probability": None, "top": []},
    python_values=lambda predictions: predictions.labels,
)
_FORMATS: dict[str, AnswerFormat] = {
    "classification": _CLASSES,
    "ordinal": _CLASSES,
    "multi-label": AnswerFormat(
        make_answers=_make_labels_answers,
        document=_make_labels_document,
        unusable={"labels": None, "sure": [], "probabilities": {}},
        python_values=_list_label_tuples,
    ),
    "regression": AnswerFormat(
        make_answers=_make_number_answers,
        document=lambda answer: {"value": answer.value},
        unusable={"value": None},
        python_values=lambda predictions: np.asarray(predictions.values),
    ),
}


def make_document(answer: Answer) -> dict[str, Any]:
    """Return the JSON fields of one answer, as `headstart predict --json` writes them.

    Parameters
    ----------
    answer : Answer
    """
    is_number = TASK_TYPES[answer.task].is_number
    low, high = answer.interval or (None, None)
    return {
        **_FORMATS[answer.task].document(answer),
        "answer": answer.text,
        **({"levels": list(answer.levels)} if answer.levels else {}),
        "set": list(answer.interval or ()) if is_number else list(answer.set),
        "reason": describe_reason(answer.reason),
        **({"low": low, "high": high} if is_number else {}),
        "kind": answer.kind,
        "outcome": answer.outcome,
        "reason_code": answer.reason.code,
        "reason_values": dict(answer.reason.values),
    }


def make_unusable_document(task: str, reason: str | None) -> dict[str, Any]:
    """Return the JSON fields of an input that could not be read, or holds nothing: nulls, and the reason.

    Parameters
    ----------
    task : str
    reason : str or None
    """
    ends = {"low": None, "high": None} if TASK_TYPES[task].is_number else {}
    return {
        **_FORMATS[task].unusable,
        "answer": None,
        "set": [],
        "reason": reason,
        **ends,
        "kind": UNUSABLE,
        "outcome": None,
        "reason_code": find_fault_code(reason),
        "reason_values": {},
    }


def to_python_values(predictions: Predictions) -> NDArray[Any]:
    """Return the predictions as Python values (n_rows,): names, tuples of names, or numbers.

    Parameters
    ----------
    predictions : Predictions
    """
    return _FORMATS[predictions.task].python_values(predictions)
