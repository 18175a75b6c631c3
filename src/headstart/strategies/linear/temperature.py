"""How sure scores should make a model: one temperature, chosen on rows that the scores' model did not see.

The targets are smoothed by about one row (Platt 2000): few rows, however well separated, do not make a model certain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.records import FloatMatrix, Index
from headstart.strategies.linear.links import ABSENT
from headstart.strategies.scoring import mask_predicted_rows

Floats = NDArray[np.float64]
TEMPERATURES = np.logspace(-2, 1.5, 71)
UNKNOWN = 0.1
"""Where there is no row to choose on."""
CERTAIN = float(np.log(1e-9))
"""What a row that was thought impossible counts at most."""
MOST_VALUES = 2_000_000
"""Scores that are looked at: every so many rows where there are more."""
STRIDE = 7


def _lowest(loss: Callable[[float], float], heats: Floats) -> float:
    """Search coarsely, then finely around the best (the loss has one minimum)."""
    at = STRIDE * int(np.argmin([loss(float(heat)) for heat in heats[::STRIDE]]))
    near = heats[max(0, at - STRIDE + 1) : at + STRIDE]
    return float(near[int(np.argmin([loss(float(heat)) for heat in near]))])


def thin_rows(rows: Index, n_columns: int) -> Index:
    """Return every so many of the rows, so that at most about `MOST_VALUES` scores are looked at."""
    return rows[:: max(1, -(-len(rows) * n_columns // MOST_VALUES))]


def _looked_at(scores: NDArray[Any]) -> Index:
    return thin_rows(np.flatnonzero(mask_predicted_rows(scores)), scores.shape[1])


def find_class_temperature(
    codes: Index, scores: NDArray[Any], base: NDArray[Any] | float = 0.0, heats: Floats = TEMPERATURES
) -> float:
    """Return the temperature with the lowest log-loss of `softmax(scores / temperature + base)`.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    scores : NDArray, shape (n_rows, n_classes)
        Rows of NaN are left out.
    base : float or NDArray, shape (n_classes,)
        What is said without any score: the logarithm of each class's share.
    heats : NDArray of float64
        Temperatures to choose from, ascending.

    Notes
    -----
    Targets are smoothed by one row in two more than a class has.
    """
    rows = _looked_at(scores)
    if len(rows) == 0:
        return UNKNOWN
    n_classes, shown = scores.shape[1], np.asarray(scores[rows], dtype=np.float64)
    share = 1 / (len(rows) / n_classes + 2)
    known = shown > ABSENT / 2
    shown -= shown.max(axis=1, keepdims=True)

    def loss(heat: float) -> float:
        told = shown / heat + base
        told -= told.max(axis=1, keepdims=True)
        total = np.log(np.exp(told).sum(axis=1))
        wanted = (1 - share) * told[np.arange(len(rows)), codes[rows]] + share * told.mean(axis=1, where=known)
        return float(np.mean(np.maximum(wanted - total, CERTAIN)))

    return _lowest(lambda heat: -loss(heat), heats)


def find_label_temperature(truth: FloatMatrix, scores: Floats, base: Floats) -> float:
    """Return the temperature with the lowest log-loss of `logistic(scores / temperature + base)`.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    scores : Floats, shape (n_rows, n_labels)
        Zero on average; rows of NaN are left out.
    base : Floats, shape (n_rows, n_labels)
        What is said without any score: the logit of the label's share.
    """
    rows = _looked_at(scores)
    if len(rows) == 0:
        return UNKNOWN
    counts = truth[rows].sum(axis=0, dtype=np.float64)
    yes, no = (counts + 1) / (counts + 2), 1 / (len(rows) - counts + 2)
    wanted, shown, start = np.where(truth[rows] > 0.5, yes, no), scores[rows], base[rows]

    def loss(heat: float) -> float:
        told = shown / heat + start
        return float(np.mean(np.logaddexp(0, told) - wanted * told))

    return _lowest(loss, TEMPERATURES)
