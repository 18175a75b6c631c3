"""How answers are written, for each kind of task: columns of a CSV, one JSON object an input, Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.decisions import DEFAULT_POLICY, LABEL, NONE, NOT_SURE, SINGLE, Decisions
from headstart.evaluation import Truth, join_labels
from headstart.records import Predictions, make_column

TOP = 3
SHOWN_LABELS = 20
"""With more labels the CSV has the most probable ones of each row, not a column for each."""
MOST_COLUMNS = 100
"""With more classes test_predictions.csv has the most probable ones of each row: it would grow to hundreds of MB."""

SET_NAMES = 20
"""With more classes in a set the CSV names the most probable ones and says how many more there are."""

UNUSABLE = "unusable"
"""The kind of an input that could not be read."""
_KIND_NAMES = {LABEL: "label", NOT_SURE: "not_sure", NONE: "none_of_these"}

Shares = NDArray[np.float64]
"""(n_classes,) of one row."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """How one kind of task is written.

    Parameters
    ----------
    header : (classes) -> names of the columns after the input
    row : (predictions of one row) -> the cells after the input
    document : (predictions of one row) -> JSON fields
    empty : JSON fields of an input that could not be read
    plain : (predictions) -> array (n_rows,), for Python
    """

    header: Callable[[tuple[str, ...]], list[str]]
    row: Callable[[Predictions], list[str]]
    document: Callable[[Predictions], dict[str, Any]]
    empty: dict[str, Any]
    plain: Callable[[Predictions], NDArray[Any]]


def _class_header(classes: tuple[str, ...]) -> list[str]:
    return ["label", "probability", *_ranked(2, min(TOP, len(classes)))]


def _best(said: Predictions) -> list[int]:
    """Give the codes of the answer and the runners-up: the most probable ones, ties in the order of the classes."""
    answer = int(said.class_indices[0])
    order = [int(code) for code in np.argsort(-said.probabilities[0], kind="stable")]
    return [answer, *(code for code in order if code != answer)][:TOP]


def _class_row(said: Predictions) -> list[str]:
    shares = said.probabilities[0]
    return [part for code in _best(said) for part in (said.classes[code], f"{shares[code]:.6f}")]


def _class_document(said: Predictions) -> dict[str, Any]:
    top = [{"label": said.classes[code], "probability": float(said.probabilities[0, code])} for code in _best(said)]
    return {**top[0], "top": top}


def _ranked(first: int, n: int) -> list[str]:
    return [f"{what}_{rank}" for rank in range(first, n + 1) for what in ("label", "probability")]


def _several_header(classes: tuple[str, ...]) -> list[str]:
    few = len(classes) <= SHOWN_LABELS
    return ["labels", *([f"p({name})" for name in classes] if few else _ranked(1, TOP))]


def _several_row(said: Predictions) -> list[str]:
    written, shares = join_labels(said.label_mask, said.classes)[0], said.probabilities[0]
    if len(said.classes) <= SHOWN_LABELS:
        return [written, *(f"{share:.6f}" for share in shares)]
    best = np.argsort(-shares, kind="stable")[:TOP]
    return [written, *(part for code in best for part in (said.classes[code], f"{shares[code]:.6f}"))]


def _several_document(said: Predictions) -> dict[str, Any]:
    shares = dict(zip(said.classes, map(float, said.probabilities[0]), strict=True))
    return {"labels": [said.classes[at] for at in np.flatnonzero(said.label_mask[0])], "probabilities": shares}


def _number_row(said: Predictions) -> list[str]:
    return [f"{said.values[0]:.7g}"]


_CLASSES = Written(
    header=_class_header,
    row=_class_row,
    document=_class_document,
    empty={"label": None, "probability": None, "top": []},
    plain=lambda said: said.labels,
)
_WRITTEN: dict[str, Written] = {
    "classification": _CLASSES,
    "ordinal": _CLASSES,
    "multi-label": Written(
        header=_several_header,
        row=_several_row,
        document=_several_document,
        empty={"labels": None, "probabilities": {}},
        plain=lambda said: make_column(
            [tuple(np.array(said.classes, dtype=object)[marks]) for marks in said.label_mask]
        ),
    ),
    "regression": Written(
        header=list,
        row=_number_row,
        document=lambda said: {"value": float(said.values[0])},
        empty={"value": None},
        plain=lambda said: np.asarray(said.values),
    ),
}


def _decision_header(task: str) -> list[str]:
    return ["answer", "set", "reason", *(["low", "high"] if task == "regression" else []), "kind"]


def _decision_row(said: Predictions, made: Decisions) -> list[str]:
    """Write the cells of one row's decision."""
    if said.task == "regression":
        low, high = _ends(made)
        ends = ["" if end is None else f"{end:.7g}" for end in (low, high)]
        cells = [_answer(said, made), " to ".join(ends) if low is not None else "", str(made.reasons[0])]
        return [*cells, *ends, kind_of(made)]
    names = _in_set(said, made)
    more = [f"{len(names) - SET_NAMES} more"] if len(names) > SET_NAMES else []
    return [_answer(said, made), ";".join([*names[:SET_NAMES], *more]), str(made.reasons[0]), kind_of(made)]


def kind_of(made: Decisions | None) -> str:
    """Name the kind of one answer, so that a class called "not sure" is not taken for an abstention."""
    return UNUSABLE if made is None else _KIND_NAMES[made.kinds[0]]


def _answer(said: Predictions, made: Decisions) -> str:
    """Give the answer as people read it: several labels and numbers as in their own column."""
    plain = said.task not in SINGLE and made.kinds[0] == LABEL
    return first_cell(said) if plain else str(made.answers[0])


def first_cell(said: Predictions) -> str:
    """Write what the model says of one row without its probability: a label, labels or a number."""
    return _WRITTEN[said.task].row(said)[0]


def _in_set(said: Predictions, made: Decisions) -> list[str]:
    """Name the classes in the set, the most probable first."""
    if made.sets.shape[1] == 0:
        return []
    order = np.argsort(-np.where(made.sets[0], said.probabilities[0], -1.0), kind="stable")
    return [said.classes[code] for code in order[: int(made.sets[0].sum())]]


def _ends(made: Decisions) -> tuple[float | None, float | None]:
    if made.ends.shape[1] == 0 or not np.isfinite(made.ends[0]).all():
        return None, None
    return float(made.ends[0, 0]), float(made.ends[0, 1])


def header(task: str, classes: tuple[str, ...]) -> list[str]:
    """Name the columns of the CSV that `predict` writes.

    Examples
    --------
    >>> header("classification", ("no", "yes"))
    ['input', 'label', 'probability', 'label_2', 'probability_2', 'answer', 'set', 'reason', 'kind']
    >>> header("multi-label", ("food", "water"))
    ['input', 'labels', 'p(food)', 'p(water)', 'answer', 'set', 'reason', 'kind']
    >>> header("regression", ("yield",))
    ['input', 'yield', 'answer', 'set', 'reason', 'low', 'high', 'kind']
    """
    return ["input", *_WRITTEN[task].header(classes), *_decision_header(task)]


def row_of(name: str, said: Predictions, made: Decisions) -> list[str]:
    """Write one CSV row: the input, what the model says, and what was decided (`said` and `made` have one row).

    Examples
    --------
    >>> said = Predictions(ids=make_column(["a.jpg"]), classes=("no", "yes"), probabilities=np.array([[0.25, 0.75]]))
    >>> row_of("a.jpg", said, NO_RULES.decide(said, None))
    ['a.jpg', 'yes', '0.750000', 'no', '0.250000', 'yes', 'yes', '75 % sure', 'label']
    """
    return [name, *_WRITTEN[said.task].row(said), *_decision_row(said, made)]


def unread_row(name: str, task: str, classes: tuple[str, ...], reason: str) -> list[str]:
    """Write the CSV row of an input that could not be read: nothing but the reason."""
    titles = header(task, classes)[1:-1]  # A number's column may itself be called "kind".
    return [name, *("" if title != "reason" else reason for title in titles), UNUSABLE]


def document_of(task: str, said: Predictions | None, made: Decisions | None) -> dict[str, Any]:
    """Give the JSON fields of one answer; of an input that could not be read (None) with nulls."""
    written = _WRITTEN[task]
    low, high = (None, None) if made is None else _ends(made)
    ends = {"low": low, "high": high} if task == "regression" else {}
    if said is None or made is None:
        return {**written.empty, "answer": None, "set": [], "reason": None, **ends, "kind": UNUSABLE}
    return {
        **written.document(said),
        "answer": _answer(said, made),
        "set": _in_set(said, made) if task != "regression" else [end for end in (low, high) if end is not None],
        "reason": str(made.reasons[0]),
        **ends,
        "kind": kind_of(made),
    }


def plain(said: Predictions) -> NDArray[Any]:
    """Give the answers as Python values (n_rows,): names, tuples of names, or numbers."""
    return _WRITTEN[said.task].plain(said)


def truth_header(task: str, classes: tuple[str, ...]) -> list[str]:
    """Name the columns of test_predictions.csv."""
    if task == "regression":
        return ["id", classes[0], "predicted", *_decision_header(task)]
    told = _ranked(1, TOP) if len(classes) > MOST_COLUMNS else [f"p({name})" for name in classes]
    return ["id", "label", "predicted", *told, *_decision_header(task)]


def truth_rows(truth: Truth, said: Predictions, made: Decisions | None = None) -> Iterator[list[str]]:
    """Write the test rows one by one: id, truth, prediction, probabilities where there are such, and the decision."""
    made = DEFAULT_POLICY.decide(said, None) if made is None else made
    true, answer = _TRUTH[said.task](truth, said)
    told: list[str] = []
    for place, name in enumerate(said.ids):
        if said.task != "regression":
            told = _told(said.probabilities[place], said.classes)
        one = np.array([place])
        yield [str(name), true[place], answer[place], *told, *_decision_row(said.take(one), made.take(one))]


def _told(shares: Shares, classes: tuple[str, ...]) -> list[str]:
    """Write the probabilities of one row, or only the largest."""
    if len(classes) <= MOST_COLUMNS:
        return [f"{value:.6f}" for value in shares]
    best = np.argsort(-shares, kind="stable")[:TOP]
    return [part for code in best for part in (classes[code], f"{shares[code]:.6f}")]


def _truth_classes(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return [said.classes[code] for code in truth], [str(label) for label in said.labels]


def _truth_several(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return join_labels(truth == 1, said.classes), join_labels(said.label_mask, said.classes)


def _truth_numbers(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return [f"{value:.7g}" for value in truth[:, 0]], [f"{value:.7g}" for value in said.values]


_TRUTH: dict[str, Callable[[Truth, Predictions], tuple[list[str], list[str]]]] = {
    "classification": _truth_classes,
    "ordinal": _truth_classes,
    "multi-label": _truth_several,
    "regression": _truth_numbers,
}
