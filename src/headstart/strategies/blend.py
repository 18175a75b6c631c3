"""`blend`: the better probe and the classic model together, with a weight chosen by cross-validation.

The two are averaged as logarithms (a logarithmic opinion pool, Genest and Zidek 1986), so that either can veto a class.
The weight is the one with the lowest out-of-fold log-loss: a smooth measure, where accuracy on a few hundred rows would
pick by chance. Whether the blend is then used at all is decided by the selection score, like for every strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.records import Index, Probabilities, State, nest
from headstart.strategies import classic, linear_probe, multi_stage_probe
from headstart.strategies.model import Model, restore
from headstart.strategies.record import Fitted, Rows, Skipped, Task
from headstart.strategies.selection import log_loss, predicted_rows
from headstart.strategies.solver import softmax

PROBES, OTHER = ("linear-probe", "multi-stage-probe"), "classic"
GRID = np.linspace(0, 1, 21)
EQUAL = 0.5
PRIOR = 4.0
"""How many rows' worth of belief in equal weights: with ten rows it decides, with a thousand it is forgotten."""
SMALLEST = 1e-9


@dataclass(frozen=True)
class Blend:
    """`weight` (0-1) for the probe called `name`, the rest for `classic`."""

    name: str
    weight: float
    first: Fitted
    second: Fitted

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        return pool(self.first.predict(rows), self.second.predict(rows), self.weight)

    def state(self) -> State:
        """Give both members' states, the probe's name and the weight."""
        parts = {self.name: self.first.state(), OTHER: self.second.state()}
        return nest(parts, {"probe": self.name, "weight": self.weight})


def pool(first: Probabilities, second: Probabilities, weight: float) -> Probabilities:
    """Average two sets of probabilities as logarithms; rows of NaN stay NaN.

    Examples
    --------
    >>> pool(np.array([[0.8, 0.2]]), np.array([[0.2, 0.8]]), 0.5).round(3).tolist()
    [[0.5, 0.5]]
    """
    logs = weight * np.log(np.maximum(first, SMALLEST)) + (1 - weight) * np.log(np.maximum(second, SMALLEST))
    return softmax(logs)


def best_weight(codes: Index, first: Probabilities, second: Probabilities) -> tuple[float, float]:
    """Give the weight of `first` (0 to 1, steps of 0.05) with the lowest log-loss, and that loss.

    Few rows are drawn towards equal weights, by `PRIOR / n_rows` times the squared distance from 0.5.

    Examples
    --------
    A hundred rows on which the first is always right and the second always undecided:

    >>> sure, undecided = np.array([[0.9, 0.1], [0.1, 0.9]]), np.full((2, 2), 0.5)
    >>> best_weight(np.array([0, 1] * 50), np.tile(sure, (50, 1)), np.tile(undecided, (50, 1)))[0]
    1.0
    """
    rows = np.flatnonzero(predicted_rows(first) & predicted_rows(second))
    if len(rows) == 0:
        return EQUAL, np.inf
    losses = [log_loss(codes[rows], pool(first[rows], second[rows], w)) for w in GRID]
    drawn = np.asarray(losses) + PRIOR / len(rows) * (GRID - EQUAL) ** 2
    best = int(np.argmin(drawn))
    return float(GRID[best]), float(drawn[best])


def _choice(task: Task, held: Mapping[str, Probabilities], rows: Index) -> tuple[str, float]:
    """Choose the probe and its weight on some rows."""
    found = {
        name: best_weight(task.codes[rows], held[name][rows], held[OTHER][rows]) for name in PROBES if name in held
    }
    best = min(found, key=lambda name: found[name][1])
    return best, found[best][0]


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose probe and weight; each fold is predicted with those that are best on the other folds.

    Raises
    ------
    Skipped
        If there are not both a probe and the classic model.
    """
    if OTHER not in members or not any(name in members for name in PROBES):
        raise Skipped(f"it needs {OTHER} and a probe")
    held = {name: fitted.out_of_fold for name, fitted in members.items()}
    out_of_fold = np.full(held[OTHER].shape, np.nan)
    for fold in np.unique(task.folds):
        inside = task.folds == fold
        name, weight = _choice(task, held, np.flatnonzero(~inside))
        out_of_fold[inside] = pool(held[name][inside], held[OTHER][inside], weight)
    name, weight = _choice(task, held, np.arange(len(task.codes)))
    note = f"{weight:.0%} {name}, {1 - weight:.0%} {OTHER}"
    return Model(Blend(name, weight, members[name], members[OTHER]), out_of_fold, (note,))


LOADERS = {"linear-probe": linear_probe.load, "multi-stage-probe": multi_stage_probe.load}


def load(state: State, classes: tuple[str, ...]) -> Fitted:
    """Restore both members."""
    name = state.meta["probe"]
    first, second = LOADERS[name](state.inner(name), classes), classic.load(state.inner(OTHER), classes)
    return restore(Blend(name, float(state.meta["weight"]), first, second), state, classes)
