"""What fitting will cost: one fold is timed on some of the rows and scaled up by what grows with rows and columns.

Forecasts are rough: seconds of an idle processor, which `measure_slowdown` relates to this machine as busy as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.records import Index, list_held_out_folds
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import WORKERS, Encode, WarmStarts, count_searched_folds
from headstart.strategies.linear.glm import compute_scores
from headstart.strategies.linear.links import LINK_OF
from headstart.strategies.record import Task
from headstart.strategies.scoring import is_imbalanced
from headstart.strategies.work_timer import WorkTimer

ATTEMPTS = 5
"""Strengths that a search tries on each fold."""
SAMPLE_VALUES, SAMPLE_SCORES, FEWEST_ROWS = 1_000_000, 200_000, 256
"""Values and scores of the rows on which a fold is timed, and the fewest rows."""
SAMPLE_FOLDS = 5
FLOAT = 4
UNNOTICED = 1.25
FINE_SECONDS = 1e-4


def thread_clock() -> Callable[[], float]:
    """Return a clock of this thread's processor time, which other programs do not lengthen; if too coarse, any."""
    fine = time.get_clock_info("thread_time").resolution <= FINE_SECONDS
    return time.thread_time if fine else time.perf_counter


def measure_seconds(
    work: Callable[[], object], at_least: float = 0.02, clock: Callable[[], float] | None = None
) -> float:
    """Time one call of some work, the best of a few within a moment; what other programs take does not count.

    Parameters
    ----------
    work : () -> object
    at_least : float
        Seconds that the moment lasts.
    clock : (() -> float) or None
        `thread_clock()` for work in one thread; None for a `WorkTimer`.
    """
    best, spent = np.inf, 0.0
    while spent < at_least:
        timer, began = WorkTimer(), clock() if clock else 0.0
        work()
        took = clock() - began if clock else timer.measure_work()
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


def draw_timing_rows(n_rows: int, n_dims: int, n_outputs: int) -> Index:
    """Return evenly spaced rows on which a fold is timed.

    Parameters
    ----------
    n_rows, n_dims, n_outputs : int
        Of the whole: wide rows, and rows with many outputs, are timed on fewer.
    """
    most = max(FEWEST_ROWS, min(SAMPLE_VALUES // max(n_dims, 1), SAMPLE_SCORES // max(n_outputs, 1)))
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, most)).astype(np.intp))


def count_turns(n_folds: int) -> int:
    """Return how many folds are fitted one after the other: `WORKERS` at a time, as far as there are cores."""
    return -(-n_folds // min(WORKERS, os.cpu_count() or 1))


def has_second_search(task: Task) -> bool:
    """Return whether a search is done again with balanced classes."""
    return task.balance == "auto" and LINK_OF[task.kind] == "softmax" and is_imbalanced(task.codes)


def count_fits(task: Task) -> int:
    """Return the number of fits, one after the other, that a search, the other folds and the last fit need."""
    folds = list_held_out_folds(task.folds)
    n_searched = count_searched_folds(task, folds) if folds else 0
    attempts = ATTEMPTS * (2 if has_second_search(task) else 1)
    return count_turns(n_searched) * attempts + count_turns(len(folds) - n_searched) + 1


@dataclass(frozen=True, kw_only=True)
class FoldTiming:
    """Processor seconds of one fold.

    Parameters
    ----------
    encoding_seconds : float
    fit_seconds : float
        Of one fit that starts from nothing, and of predicting the rows held out.
    n_rows : int
        Rows that the fold learnt from.
    n_columns, n_outputs : int
        Of the coefficients that were solved for.
    """

    encoding_seconds: float
    fit_seconds: float
    n_rows: int
    n_columns: int
    n_outputs: int


def time_fold(encode: Encode, task: Task, strength: float) -> FoldTiming:
    """Encode and fit one fold in one thread.

    Parameters
    ----------
    encode : Encode
        Of the rows of `task`.
    task : Task
        Of some rows only; a fifth of them is held out, whatever its folds are.
    strength : float
    """
    rows, clock = np.arange(len(task.codes)), thread_clock()
    held_out = rows[::SAMPLE_FOLDS]
    inside = np.setdiff1d(rows, held_out) if len(rows) > 1 else rows
    with threadpool_limits(1, user_api="blas"):
        began = clock()
        encoding = encode(inside)
        held_out_matrix = encoding.apply(held_out)
        encoded = clock()
        starts = WarmStarts(encoding.matrix, inside, task)
        coefficients = starts.fit(strength, LINEAR_CONFIG.fold_tolerance)
        compute_scores(held_out_matrix, coefficients)
        fitted = clock()
    return FoldTiming(
        encoding_seconds=max(encoded - began, 1e-9), fit_seconds=max(fitted - encoded, 1e-9), n_rows=len(inside),
        n_columns=encoding.matrix.shape[1], n_outputs=max(1, len(starts.targets.columns)),
    )  # fmt: skip
