"""What fitting a head will cost: the speed of this machine is measured for a moment, the rest is counted.

The counts are those of the search in `headstart.strategies.linear.cross_validation`; they are rough, and so are the
forecasts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.records import list_held_out_folds
from headstart.strategies.linear.cross_validation import WORKERS, count_searched_folds
from headstart.strategies.linear.glm import LOSSES, Matrix
from headstart.strategies.linear.head import FEW_ROWS, LARGEST_ROTATION
from headstart.strategies.linear.links import LINK_OF
from headstart.strategies.record import CostForecast, Task
from headstart.strategies.scoring import is_imbalanced

ATTEMPTS, MORE_ATTEMPTS = 5, 4
"""Strengths tried, and tried again where classes are weighted."""
EVALUATIONS, COLD, LAST = 6, 10, 20
"""Evaluations of a fit that starts near its end, of one that starts from nothing, and of the last one."""
UNROTATED = 5
"""How many times more evaluations are needed in columns that were not rotated."""
UNSPANNED = 3.5
"""The same in columns of word counts."""
STEP_SECONDS = 5e-8
"""What a step of the solver costs, for each coefficient."""
FOLD_WORK = 0.55
"""Cubed share of the rows that a fold learns from."""
HEATS = 24
"""Temperatures tried."""
EXP_SECONDS = 1.5e-8
"""One probability, from its score to its loss."""
SAMPLE_VALUES = 4_000_000
"""More than a processor's cache holds."""
SAMPLE_SCORES = 1_000_000
OVERHEAD = 1.4
"""What the steps between evaluations cost, in evaluations."""
PASS_SECONDS = 1.5e-8
"""Standardising, copying and rounding, for each value."""
EIGEN_WORK = 12.0
"""Work of finding axes, in that of a product of matrices of the same size."""
FLOAT = 4
UNNOTICED = 1.25
FINE_SECONDS = 1e-4


def thread_clock() -> Callable[[], float]:
    """Return a clock of this thread's processor time, which other programs do not lengthen; if too coarse, any."""
    fine = time.get_clock_info("thread_time").resolution <= FINE_SECONDS
    return time.thread_time if fine else time.perf_counter


def measure_seconds(
    work: Callable[[], object], at_least: float = 0.02, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Time one call of some work, the best of a few within a moment.

    Parameters
    ----------
    work : () -> object
    at_least : float
        Seconds that the moment lasts.
    clock : () -> float
        `thread_clock()` for work in one thread.
    """
    best, spent = np.inf, 0.0
    while spent < at_least:
        began = clock()
        work()
        took = clock() - began
        best, spent = min(best, took), spent + max(took, 1e-6)
    return max(best, 1e-9)


def measure_slowdown(cpu_seconds: float = 0.1) -> float:
    """Measure how many seconds pass while this thread gets one second of a processor; 1 on an idle machine.

    Parameters
    ----------
    cpu_seconds : float
        Processor time that is spent on measuring.

    Returns
    -------
    float
        At least 1; less than `UNNOTICED` counts as 1, so that forecasts do not depend on small noise.
    """
    square, began, spent = np.ones((96, 96), dtype=np.float32), time.perf_counter(), time.thread_time()
    with threadpool_limits(1, user_api="blas"):
        while time.thread_time() - spent < cpu_seconds:
            _ = square @ square
    slowdown = (time.perf_counter() - began) / max(time.thread_time() - spent, 1e-6)
    return slowdown if slowdown >= UNNOTICED else 1.0


def measure_product_rate() -> float:
    """Measure multiply-adds a second of a matrix product in one thread."""
    square = np.ones((512, 512), dtype=np.float32)
    with threadpool_limits(1, user_api="blas"):
        return 512**3 / measure_seconds(lambda: square @ square, clock=thread_clock())


def evaluation_seconds(matrix: Matrix, task: Task) -> float:
    """Measure one evaluation of the loss and its slope on these rows."""
    n_rows, n_outputs, link = matrix.shape[0], len(task.classes), LINK_OF[task.kind]
    targets = np.arange(n_rows) % n_outputs if link == "softmax" else np.ones((n_rows, n_outputs), dtype=np.float32)
    weight = np.zeros((matrix.shape[1], n_outputs), dtype=np.float32)
    weights = np.full(n_rows, 1 / n_rows)

    def work() -> None:
        _, slope = LOSSES[link].evaluate(np.asarray(matrix @ weight), targets, weights)
        _ = matrix.T @ slope

    with threadpool_limits(1, user_api="blas"):
        return measure_seconds(work, clock=thread_clock())


def evaluations(task: Task) -> float:
    """Count evaluations on all rows, one after the other, that a search and the last fit need."""
    n_folds = max(1, len(list_held_out_folds(task.folds)))
    n_first = count_searched_folds(task, list_held_out_folds(task.folds))
    again = task.balance == "auto" and LINK_OF[task.kind] == "softmax" and is_imbalanced(task.codes)
    attempts = ATTEMPTS + (MORE_ATTEMPTS if again else 0)
    share = (n_folds - 1) / n_folds

    def turns(n: int) -> float:
        """Folds side by side: two at a time, as far as the machine has cores."""
        return float(-(-n // min(WORKERS, os.cpu_count() or 1)))

    return share * (turns(n_first) * (COLD + (attempts - 1) * EVALUATIONS) + turns(n_folds - n_first) * COLD) + LAST


def many_outputs(task: Task) -> float:
    """Return the factor on evaluations with many classes: each class has less to learn, so fits end sooner."""
    return 1 / (1 + len(task.classes) / 1000) if LINK_OF[task.kind] == "softmax" else 1.0


def solving(sample: Matrix, n_rows: int, n_columns: int, task: Task) -> float:
    """Forecast the seconds of a search and the last fit on rows like `sample`, in columns that hardly correlate."""
    one = OVERHEAD * evaluation_seconds(sample, task) * n_rows / float(sample.shape[0])
    return (one + STEP_SECONDS * n_columns * len(task.classes)) * evaluations(task) * many_outputs(task)


def forecast_dense(n_rows: int, n_dims: int, task: Task) -> CostForecast:
    """Forecast `headstart.strategies.linear.head.fit_head` on (n_rows, n_dims) features.

    Returns
    -------
    CostForecast
        Seconds, and bytes beside the features.
    """
    rank = min(n_rows, n_dims)
    rotated = rank <= LARGEST_ROTATION
    columns = rank if rotated else n_dims
    n_sample = min(n_rows, max(256, SAMPLE_VALUES // columns), max(256, SAMPLE_SCORES // len(task.classes)))
    solved = solving(np.ones((n_sample, columns), dtype=np.float32), n_rows, columns, task)
    work = 3.0 * n_rows * n_dims * rank + EIGEN_WORK * rank**3 if rotated else 0.0
    encoding = work / measure_product_rate() + PASS_SECONDS * n_rows * n_dims
    n_encoded = len(list_held_out_folds(task.folds)) + 1 if n_rows <= FEW_ROWS else 1
    seconds = n_encoded * encoding + solved * (1 if rotated else UNROTATED)
    memory = FLOAT * (n_rows * columns * (1 + WORKERS) + n_rows * len(task.classes) * 4 + 2 * rank**2)
    return CostForecast(seconds, float(memory + 20 * 8 * columns * len(task.classes)))


def forecast_sparse(sample: Matrix, n_rows: int, n_columns: int, task: Task) -> CostForecast:
    """Forecast a linear model on sparse rows, of which `sample` is a part.

    Few rows are expressed in the space that they span, once for each fold.
    """
    values_a_row = float(sample.nnz) / float(sample.shape[0])
    memory = 8.0 * values_a_row * n_rows * (1 + WORKERS) + 20 * 8 * n_columns * len(task.classes)
    if n_rows > LARGEST_ROTATION:
        return CostForecast(UNSPANNED * solving(sample, n_rows, n_columns, task), memory)
    with threadpool_limits(1, user_api="blas"):
        pairs = measure_seconds(lambda: sample @ sample.T, clock=thread_clock()) * (n_rows / sample.shape[0]) ** 2
    n_encoded = 1 + FOLD_WORK * len(list_held_out_folds(task.folds)) / min(WORKERS, os.cpu_count() or 1)
    solved = solving(np.ones((min(n_rows, 1_024), n_rows), dtype=np.float32), n_rows, n_rows, task)
    encoding = 1.5 * pairs + (3 + EIGEN_WORK) * n_rows**3 / measure_product_rate()
    return CostForecast(n_encoded * encoding + solved, memory + 4.0 * FLOAT * n_rows**2)


def forecast_lda(n_rows: int, n_dims: int, task: Task) -> CostForecast:
    """Forecast `shrinkage-lda` on (n_rows, n_dims) features."""
    rank, n_classes, rate = min(n_rows, n_dims), len(task.classes), measure_product_rate()
    spanned = n_rows < n_dims and n_rows <= LARGEST_ROTATION
    numbers = list_held_out_folds(task.folds)
    n_first, held = count_searched_folds(task, numbers), n_rows / max(1, len(numbers))
    work = 2.0 * n_rows * rank**2 + (3.0 * n_rows * n_dims * rank + EIGEN_WORK * rank**3 if spanned else 0.0)
    one_fold = rank**3 + 2.0 * rank**2 * n_classes + held * rank * n_classes
    turns = -(-n_first // min(WORKERS, os.cpu_count() or 1))
    work += one_fold * (2 * ATTEMPTS * turns + len(numbers) + 1)
    looked_at = min(2e6, n_first * held * n_classes)
    heats = EXP_SECONDS * (2 * ATTEMPTS * (HEATS * looked_at + n_first * held * n_classes) + 3 * n_rows * n_classes)
    memory = FLOAT * (3.0 * n_rows * rank + 2 * n_rows * n_classes + 20 * rank**2)
    return CostForecast(work / rate + heats + 6 * PASS_SECONDS * n_rows * n_dims, memory)
