"""A linear model on standardised dense features: the numerics of `linear-probe` and of `classic` on images.

Logistic regression for classes and labels, ridge regression for numbers (`headstart.strategies.linear.glm`).

Standardised columns are rotated onto the principal axes of the training rows before solving. The L2 penalty does not
notice a rotation, so the solution is the same; L-BFGS needs a tenth of the steps, and where there are fewer rows than
columns the problem shrinks to the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import WORKERS, FittedLinear, StrengthSearch, fit_linear
from headstart.strategies.linear.glm import Coefficients
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.record import CostForecast, Task

Floats = NDArray[np.float64]
BLOCK = 8_192


@dataclass(frozen=True)
class Head:
    """A linear model on raw features: `link((x - centre) @ coefficients + intercept)`.

    Parameters
    ----------
    centre : NDArray of float32, shape (n_dims,)
    coefficients : NDArray of float32, shape (n_dims, n_outputs)
    intercept : NDArray of float32, shape (n_outputs,)
    link : str
        Key of `headstart.strategies.linear.links.LINKS`.
    """

    centre: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]
    link: str = "softmax"

    def predict(self, features: FloatMatrix) -> Probabilities:
        """Return outputs (n_rows, n_outputs) for features (n_rows, n_dims); a row alone gets the same."""
        outputs, link = np.empty((len(features), len(self.intercept))), LINKS[self.link]
        for start in range(0, len(features), BLOCK):
            block = features[start : start + BLOCK].astype(np.float64) - self.centre
            outputs[start : start + BLOCK] = link(block @ self.coefficients.astype(np.float64) + self.intercept)
        return outputs

    def scaled_by_temperature(self, temperature: float) -> Head:
        """Return the head whose scores are divided by a temperature."""
        divisor = np.float32(temperature)
        return Head(self.centre, self.coefficients / divisor, self.intercept / divisor, self.link)

    def state(self) -> FittedState:
        """Return the arrays."""
        arrays = {"centre": self.centre, "coefficients": self.coefficients, "intercept": self.intercept}
        return FittedState({"link": self.link}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> Head:
        """Restore what `state` gave; the first bundles knew classes only."""
        arrays, link = state.arrays, str(state.meta.get("link", "softmax"))
        return cls(arrays["centre"], arrays["coefficients"], arrays["intercept"], link)


@dataclass(frozen=True)
class Standardizer:
    """Column means and inverse scales (zero for constant columns), shape (n_dims,).

    The scale is the root of the column's variance plus the median one: columns that hardly vary are not blown up to the
    size of the others, which with few rows would be mostly noise, and one wild column has no say in it.
    """

    centre: NDArray[np.float32]
    inverse: NDArray[np.float32]

    @classmethod
    def fit(cls, features: FloatMatrix, rows: Index, floor: float = 1.0) -> Standardizer:
        """Measure them on some rows, block by block; `floor` medians are added to the variances."""
        total, squares = np.zeros(features.shape[1]), np.zeros(features.shape[1])
        for start in range(0, len(rows), BLOCK):
            total += features[rows[start : start + BLOCK]].sum(axis=0, dtype=np.float64)
        mean = total / len(rows)
        for start in range(0, len(rows), BLOCK):
            squares += np.square(features[rows[start : start + BLOCK]] - mean).sum(axis=0)
        variance = squares / len(rows)
        varies = (variance > 0) & (np.sqrt(variance) > 1e-6 * np.abs(mean))
        typical = float(np.median(variance[varies])) if varies.any() else 1.0
        inverse = np.where(varies, 1 / np.sqrt(variance + floor * typical + ~varies), 0.0)
        return cls(mean.astype(np.float32), inverse.astype(np.float32))

    def apply(self, features: FloatMatrix, rows: Index, basis: NDArray[np.float32] | None) -> FloatMatrix:
        """Standardise some rows and rotate them, block by block."""
        n_dims = features.shape[1] if basis is None else basis.shape[1]
        standardised = np.empty((len(rows), n_dims), dtype=np.float32)
        for start in range(0, len(rows), BLOCK):
            block = (features[rows[start : start + BLOCK]] - self.centre) * self.inverse
            standardised[start : start + BLOCK] = block if basis is None else block @ basis
        return standardised


def find_principal_axes(features: FloatMatrix) -> NDArray[np.float32] | None:
    """Principal axes of all rows (a square rotation), where there are at least as many rows as columns."""
    n_rows, n_dims = features.shape
    if n_rows < n_dims or n_dims > LINEAR_CONFIG.largest_rotation:
        return None
    rows = np.arange(n_rows)
    standard, gram = Standardizer.fit(features, rows), np.zeros((n_dims, n_dims), dtype=np.float32)
    for start in range(0, n_rows, BLOCK):
        block = standard.apply(features, rows[start : start + BLOCK], None)
        gram += block.T @ block
    return np.asarray(np.linalg.eigh(gram)[1], dtype=np.float32)


def find_spanned_space(standardised: FloatMatrix) -> NDArray[np.float32] | None:
    """Orthonormal basis of the space that the rows span (n_dims, rank), where that is the smaller one."""
    n_rows, n_dims = standardised.shape
    if n_rows >= n_dims or n_rows > LINEAR_CONFIG.largest_rotation:
        return None
    values, vectors = np.linalg.eigh(standardised @ standardised.T)
    significant = values > LINEAR_CONFIG.smallest_axis * max(float(values[-1]), 1e-12)
    if not significant.any():  # All rows are the same.
        return np.zeros((standardised.shape[1], 1), dtype=np.float32)
    return np.asarray(standardised.T @ (vectors[:, significant] / np.sqrt(values[significant])), dtype=np.float32)


class RotatedRows:
    """Standardised, rotated rows; both fitted on the rows given."""

    def __init__(self, features: FloatMatrix, rows: Index, axes: NDArray[np.float32] | None) -> None:
        self.features, self.basis = features, axes
        self.standard = Standardizer.fit(features, rows)
        self.matrix = self.standard.apply(features, rows, axes)
        if axes is None:
            self.basis = find_spanned_space(self.matrix)
            self.matrix = self.matrix if self.basis is None else self.matrix @ self.basis

    def apply(self, rows: Index) -> FloatMatrix:
        """Return other rows in the same coordinates."""
        return self.standard.apply(self.features, rows, self.basis)

    def head(self, coefficients: Coefficients, link: str = "softmax") -> Head:
        """Express a solution for raw features."""
        weights = coefficients[:-1] if self.basis is None else self.basis @ coefficients[:-1]
        scaled = np.asarray(weights * self.standard.inverse[:, None], dtype=np.float32)
        return Head(self.standard.centre, scaled, coefficients[-1].astype(np.float32), link)


class SharedRows:
    """Some rows of what was standardised and rotated once, without a look at labels, for all folds."""

    def __init__(self, whole: RotatedRows, rows: Index) -> None:
        self.whole, self.matrix = whole, whole.matrix[rows]

    def apply(self, rows: Index) -> FloatMatrix:
        """Return other rows in the same coordinates."""
        return self.whole.matrix[rows]

    def head(self, coefficients: Coefficients, link: str) -> Head:
        """Express a solution for raw features."""
        return self.whole.head(coefficients, link)


def fit_head(features: FloatMatrix, task: Task, strength: float | None = None) -> tuple[Head, FittedLinear]:
    """Fit a linear model, its strength and class weights chosen by cross-validation.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
        Finite.
    task : Task
    strength : float or None
        `C`, where it was chosen before; None: chosen here.

    Returns
    -------
    Head
        For raw features.
    FittedLinear
        What was chosen, with the out-of-fold outputs.
    """
    features = np.ascontiguousarray(features, dtype=np.float32)
    shared = len(features) > LINEAR_CONFIG.few_rows
    axes, every = find_principal_axes(features), np.arange(len(features))
    whole = RotatedRows(features, every, axes) if shared else None

    def encode(rows: Index) -> SharedRows | RotatedRows:
        return SharedRows(whole, rows) if whole else RotatedRows(features, rows, axes)

    if strength is not None:  # Without folds nothing is searched.
        task = replace(task, folds=np.zeros_like(task.folds), repeats=())
    fitted = fit_linear(
        encode,
        task,
        StrengthSearch(LINEAR_CONFIG.strengths, LINEAR_CONFIG.default_strength if strength is None else strength),
    )
    assert isinstance(fitted.encoding, SharedRows | RotatedRows)
    return fitted.encoding.head(fitted.coefficients, LINK_OF[task.kind]), fitted


class _Standardised:
    """Standardised rows that are not rotated."""

    def __init__(self, features: FloatMatrix, rows: Index) -> None:
        self.features, self.standard = features, Standardizer.fit(features, rows)
        self.matrix = self.apply(rows)

    def apply(self, rows: Index) -> FloatMatrix:
        return self.standard.apply(self.features, rows, None)


def forecast_head(read_features: Callable[[Index], FloatMatrix], n_rows: int, n_dims: int, task: Task) -> CostForecast:
    """Forecast what `fit_head` costs.

    Parameters
    ----------
    read_features : (row numbers) -> FloatMatrix (n_some, n_dims)
    n_rows, n_dims : int
    task : Task

    Returns
    -------
    CostForecast
        Seconds, and bytes beside the features.
    """
    sample = cost_model.draw_timing_rows(n_rows, n_dims, len(task.classes))
    features = np.ascontiguousarray(read_features(sample), dtype=np.float32)
    rank = min(n_rows, n_dims)
    rotated = rank <= LINEAR_CONFIG.largest_rotation

    def encode(rows: Index) -> RotatedRows | _Standardised:
        if not rotated:
            return _Standardised(features, rows)
        return RotatedRows(features, rows, find_principal_axes(features[rows]))

    timing = cost_model.time_fold(encode, task.take(sample), LINEAR_CONFIG.default_strength)
    n_folds = len(list_held_out_folds(task.folds))
    n_inside = n_rows * max(1, n_folds - 1) / max(1, n_folds)
    columns = rank if rotated else n_dims
    timed_rank = min(timing.n_rows, n_dims)
    growth = n_inside / timing.n_rows
    encoding = timing.encoding_seconds * growth * (rank / timed_rank) ** 2
    wider = columns / timing.n_columns * len(task.classes) / timing.n_outputs
    fits = timing.fit_seconds * growth * wider * cost_model.count_fits(task)
    n_encoded = n_folds + 1 if n_rows <= LINEAR_CONFIG.few_rows else 1
    values = n_rows * columns * (1 + WORKERS) + n_rows * len(task.classes) * 4 + 2 * rank**2
    memory = cost_model.FLOAT * values + 20 * 8 * columns * len(task.classes)
    return CostForecast(n_encoded * encoding + fits, float(memory))
