"""Ridge regression on class indicators, labels or numbers, its strength chosen by the folds.

The usual partner of random convolutions (Dempster, Schmidt and Webb 2021): thousands of columns, few rows, one Cholesky
factorisation a strength of the smaller of the two Gram matrices. Scores of classes and labels become probabilities by a
temperature (`headstart.strategies.linear.temperature`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import WORKERS, climb_strengths
from headstart.strategies.linear.head import Head, Standardizer
from headstart.strategies.linear.links import LINK_OF, LINKS, logit
from headstart.strategies.linear.temperature import find_class_temperature, find_label_temperature
from headstart.strategies.record import CostForecast, Task
from headstart.strategies.scoring import (
    OBJECTIVES,
    Weights,
    compute_balanced_weights,
    is_better_beyond_noise,
    is_imbalanced,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _RidgeTargets:
    """Targets of one kind of task as a regression, and its outputs from centred scores.

    `linked_scores(scores, mean, temperature)` is what the link turns into outputs; `mean` is of the fitted targets.
    """

    targets: Callable[[Task], Floats]
    temperature: Callable[[Task, Index, Floats, Floats], float]
    linked_scores: Callable[[Floats, Floats, float], Floats]


def _truth(task: Task) -> FloatMatrix:
    assert task.truth is not None, f"a {task.kind} task comes without its truth"
    return task.truth


def _frequency_logit(mean: Floats) -> Floats:
    return logit(mean, 1e-4)


_CLASSES = _RidgeTargets(
    lambda task: np.eye(len(task.classes))[task.codes],
    lambda task, rows, scores, mean: find_class_temperature(task.codes[rows], (scores + mean)[rows]),
    lambda scores, mean, temperature: (scores + mean) / temperature,
)
_LABELS = _RidgeTargets(
    lambda task: _truth(task).astype(np.float64),
    lambda task, rows, scores, mean: find_label_temperature(
        _truth(task)[rows], scores[rows], _frequency_logit(mean[rows])
    ),
    lambda scores, mean, temperature: scores / temperature + _frequency_logit(mean),
)
_NUMBERS = _RidgeTargets(
    lambda task: _truth(task).astype(np.float64),
    lambda task, rows, scores, mean: 1.0,
    lambda scores, mean, temperature: scores + mean,
)
RIDGE_TARGETS = {"classification": _CLASSES, "ordinal": _CLASSES, "multi-label": _LABELS, "regression": _NUMBERS}


class _Ridge:
    """Standardised rows and their Gram matrix, ready to be solved for several penalties."""

    def __init__(self, features: FloatMatrix, rows: Index, targets: Floats, weights: Weights) -> None:
        self.features, self.standard = features, Standardizer.fit(features, rows, floor=0.0)
        self.root = np.sqrt(weights)[:, None].astype(np.float32)
        plain = self.standard.apply(features, rows, None)
        self.shift = np.average(plain, axis=0, weights=weights)
        self.mean = np.average(targets, axis=0, weights=weights)
        self.matrix = (plain - self.shift.astype(np.float32)) * self.root
        self.targets = (targets - self.mean) * self.root
        self.dual = self.matrix.shape[0] <= self.matrix.shape[1]
        gram = self.matrix @ self.matrix.T if self.dual else self.matrix.T @ self.matrix
        self.gram = gram.astype(np.float64)
        self.right = self.targets if self.dual else self.matrix.T @ self.targets.astype(np.float32)
        self.unit = max(float(np.einsum("ij,ij->", self.matrix, self.matrix)) / len(rows), 1e-9)

    def solve(self, strength: float) -> Floats:
        """Solve for one penalty: weights of the fitted rows (n_rows, n_outputs) if `dual`, else of the columns."""
        damped = self.gram.copy()
        damped.flat[:: len(damped) + 1] += strength * self.unit
        try:
            return np.asarray(cho_solve(cho_factor(damped, lower=True, overwrite_a=True), self.right))
        except LinAlgError:  # The penalty is below the rounding of the Gram matrix.
            return np.zeros(self.right.shape)

    def cross_rows(self, rows: Index) -> FloatMatrix:
        """Prepare other rows: (n, n_fitted) or (n, n_dims), to be multiplied with what `solve` gives."""
        plain = self.standard.apply(self.features, rows, None) - self.shift.astype(np.float32)
        return np.asarray(plain @ self.matrix.T if self.dual else plain)

    def scores(self, crossed: FloatMatrix, solved: Floats) -> Floats:
        """Return the scores (n, n_outputs) of prepared rows, without the targets' mean."""
        return np.asarray(crossed @ solved.astype(np.float32), dtype=np.float64)

    def head(self, solved: Floats, temperature: float, kind: str) -> Head:
        """Express a solution for raw features, divided by the temperature."""
        coefficients = self.matrix.T @ solved.astype(np.float32) if self.dual else solved
        scaled = coefficients * self.standard.inverse[:, None] / temperature
        intercept = RIDGE_TARGETS[kind].linked_scores(-self.shift @ coefficients, self.mean, temperature)
        return Head(self.standard.centre, scaled.astype(np.float32), intercept.astype(np.float32), LINK_OF[kind])


@dataclass(frozen=True)
class HeldOutScores:
    """Held-out scores and the mean of the targets that they were fitted on; both (n_rows, n_outputs), NaN if none."""

    scores: Floats
    means: Floats

    @classmethod
    def empty(cls, task: Task) -> HeldOutScores:
        """Return tables of NaN."""
        shape = (len(task.codes), len(task.classes))
        return cls(np.full(shape, np.nan), np.full(shape, np.nan))

    def outputs(self, task: Task, rows: Index, temperature_rows: Index) -> Probabilities:
        """Return the outputs of `rows` with the temperature that is best on `temperature_rows`."""
        temperature = self.temperature(task, temperature_rows)
        return LINKS[LINK_OF[task.kind]](
            RIDGE_TARGETS[task.kind].linked_scores(self.scores[rows], self.means[rows], temperature)
        )

    def temperature(self, task: Task, rows: Index) -> float:
        """Return the temperature that is best on some rows."""
        return RIDGE_TARGETS[task.kind].temperature(task, rows, self.scores, self.means)


@dataclass(frozen=True)
class RidgeChoice:
    """Penalty, class weighting, and what was held out."""

    strength: float
    balanced: bool
    held: HeldOutScores


def _weights(task: Task, balanced: bool) -> Weights:
    return compute_balanced_weights(task.codes) if balanced else np.ones(len(task.codes))


class _RidgeFold:
    """Ridge regression on the rows outside one fold, and that fold's rows."""

    def __init__(self, features: FloatMatrix, task: Task, weights: Weights, number: int) -> None:
        inside, self.rows = np.flatnonzero(task.folds != number), np.flatnonzero(task.folds == number)
        self.ridge = _Ridge(features, inside, RIDGE_TARGETS[task.kind].targets(task)[inside], weights[inside])
        self.crossed_rows = self.ridge.cross_rows(self.rows)
        del self.ridge.matrix  # Only the Gram matrix is needed from here on.

    def fill(self, held: HeldOutScores, strength: float) -> None:
        """Predict the fold's rows."""
        held.scores[self.rows] = self.ridge.scores(self.crossed_rows, self.ridge.solve(strength))
        held.means[self.rows] = self.ridge.mean


def _choose(features: FloatMatrix, task: Task, balanced: bool) -> RidgeChoice:
    """Choose the penalty on the folds (on the first only where there are many rows)."""
    weights, numbers = _weights(task, balanced), list_held_out_folds(task.folds)
    if len(numbers) < 2:
        return RidgeChoice(LINEAR_CONFIG.default_penalty, balanced, HeldOutScores.empty(task))
    many = len(task.codes) > LINEAR_CONFIG.many_rows_of_ridge
    tables: dict[float, HeldOutScores] = {}
    with ThreadPoolExecutor(1 if many else WORKERS) as pool:

        def make_fold(number: int) -> _RidgeFold:
            return _RidgeFold(features, task, weights, number)

        folds = list(pool.map(make_fold, numbers[: 1 if many else None]))

        @cache
        def attempt(strength: float) -> float:
            tables[strength] = HeldOutScores.empty(task)
            list(pool.map(lambda fold: fold.fill(tables[strength], strength), folds))
            return _loss(task, tables[strength])

        best = climb_strengths(attempt, LINEAR_CONFIG.penalties[::-1], LINEAR_CONFIG.default_penalty)
        folds.clear()
        list(pool.map(lambda number: make_fold(number).fill(tables[best], best), numbers[1:] if many else []))
    return RidgeChoice(best, balanced, tables[best])


def _loss(task: Task, held: HeldOutScores) -> float:
    every = np.arange(len(task.codes))
    return float(np.nanmean(OBJECTIVES[task.kind].losses(task, held.outputs(task, every, every))))


def _out_of_fold(task: Task, held: HeldOutScores) -> Probabilities:
    """Turn held-out scores into outputs, each fold with the temperature of the others."""
    outputs = np.full(held.scores.shape, np.nan)
    for fold in list_held_out_folds(task.folds):
        rows, others = np.flatnonzero(task.folds == fold), np.flatnonzero(task.folds != fold)
        outputs[rows] = held.outputs(task, rows, others)
    return outputs


def fit_ridge(features: FloatMatrix, task: Task) -> tuple[Head, Probabilities, tuple[str, ...]]:
    """Fit ridge regression on class indicators, labels or numbers; everything chosen on the folds.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    task : Task

    Returns
    -------
    Head
        Its link gives the outputs.
    Probabilities
        Out-of-fold outputs.
    tuple of str
        Notes.
    """
    single, rows = LINK_OF[task.kind] == "softmax", np.arange(len(task.codes))
    with threadpool_limits(WORKERS if len(rows) > LINEAR_CONFIG.many_rows_of_ridge else 1, user_api="blas"):
        choice = _choose(features, task, single and task.balance == "on")
        if single and task.balance == "auto" and is_imbalanced(task.codes):
            other = _choose(features, task, True)
            first, second = ((item.held.scores + item.held.means) for item in (other, choice))
            if is_better_beyond_noise(task.codes, first, second, task.seed):
                choice = other
        ridge = _Ridge(features, rows, RIDGE_TARGETS[task.kind].targets(task), _weights(task, choice.balanced))
        temperature = choice.held.temperature(task, rows)
        head = ridge.head(ridge.solve(choice.strength), temperature, task.kind)
    weighted = ("rare classes weighted up",) if choice.balanced else ()
    return head, _out_of_fold(task, choice.held), (f"ridge penalty {choice.strength:.3g}", *weighted)


def forecast_ridge(n_rows: int, n_dims: int, task: Task) -> CostForecast:
    """Forecast what `fit_ridge` costs, from one fold of random features.

    Parameters
    ----------
    n_rows, n_dims : int
    task : Task
    """
    sample = cost_model.draw_timing_rows(n_rows, n_dims, len(task.classes))
    features = np.random.default_rng(0).standard_normal((len(sample), n_dims), dtype=np.float32)
    timed = replace(task.take(sample), folds=np.arange(len(sample)) % cost_model.SAMPLE_FOLDS)
    clock = cost_model.thread_clock()
    with threadpool_limits(1, user_api="blas"):
        began = clock()
        fold = _RidgeFold(features, timed, np.ones(len(sample)), 1)
        prepared = clock()
        fold.fill(HeldOutScores.empty(timed), LINEAR_CONFIG.default_penalty)
        solved = clock()
    n_folds, n_timed = len(list_held_out_folds(task.folds)), np.count_nonzero(timed.folds != 1)
    n_inside = n_rows * max(1, n_folds - 1) / max(1, n_folds)
    rank = min(n_rows, n_dims)
    wider = rank / min(int(n_timed), n_dims)
    searches, n_searched = (
        1 + cost_model.has_second_search(task),
        1 if n_rows > LINEAR_CONFIG.many_rows_of_ridge else n_folds,
    )
    n_prepared = cost_model.count_turns(n_folds) + 1
    n_solved = cost_model.count_turns(n_searched) * cost_model.ATTEMPTS + n_folds - n_searched + 1
    preparing = (prepared - began) * n_inside / n_timed * wider * n_prepared
    held = cost_model.ATTEMPTS * 16 * n_rows * len(task.classes)
    memory = 4.0 * n_rows * n_dims * 2.5 + 20.0 * rank**2 + held
    return CostForecast(max(1e-9, searches * (preparing + (solved - prepared) * wider**3 * n_solved)), memory)
