"""One call for every kind of task: which function scores it, lists its worst rows, and compares two models on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from headstart.evaluation.metrics.classification import evaluate, worst_rows
from headstart.evaluation.metrics.multilabel import evaluate_several, worst_several
from headstart.evaluation.metrics.ordinal import evaluate_grades
from headstart.evaluation.metrics.regression import evaluate_numbers, worst_numbers
from headstart.records import Index, Predictions
from headstart.results import AnyMetrics, WorstRow

Truth = NDArray[Any]
"""(n_rows,) class codes, or (n_rows, n_outputs) marks or numbers."""

_SCORES: dict[str, Callable[[Truth, Predictions, Index | None, int], AnyMetrics]] = {
    "classification": evaluate,
    "ordinal": evaluate_grades,
    "multi-label": evaluate_several,
    "regression": evaluate_numbers,
}
_WORST: dict[str, Callable[[Truth, Predictions, int], list[WorstRow]]] = {
    "classification": worst_rows,
    "ordinal": worst_rows,
    "multi-label": worst_several,
    "regression": worst_numbers,
}


def score(truth: Truth, predictions: Predictions, clusters: Index | None, seed: int) -> AnyMetrics:
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


def worst(truth: Truth, predictions: Predictions, limit: int = 12) -> list[WorstRow]:
    """List the rows that were most wrong, at most `limit`."""
    return _WORST[predictions.task](truth, predictions, limit)
