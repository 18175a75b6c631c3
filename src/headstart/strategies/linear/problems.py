"""What a linear model solves for each kind of task, on some of the rows: what varies there, and what does not.

A class without rows, a label that every row or no row has, and a number that is always the same are not solved for;
they get the constant answer that these rows give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.strategies.linear.links import ABSENT, logit
from headstart.strategies.linear.losses import CrossEntropy, Logistic, Loss, Squares
from headstart.strategies.record import Task

Coefficients = NDArray[np.float64]
"""(n_dims + 1, n_outputs); the last row is the intercept."""
Targets = NDArray[Any]
"""(n_rows,) class codes, or (n_rows, n_outputs)."""


@dataclass(frozen=True)
class Part:
    """What is left to solve on some rows.

    Parameters
    ----------
    loss : Loss or None
        None where nothing varies.
    n_columns : int
        Columns that are solved for.
    widen : (n_dims + 1, n_columns) -> Coefficients
        Puts a solution back among all outputs.
    """

    loss: Loss | None
    n_columns: int
    widen: Callable[[Coefficients], Coefficients]


@dataclass(frozen=True)
class Problem:
    """How one kind of task is learnt by a linear model."""

    targets: Callable[[Task], Targets]
    part: Callable[[Targets, int], Part]


def _classes(codes: Targets, n_outputs: int) -> Part:
    present, local = np.unique(codes, return_inverse=True)

    def widen(solved: Coefficients) -> Coefficients:
        full = np.zeros((len(solved), n_outputs))
        full[-1] = ABSENT
        full[:, present] = solved
        return full

    return Part(CrossEntropy(local, len(present)) if len(present) > 1 else None, len(present), widen)


def _labels(truth: Targets, n_outputs: int) -> Part:
    positives, n_rows = truth.sum(axis=0, dtype=np.float64), len(truth)
    varied = np.flatnonzero((positives > 0) & (positives < n_rows))

    def widen(solved: Coefficients) -> Coefficients:
        full = np.zeros((len(solved), n_outputs))
        full[-1] = logit((positives + 0.5) / (n_rows + 1))
        full[:, varied] = solved
        return full

    return Part(Logistic(np.ascontiguousarray(truth[:, varied])) if len(varied) else None, len(varied), widen)


def _numbers(truth: Targets, n_outputs: int) -> Part:
    mean, spread = truth.mean(axis=0, dtype=np.float64), truth.std(axis=0, dtype=np.float64)
    unit = np.where(spread > 0, spread, 1.0)

    def widen(solved: Coefficients) -> Coefficients:
        full: Coefficients = solved * unit
        full[-1] += mean
        return full

    return Part(Squares(((truth - mean) / unit).astype(np.float32)), n_outputs, widen)


def _codes(task: Task) -> Targets:
    return task.codes


def _truth(task: Task) -> Targets:
    assert task.truth is not None, f"a {task.kind} task comes without its truth"
    return task.truth


PROBLEMS: dict[str, Problem] = {
    "classification": Problem(_codes, _classes),
    "ordinal": Problem(_codes, _classes),
    "multi-label": Problem(_truth, _labels),
    "regression": Problem(_truth, _numbers),
}
