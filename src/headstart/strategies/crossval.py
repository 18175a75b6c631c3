"""Choosing how strongly to shrink a logistic regression, by cross-validation, for dense and sparse rows alike.

What a fold learns (standardisation, idf, coefficients) comes from its training rows only. Strengths are walked from
strong to weak shrinkage, each fit starting from the last one, until the held-out loss has twice not fallen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.records import Index, Probabilities
from headstart.strategies import solver
from headstart.strategies.record import Task
from headstart.strategies.selection import Weights, balanced_weights, better_beyond_noise, is_imbalanced, log_loss

WORKERS = 2
"""Folds solved at the same time, each with one BLAS thread: on busy machines ten times faster than threaded BLAS."""
LEAST_GAIN = 0.002
"""A weaker shrinkage must lower the loss by this share: on a plateau the stronger one is kept."""
ABSENT = -1e9
"""Intercept of a class without training rows: its probability is exactly zero."""


class Encoding(Protocol):
    """Features fitted on some training rows."""

    @property
    def matrix(self) -> solver.Matrix:
        """The rows it was fitted on, (n_fitted, n_dims)."""

    def apply(self, rows: Index) -> solver.Matrix:
        """Other rows in the same coordinates, (n, n_dims)."""


Encode = Callable[[Index], Encoding]


@dataclass(frozen=True)
class Search:
    """Which strengths are tried.

    Parameters
    ----------
    strengths : tuple of float
        Ascending `C`; the two half-steps around the best are tried as well.
    fallback : float
        `C` where there are no folds to choose it on.
    one_fold : bool
        Choose on the first fold only (many values); every row still gets its out-of-fold prediction.
    """

    strengths: tuple[float, ...]
    fallback: float
    one_fold: bool = False


@dataclass(frozen=True)
class Choice:
    """What cross-validation chose, and every training row predicted by a fit that did not see it."""

    strength: float
    balanced: bool
    out_of_fold: Probabilities


@dataclass(frozen=True)
class Learnt:
    """A fit on all training rows with the chosen strength; `coefficients` has a column for every class."""

    encoding: Encoding
    coefficients: solver.Coefficients
    choice: Choice

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say."""
        weighted = ("rare classes weighted up",) if self.choice.balanced else ()
        return (f"C = {self.choice.strength:.3g}", *weighted)


class _Fit:
    """One growing path of fits on the same rows."""

    def __init__(self, matrix: solver.Matrix, codes: Index, n_classes: int) -> None:
        self.matrix, self.n_classes = matrix, n_classes
        self.present, self.local = np.unique(codes, return_inverse=True)
        self.begin(np.ones(len(codes)))

    def begin(self, weights: Weights) -> None:
        self.weights = weights
        self.current = np.zeros((self.matrix.shape[1] + 1, len(self.present)))

    def step(self, strength: float, tolerance: float) -> solver.Coefficients:
        if len(self.present) > 1:
            args = (self.matrix, self.local, strength, self.weights, self.current)
            self.current = solver.fit(*args, tolerance)
        full = np.zeros((len(self.current), self.n_classes))
        full[-1] = ABSENT
        full[:, self.present] = self.current
        return full


class _Fold:
    """A path of fits on the rows outside one fold, and that fold's rows."""

    def __init__(self, encode: Encode, task: Task, fold: int) -> None:
        self.inside, self.rows = np.flatnonzero(task.folds != fold), np.flatnonzero(task.folds == fold)
        encoding = encode(self.inside)
        self.held = encoding.apply(self.rows)
        self.fit = _Fit(encoding.matrix, task.codes[self.inside], len(task.classes))

    def predict(self, strength: float) -> Probabilities:
        return solver.softmax(solver.scores(self.held, self.fit.step(strength, solver.LOOSE)))


def _predict(folds: Sequence[_Fold], strength: float, shape: tuple[int, int]) -> Probabilities:
    """Predict the rows of the folds, two folds at a time."""
    probabilities = np.full(shape, np.nan)
    with ThreadPoolExecutor(WORKERS) as pool:
        for fold, found in zip(folds, pool.map(lambda fold: fold.predict(strength), folds), strict=True):
            probabilities[fold.rows] = found
    return probabilities


def _walk(folds: Sequence[_Fold], task: Task, weights: Weights, search: Search) -> tuple[float, Probabilities]:
    """Try the strengths; give the one with the lowest held-out loss, and its predictions."""
    shape = (len(task.codes), len(task.classes))
    better: list[bool] = []
    best = (np.inf, search.fallback, np.full(shape, np.nan))

    def attempt(strength: float) -> None:
        nonlocal best
        probabilities = _predict(folds, strength, shape)
        loss = log_loss(task.codes, probabilities, weights)
        better.append(loss < best[0] * (1 - LEAST_GAIN))
        if better[-1]:
            best = (loss, strength, probabilities)

    for fold in folds:
        fold.fit.begin(weights[fold.inside])
    for strength in search.strengths:
        attempt(strength)
        if len(better) > 2 and not any(better[-2:]):
            break
    centre, half_step = best[1], float(np.sqrt(search.strengths[1] / search.strengths[0]))
    attempt(centre * half_step)
    attempt(centre / half_step)
    return best[1], best[2]


def _weights(task: Task, balanced: bool) -> Weights:
    return balanced_weights(task.codes) if balanced else np.ones(len(task.codes))


class _Validation:
    """The folds of a task, encoded once for both ways of weighting classes."""

    def __init__(self, encode: Encode, task: Task, search: Search) -> None:
        self.encode, self.task, self.search = encode, task, search
        numbers = [int(fold) for fold in np.unique(task.folds)]
        cut = 1 if search.one_fold else len(numbers)
        searched = numbers[:cut] if len(numbers) > 1 else []
        with ThreadPoolExecutor(WORKERS) as pool:
            self.folds = list(pool.map(lambda number: _Fold(encode, task, number), searched))
        self.others = numbers[cut:] if len(numbers) > 1 else []

    def choose(self, balanced: bool) -> Choice:
        """Choose the strength for one way of weighting; `out_of_fold` has NaN for the folds left for `complete`."""
        if not self.folds:
            shape = (len(self.task.codes), len(self.task.classes))
            return Choice(self.search.fallback, balanced, np.full(shape, np.nan))
        strength, probabilities = _walk(self.folds, self.task, _weights(self.task, balanced), self.search)
        return Choice(strength, balanced, probabilities)

    def complete(self, choice: Choice) -> Choice:
        """Predict the rows of the folds that were not searched."""
        self.folds.clear()  # Frees their matrices before the others are made.
        probabilities, weights = choice.out_of_fold.copy(), _weights(self.task, choice.balanced)
        for number in self.others:
            fold = _Fold(self.encode, self.task, number)
            fold.fit.begin(weights[fold.inside])
            probabilities[fold.rows] = fold.predict(choice.strength)
        return Choice(choice.strength, choice.balanced, probabilities)


def _choose(encode: Encode, task: Task, search: Search) -> Choice:
    validation = _Validation(encode, task, search)
    choice = validation.choose(task.balance == "on")
    if task.balance == "auto" and is_imbalanced(task.codes):
        other = validation.choose(True)
        if better_beyond_noise(task.codes, other.out_of_fold, choice.out_of_fold, task.seed):
            choice = other
    return validation.complete(choice)


def learn(encode: Encode, task: Task, search: Search) -> Learnt:
    """Choose strength and class weights by cross-validation, then fit on all rows.

    Parameters
    ----------
    encode : (row numbers) -> Encoding
        Fits the features on those rows.
    task : Task
        `balance` "auto" weights classes only where they are imbalanced and it helps beyond noise.
    search : Search

    Returns
    -------
    Learnt
    """
    with threadpool_limits(1, user_api="blas"):
        choice = _choose(encode, task, search)
        encoding = encode(np.arange(len(task.codes)))
        fit = _Fit(encoding.matrix, task.codes, len(task.classes))
        fit.begin(_weights(task, choice.balanced))
        coefficients = fit.step(choice.strength, solver.TIGHT)
    return Learnt(encoding, coefficients, choice)
