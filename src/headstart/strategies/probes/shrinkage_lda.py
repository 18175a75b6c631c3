"""`shrinkage-lda`: each class is a cloud around its mean, all of one shape; strong with very few labels.

Shrinkage, the length of rows and how sure to be are chosen by cross-validation, everything else in closed form: one
pass over the rows for each fold, never a matrix of rows by rows where there are many.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headstart.records import TRAINING_ONLY, FittedState, FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.fitted import Model, restore
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.cross_validation import WORKERS, climb, empty, n_searched
from headstart.strategies.linear.head import FEW_ROWS
from headstart.strategies.linear.lda import GaussianHead, Gaussians, Moments, Space
from headstart.strategies.linear.links import softmax
from headstart.strategies.linear.temperature import class_temperature, thinned
from headstart.strategies.record import Fitted, Forecast, Rows, Task
from headstart.strategies.selection import better_beyond_noise, is_imbalanced, log_loss

SHRINKAGES = (1.0, 0.9, 0.6, 0.3, 0.1, 0.03, 0.01, 0.003)
START = 0.3
HEATS = np.logspace(-0.5, 4, 71)
Floats = NDArray[np.float64]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class CloudModel:
    """A head on `rows.features`."""

    head: GaussianHead

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.head.predict(rows.features.final)

    def state(self) -> FittedState:
        """Give the head's arrays."""
        return self.head.state()


class _Folds:
    """Clouds of the rows outside each fold, for one length of rows; few rows are standardised by each fold's own."""

    def __init__(self, features: FloatMatrix, space: Space, task: Task, unit: bool) -> None:
        self.task, self.unit = task, unit
        self.numbers = list_held_out_folds(task.folds)
        self.rows = {number: np.flatnonzero(task.folds == number) for number in self.numbers}
        matrix = space.rows(unit)
        parts = {number: self._moments(matrix, rows) for number, rows in self.rows.items()}
        always = np.flatnonzero(task.folds == TRAINING_ONLY)
        together = reduce(Moments.plus, [*parts.values(), *([self._moments(matrix, always)] if len(always) else [])])
        self.clouds = Gaussians(together)
        if len(self.numbers) < 2:
            return
        if len(task.codes) <= FEW_ROWS:
            self.outside = {number: self._exact(features, number) for number in self.numbers}
        else:
            self.outside = {
                number: (Gaussians(together.plus(part, -1.0)), matrix[self.rows[number]])
                for number, part in parts.items()
            }

    def _moments(self, matrix: FloatMatrix, rows: Index) -> Moments:
        return Moments.of(matrix[rows], self.task.codes[rows], len(self.task.classes))

    def _exact(self, features: FloatMatrix, number: int) -> tuple[Gaussians, FloatMatrix]:
        outside = np.flatnonzero(self.task.folds != number)
        matrix = Space(features, outside).rows(self.unit)
        return Gaussians(self._moments(matrix, outside)), matrix[self.rows[number]]

    def scores(self, number: int, shrinkage: float) -> Scores:
        """Score the rows of one fold by clouds that did not see them."""
        clouds, held = self.outside[number]
        return clouds.scores(held, clouds.solve(shrinkage))

    def held_out(self, shrinkage: float) -> Scores:
        """Score every row by clouds that did not see it (n_rows, n_classes)."""
        table = np.full((len(self.task.codes), len(self.task.classes)), np.nan, dtype=np.float32)
        for number in self.numbers if len(self.numbers) > 1 else []:
            table[self.rows[number]] = self.scores(number, shrinkage)
        return table


@dataclass(frozen=True)
class Choice:
    """Clouds for one length of rows, the shrinkage, and its log-loss on the searched folds."""

    folds: _Folds
    shrinkage: float
    loss: float


def _log_shares(task: Task) -> Floats:
    """Logarithms of the classes' shares, or the same for all where rare classes are to be weighted up."""
    counts = np.maximum(np.bincount(task.codes, minlength=len(task.classes)), 1)
    shares = np.ones(len(counts)) if task.balance == "on" else counts
    return np.asarray(np.log(shares / shares.sum()))


def _search(folds: _Folds) -> Choice:
    """Choose the shrinkage for one length of rows, on as many folds as hold out enough rows."""
    if len(folds.numbers) < 2:
        return Choice(folds, START, -float(folds.unit))
    numbers = folds.numbers[: n_searched(folds.task, folds.numbers)]
    base, truth = _log_shares(folds.task), np.concatenate([folds.task.codes[folds.rows[number]] for number in numbers])
    with ThreadPoolExecutor(WORKERS) as pool:

        @cache
        def attempt(shrinkage: float) -> float:
            scores = np.concatenate(list(pool.map(lambda number: folds.scores(number, shrinkage), numbers)))
            return log_loss(truth, softmax(scores / class_temperature(truth, scores, base, HEATS) + base))

        best = climb(attempt, SHRINKAGES, START)
    return Choice(folds, best, attempt(best))


def _out_of_fold(task: Task, scores: Scores) -> Probabilities:
    """Turn held-out scores into probabilities, each fold with the temperature of the others."""
    made, base = empty(scores.shape), _log_shares(task)
    for number in list_held_out_folds(task.folds):
        rows, others = np.flatnonzero(task.folds == number), np.flatnonzero(task.folds != number)
        others = thinned(others, scores.shape[1])
        made[rows] = softmax(scores[rows] / class_temperature(task.codes[others], scores[others], base, HEATS) + base)
    return made


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose on the folds, then take means and covariance of all rows."""
    assert rows.features is not None, "rows come without features"
    features = np.ascontiguousarray(rows.features.final, dtype=np.float32)
    with threadpool_limits(1, user_api="blas"):
        space = Space(features, np.arange(len(features)))
        choice = _search(_Folds(features, space, task, False))
        choice = min(choice, _search(_Folds(features, space, task, True)), key=lambda one: one.loss)
        scores = choice.folds.held_out(choice.shrinkage)
        solved = choice.folds.clouds.solve(choice.shrinkage)
    out_of_fold = _out_of_fold(task, scores)
    if task.balance == "auto" and is_imbalanced(task.codes):
        even = replace(task, balance="on")
        other = _out_of_fold(even, scores)
        if better_beyond_noise(task.codes, other, out_of_fold, task.seed):
            task, out_of_fold = even, other
    every, base = thinned(np.arange(len(task.codes)), len(task.classes)), _log_shares(task)
    if not np.isfinite(scores).any():  # Nothing was held out: smoothed targets keep the model from being certain.
        scores = choice.folds.clouds.scores(space.rows(choice.folds.unit), solved)
    heat = class_temperature(task.codes[every], scores[every], base, HEATS)
    head = space.head(solved, choice.folds.unit, heat, base)
    return Model(CloudModel(head), out_of_fold, _notes(choice, task))


def _notes(choice: Choice, task: Task) -> tuple[str, ...]:
    unit = ("rows of length one",) if choice.folds.unit else ()
    weighted = ("rare classes weighted up",) if task.balance == "on" else ()
    return (f"shrinkage {choice.shrinkage:.3g}", *unit, *weighted)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Say what `fit` will cost."""
    assert rows.features is not None, "rows come without features"
    return cost_model.clouds(len(rows), rows.features.final.shape[1], task)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore(CloudModel(GaussianHead.load(state)), state, classes)
