"""Ridge regression on class indicators, its strength chosen by the folds, its scores turned into probabilities.

The usual partner of random convolutions (Dempster, Schmidt and Webb 2021): thousands of columns, few rows, one Cholesky
factorisation a strength of the smaller of the two Gram matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from headstart.records import FloatMatrix, Index, Probabilities
from headstart.strategies.linear import Head, Standard
from headstart.strategies.record import Task
from headstart.strategies.selection import (
    Weights,
    balanced_weights,
    better_beyond_noise,
    is_imbalanced,
    log_loss,
    predicted_rows,
)
from headstart.strategies.solver import softmax

Floats = NDArray[np.float64]
STRENGTHS = tuple(float(value) for value in np.logspace(-5, 1, 13))
"""Penalty as a share of the mean squared length of a standardised row."""
FALLBACK = 0.01
CLOSE = 0.005
"""The largest penalty with a loss within this share of the lowest is taken."""
TEMPERATURES = np.logspace(-2, 1.5, 71)
MANY_ROWS = 2_600


class _Ridge:
    """Standardised rows and their Gram matrix, ready to be solved for several penalties."""

    def __init__(self, features: FloatMatrix, rows: Index, codes: Index, weights: Weights, n_classes: int) -> None:
        self.features, self.standard = features, Standard.of(features, rows)
        self.root = np.sqrt(weights)[:, None].astype(np.float32)
        plain = self.standard.apply(features, rows, None)
        self.shift = np.average(plain, axis=0, weights=weights)
        targets = np.eye(n_classes)[codes]
        self.mean = np.average(targets, axis=0, weights=weights)
        self.matrix = (plain - self.shift.astype(np.float32)) * self.root
        self.targets = (targets - self.mean) * self.root
        self.dual = self.matrix.shape[0] <= self.matrix.shape[1]
        gram = self.matrix @ self.matrix.T if self.dual else self.matrix.T @ self.matrix
        self.gram = gram.astype(np.float64)
        self.unit = max(float(np.einsum("ij,ij->", self.matrix, self.matrix)) / len(rows), 1e-9)

    def solve(self, strength: float) -> Floats:
        """Solve for one penalty: weights of the fitted rows (n_rows, n_classes) if `dual`, else of the columns."""
        damped = self.gram.copy()
        damped.flat[:: len(damped) + 1] += strength * self.unit
        right = self.targets if self.dual else self.matrix.T @ self.targets.astype(np.float32)
        try:
            return np.asarray(cho_solve(cho_factor(damped, lower=True, overwrite_a=True), right))
        except LinAlgError:  # The penalty is below the rounding of the Gram matrix.
            return np.zeros(right.shape)

    def crossed(self, rows: Index) -> FloatMatrix:
        """Prepare other rows: (n, n_fitted) or (n, n_dims), to be multiplied with what `solve` gives."""
        plain = self.standard.apply(self.features, rows, None) - self.shift.astype(np.float32)
        return np.asarray(plain @ self.matrix.T if self.dual else plain)

    def scores(self, crossed: FloatMatrix, solved: Floats) -> Floats:
        """Give the scores (n, n_classes) of prepared rows."""
        return np.asarray(crossed @ solved.astype(np.float32) + self.mean, dtype=np.float64)

    def head(self, solved: Floats, temperature: float) -> Head:
        """Express a solution for raw features, divided by the temperature."""
        coefficients = self.matrix.T @ solved.astype(np.float32) if self.dual else solved
        scaled = coefficients * self.standard.inverse[:, None] / temperature
        intercept = (self.mean - self.shift @ coefficients) / temperature
        return Head(self.standard.centre, scaled.astype(np.float32), intercept.astype(np.float32))


def best_temperature(codes: Index, scores: Floats) -> float:
    """Give the temperature with the lowest log-loss of `softmax(scores / temperature)`; rows of NaN are left out.

    The targets are smoothed by one row in two more than a class has (Platt 2000): few rows, however well separated, do
    not make a model certain.
    """
    rows = np.flatnonzero(predicted_rows(scores))
    if len(rows) == 0:
        return 0.1
    n_classes = scores.shape[1]
    share = 1 / (len(rows) / n_classes + 2)
    targets = (1 - share) * np.eye(n_classes)[codes[rows]] + share / n_classes
    losses = [_cross_entropy(targets, scores[rows] / heat) for heat in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _cross_entropy(targets: Floats, scores: Floats) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -float(np.mean(np.sum(targets * logs, axis=1)))


@dataclass(frozen=True)
class Choice:
    """Penalty, class weighting, held-out scores (NaN where there are none) and their loss at the best temperature."""

    strength: float
    balanced: bool
    scores: Floats
    loss: float


def _weights(task: Task, balanced: bool) -> Weights:
    return balanced_weights(task.codes) if balanced else np.ones(len(task.codes))


def _fold(features: FloatMatrix, task: Task, weights: Weights, fold: int) -> tuple[_Ridge, Index]:
    inside, held = np.flatnonzero(task.folds != fold), np.flatnonzero(task.folds == fold)
    return _Ridge(features, inside, task.codes[inside], weights[inside], len(task.classes)), held


def _choose(features: FloatMatrix, task: Task, balanced: bool) -> Choice:
    """Try all penalties on the folds (on the first only where there are many rows)."""
    weights, numbers = _weights(task, balanced), [int(fold) for fold in np.unique(task.folds)]
    n_classes = len(task.classes)
    if len(numbers) < 2:
        return Choice(FALLBACK, balanced, np.full((len(task.codes), n_classes), np.nan), np.nan)
    searched = numbers[:1] if len(task.codes) > MANY_ROWS else numbers
    scores = {strength: np.full((len(task.codes), n_classes), np.nan) for strength in STRENGTHS}
    for number in searched:
        ridge, held = _fold(features, task, weights, number)
        crossed = ridge.crossed(held)
        for strength, table in scores.items():
            table[held] = ridge.scores(crossed, ridge.solve(strength))
    losses = {strength: _loss(task, table) for strength, table in scores.items()}
    lowest = min(losses.values())
    best = max(strength for strength, loss in losses.items() if loss <= lowest * (1 + CLOSE))
    for number in numbers[len(searched) :]:
        ridge, held = _fold(features, task, weights, number)
        scores[best][held] = ridge.scores(ridge.crossed(held), ridge.solve(best))
    return Choice(best, balanced, scores[best], losses[best])


def _loss(task: Task, scores: Floats) -> float:
    return log_loss(task.codes, softmax(scores / best_temperature(task.codes, scores)))


def _out_of_fold(task: Task, scores: Floats) -> Probabilities:
    """Turn held-out scores into probabilities, each fold with the temperature of the others."""
    made = np.full(scores.shape, np.nan)
    for fold in np.unique(task.folds):
        held = task.folds == fold
        made[held] = softmax(scores[held] / best_temperature(task.codes[~held], scores[~held]))
    return made


def fit_ridge(features: FloatMatrix, task: Task) -> tuple[Head, Probabilities, tuple[str, ...]]:
    """Fit ridge regression on class indicators; everything chosen on the folds.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    task : Task

    Returns
    -------
    Head
        Its softmax gives the probabilities.
    Probabilities
        Out-of-fold.
    tuple of str
        Notes.
    """
    with threadpool_limits(2, user_api="blas"):
        choice = _choose(features, task, task.balance == "on")
        if task.balance == "auto" and is_imbalanced(task.codes):
            other = _choose(features, task, True)
            if better_beyond_noise(task.codes, softmax(other.scores), softmax(choice.scores), task.seed):
                choice = other
        weights, rows = _weights(task, choice.balanced), np.arange(len(task.codes))
        ridge = _Ridge(features, rows, task.codes, weights, len(task.classes))
        head = ridge.head(ridge.solve(choice.strength), best_temperature(task.codes, choice.scores))
    weighted = ("rare classes weighted up",) if choice.balanced else ()
    return head, _out_of_fold(task, choice.scores), (f"ridge penalty {choice.strength:.3g}", *weighted)
