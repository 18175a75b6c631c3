"""From the raw scores of a linear model to its outputs, by name, as bundles store it. Numpy only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.records import Probabilities

Link = Callable[[NDArray[Any]], Probabilities]
ABSENT = -1e9
"""Score of a class without training rows: its probability is exactly zero."""
STEEPEST = 36.0
"""Beyond this a logistic probability is 1 in double precision."""


def softmax(scores: NDArray[Any]) -> Probabilities:
    """Turn scores into probabilities that sum to one, row by row.

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    shifted = np.asarray(scores, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def logistic(scores: NDArray[Any]) -> Probabilities:
    """Turn each score into a probability of its own.

    Examples
    --------
    >>> logistic(np.array([[0.0, np.log(3.0)]])).round(2).tolist()
    [[0.5, 0.75]]
    """
    return np.asarray(1 / (1 + np.exp(-np.clip(np.asarray(scores, dtype=np.float64), -STEEPEST, STEEPEST))))


def logit(probabilities: NDArray[Any], smallest: float = 1e-9) -> NDArray[np.float64]:
    """Return the scores that `logistic` turns into these probabilities, clipped at `smallest`."""
    inside = np.clip(np.asarray(probabilities, dtype=np.float64), smallest, 1 - smallest)
    return np.asarray(np.log(inside / (1 - inside)))


def identity(scores: NDArray[Any]) -> Probabilities:
    """Return the scores themselves: predicted values."""
    return np.asarray(scores, dtype=np.float64)


LINKS: dict[str, Link] = {"softmax": softmax, "logistic": logistic, "identity": identity}
LINK_OF = {
    "classification": "softmax", "ordinal": "softmax", "multi-label": "logistic", "regression": "identity",
}  # fmt: skip
"""Which link belongs to which kind of task."""
