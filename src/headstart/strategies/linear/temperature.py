"""Temperature scaling of scores: one temperature, chosen on rows that the model of the scores did not see.

The targets are smoothed by about one row (Platt 2000): few rows, however well separated, do not make a model certain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.grid_search import search_grid
from headstart.records import FloatMatrix, Index
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.links import ABSENT
from headstart.strategies.scoring import mask_predicted_rows

Floats = NDArray[np.float64]
TEMPERATURES = np.logspace(-2, 1.5, 71)
LOWEST_LOG_LIKELIHOOD = float(np.log(1e-9))
"""Of a row whose class was thought impossible."""
MOST_VALUES = 2_000_000
"""Scores that a search looks at: evenly spaced rows where there are more."""
STRIDE = 7


def thin_rows(rows: Index, n_columns: int) -> Index:
    """Return evenly spaced rows, so that a search looks at no more than about `MOST_VALUES` scores.

    Parameters
    ----------
    rows : Index
    n_columns : int
        Scores of a row.
    """
    return rows[:: max(1, -(-len(rows) * n_columns // MOST_VALUES))]


def _select_scored_rows(scores: NDArray[Any]) -> Index:
    return thin_rows(np.flatnonzero(mask_predicted_rows(scores)), scores.shape[1])


def find_class_temperature(
    codes: Index, scores: NDArray[Any], base: NDArray[Any] | float = 0.0, temperatures: Floats = TEMPERATURES
) -> float:
    """Return the temperature with the lowest log-loss of `softmax(scores / temperature + base)`.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    scores : NDArray, shape (n_rows, n_classes)
        Rows of NaN are left out.
    base : float or NDArray, shape (n_classes,)
        Added after scaling: the logarithm of each class's frequency.
    temperatures : NDArray of float64
        Temperatures to choose from, ascending.

    Notes
    -----
    Targets are smoothed by one row in two more than a class has.
    """
    rows = _select_scored_rows(scores)
    if len(rows) == 0:
        return LINEAR_CONFIG.temperature_without_rows
    n_classes, logits = scores.shape[1], np.asarray(scores[rows], dtype=np.float64)
    smoothing = 1 / (len(rows) / n_classes + 2)
    present = logits > ABSENT / 2
    logits -= logits.max(axis=1, keepdims=True)

    def loss(temperature: float) -> float:
        scaled = logits / temperature + base
        scaled -= scaled.max(axis=1, keepdims=True)
        normaliser = np.log(np.exp(scaled).sum(axis=1))
        true = scaled[np.arange(len(rows)), codes[rows]]
        smoothed = (1 - smoothing) * true + smoothing * scaled.mean(axis=1, where=present)
        return -float(np.mean(np.maximum(smoothed - normaliser, LOWEST_LOG_LIKELIHOOD)))

    return search_grid(loss, temperatures, STRIDE)


def find_label_temperature(truth: FloatMatrix, scores: Floats, base: Floats) -> float:
    """Return the temperature with the lowest log-loss of `logistic(scores / temperature + base)`.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    scores : Floats, shape (n_rows, n_labels)
        Zero on average; rows of NaN are left out.
    base : Floats, shape (n_rows, n_labels)
        Added after scaling: the logit of the label's frequency.
    """
    rows = _select_scored_rows(scores)
    if len(rows) == 0:
        return LINEAR_CONFIG.temperature_without_rows
    counts = truth[rows].sum(axis=0, dtype=np.float64)
    yes, no = (counts + 1) / (counts + 2), 1 / (len(rows) - counts + 2)
    smoothed, logits, added = np.where(truth[rows] > 0.5, yes, no), scores[rows], base[rows]

    def loss(temperature: float) -> float:
        scaled = logits / temperature + added
        return float(np.mean(np.logaddexp(0, scaled) - smoothed * scaled))

    return search_grid(loss, TEMPERATURES, STRIDE)
