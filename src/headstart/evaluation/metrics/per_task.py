"""One call for every kind of task: which function scores it, lists its worst rows, and compares two models on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from headstart.evaluation.metrics.classification import score_classes, worst_class_rows
from headstart.evaluation.metrics.multilabel import score_labels, worst_label_rows
from headstart.evaluation.metrics.ordinal import score_grades
from headstart.evaluation.metrics.regression import score_numbers, worst_number_rows
from headstart.records import Index, Predictions
from headstart.results import AnyMetrics, WorstRow

Truth = NDArray[Any]
"""(n_rows,) class codes, or (n_rows, n_outputs) marks or numbers."""

_SCORES: dict[str, Callable[[Truth, Predictions, Index | None, int], AnyMetrics]] = {
    "classification": score_classes,
    "ordinal": score_grades,
    "multi-label": score_labels,
    "regression": score_numbers,
}
_WORST: dict[str, Callable[[Truth, Predictions, int], list[WorstRow]]] = {
    "classification": worst_class_rows,
    "ordinal": worst_class_rows,
    "multi-label": worst_label_rows,
    "regression": worst_number_rows,
}


def score_predictions(truth: Truth, predictions: Predictions, clusters: Index | None, seed: int) -> AnyMetrics:
    """Score predictions of any task on labelled rows; see `evaluate` and its like for each.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs), n_rows >= 1
        Class codes, or what `Table.targets` holds.
    predictions : Predictions
        Every row predicted (no NaN).
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together and are resampled together.
    seed : int
        Of the bootstrap.
    """
    return _SCORES[predictions.task](truth, predictions, clusters, seed)


def list_worst_rows(truth: Truth, predictions: Predictions, limit: int = 12) -> list[WorstRow]:
    """List the rows that were most wrong, at most `limit`.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
    predictions : Predictions
    limit : int
    """
    return _WORST[predictions.task](truth, predictions, limit)
