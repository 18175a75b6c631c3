"""Choosing how strongly to shrink a linear model, by cross-validation, for dense and sparse rows alike.

A fold fits everything (standardisation, idf, coefficients) on its training rows only. From a middle strength the
search climbs to stronger or weaker shrinkage as long as the held-out loss falls, each fit starting from the nearest
solution; as many folds are searched as hold out enough rows, and the others are predicted with what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headstart.records import Index, Probabilities, list_held_out_folds
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.glm import Coefficients, Matrix, compute_scores, encode_targets, fit_glm, read_targets
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.record import Task
from headstart.strategies.scoring import (
    OBJECTIVES,
    Weights,
    compute_balanced_weights,
    is_better_beyond_noise,
    is_imbalanced,
)

WORKERS = 2
"""Folds solved at the same time, each with one BLAS thread: on busy machines ten times faster than threaded BLAS."""

LARGE = 10_000_000
"""Outputs that are kept in double precision."""


class Encoding(Protocol):
    """Features fitted on some training rows."""

    @property
    def matrix(self) -> Matrix:
        """The rows it was fitted on, (n_fitted, n_dims)."""

    def apply(self, rows: Index) -> Matrix:
        """Other rows in the same coordinates, (n, n_dims)."""


def make_empty_outputs(shape: tuple[int, int]) -> NDArray[Any]:
    """Return a table of NaN for out-of-fold outputs, in single precision where it is large."""
    return np.full(shape, np.nan, choose_precision(shape))


def choose_precision(shape: tuple[int, int]) -> type[np.floating[Any]]:
    """Return the precision of a table of outputs."""
    return np.float32 if shape[0] * shape[1] > LARGE else np.float64


Encode = Callable[[Index], Encoding]


@dataclass(frozen=True)
class StrengthSearch:
    """Search over strengths.

    Parameters
    ----------
    strengths : tuple of float
        Ascending `C`; the half-steps next to the best are tried as well.
    start : float
        One of them, from which the search climbs; used as it is where there are no folds to choose on.
    """

    strengths: tuple[float, ...]
    start: float


@dataclass(frozen=True)
class HeadChoice:
    """Strength and class weighting chosen by cross-validation, and the out-of-fold outputs of every training row."""

    strength: float
    balanced: bool
    out_of_fold: Probabilities


@dataclass(frozen=True)
class FittedLinear:
    """A fit on all training rows with the chosen strength; `coefficients` has a column for every output."""

    encoding: Encoding
    coefficients: Coefficients
    choice: HeadChoice

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the report."""
        weighted = ("rare classes weighted up",) if self.choice.balanced else ()
        return (f"C = {self.choice.strength:.3g}", *weighted)


class WarmStarts:
    """Fits on the same rows, each starting from the solution for the nearest strength."""

    def __init__(self, matrix: Matrix, rows: Index, task: Task) -> None:
        self.matrix = matrix
        self.targets = encode_targets(read_targets(task)[rows], LINK_OF[task.kind], len(task.classes))
        self.restart(np.ones(len(rows)))

    def restart(self, weights: Weights) -> None:
        """Weigh rows anew, and forget all solutions."""
        self.weights = weights
        self.solved: dict[float, Coefficients] = {}

    def fit(self, strength: float, tolerance: float) -> Coefficients:
        """Return the coefficients for one strength (n_dims + 1, n_outputs)."""
        nearest = min(self.solved, key=lambda known: abs(np.log(known / strength)), default=None)
        self.solved[strength] = fit_glm(
            self.matrix,
            self.targets,
            strength,
            weights=self.weights,
            start=None if nearest is None else self.solved[nearest],
            tolerance=tolerance,
        )
        return self.targets.widen(self.solved[strength])


class _EncodedFold:
    """Fits on the rows outside one fold, and that fold's rows."""

    def __init__(self, encode: Encode, task: Task, fold: int) -> None:
        self.inside, self.rows = np.flatnonzero(task.folds != fold), np.flatnonzero(task.folds == fold)
        encoding = encode(self.inside)
        self.held_out = encoding.apply(self.rows)
        self.starts = WarmStarts(encoding.matrix, self.inside, task)
        self.link = LINKS[LINK_OF[task.kind]]

    def predict(self, strength: float) -> Probabilities:
        return self.link(compute_scores(self.held_out, self.starts.fit(strength, LINEAR_CONFIG.fold_tolerance)))


def climb_strengths(attempt: Callable[[float], float], values: Sequence[float], start: float) -> float:
    """Climb from `start` to the neighbour with the lower loss until none is lower.

    Parameters
    ----------
    attempt : (value) -> loss
    values : sequence of float
        From strong to weak shrinkage; a weaker one must be better by a share of `LINEAR_CONFIG.least_gain`.
    start : float
        The nearest of the values is tried first.

    Examples
    --------
    >>> climb_strengths(lambda value: abs(value - 3), (1.0, 2.0, 3.0, 4.0, 5.0), 2.0)
    3.0
    """
    position = int(np.argmin(np.abs(np.asarray(values) - start)))
    lowest = attempt(values[position])
    for direction, factor in ((1, 1 - LINEAR_CONFIG.least_gain), (-1, 1.0)):
        moved = False
        while 0 <= position + direction < len(values):
            loss = attempt(values[position + direction])
            if not loss < lowest * factor:
                break
            position, lowest, moved = position + direction, loss, True
        if moved:
            break
    return values[position]


def try_half_steps(attempt: Callable[[float], float], strengths: Sequence[float], centre: float) -> float:
    """Try half a step to stronger shrinkage, and to weaker where that does not help; give the best of these."""
    half, lowest = float(np.sqrt(strengths[1] / strengths[0])), attempt(centre)
    if attempt(centre / half) < lowest:
        return centre / half
    return centre * half if attempt(centre * half) < lowest * (1 - LINEAR_CONFIG.least_gain) else centre


def count_searched_folds(task: Task, numbers: Sequence[int]) -> int:
    """Return how many of the folds hold out enough rows to choose on."""
    reached = np.cumsum([np.count_nonzero(task.folds == number) for number in numbers])
    return min(len(numbers), int(np.searchsorted(reached, LINEAR_CONFIG.enough_rows)) + 1)


def _compute_mean_loss(task: Task, rows: Index, outputs: Probabilities, weights: Weights) -> float:
    """Return the mean loss of some rows' outputs (n_some, n_outputs)."""
    part = replace(task, codes=task.codes[rows], truth=None if task.truth is None else task.truth[rows])
    return float(np.average(OBJECTIVES[task.kind].losses(part, outputs), weights=weights[rows]))


def _compute_row_weights(task: Task, balanced: bool) -> Weights:
    weights = compute_balanced_weights(task.codes) if balanced else np.ones(len(task.codes))
    return weights if task.weights is None else weights * task.weights


class _CrossValidation:
    """The folds of a task, encoded once for both ways of weighting classes."""

    def __init__(self, encode: Encode, task: Task, search: StrengthSearch) -> None:
        self.encode, self.task, self.search = encode, task, search
        numbers = list_held_out_folds(task.folds)
        numbers = numbers if len(numbers) > 1 else []
        cut = count_searched_folds(task, numbers)
        with ThreadPoolExecutor(WORKERS) as pool:
            self.folds = list(pool.map(lambda number: _EncodedFold(encode, task, number), numbers[:cut]))
        self.others = numbers[cut:]

    def choose(self, balanced: bool, start: float) -> HeadChoice:
        """Choose the strength for one way of weighting; `out_of_fold` has NaN for the folds left for `complete`."""
        shape, weights = (len(self.task.codes), len(self.task.classes)), _compute_row_weights(self.task, balanced)
        if not self.folds:
            return HeadChoice(start, balanced, make_empty_outputs(shape))
        for fold in self.folds:
            fold.starts.restart(weights[fold.inside])
        rows = np.concatenate([fold.rows for fold in self.folds])
        outputs_by_strength: dict[float, Probabilities] = {}

        @cache
        def attempt(strength: float) -> float:
            with ThreadPoolExecutor(WORKERS) as pool:
                held_out = np.concatenate(list(pool.map(lambda fold: fold.predict(strength), self.folds)))
            outputs_by_strength[strength] = held_out.astype(choose_precision(shape))
            return _compute_mean_loss(self.task, rows, held_out, weights)

        strengths = self.search.strengths
        strength = try_half_steps(attempt, strengths, climb_strengths(attempt, strengths, start))
        outputs = make_empty_outputs(shape)
        outputs[rows] = outputs_by_strength[strength]
        return HeadChoice(strength, balanced, outputs)

    def complete(self, choice: HeadChoice) -> HeadChoice:
        """Predict the rows of the folds that were not searched."""
        self.folds.clear()  # Frees their matrices before the others are made.
        outputs, weights = choice.out_of_fold.copy(), _compute_row_weights(self.task, choice.balanced)

        def predict(number: int) -> tuple[Index, Probabilities]:
            fold = _EncodedFold(self.encode, self.task, number)
            fold.starts.restart(weights[fold.inside])
            return fold.rows, fold.predict(choice.strength)

        with ThreadPoolExecutor(WORKERS) as pool:
            for rows, held_out in pool.map(predict, self.others):
                outputs[rows] = held_out
        return HeadChoice(choice.strength, choice.balanced, outputs)


def _choose_head(encode: Encode, task: Task, search: StrengthSearch) -> HeadChoice:
    validation = _CrossValidation(encode, task, search)
    single = LINK_OF[task.kind] == "softmax"
    choice = validation.choose(single and task.balance == "on", search.start)
    if single and task.balance == "auto" and is_imbalanced(task.codes):
        other = validation.choose(True, choice.strength)
        if is_better_beyond_noise(task.codes, other.out_of_fold, choice.out_of_fold, task.seed):
            choice = other
    return validation.complete(choice)


def fit_linear(encode: Encode, task: Task, search: StrengthSearch) -> FittedLinear:
    """Choose strength and class weights by cross-validation, then fit on all rows.

    Parameters
    ----------
    encode : (row numbers) -> Encoding
        Fits the features on those rows.
    task : Task
        `balance` "auto" weights classes only where they are imbalanced and it helps beyond noise.
    search : StrengthSearch

    Returns
    -------
    FittedLinear
    """
    with threadpool_limits(1, user_api="blas"):
        choice = _choose_head(encode, task, search)
        every = np.arange(len(task.codes))
        encoding = encode(every)
        starts = WarmStarts(encoding.matrix, every, task)
        starts.restart(_compute_row_weights(task, choice.balanced))
        coefficients = starts.fit(choice.strength, LINEAR_CONFIG.final_tolerance)
    return FittedLinear(encoding, coefficients, choice)
