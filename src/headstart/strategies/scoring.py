"""How strategies are compared: for each kind of task a loss of every row and a score for people; weights of classes.

Numpy only. Outputs of NaN are rows without a prediction; their loss is NaN and they do not count in a score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.records import FloatMatrix, Index, Probabilities
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies.record import Task
from headstart.strategies.settings import SETTINGS

Weights = NDArray[np.float64]
"""(n_rows,) one weight a row, mean 1."""


def mask_predicted_rows(probabilities: Probabilities) -> NDArray[np.bool_]:
    """Return which rows have a prediction; shape (n_rows,).

    Parameters
    ----------
    probabilities : Probabilities, shape (n_rows, n_outputs)
        NaN where there is none.
    """
    return np.asarray(np.isfinite(probabilities).all(axis=1))


def _score(confusion: NDArray[np.float64]) -> float:
    n_right, n_predicted, n_true = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    present = (n_predicted + n_true) > 0
    f1 = 2 * n_right[present] / (n_predicted + n_true)[present]
    return float((n_right.sum() / confusion.sum() + f1.mean()) / 2)


def _confusion(codes: Index, guesses: Index, n_classes: int) -> NDArray[np.float64]:
    cells = np.bincount(codes * n_classes + guesses, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.float64)


def selection_score(codes: Index, probabilities: Probabilities) -> float:
    """Return the mean of accuracy and macro-F1, by which class weights are decided (higher is better).

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True class codes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Rows of NaN are left out.

    Returns
    -------
    float
        0 to 1; NaN where no row was predicted. Classes that neither occur nor are predicted do not count.

    Examples
    --------
    Accuracy 3/4; F1 of the classes 2/3 and 4/5, mean 11/15:

    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    >>> round(selection_score(np.array([0, 0, 1, 1]), p), 4)
    0.7417
    """
    rows = mask_predicted_rows(probabilities)
    if not rows.any():
        return float("nan")
    guesses = probabilities[rows].argmax(axis=1)
    return _score(_confusion(codes[rows], guesses, probabilities.shape[1]))


def log_loss(codes: Index, probabilities: Probabilities, weights: Weights | None = None) -> float:
    """Return the mean negative log probability of the true class, in nats (lower is better).

    Probabilities are clipped at 1e-9, so a class that a fold did not know costs about 21.

    Examples
    --------
    >>> round(log_loss(np.array([0]), np.array([[0.5, 0.5]])), 4)
    0.6931
    """
    rows = np.flatnonzero(mask_predicted_rows(probabilities))
    if len(rows) == 0:
        return float("nan")
    losses = compute_row_losses(codes[rows], probabilities[rows])
    return float(np.average(losses, weights=None if weights is None else weights[rows]))


def compute_row_losses(codes: Index, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return each row's negative log probability of its true class, in nats (n_rows,); clipped at 1e-9."""
    truth_probabilities = probabilities[np.arange(len(codes)), codes]
    return np.asarray(-np.log(np.maximum(truth_probabilities, 1e-9)), dtype=np.float64)


def compute_balanced_weights(codes: Index) -> Weights:
    """Return row weights under which every class that occurs weighs the same.

    Examples
    --------
    >>> compute_balanced_weights(np.array([0, 0, 0, 1])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    counts = np.bincount(codes)
    return np.asarray(len(codes) / (np.count_nonzero(counts) * counts[codes]), dtype=np.float64)


def is_imbalanced(codes: Index) -> bool:
    """Return whether the largest class has at least 1.5 times the rows of the smallest."""
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    return bool(counts.max() >= SETTINGS.imbalance_ratio * counts.min())


def is_better_beyond_noise(codes: Index, challenger: Probabilities, incumbent: Probabilities, seed: int) -> bool:
    """Return whether the challenger's selection score is higher by more than chance among rows explains.

    Both are scored on the same rows; the difference must exceed 1.645 times its standard error over 200 paired
    bootstrap draws of rows (one-sided 5 %).
    """
    rows = np.flatnonzero(mask_predicted_rows(challenger) & mask_predicted_rows(incumbent))
    if len(rows) == 0:
        return False
    truth, n_classes = codes[rows], challenger.shape[1]
    guesses = challenger[rows].argmax(axis=1), incumbent[rows].argmax(axis=1)

    def difference(drawn: Index) -> float:
        first, second = (_score(_confusion(truth[drawn], guess[drawn], n_classes)) for guess in guesses)
        return first - second

    generator = np.random.default_rng(seed)
    draws = [difference(generator.integers(0, len(rows), len(rows))) for _ in range(SETTINGS.draws)]
    return difference(np.arange(len(rows))) > SHARED_SETTINGS.one_sided_quantile * float(np.std(draws)) + 1e-12


CUTS = np.linspace(SETTINGS.min_cut, SETTINGS.max_cut, SETTINGS.n_cuts)
"""Probabilities from which on a label is given; the best one for all labels counts."""


@dataclass(frozen=True)
class Objective:
    """The loss and the score of one kind of task.

    Parameters
    ----------
    name : str
        Key in `OBJECTIVES`: one of `headstart.task_types.TASK_TYPES`.
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
    rows = np.flatnonzero(mask_predicted_rows(outputs))
    losses[rows] = compute_row_losses(task.codes[rows], outputs[rows])
    return losses


def _class_score(task: Task, outputs: Probabilities) -> float:
    return selection_score(task.codes, outputs)


def _truth(task: Task) -> FloatMatrix:
    assert task.truth is not None, f"a {task.kind} task comes without its truth"
    return task.truth


def _label_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    truth_probabilities = np.where(_truth(task) > 0.5, outputs, 1 - outputs)
    return np.asarray(-np.log(np.maximum(truth_probabilities, SHARED_SETTINGS.min_probability)).mean(axis=1))


def mean_loss(losses: NDArray[np.float64]) -> float:
    """Return the mean over the rows with a prediction; NaN where there is none.

    Parameters
    ----------
    losses : NDArray of float64, shape (n_rows,)
        NaN where there is no prediction.

    Examples
    --------
    >>> mean_loss(np.array([1.0, np.nan, 3.0]))
    2.0
    """
    return float(np.nanmean(losses)) if np.isfinite(losses).any() else float("nan")


def mean_micro_macro_f1(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Return the mean of micro- and macro-F1; labels that neither occur nor are given do not count.

    Parameters
    ----------
    truth, predicted : NDArray of bool, shape (n_rows, n_labels)

    Examples
    --------
    Both labels occur once; one is found, with one false alarm: F1 of 1 and 0, together 2 * 1 / (2 + 2).

    >>> mean_micro_macro_f1(np.array([[True, False], [False, True]]), np.array([[True, True], [False, False]]))
    0.5
    """
    n_right = (truth & predicted).sum(axis=0)
    counted = truth.sum(axis=0) + predicted.sum(axis=0)
    if not counted.any():
        return 1.0
    occurring = counted > 0
    macro = float((2 * n_right[occurring] / counted[occurring]).mean())
    return (2 * float(n_right.sum()) / float(counted.sum()) + macro) / 2


def _label_score(task: Task, outputs: Probabilities) -> float:
    rows = mask_predicted_rows(outputs)
    if not rows.any():
        return float("nan")
    truth, probabilities = _truth(task)[rows] > 0.5, outputs[rows]
    return max(mean_micro_macro_f1(truth, probabilities >= cut) for cut in CUTS)


def _number_losses(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    truth = _truth(task).astype(np.float64)
    variance = float(truth.var(axis=0).mean())
    return np.asarray(np.square(truth - outputs).mean(axis=1) / (variance if variance > 0 else 1.0))


def _number_score(task: Task, outputs: Probabilities) -> float:
    losses = _number_losses(task, outputs)
    rows = np.isfinite(losses)
    return float(np.clip(1 - losses[rows].mean(), 0.0, 1.0)) if rows.any() else float("nan")


OBJECTIVES: dict[str, Objective] = {
    "classification": Objective("classification", _class_losses, _class_score, "mean of accuracy and macro-F1"),
    "ordinal": Objective("ordinal", _class_losses, _class_score, "mean of accuracy and macro-F1"),
    "multi-label": Objective("multi-label", _label_losses, _label_score, "mean of micro- and macro-F1"),
    "regression": Objective("regression", _number_losses, _number_score, "share of the spread explained"),
}
