"""Guesses without labels: rows against the kinds' names and descriptions, all as vectors of one base."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.flow.labelling.learning import BLOCK, LOWEST, Vectors, take_rows
from headstart.flow.labelling.settings import SETTINGS
from headstart.records import FloatMatrix, Index
from headstart.strategies.linear.temperature import find_class_temperature

Floats = NDArray[np.float64]


def score_names(vectors: Vectors, names: FloatMatrix) -> FloatMatrix:
    """Return how much each row is like each name, (n_rows, n_kinds).

    Parameters
    ----------
    vectors : Vectors, shape (n_rows, n_dims)
    names : FloatMatrix, shape (n_kinds, n_dims)
        Of the kinds' names and descriptions, by the same base.

    Returns
    -------
    FloatMatrix, shape (n_rows, n_kinds)
        Cosines, standardised by kind over all rows: a name that is like everything wins nothing.

    Examples
    --------
    >>> score_names(np.array([[1.0, 0.0], [0.0, 1.0]]), np.eye(2)).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    scores = np.empty((len(vectors), len(names)), dtype=np.float32)
    directions = take_rows(names, slice(None))
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        scores[part] = take_rows(vectors, part) @ directions.T
    spread = scores.std(axis=0, dtype=np.float64)
    return np.asarray((scores - scores.mean(axis=0, dtype=np.float64)) / np.maximum(spread, LOWEST), dtype=np.float32)


def guess_by_names(scores: FloatMatrix, judged: Index, codes: Index) -> FloatMatrix:
    """Return probabilities (n_rows, n_kinds) from the likeness to names; labels only set their temperature.

    Parameters
    ----------
    scores : FloatMatrix, shape (n_rows, n_kinds)
        From `score_names`.
    judged, codes : Index, shape (n_judged,)
        Labelled rows and their kinds.
    """
    enough = len(judged) >= SETTINGS.first_random
    temperature = find_class_temperature(codes, scores[judged]) if enough else SETTINGS.names_temperature
    values = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float32)


def mark_clear_names(scores: FloatMatrix) -> NDArray[np.bool_]:
    """Return which rows (n_rows,) one name fits clearly better than the next; for the others no guess is made.

    Parameters
    ----------
    scores : FloatMatrix, shape (n_rows, n_kinds)
        From `score_names`.

    Examples
    --------
    >>> mark_clear_names(np.array([[2.0, 0.0], [1.0, 0.9]], dtype=np.float32)).tolist()
    [True, False]
    """
    if scores.shape[1] < 2:
        return np.zeros(len(scores), dtype=bool)
    top = np.partition(scores, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2] >= SETTINGS.names_margin)
