"""`shrinkage-lda`: Gaussian classes with one shared, shrunk covariance; strong with very few labels.

Shrinkage, the length of rows and how sure to be are chosen by cross-validation, everything else in closed form: one
pass over the rows for each fold, never a matrix of rows by rows where there are many. Of few texts the names of the
classes are read by the base too: the mean of a class is drawn towards the direction of its name, as if that were some
more rows (docs/decisions/0032).
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
from headstart.strategies.linear.lda import ClassGaussians, ClassMoments, GaussianHead, MeanPrior, SpannedRows
from headstart.strategies.linear.links import softmax
from headstart.strategies.linear.temperature import find_class_temperature, thin_rows
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.probes.few_rows import may_names_add
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


@dataclass(frozen=True)
class _LdaForm:
    """Whether rows are scaled to length one, and as how many rows the name of a class counts."""

    unit: bool
    name_weight: float = 0.0


class _LdaFolds:
    """Clouds of the rows outside each fold, for one form; few rows are standardised by each fold's own.

    `features` (n_rows + n_names, n_dims): the rows, then the names of the classes, if any.
    """

    def __init__(self, features: FloatMatrix, space: SpannedRows, task: Task, form: _LdaForm) -> None:
        self.task, self.form = task, form
        self.numbers = list_held_out_folds(task.folds)
        self.rows = {number: np.flatnonzero(task.folds == number) for number in self.numbers}
        matrix = space.select_rows(form.unit)
        parts = {number: self._measure_moments(matrix, rows) for number, rows in self.rows.items()}
        always = np.flatnonzero(task.folds == TRAINING_ONLY)
        together = reduce(
            ClassMoments.plus, [*parts.values(), *([self._measure_moments(matrix, always)] if len(always) else [])]
        )
        self.gaussians = ClassGaussians(together, self._find_prior(matrix))
        if len(self.numbers) < 2:
            return
        if len(task.codes) <= LINEAR_CONFIG.few_rows:
            self.outside = {number: self._fit_without_fold(features, number) for number in self.numbers}
        else:
            self.outside = {
                number: (
                    ClassGaussians(together.plus(part, -1.0), self._find_prior(matrix)), matrix[self.rows[number]]
                )
                for number, part in parts.items()
            }  # fmt: skip

    def _measure_moments(self, matrix: FloatMatrix, rows: Index) -> ClassMoments:
        return ClassMoments.measure(matrix[rows], self.task.codes[rows], len(self.task.classes))

    def _find_prior(self, matrix: FloatMatrix) -> MeanPrior | None:
        """Return where the names of the classes lie, and what they count.

        Where some rows are held out and none of a class is, nothing tells how far its name is to be trusted: it counts
        as no more rows than there are.
        """
        if not self.form.name_weight:
            return None
        codes, n_classes = self.task.codes, len(self.task.classes)
        weights = np.full(n_classes, self.form.name_weight)
        if len(self.numbers) > 1:
            measured = np.bincount(codes[self.task.folds != TRAINING_ONLY], minlength=n_classes) > 0
            counts = np.bincount(codes, minlength=n_classes)
            weights = np.where(measured, weights, np.minimum(weights, counts))
        return MeanPrior(matrix[len(codes) :], weights)

    def _fit_without_fold(self, features: FloatMatrix, number: int) -> tuple[ClassGaussians, FloatMatrix]:
        outside = np.flatnonzero(self.task.folds != number)
        matrix = SpannedRows(features, outside).select_rows(self.form.unit)
        gaussians = ClassGaussians(self._measure_moments(matrix, outside), self._find_prior(matrix))
        return gaussians, matrix[self.rows[number]]

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
        return ShrinkageChoice(folds, PROBE_CONFIG.first_shrinkage, -float(folds.form.unit))
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
    features = _append_names(np.ascontiguousarray(rows.features.final, dtype=np.float32), task)
    with threadpool_limits(1, user_api="blas"):
        space = SpannedRows(features, np.arange(len(rows)))
        choices = [_choose_shrinkage(_LdaFolds(features, space, task, form)) for form in _list_forms(space, task)]
        choice = _choose_form(choices, space, task)
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
        scores = choice.folds.gaussians.scores(space.select_rows(choice.folds.form.unit)[: len(rows)], solved)
    temperature = find_class_temperature(task.codes[every], scores[every], base, TEMPERATURES)
    head = space.head(solved, choice.folds.form.unit, temperature, base)
    return FittedModel(LdaModel(head), out_of_fold, _notes(choice, task))


def _append_names(features: FloatMatrix, task: Task) -> FloatMatrix:
    """Return the rows, and below them the names of the classes, moved to the middle of the rows."""
    if not _reads_names(task):
        return features
    assert task.name_features is not None
    names = np.asarray(task.name_features, dtype=np.float32)
    return np.concatenate([features, names - names.mean(axis=0) + features.mean(axis=0)])


def _reads_names(task: Task) -> bool:
    """Return whether there are names, and so few rows that they may add something."""
    return task.name_features is not None and may_names_add(task.codes, len(task.classes))


def _list_forms(space: SpannedRows, task: Task) -> list[_LdaForm]:
    """Return the forms that are compared; where nothing is held out, those that are taken without."""
    forms = [_LdaForm(False), _LdaForm(True)]
    if not _reads_names(task):
        return forms
    if len(list_held_out_folds(task.folds)) > 1:
        return [*forms, *(_LdaForm(True, weight) for weight in PROBE_CONFIG.name_weights)]
    if _do_names_tell(space.select_rows(True), task):
        return [_LdaForm(True, PROBE_CONFIG.unmeasured_name_weight)]
    return forms


def _choose_form(choices: list[ShrinkageChoice], space: SpannedRows, task: Task) -> ShrinkageChoice:
    """Return the form with the lowest loss; one with names that tell the rows also where others lead within noise."""
    best = min(choices, key=lambda one: one.loss)
    named = min((one for one in choices if one.folds.form.name_weight), key=lambda one: one.loss, default=best)
    if best is named or not _do_names_tell(space.select_rows(True), task, PROBE_CONFIG.surely_telling_errors):
        return best
    outputs = [_out_of_fold(task, one.folds.score_held_out_rows(one.shrinkage)) for one in (best, named)]
    return best if is_better_beyond_noise(task.codes, outputs[0], outputs[1], task.seed) else named


def _do_names_tell(matrix: FloatMatrix, task: Task, n_errors: float = 1.0) -> bool:
    """Return whether rows lie near the name of their class more often, by standard errors, than chance would have it.

    The names were not learnt from the rows, so these are held-out answers.
    """
    n_rows, chance = len(task.codes), 1 / len(task.classes)
    nearest = (matrix[:n_rows] @ matrix[n_rows:].T).argmax(axis=1)
    n_right = int((nearest == task.codes).sum())
    return bool(n_right > n_rows * chance + n_errors * np.sqrt(n_rows * chance * (1 - chance)))


def _notes(choice: ShrinkageChoice, task: Task) -> tuple[str, ...]:
    form = choice.folds.form
    unit = ("rows of length one",) if form.unit else ()
    names = (f"the name of a class counts as {form.name_weight:g} rows",) if form.name_weight else ()
    weighted = ("rare classes weighted up",) if task.balance == "on" else ()
    return (f"shrinkage {choice.shrinkage:.3g}", *unit, *names, *weighted)


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
    n_forms = 2 + (len(PROBE_CONFIG.name_weights) if _reads_names(task) else 0)
    n_prepared = n_forms * (len(numbers) + 1) if n_rows <= LINEAR_CONFIG.few_rows else n_forms
    n_scored = n_forms * cost_model.ATTEMPTS * cost_model.count_turns(n_first) / max(1, len(numbers)) + len(numbers) + 1
    memory = cost_model.FLOAT * (3.0 * n_rows * rank + 2 * n_rows * n_classes + 20 * rank**2)
    return CostForecast(max(1e-9, growth * ((prepared - began) * n_prepared + (scored - prepared) * n_scored)), memory)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore_model(LdaModel(GaussianHead.load(state)), state, classes)
