"""What groups, slices and sites are compared in, for each kind of task: a figure of each row, whose mean is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.metrics.multilabel import row_f1
from headstart.evaluation.metrics.per_task import Truth
from headstart.records import Predictions


@dataclass(frozen=True)
class RowMeasure:
    """Metric in which groups are compared, for a task.

    Parameters
    ----------
    name : str
    values : (truth, predictions) -> (n_rows,)
        A figure of each row, whose mean is that of the group.
    better : int
        1 where more is better, -1 where less is.
    within : tuple of float
        What a gap can be.
    """

    name: str
    values: Callable[[Truth, Predictions], NDArray[np.float32]]
    better: int
    within: tuple[float, float]


def _right(codes: Truth, predictions: Predictions) -> NDArray[np.float32]:
    return np.asarray(predictions.class_indices == codes, dtype=np.float32)


def _row_f1(truth: Truth, predictions: Predictions) -> NDArray[np.float32]:
    return np.asarray(row_f1(truth == 1, predictions.label_mask), dtype=np.float32)


def _errors(truth: Truth, predictions: Predictions) -> NDArray[np.float32]:
    return np.asarray(np.abs(predictions.values - truth[:, 0]), dtype=np.float32)


_ACCURACY = RowMeasure("accuracy", _right, 1, (-1.0, 1.0))
MEASURES: dict[str, RowMeasure] = {
    "classification": _ACCURACY,
    "ordinal": _ACCURACY,
    "multi-label": RowMeasure("row F1", _row_f1, 1, (-1.0, 1.0)),
    "regression": RowMeasure("mean absolute error", _errors, -1, (-np.inf, np.inf)),
}
