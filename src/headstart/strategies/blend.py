"""`blend`: the linear probe and the classic model together, with a weight chosen by cross-validation.

The two are averaged as logarithms (a logarithmic opinion pool, Genest and Zidek 1986), so that either can veto a class.
The weight is the one with the lowest out-of-fold log-loss: a smooth measure, where accuracy on a few hundred rows would
pick by chance. Whether the blend is then used at all is decided by the selection score, like for every strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.records import Index, Probabilities, State, nest
from headstart.strategies import classic, linear_probe
from headstart.strategies.model import Model, restore
from headstart.strategies.record import Fitted, Rows, Task
from headstart.strategies.selection import log_loss, predicted_rows
from headstart.strategies.solver import softmax

MEMBERS = ("linear-probe", "classic")
GRID = np.linspace(0, 1, 21)
EQUAL = 0.5
PRIOR = 4.0
"""How many rows' worth of belief in equal weights: with ten rows it decides, with a thousand it is forgotten."""
SMALLEST = 1e-9


@dataclass(frozen=True)
class Blend:
    """`weight` (0-1) for the first of `MEMBERS`, the rest for the second."""

    weight: float
    first: Fitted
    second: Fitted

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        return pool(self.first.predict(rows), self.second.predict(rows), self.weight)

    def state(self) -> State:
        """Give both members' states and the weight."""
        parts = (self.first.state(), self.second.state())
        return nest(dict(zip(MEMBERS, parts, strict=True)), {"weight": self.weight})


def pool(first: Probabilities, second: Probabilities, weight: float) -> Probabilities:
    """Average two sets of probabilities as logarithms; rows of NaN stay NaN.

    Examples
    --------
    >>> pool(np.array([[0.8, 0.2]]), np.array([[0.2, 0.8]]), 0.5).round(3).tolist()
    [[0.5, 0.5]]
    """
    logs = weight * np.log(np.maximum(first, SMALLEST)) + (1 - weight) * np.log(np.maximum(second, SMALLEST))
    return softmax(logs)


def best_weight(codes: Index, first: Probabilities, second: Probabilities) -> float:
    """Give the weight of `first` (0 to 1, steps of 0.05) with the lowest log-loss; 0.5 where nothing was predicted.

    Few rows are drawn towards equal weights, by `PRIOR / n_rows` times the squared distance from 0.5.

    Examples
    --------
    A hundred rows on which the first is always right and the second always undecided:

    >>> sure, undecided = np.array([[0.9, 0.1], [0.1, 0.9]]), np.full((2, 2), 0.5)
    >>> best_weight(np.array([0, 1] * 50), np.tile(sure, (50, 1)), np.tile(undecided, (50, 1)))
    1.0
    """
    rows = np.flatnonzero(predicted_rows(first) & predicted_rows(second))
    if len(rows) == 0:
        return EQUAL
    losses = [log_loss(codes[rows], pool(first[rows], second[rows], w)) for w in GRID]
    return float(GRID[int(np.argmin(np.asarray(losses) + PRIOR / len(rows) * (GRID - EQUAL) ** 2))])


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose the weight; each fold is predicted with the weight that is best on the other folds."""
    first, second = (members[name] for name in MEMBERS)
    a, b = first.out_of_fold, second.out_of_fold
    out_of_fold = np.full(a.shape, np.nan)
    for fold in np.unique(task.folds):
        held = task.folds == fold
        weight = best_weight(task.codes[~held], a[~held], b[~held])
        out_of_fold[held] = pool(a[held], b[held], weight)
    weight = best_weight(task.codes, a, b)
    note = f"{weight:.0%} {MEMBERS[0]}, {1 - weight:.0%} {MEMBERS[1]}"
    return Model(Blend(weight, first, second), out_of_fold, (note,))


def load(state: State, classes: tuple[str, ...]) -> Fitted:
    """Restore both members."""
    loaders = (linear_probe.load, classic.load)
    first, second = (load(state.inner(name), classes) for name, load in zip(MEMBERS, loaders, strict=True))
    return restore(Blend(float(state.meta["weight"]), first, second), state, classes)
