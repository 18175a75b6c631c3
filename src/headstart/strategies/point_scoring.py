"""Losses of a quick head in the figure that people read: accuracy, micro-F1 or mean absolute error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.strategies.linear.ridge_loo import LeaveOneOutRidge
from headstart.strategies.record import Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scoring:
    """Scoring of a quick head for a task.

    Parameters
    ----------
    metric : str
    targets : function of a Task
        Targets (n_rows, n_outputs) that the head is fitted to.
    losses : function of the head, the targets it was fitted to, its outputs and the true targets
        The loss of each row, and its divisor.
    points : bool
        Whether gains are percentage points.
    """

    metric: str
    targets: Callable[[Task], Floats]
    losses: Callable[[LeaveOneOutRidge, Floats, Floats, Floats], tuple[Floats, Floats]]
    points: bool = True


def _indicators(task: Task) -> Floats:
    return np.eye(len(task.classes))[task.codes]


def _numbers(task: Task) -> Floats:
    assert task.truth is not None
    return task.truth.astype(np.float64)


def _zero_one_loss(head: LeaveOneOutRidge, fitted: Floats, outputs: Floats, truth: Floats) -> tuple[Floats, Floats]:
    wrong = outputs.argmax(axis=1) != truth.argmax(axis=1)
    return wrong.astype(np.float64), np.ones(len(truth))


def _absolute_loss(head: LeaveOneOutRidge, fitted: Floats, outputs: Floats, truth: Floats) -> tuple[Floats, Floats]:
    return np.abs(outputs - truth).mean(axis=1), np.ones(len(truth))


def _micro_f1_loss(head: LeaveOneOutRidge, fitted: Floats, outputs: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Return one minus micro-F1 as a ratio of sums; the threshold is the best one on left-out training rows."""
    thresholds = np.linspace(0.05, 0.6, 12)

    def parts(predicted: Floats, true: Floats) -> tuple[Floats, Floats]:
        return np.abs(predicted - true).sum(axis=1), (predicted + true).sum(axis=1)

    def ratio(cut: float) -> float:
        wrong, size = parts((head.left_out > cut).astype(np.float64), fitted)
        return float(wrong.sum() / max(size.sum(), 1e-12))

    return parts((outputs > min(thresholds, key=ratio)).astype(np.float64), truth)


SCORINGS: dict[str, Scoring] = {
    "classification": Scoring("accuracy", _indicators, _zero_one_loss),
    "ordinal": Scoring("accuracy", _indicators, _zero_one_loss),
    "multi-label": Scoring("micro-F1", _numbers, _micro_f1_loss),
    "regression": Scoring("mean absolute error", _numbers, _absolute_loss, points=False),
}
