"""What is good, for each kind of task: a loss of every row, by which strategies are compared, and a score for people.

Numpy only. Outputs of NaN are rows that nobody predicted; they get a loss of NaN and do not count in the score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.records import Probabilities
from headstart.strategies.record import Task
from headstart.strategies.selection import predicted_rows, row_losses, selection_score


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
    """

    name: str
    losses: Callable[[Task, Probabilities], NDArray[np.float64]]
    score: Callable[[Task, Probabilities], float]


def _class_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    losses = np.full(len(task.codes), np.nan)
    rows = np.flatnonzero(predicted_rows(outputs))
    losses[rows] = row_losses(task.codes[rows], outputs[rows])
    return losses


def _class_score(task: Task, outputs: Probabilities) -> float:
    return selection_score(task.codes, outputs)


GOALS: dict[str, Goal] = {
    "classification": Goal("classification", _class_losses, _class_score),
    "ordinal": Goal("ordinal", _class_losses, _class_score),
}
