"""How sure scores should make a model: one temperature, chosen on rows that the scores' model did not see.

The targets are smoothed by about one row (Platt 2000): few rows, however well separated, do not make a model certain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headstart.records import FloatMatrix, Index
from headstart.strategies.selection import predicted_rows

Floats = NDArray[np.float64]
TEMPERATURES = np.logspace(-2, 1.5, 71)
UNKNOWN = 0.1
"""Where there is no row to choose on."""


def _lowest(loss: Callable[[float], float]) -> float:
    """Search coarsely, then finely around the best (the loss has one minimum)."""
    coarse = TEMPERATURES[::7]
    at = int(np.argmin([loss(float(heat)) for heat in coarse])) * 7
    fine = TEMPERATURES[max(0, at - 6) : at + 7]
    return float(fine[int(np.argmin([loss(float(heat)) for heat in fine]))])


def class_temperature(codes: Index, scores: Floats) -> float:
    """Give the temperature with the lowest log-loss of `softmax(scores / temperature)`.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    scores : Floats, shape (n_rows, n_classes)
        Rows of NaN are left out.

    Notes
    -----
    Targets are smoothed by one row in two more than a class has.
    """
    rows = np.flatnonzero(predicted_rows(scores))
    if len(rows) == 0:
        return UNKNOWN
    n_classes, shown = scores.shape[1], scores[rows] - scores[rows].max(axis=1, keepdims=True)
    share = 1 / (len(rows) / n_classes + 2)
    wanted = (1 - share) * shown[np.arange(len(rows)), codes[rows]] + share * shown.mean(axis=1)

    def loss(heat: float) -> float:
        return float(np.mean(np.log(np.exp(shown / heat).sum(axis=1)) - wanted / heat))

    return _lowest(loss)


def label_temperature(truth: FloatMatrix, scores: Floats, base: Floats) -> float:
    """Give the temperature with the lowest log-loss of `logistic(scores / temperature + base)`.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    scores : Floats, shape (n_rows, n_labels)
        Zero on average; rows of NaN are left out.
    base : Floats, shape (n_rows, n_labels)
        What is said without any score: the logit of the label's share.
    """
    rows = np.flatnonzero(predicted_rows(scores))
    if len(rows) == 0:
        return UNKNOWN
    counts = truth[rows].sum(axis=0, dtype=np.float64)
    yes, no = (counts + 1) / (counts + 2), 1 / (len(rows) - counts + 2)
    wanted = np.where(truth[rows] > 0.5, yes, no)

    def loss(heat: float) -> float:
        told = scores[rows] / heat + base[rows]
        return float(np.mean(np.logaddexp(0, told) - wanted * told))

    return _lowest(loss)
