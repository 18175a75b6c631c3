"""`shrinkage-lda`: Gaussian classes with one shared, shrunk covariance; strong with very few labels.

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

from headstart.fitted_state import FittedState
from headstart.records import TRAINING_ONLY, FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import (
    WORKERS,
    climb_strengths,
    count_searched_folds,
    make_empty_outputs,
)
from headstart.strategies.linear.lda import ClassGaussians, ClassMoments, GaussianHead, SpannedRows
from headstart.strategies.linear.links import softmax
from headstart.strategies.linear.temperature import find_class_temperature, thin_rows
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task
from headstart.strategies.scoring import is_better_beyond_noise, is_imbalanced, log_loss

TEMPERATURES = np.logspace(-0.5, 4, 71)
Floats = NDArray[np.float64]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class LdaModel:
    """A head on `rows.features`."""

    head: GaussianHead

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.head.predict(rows.features.final)

    def state(self) -> FittedState:
        """Return the head's arrays."""
        return self.head.state()


class _LdaFolds:
    """Clouds of the rows outside each fold, for one length of rows; few rows are standardised by each fold's own."""

    def __init__(self, features: FloatMatrix, space: SpannedRows, task: Task, unit: bool) -> None:
        self.task, self.unit = task, unit
        self.numbers = list_held_out_folds(task.folds)
        self.rows = {number: np.flatnonzero(task.folds == number) for number in self.numbers}
        matrix = space.select_rows(unit)
        parts = {number: self._measure_moments(matrix, rows) for number, rows in self.rows.items()}
        always = np.flatnonzero(task.folds == TRAINING_ONLY)
        together = reduce(
            ClassMoments.plus, [*parts.values(), *([self._measure_moments(matrix, always)] if len(always) else [])]
        )
        self.gaussians = ClassGaussians(together)
        if len(self.numbers) < 2:
            return
        if len(task.codes) <= LINEAR_CONFIG.few_rows:
            self.outside = {number: self._fit_without_fold(features, number) for number in self.numbers}
        else:
            self.outside = {
                number: (ClassGaussians(together.plus(part, -1.0)), matrix[self.rows[number]])
                for number, part in parts.items()
            }

    def _measure_moments(self, matrix: FloatMatrix, rows: Index) -> ClassMoments:
        return ClassMoments.measure(matrix[rows], self.task.codes[rows], len(self.task.classes))

    def _fit_without_fold(self, features: FloatMatrix, number: int) -> tuple[ClassGaussians, FloatMatrix]:
        outside = np.flatnonzero(self.task.folds != number)
        matrix = SpannedRows(features, outside).select_rows(self.unit)
        return ClassGaussians(self._measure_moments(matrix, outside)), matrix[self.rows[number]]

    def score_fold(self, number: int, shrinkage: float) -> Scores:
        """Return the scores of one fold's rows by classes fitted without them."""
        gaussians, held_out_rows = self.outside[number]
        return gaussians.scores(held_out_rows, gaussians.solve(shrinkage))

    def score_held_out_rows(self, shrinkage: float) -> Scores:
        """Return the scores of every row by classes fitted without it (n_rows, n_classes)."""
        table = np.full((len(self.task.codes), len(self.task.classes)), np.nan, dtype=np.float32)
        for number in self.numbers if len(self.numbers) > 1 else []:
            table[self.rows[number]] = self.score_fold(number, shrinkage)
        return table


@dataclass(frozen=True)
class ShrinkageChoice:
    """Folds for one length of rows, the shrinkage, and its log-loss on the searched folds."""

    folds: _LdaFolds
    shrinkage: float
    loss: float


def compute_log_priors(task: Task) -> Floats:
    """Return the logarithms of the classes' frequencies, or the same for all with balanced classes."""
    counts = np.maximum(np.bincount(task.codes, minlength=len(task.classes)), 1)
    frequencies = np.ones(len(counts)) if task.balance == "on" else counts
    return np.asarray(np.log(frequencies / frequencies.sum()))


def _choose_shrinkage(folds: _LdaFolds) -> ShrinkageChoice:
    """Choose the shrinkage for one length of rows, on as many folds as hold out enough rows."""
    if len(folds.numbers) < 2:
        return ShrinkageChoice(folds, PROBE_CONFIG.first_shrinkage, -float(folds.unit))
    numbers = folds.numbers[: count_searched_folds(folds.task, folds.numbers)]
    base, truth = (
        compute_log_priors(folds.task),
        np.concatenate([folds.task.codes[folds.rows[number]] for number in numbers]),
    )
    with ThreadPoolExecutor(WORKERS) as pool:

        @cache
        def attempt(shrinkage: float) -> float:
            scores = np.concatenate(list(pool.map(lambda number: folds.score_fold(number, shrinkage), numbers)))
            return log_loss(truth, softmax(scores / find_class_temperature(truth, scores, base, TEMPERATURES) + base))

        best = climb_strengths(attempt, PROBE_CONFIG.shrinkages, PROBE_CONFIG.first_shrinkage)
    return ShrinkageChoice(folds, best, attempt(best))


def _out_of_fold(task: Task, scores: Scores) -> Probabilities:
    """Turn held-out scores into probabilities, each fold with the temperature of the others."""
    outputs, base = make_empty_outputs(scores.shape), compute_log_priors(task)
    for number in list_held_out_folds(task.folds):
        rows, others = np.flatnonzero(task.folds == number), np.flatnonzero(task.folds != number)
        others = thin_rows(others, scores.shape[1])
        outputs[rows] = softmax(
            scores[rows] / find_class_temperature(task.codes[others], scores[others], base, TEMPERATURES) + base
        )
    return outputs


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose on the folds, then take means and covariance of all rows."""
    assert rows.features is not None, "rows come without features"
    features = np.ascontiguousarray(rows.features.final, dtype=np.float32)
    with threadpool_limits(1, user_api="blas"):
        space = SpannedRows(features, np.arange(len(features)))
        choice = _choose_shrinkage(_LdaFolds(features, space, task, False))
        choice = min(choice, _choose_shrinkage(_LdaFolds(features, space, task, True)), key=lambda one: one.loss)
        scores = choice.folds.score_held_out_rows(choice.shrinkage)
        solved = choice.folds.gaussians.solve(choice.shrinkage)
    out_of_fold = _out_of_fold(task, scores)
    if task.balance == "auto" and is_imbalanced(task.codes):
        balanced_task = replace(task, balance="on")
        other = _out_of_fold(balanced_task, scores)
        if is_better_beyond_noise(task.codes, other, out_of_fold, task.seed):
            task, out_of_fold = balanced_task, other
    every, base = thin_rows(np.arange(len(task.codes)), len(task.classes)), compute_log_priors(task)
    if not np.isfinite(scores).any():  # Nothing was held out: smoothed targets keep the model from being certain.
        scores = choice.folds.gaussians.scores(space.select_rows(choice.folds.unit), solved)
    temperature = find_class_temperature(task.codes[every], scores[every], base, TEMPERATURES)
    head = space.head(solved, choice.folds.unit, temperature, base)
    return FittedModel(LdaModel(head), out_of_fold, _notes(choice, task))


def _notes(choice: ShrinkageChoice, task: Task) -> tuple[str, ...]:
    unit = ("rows of length one",) if choice.folds.unit else ()
    weighted = ("rare classes weighted up",) if task.balance == "on" else ()
    return (f"shrinkage {choice.shrinkage:.3g}", *unit, *weighted)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Forecast what `fit` will cost, from one fold of some rows."""
    assert rows.features is not None, "rows come without features"
    values, n_classes, clock = rows.features.final, len(task.classes), cost_model.thread_clock()
    n_rows, n_dims = values.shape
    sample = cost_model.draw_timing_rows(n_rows, n_dims, n_classes)
    features, codes = np.ascontiguousarray(values[sample], dtype=np.float32), task.codes[sample]
    with threadpool_limits(1, user_api="blas"):
        began = clock()
        space = SpannedRows(features, np.arange(len(sample)))
        gaussians = ClassGaussians(ClassMoments.measure(space.matrix, codes, n_classes))
        prepared = clock()
        scores = gaussians.scores(space.matrix, gaussians.solve(PROBE_CONFIG.first_shrinkage))
        find_class_temperature(codes, scores, compute_log_priors(task), TEMPERATURES)
        scored = clock()
    numbers = list_held_out_folds(task.folds)
    n_first, rank = count_searched_folds(task, numbers) if numbers else 0, min(n_rows, n_dims)
    growth = n_rows / len(sample) * (rank / min(len(sample), n_dims)) ** 2
    n_prepared = 2 * (len(numbers) + 1) if n_rows <= LINEAR_CONFIG.few_rows else 2
    n_scored = 2 * cost_model.ATTEMPTS * cost_model.count_turns(n_first) / max(1, len(numbers)) + len(numbers) + 1
    memory = cost_model.FLOAT * (3.0 * n_rows * rank + 2 * n_rows * n_classes + 20 * rank**2)
    return CostForecast(max(1e-9, growth * ((prepared - began) * n_prepared + (scored - prepared) * n_scored)), memory)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore_model(LdaModel(GaussianHead.load(state)), state, classes)
