"""What is good, for each kind of task: a loss of every row, by which strategies are compared, and a score for people.

Numpy only. Outputs of NaN are rows that nobody predicted; they get a loss of NaN and do not count in the score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.records import FloatMatrix, Probabilities
from headstart.strategies.record import Task
from headstart.strategies.selection import predicted_rows, row_losses, selection_score

CUTS = np.linspace(0.05, 0.95, 19)
"""Probabilities from which on a label is given; the best one for all labels counts."""
SMALLEST = 1e-9


@dataclass(frozen=True)
class Goal:
    """What is good for one kind of task.

    Parameters
    ----------
    name : str
        Key in `GOALS`: one of `headstart.records.TASKS`.
    losses : (Task, outputs (n_rows, n_outputs)) -> (n_rows,) float64
        Lower is better; NaN where nothing was predicted. Proper: the truth's own distribution has the lowest mean.
    score : (Task, outputs) -> float
        For people, 0 to 1, higher is better; NaN where no row was predicted.
    score_name : str
    """

    name: str
    losses: Callable[[Task, Probabilities], NDArray[np.float64]]
    score: Callable[[Task, Probabilities], float]
    score_name: str


def _class_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    losses = np.full(len(task.codes), np.nan)
    rows = np.flatnonzero(predicted_rows(outputs))
    losses[rows] = row_losses(task.codes[rows], outputs[rows])
    return losses


def _class_score(task: Task, outputs: Probabilities) -> float:
    return selection_score(task.codes, outputs)


def _truth(task: Task) -> FloatMatrix:
    assert task.truth is not None, f"a {task.kind} task comes without its truth"
    return task.truth


def _label_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    told = np.where(_truth(task) > 0.5, outputs, 1 - outputs)
    return np.asarray(-np.log(np.maximum(told, SMALLEST)).mean(axis=1))


def mean_loss(losses: NDArray[np.float64]) -> float:
    """Return the mean over the rows that were predicted (n_rows,); NaN where none was.

    Examples
    --------
    >>> mean_loss(np.array([1.0, np.nan, 3.0]))
    2.0
    """
    return float(np.nanmean(losses)) if np.isfinite(losses).any() else float("nan")


def f1_at(truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
    """Give the mean of micro- and macro-F1; labels that neither occur nor are given do not count.

    Parameters
    ----------
    truth, given : NDArray of bool, shape (n_rows, n_labels)

    Examples
    --------
    Both labels occur once; one is found, with one false alarm: F1 of 1 and 0, together 2 * 1 / (2 + 2).

    >>> f1_at(np.array([[True, False], [False, True]]), np.array([[True, True], [False, False]]))
    0.5
    """
    right = (truth & given).sum(axis=0)
    counted = truth.sum(axis=0) + given.sum(axis=0)
    if not counted.any():
        return 1.0
    there = counted > 0
    macro = float((2 * right[there] / counted[there]).mean())
    return (2 * float(right.sum()) / float(counted.sum()) + macro) / 2


def _label_score(task: Task, outputs: Probabilities) -> float:
    rows = predicted_rows(outputs)
    if not rows.any():
        return float("nan")
    truth, shares = _truth(task)[rows] > 0.5, outputs[rows]
    return max(f1_at(truth, shares >= cut) for cut in CUTS)


def _number_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    truth = _truth(task).astype(np.float64)
    variance = float(truth.var(axis=0).mean())
    return np.asarray(np.square(truth - outputs).mean(axis=1) / (variance if variance > 0 else 1.0))


def _number_score(task: Task, outputs: Probabilities) -> float:
    losses = _number_losses(task, outputs)
    rows = np.isfinite(losses)
    return float(np.clip(1 - losses[rows].mean(), 0.0, 1.0)) if rows.any() else float("nan")


GOALS: dict[str, Goal] = {
    "classification": Goal("classification", _class_losses, _class_score, "mean of accuracy and macro-F1"),
    "ordinal": Goal("ordinal", _class_losses, _class_score, "mean of accuracy and macro-F1"),
    "multi-label": Goal("multi-label", _label_losses, _label_score, "mean of micro- and macro-F1"),
    "regression": Goal("regression", _number_losses, _number_score, "share of the spread explained"),
}
