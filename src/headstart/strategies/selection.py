"""How strategies are compared: one score, one loss, one rule for class weights.

Numpy only. Rows that nobody predicted (all NaN) are left out everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index, Probabilities

Weights = NDArray[np.float64]
"""(n_rows,) one weight a row, mean 1."""
IMBALANCED = 1.5
DRAWS = 200
BEYOND_NOISE = 1.645


def predicted_rows(probabilities: Probabilities) -> NDArray[np.bool_]:
    """Which rows have a prediction; shape (n_rows,)."""
    return np.asarray(np.isfinite(probabilities).all(axis=1))


def _score(confusion: NDArray[np.float64]) -> float:
    right, found, true = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    present = (found + true) > 0
    f1 = 2 * right[present] / (found + true)[present]
    return float((right.sum() / confusion.sum() + f1.mean()) / 2)


def _confusion(codes: Index, guesses: Index, n_classes: int) -> NDArray[np.float64]:
    cells = np.bincount(codes * n_classes + guesses, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.float64)


def selection_score(codes: Index, probabilities: Probabilities) -> float:
    """Give the mean of accuracy and macro-F1, by which class weights are decided (higher is better).

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
    rows = predicted_rows(probabilities)
    if not rows.any():
        return float("nan")
    guesses = probabilities[rows].argmax(axis=1)
    return _score(_confusion(codes[rows], guesses, probabilities.shape[1]))


def log_loss(codes: Index, probabilities: Probabilities, weights: Weights | None = None) -> float:
    """Give the mean negative log probability of the true class, in nats (lower is better).

    Probabilities are clipped at 1e-9, so a class that a fold did not know costs about 21.

    Examples
    --------
    >>> round(log_loss(np.array([0]), np.array([[0.5, 0.5]])), 4)
    0.6931
    """
    rows = np.flatnonzero(predicted_rows(probabilities))
    if len(rows) == 0:
        return float("nan")
    losses = row_losses(codes[rows], probabilities[rows])
    return float(np.average(losses, weights=None if weights is None else weights[rows]))


def row_losses(codes: Index, probabilities: Probabilities) -> NDArray[np.float64]:
    """Give each row's negative log probability of its true class, in nats (n_rows,); clipped at 1e-9."""
    told = probabilities[np.arange(len(codes)), codes]
    return np.asarray(-np.log(np.maximum(told, 1e-9)), dtype=np.float64)


def balanced_weights(codes: Index) -> Weights:
    """Give row weights under which every class that occurs weighs the same.

    Examples
    --------
    >>> balanced_weights(np.array([0, 0, 0, 1])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    counts = np.bincount(codes)
    return np.asarray(len(codes) / (np.count_nonzero(counts) * counts[codes]), dtype=np.float64)


def is_imbalanced(codes: Index) -> bool:
    """Whether the largest class has at least 1.5 times the rows of the smallest."""
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    return bool(counts.max() >= IMBALANCED * counts.min())


def better_beyond_noise(codes: Index, challenger: Probabilities, incumbent: Probabilities, seed: int) -> bool:
    """Whether the challenger's selection score is higher by more than chance among rows explains.

    Both are scored on the same rows; the difference must exceed 1.645 times its standard error over 200 paired
    bootstrap draws of rows (one-sided 5 %).
    """
    rows = np.flatnonzero(predicted_rows(challenger) & predicted_rows(incumbent))
    if len(rows) == 0:
        return False
    truth, n_classes = codes[rows], challenger.shape[1]
    guesses = challenger[rows].argmax(axis=1), incumbent[rows].argmax(axis=1)

    def difference(drawn: Index) -> float:
        first, second = (_score(_confusion(truth[drawn], guess[drawn], n_classes)) for guess in guesses)
        return first - second

    generator = np.random.default_rng(seed)
    draws = [difference(generator.integers(0, len(rows), len(rows))) for _ in range(DRAWS)]
    return difference(np.arange(len(rows))) > BEYOND_NOISE * float(np.std(draws)) + 1e-12
