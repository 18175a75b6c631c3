"""A ridge regression fitted in milliseconds, for learning curves: its strength by leave-one-out, in closed form.

Any kind of target is a matrix of numbers: class indicators, 0 or 1 for each label, or one number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.records import FloatMatrix, Index
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.head import Standardizer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PrincipalAxes:
    """Standardisation and principal axes, learnt without labels.

    Parameters
    ----------
    standard : Standardizer
    basis : NDArray of float32, shape (n_dims, n_axes)
    """

    standard: Standardizer
    basis: NDArray[np.float32]

    @classmethod
    def fit(cls, features: FloatMatrix, fitted: Index, seed: int, most: int) -> PrincipalAxes:
        """Learn at most `most` axes from the rows `fitted` (the axes from at most 1,500 of them)."""
        standard = Standardizer.fit(features, fitted)
        sample = standard.apply(
            features, np.sort(np.random.default_rng(seed).permutation(fitted)[: LINEAR_CONFIG.axes_rows]), None
        )
        if sample.shape[1] <= len(sample):
            basis = np.linalg.eigh((sample.T @ sample).astype(np.float64))[1][:, ::-1][:, :most]
        else:
            values, vectors = np.linalg.eigh((sample @ sample.T).astype(np.float64))
            significant = np.flatnonzero(values > 1e-6 * max(float(values[-1]), 1e-12))[::-1][:most]
            basis = sample.T @ (vectors[:, significant] / np.sqrt(values[significant]))
            if not len(significant):  # All rows are the same.
                basis = np.zeros((sample.shape[1], 1))
        return cls(standard, np.ascontiguousarray(basis, dtype=np.float32))

    def apply(self, features: FloatMatrix) -> FloatMatrix:
        """Return rows on the axes, (n_rows, n_axes)."""
        return self.standard.apply(features, np.arange(len(features)), self.basis)


def reduce_to_axes(features: FloatMatrix, seed: int, fitted: Index | None = None) -> FloatMatrix:
    """Standardise features and keep their principal axes.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    seed : int
        Of the rows on which the axes are found.
    fitted : Index or None
        Rows that mean, scale and axes may be learnt from (no labels are looked at); None: all.

    Returns
    -------
    FloatMatrix, shape (n_rows, n_axes)
        At most 768 axes, 256 for more than 20,000 rows; none is lost where there are fewer.
    """
    rows = np.arange(len(features)) if fitted is None else fitted
    most = (
        LINEAR_CONFIG.most_axes if len(features) <= LINEAR_CONFIG.many_rows_of_axes else LINEAR_CONFIG.most_axes_of_many
    )
    return PrincipalAxes.fit(features, rows, seed, most).apply(features)


@dataclass(frozen=True)
class LeaveOneOutRidge:
    """A fitted ridge regression: `x @ weights + intercept`.

    Parameters
    ----------
    weights : Floats, shape (n_dims, n_outputs)
    intercept : Floats, shape (n_outputs,)
    left_out : Floats, shape (n_rows, n_outputs)
        What a fit on all other rows says of each row it was fitted on.
    """

    weights: Floats
    intercept: Floats
    left_out: Floats

    def predict(self, features: FloatMatrix) -> Floats:
        """Return the outputs (n_rows, n_outputs) of reduced features."""
        return np.asarray(features @ self.weights.astype(np.float32) + self.intercept, dtype=np.float64)


def fit_ridge_loo(features: FloatMatrix, targets: Floats) -> LeaveOneOutRidge:
    """Fit ridge regression with a free intercept, the penalty by leave-one-out squared error.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
        Standardised, such as `reduced` gives.
    targets : Floats, shape (n_rows, n_outputs)

    Notes
    -----
    Leave-one-out residuals are residual / (1 - leverage); one eigendecomposition serves all penalties.

    Examples
    --------
    >>> x = np.array([[-1.0], [0.0], [1.0]], dtype=np.float32)
    >>> head = fit_ridge_loo(x, np.array([[-2.0], [0.0], [2.0]]))
    >>> head.predict(np.array([[2.0]], dtype=np.float32)).round(1).tolist()
    [[4.0]]
    """
    n_rows = len(features)
    centre, mean = features.mean(axis=0), targets.mean(axis=0)
    x, y = features - centre, targets - mean
    wide = n_rows <= x.shape[1]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values, vectors = values.astype(np.float64), vectors.astype(np.float64)
    significant = values > 1e-6 * max(float(values[-1]), 1e-12)
    values, vectors = values[significant], vectors[:, significant]
    left = vectors if wide else np.asarray(x @ (vectors / np.sqrt(values)).astype(np.float32), dtype=np.float64)
    unit, projected = max(float(values.sum()) / n_rows, 1e-12), left.T @ y
    best: tuple[float, Floats, Floats] | None = None
    for strength in LINEAR_CONFIG.loo_penalties[::-1]:
        shrink = values / (values + strength * unit)
        residual = y - left @ (shrink[:, None] * projected)
        out = residual / np.maximum(1 - 1 / n_rows - np.square(left) @ shrink, 1e-6)[:, None]
        error = float(np.square(out).mean())
        if best is None or error < best[0]:
            best = error, shrink, out
    assert best is not None
    _, shrink, out = best
    scaled = (shrink / np.sqrt(values))[:, None] * projected
    right = vectors if not wide else x.T @ (vectors / np.sqrt(values)).astype(np.float32)
    weights = np.asarray(right @ scaled, dtype=np.float64)
    return LeaveOneOutRidge(weights, mean - centre @ weights, targets - out)
