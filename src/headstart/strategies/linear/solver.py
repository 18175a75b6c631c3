"""A linear model with an L2 penalty on a dense or sparse matrix: one convex problem, solved by L-BFGS.

Knows nothing of folds, features or classes that are missing (see `headstart.strategies.linear.problems`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.strategies.linear.lbfgs import minimise
from headstart.strategies.linear.links import softmax
from headstart.strategies.linear.losses import Loss
from headstart.strategies.linear.problems import Coefficients
from headstart.strategies.scoring import Weights

Matrix = Any
"""(n_rows, n_dims), a float32 array or a scipy CSR matrix; both know `@`, `.T` and `.shape`."""
LOOSE, TIGHT = 1e-3, 1e-4
BLOCK_VALUES = 4_000_000
"""Scores held at once (16 MB)."""


def compute_scores(matrix: Matrix, coefficients: Coefficients) -> NDArray[np.float64]:
    """Return the linear scores of rows; shape (n_rows, n_columns)."""
    return np.asarray(matrix @ coefficients[:-1].astype(np.float32) + coefficients[-1], dtype=np.float64)


def _energy(matrix: Matrix, weights: Weights) -> NDArray[np.float64]:
    """Weighted mean square of each column."""
    shares = (weights / weights.sum()).astype(np.float32)
    if hasattr(matrix, "multiply"):
        return np.asarray(matrix.multiply(matrix).T @ shares, dtype=np.float64).ravel()
    return np.asarray(np.einsum("ij,ij,i->j", matrix, matrix, shares), dtype=np.float64)


def blocks(matrix: Matrix, n_columns: int) -> list[tuple[slice, Matrix]]:
    """Cut rows into blocks whose scores stay small; one block where all are."""
    length = max(1, BLOCK_VALUES // max(n_columns, 1))
    if matrix.shape[0] <= length:
        return [(slice(0, matrix.shape[0]), matrix)]
    cuts = [slice(start, min(start + length, matrix.shape[0])) for start in range(0, matrix.shape[0], length)]
    return [(rows, matrix[rows]) for rows in cuts]


def fit(
    matrix: Matrix,
    loss: Loss,
    strength: float,
    weights: Weights,
    start: Coefficients,
    tolerance: float = 1e-5,
) -> Coefficients:
    """Minimise `strength * sum(weights * loss) + |coefficients|^2 / 2`, the intercept left free.

    Parameters
    ----------
    matrix : Matrix, shape (n_rows, n_dims)
    loss : Loss
        Of `n_columns` scores a row.
    strength : float
        `C` of scikit-learn's `LogisticRegression`, also for two classes: larger means less shrinkage.
    weights : Weights, shape (n_rows,)
    start : Coefficients, shape (n_dims + 1, n_columns)
        Where to begin (zeros, or the solution for a neighbouring strength).
    tolerance : float
        Largest gradient entry of the preconditioned mean loss at which to stop.

    Returns
    -------
    Coefficients, shape (n_dims + 1, n_columns)

    Notes
    -----
    Variables are scaled by the square root of the expected curvature of their column (mean square of the column plus
    penalty), which makes the Hessian close to the identity when the columns are uncorrelated.
    """
    shares = weights / weights.sum()
    penalty = loss.penalty / (strength * weights.sum())
    curvature = loss.curvature[None]
    scale = np.sqrt(1 / np.concatenate([_energy(matrix, weights)[:, None] * curvature + penalty, curvature]))
    parts = blocks(matrix, start.shape[1])

    def function(scaled: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coefficients = scaled * scale
        weight, intercept = coefficients[:-1].astype(np.float32), coefficients[-1].astype(np.float32)
        value = penalty / 2 * float(np.vdot(coefficients[:-1], coefficients[:-1]))
        coefficients[:-1] *= penalty
        coefficients[-1] = 0
        for rows, part in parts:
            raw = np.asarray(part @ weight)
            raw += intercept
            lost, slope = loss(raw, rows, shares[rows])
            value += lost
            coefficients[:-1] += part.T @ slope
            coefficients[-1] += slope.sum(axis=0, dtype=np.float64)
        coefficients *= scale
        return value, coefficients

    return np.asarray(minimise(function, start / scale, tolerance) * scale)


__all__ = ["LOOSE", "TIGHT", "Coefficients", "Matrix", "blocks", "compute_scores", "fit", "softmax"]
