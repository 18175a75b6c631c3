"""Multinomial logistic regression on a dense or sparse matrix: one convex problem, solved by L-BFGS.

Knows nothing of folds, features or classes that are missing (see `headstart.strategies.linear`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index, Probabilities
from headstart.strategies.lbfgs import minimise
from headstart.strategies.selection import Weights

Matrix = Any
"""(n_rows, n_dims), a float32 array or a scipy CSR matrix; both know `@`, `.T` and `.shape`."""
Coefficients = NDArray[np.float64]
"""(n_dims + 1, n_classes); the last row is the intercept."""
LOOSE, TIGHT = 1e-3, 1e-5


def softmax(scores: NDArray[Any]) -> Probabilities:
    """Turn scores into probabilities, row by row.

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    shifted = np.asarray(scores, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def scores(matrix: Matrix, coefficients: Coefficients) -> NDArray[np.float64]:
    """Give the linear scores of rows; shape (n_rows, n_classes)."""
    return np.asarray(matrix @ coefficients[:-1].astype(np.float32) + coefficients[-1], dtype=np.float64)


def _energy(matrix: Matrix, weights: Weights) -> NDArray[np.float64]:
    """Weighted mean square of each column."""
    squared = matrix.multiply(matrix) if hasattr(matrix, "multiply") else np.square(matrix)
    return np.asarray(squared.T @ (weights / weights.sum()).astype(np.float32), dtype=np.float64).ravel()


def fit(
    matrix: Matrix,
    codes: Index,
    strength: float,
    weights: Weights,
    start: Coefficients,
    tolerance: float = TIGHT,
) -> Coefficients:
    """Minimise `strength * sum(weights * loss) + |coefficients|^2 / 2`, the intercept left free.

    Parameters
    ----------
    matrix : Matrix, shape (n_rows, n_dims)
    codes : Index, shape (n_rows,)
        Every class of `start` must occur.
    strength : float
        `C` of scikit-learn's `LogisticRegression`, also for two classes: larger means less shrinkage.
    weights : Weights, shape (n_rows,)
    start : Coefficients, shape (n_dims + 1, n_classes)
        Where to begin (zeros, or the solution for a neighbouring strength).
    tolerance : float
        Largest gradient entry of the preconditioned mean loss at which to stop.

    Returns
    -------
    Coefficients, shape (n_dims + 1, n_classes)

    Notes
    -----
    Variables are scaled by the square root of the expected curvature of their column (mean square of the column plus
    penalty), which makes the Hessian close to the identity when the columns are uncorrelated.
    """
    n_classes = start.shape[1]
    shares = weights / weights.sum()
    # Two symmetric columns carry half the squared norm of scikit-learn's single one.
    penalty = (2.0 if n_classes == 2 else 1.0) / (strength * weights.sum())
    curvature = (1 - 1 / n_classes) / n_classes
    scale = np.append(1 / np.sqrt(curvature * _energy(matrix, weights) + penalty), 1 / np.sqrt(curvature))[:, None]
    target = (np.arange(len(codes)), codes)
    transposed = matrix.T

    def loss(scaled: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coefficients = scaled * scale
        raw = scores(matrix, coefficients)
        raw -= raw.max(axis=1, keepdims=True)
        truth = raw[target]
        np.exp(raw, out=raw)
        total = raw.sum(axis=1)
        value = float(shares @ (np.log(total) - truth)) + penalty / 2 * float(
            np.vdot(coefficients[:-1], coefficients[:-1])
        )
        raw /= total[:, None]
        raw[target] -= 1
        raw *= shares[:, None]
        slope = np.empty(start.shape)
        slope[:-1] = transposed @ raw.astype(np.float32)
        slope[:-1] += penalty * coefficients[:-1]
        slope[-1] = raw.sum(axis=0)
        slope *= scale
        return value, slope

    return np.asarray(minimise(loss, start / scale, tolerance) * scale)
