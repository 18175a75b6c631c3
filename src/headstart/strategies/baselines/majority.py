"""`majority`: the same outputs for every row; the baseline to beat.

Class frequencies for classes, each label's frequency for several labels, the mean for values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState
from headstart.records import Index, Probabilities, list_held_out_folds
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.record import Fitted, StrategyRows, Task

Average = Callable[[Task, Index], NDArray[np.float64]]


@dataclass(frozen=True)
class ConstantModel:
    """Same answer for every row, shape (n_outputs,)."""

    outputs: Probabilities

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return the same outputs for every row."""
        return np.tile(self.outputs, (len(rows), 1))

    def state(self) -> FittedState:
        """Return the outputs."""
        return FittedState({}, {"shares": self.outputs})


def _class_frequencies(task: Task, rows: Index) -> NDArray[np.float64]:
    return np.asarray(np.bincount(task.codes[rows], minlength=len(task.classes)) / max(len(rows), 1))


def _label_frequencies(task: Task, rows: Index) -> NDArray[np.float64]:
    """Return each label's frequency; half a row is added, so that no label is impossible."""
    assert task.truth is not None
    return np.asarray((task.truth[rows].sum(axis=0, dtype=np.float64) + 0.5) / (len(rows) + 1))


def _mean(task: Task, rows: Index) -> NDArray[np.float64]:
    assert task.truth is not None
    return np.asarray(task.truth[rows].mean(axis=0, dtype=np.float64))


AVERAGES: dict[str, Average] = {
    "classification": _class_frequencies,
    "ordinal": _class_frequencies,
    "multi-label": _label_frequencies,
    "regression": _mean,
}


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit the mean of the labels."""
    average = AVERAGES[task.kind]
    out_of_fold = np.full((len(task.codes), len(task.classes)), np.nan)
    for fold in list_held_out_folds(task.folds):
        outside = np.flatnonzero(task.folds != fold)
        if len(outside):
            out_of_fold[task.folds == fold] = average(task, outside)
    return FittedModel(ConstantModel(average(task, np.arange(len(task.codes)))), out_of_fold)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the answer."""
    return restore_model(ConstantModel(state.arrays["shares"]), state, classes)
