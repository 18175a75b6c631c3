"""How answers are written, for each kind of task: columns of a CSV, one JSON object an input, Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation import Truth, given_labels
from headstart.records import Predictions, column

TOP = 3
SHOWN_LABELS = 20
"""With more labels the CSV has the most probable ones of each row, not a column for each."""
MOST_COLUMNS = 100
"""With more classes test_predictions.csv has the most probable ones of each row: it would grow to hundreds of MB."""

Shares = NDArray[np.float64]
"""(n_classes,) of one row."""


@dataclass(frozen=True)
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
    answer = int(said.codes[0])
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
    written, shares = given_labels(said.marks, said.classes)[0], said.probabilities[0]
    if len(said.classes) <= SHOWN_LABELS:
        return [written, *(f"{share:.6f}" for share in shares)]
    best = np.argsort(-shares, kind="stable")[:TOP]
    return [written, *(part for code in best for part in (said.classes[code], f"{shares[code]:.6f}"))]


def _several_document(said: Predictions) -> dict[str, Any]:
    shares = dict(zip(said.classes, map(float, said.probabilities[0]), strict=True))
    return {"labels": [said.classes[at] for at in np.flatnonzero(said.marks[0])], "probabilities": shares}


def _number_row(said: Predictions) -> list[str]:
    return [f"{said.values[0]:.7g}"]


_CLASSES = Written(
    _class_header, _class_row, _class_document, {"label": None, "probability": None, "top": []},
    lambda said: said.labels,
)  # fmt: skip
_WRITTEN: dict[str, Written] = {
    "classification": _CLASSES,
    "ordinal": _CLASSES,
    "multi-label": Written(
        _several_header, _several_row, _several_document, {"labels": None, "probabilities": {}},
        lambda said: column([tuple(np.array(said.classes, dtype=object)[marks]) for marks in said.marks]),
    ),
    "regression": Written(
        list, _number_row, lambda said: {"value": float(said.values[0])}, {"value": None},
        lambda said: np.asarray(said.values),
    ),
}  # fmt: skip


def header(task: str, classes: tuple[str, ...]) -> list[str]:
    """Name the columns of the CSV that `predict` writes.

    Examples
    --------
    >>> header("classification", ("no", "yes"))
    ['input', 'label', 'probability', 'label_2', 'probability_2']
    >>> header("multi-label", ("food", "water")), header("regression", ("yield",))
    (['input', 'labels', 'p(food)', 'p(water)'], ['input', 'yield'])
    """
    return ["input", *_WRITTEN[task].header(classes)]


def row_of(name: str, said: Predictions) -> list[str]:
    """Write one CSV row: the input, then the answer (`said` has one row).

    Examples
    --------
    >>> row_of("a.jpg", Predictions(column(["a.jpg"]), ("no", "yes"), np.array([[0.25, 0.75]])))
    ['a.jpg', 'yes', '0.750000', 'no', '0.250000']
    """
    return [name, *_WRITTEN[said.task].row(said)]


def document_of(task: str, said: Predictions | None) -> dict[str, Any]:
    """Give the JSON fields of one answer; of an input that could not be read (None) with nulls."""
    written = _WRITTEN[task]
    return dict(written.empty) if said is None else written.document(said)


def plain(said: Predictions) -> NDArray[Any]:
    """Give the answers as Python values (n_rows,): names, tuples of names, or numbers."""
    return _WRITTEN[said.task].plain(said)


def truth_header(task: str, classes: tuple[str, ...]) -> list[str]:
    """Name the columns of test_predictions.csv."""
    if task == "regression":
        return ["id", classes[0], "predicted"]
    if len(classes) > MOST_COLUMNS:
        return ["id", "label", "predicted", *_ranked(1, TOP)]
    return ["id", "label", "predicted", *(f"p({name})" for name in classes)]


def truth_rows(truth: Truth, said: Predictions) -> Iterator[list[str]]:
    """Write the test rows one by one: id, truth, answer, and probabilities where there are such."""
    true, answer = _TRUTH[said.task](truth, said)
    told: list[str] = []
    for place, name in enumerate(said.ids):
        if said.task != "regression":
            told = _told(said.probabilities[place], said.classes)
        yield [str(name), true[place], answer[place], *told]


def _told(shares: Shares, classes: tuple[str, ...]) -> list[str]:
    """Write the probabilities of one row, or only the largest."""
    if len(classes) <= MOST_COLUMNS:
        return [f"{value:.6f}" for value in shares]
    best = np.argsort(-shares, kind="stable")[:TOP]
    return [part for code in best for part in (classes[code], f"{shares[code]:.6f}")]


def _truth_classes(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return [said.classes[code] for code in truth], [str(label) for label in said.labels]


def _truth_several(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return given_labels(truth == 1, said.classes), given_labels(said.marks, said.classes)


def _truth_numbers(truth: Truth, said: Predictions) -> tuple[list[str], list[str]]:
    return [f"{value:.7g}" for value in truth[:, 0]], [f"{value:.7g}" for value in said.values]


_TRUTH: dict[str, Callable[[Truth, Predictions], tuple[list[str], list[str]]]] = {
    "classification": _truth_classes,
    "ordinal": _truth_classes,
    "multi-label": _truth_several,
    "regression": _truth_numbers,
}
