"""`majority`: always the same answer, the class frequencies; what anything useful must beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.records import Index, Probabilities, State
from headstart.strategies.model import Model, restore
from headstart.strategies.record import Fitted, Rows, Task


@dataclass(frozen=True)
class Frequencies:
    """Class shares, shape (n_classes,)."""

    shares: Probabilities

    def predict(self, rows: Rows) -> Probabilities:
        """Give the shares for every row."""
        return np.tile(self.shares, (len(rows), 1))

    def state(self) -> State:
        """Give the shares."""
        return State({}, {"shares": self.shares})


def _shares(codes: Index, n_classes: int) -> Probabilities:
    return np.bincount(codes, minlength=n_classes) / max(len(codes), 1)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Count the classes."""
    n_classes = len(task.classes)
    out_of_fold = np.full((len(task.codes), n_classes), np.nan)
    for fold in np.unique(task.folds):
        outside = task.codes[task.folds != fold]
        if len(outside):
            out_of_fold[task.folds == fold] = _shares(outside, n_classes)
    return Model(Frequencies(_shares(task.codes, n_classes)), out_of_fold)


def load(state: State, classes: tuple[str, ...]) -> Fitted:
    """Restore the shares."""
    return restore(Frequencies(state.arrays["shares"]), state, classes)
