"""From which probability on a label is given, chosen on rows that the model did not learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.settings import SETTINGS
from headstart.records import FloatMatrix, Probabilities

_LOGITS = np.linspace(-SETTINGS.max_threshold_logit, SETTINGS.max_threshold_logit, SETTINGS.n_thresholds)
GRID = 1 / (1 + np.exp(-_LOGITS))


def choose_thresholds(truth: FloatMatrix, probabilities: Probabilities) -> tuple[float, ...]:
    """Choose for each label the threshold with the highest F1, drawn towards a common one where the label is rare.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    probabilities : Probabilities, shape (n_rows, n_labels)
        Out of fold: each row predicted by a model that did not see it. Rows of NaN are left out.

    Returns
    -------
    tuple of float
        One a label, 0-1; 0.5 each where no row was predicted.

    Notes
    -----
    The F1 of a label at each threshold (smoothed over neighbours) is averaged with the mean F1 of all labels, with the
    weight n / (n + 20) of its n rows: with few rows the best threshold of one label alone is mostly chance (Lipton,
    Elkan and Naryanaswamy 2014 show how F1 rewards lucky ones). Of several equally good ones the middle one is taken.

    Examples
    --------
    A model that is right but too shy, so that 0.5 would never be reached:

    >>> probabilities = np.array([[0.3]] * 40 + [[0.05]] * 60)
    >>> chosen = choose_thresholds((probabilities > 0.1).astype(np.float32), probabilities)[0]
    >>> 0.05 < chosen < 0.3
    True
    """
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    if len(rows) == 0:
        return (0.5,) * int(truth.shape[1])
    true, known_probabilities = truth[rows] == 1, probabilities[rows]
    positives = true.sum(axis=0).astype(np.float64)
    curves = np.stack([_f1_curve(true[:, at], known_probabilities[:, at]) for at in range(true.shape[1])])
    common = curves[positives > 0].mean(axis=0) if (positives > 0).any() else np.zeros(len(GRID))
    weight = (positives / (positives + SETTINGS.threshold_prior_rows))[:, None]
    blended = weight * curves + (1 - weight) * common
    chosen: list[float] = [_middle_of_best(blended[at]) for at in range(len(blended))]
    return tuple(chosen)


def _f1_curve(true: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 at each threshold of the grid, smoothed (n_grid,)."""
    predicted_counts = len(probabilities) - np.searchsorted(np.sort(probabilities), GRID, side="left")
    right = int(true.sum()) - np.searchsorted(np.sort(probabilities[true]), GRID, side="left")
    f1 = 2 * right / np.maximum(true.sum() + predicted_counts, 1)
    n = SETTINGS.threshold_smoothing
    return np.asarray(np.convolve(np.pad(f1, n // 2, mode="edge"), np.full(n, 1 / n), mode="valid"))


def _middle_of_best(curve: NDArray[np.float64]) -> float:
    best = np.flatnonzero(curve >= curve.max() - 1e-12)
    return float(round(float(GRID[best[len(best) // 2]]), 4))
