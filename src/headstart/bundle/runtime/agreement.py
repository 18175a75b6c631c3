"""Does another form of a model say the same? The figures that decide whether it is written. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.settings import SETTINGS
from headstart.records import Predictions, Probabilities, make_column
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class Agreement:
    """Agreement of two forms of a model on the same rows.

    Parameters
    ----------
    n_rows : int
    same_labels : float
        Share of rows with the same label (all the same labels, for several), 0-1; 1 for numbers.
    max_difference : float
        Largest difference of a probability; of numbers in units of their mean size, or their spread if that is larger.
    """

    n_rows: int
    same_labels: float
    max_difference: float

    @property
    def passes(self) -> bool:
        """Return whether a float form may be written."""
        return self.same_labels >= SETTINGS.min_same_labels and self.max_difference <= SETTINGS.max_difference

    def describe(self) -> str:
        """Write it as part of a sentence."""
        return (
            f"{100 * self.same_labels:.1f} % of {self.n_rows:,} rows have the same label, outputs differ by up to "
            f"{self.max_difference:.2g}"
        )


def assign_labels(task: str, outputs: Probabilities, thresholds: tuple[float, ...]) -> NDArray[np.intp]:
    """Return the labels of each row: class indices (n_rows, 1) or a label mask (n_rows, n_labels); zeros for numbers.

    Parameters
    ----------
    task : str
        Key of `TASK_TYPES`.
    outputs : Probabilities, shape (n_rows, n_outputs)
    thresholds : tuple of float
        For "multi-label": one a label, 0.5 each if empty.
    """
    names = tuple(str(number) for number in range(outputs.shape[1]))
    predictions = Predictions(
        ids=make_column(range(len(outputs))), classes=names, probabilities=outputs, task=task, thresholds=thresholds
    )
    if TASK_TYPES[task].is_number:
        return np.zeros((len(outputs), 1), dtype=np.intp)
    has_label_sets = TASK_TYPES[task].has_label_sets
    return predictions.label_mask.astype(np.intp) if has_label_sets else predictions.class_indices[:, None]


def compare_outputs(
    task: str, expected: Probabilities, outputs: NDArray[Any], thresholds: tuple[float, ...] = ()
) -> Agreement:
    """Compare the outputs of two forms of one model on the same rows.

    Parameters
    ----------
    task : str
        Key of `TASK_TYPES`.
    expected, outputs : array, shape (n_rows, n_outputs)
        Of the model as it is, and of its other form: probabilities or predicted numbers.
    thresholds : tuple of float
        See `assign_labels`.

    Examples
    --------
    >>> compare_outputs("classification", np.array([[0.9, 0.1]]), np.array([[0.85, 0.15]]))
    Agreement(n_rows=1, same_labels=1.0, max_difference=0.05)
    >>> compare_outputs("classification", np.array([[0.5, 0.5]]), np.array([[0.5 - 1e-8, 0.5 + 1e-8]])).same_labels
    1.0
    """
    outputs = np.asarray(outputs, dtype=np.float64)
    one, two = (assign_labels(task, values, thresholds) for values in (expected, outputs))
    size = max(float(np.std(expected)), float(np.abs(expected).mean()), 1e-12) if TASK_TYPES[task].is_number else 1.0
    differences = np.abs(outputs - expected) / size
    worst = float(differences.max(initial=0.0)) if np.isfinite(differences).all() else float("inf")
    same = (one == two).all(axis=1) | (differences <= SETTINGS.tie_difference).all(axis=1)
    return Agreement(len(expected), float(np.mean(same)) if len(one) else 1.0, round(worst, 9))
