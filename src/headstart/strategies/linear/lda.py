"""Gaussian classes with one shared, shrunk covariance: the numerics of `shrinkage-lda`.

The within-class covariance S of standardised rows is drawn towards a multiple of the identity (Ledoit and Wolf 2004, "A
well-conditioned estimator for large-dimensional covariance matrices"): `(1 - g) S + g trace(S) / d I`. At g = 1 a row
goes to the nearest class mean; with rows of length one that is SimpleShot (Wang et al. 2019, arXiv:1911.04623).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.head import BLOCK, Standardizer, find_spanned_space
from headstart.strategies.linear.links import ABSENT, softmax

Floats = NDArray[np.float64]
TINY = 1e-12


def scale_to_unit_length(rows: FloatMatrix) -> FloatMatrix:
    """Scale each row to length one; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, TINY), dtype=np.float32)


@dataclass(frozen=True)
class GaussianHead:
    """A linear head on standardised rows z: `softmax(z @ coefficients + intercept)`.

    Parameters
    ----------
    standard : Standardizer
    unit : bool
        Whether standardised rows are scaled to length one.
    coefficients : NDArray of float32, shape (n_dims, n_classes)
    intercept : NDArray of float32, shape (n_classes,)
    """

    standard: Standardizer
    unit: bool
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def predict(self, features: FloatMatrix) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        probabilities = np.empty((len(features), len(self.intercept)))
        for start in range(0, len(features), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(features)))
            block = self.standard.apply(features, rows, None)
            block = scale_to_unit_length(block) if self.unit else block
            probabilities[rows] = softmax(block @ self.coefficients + self.intercept)
        return probabilities

    def state(self) -> FittedState:
        """Return the arrays."""
        arrays = {
            "centre": self.standard.centre,
            "inverse": self.standard.inverse,
            "coefficients": self.coefficients,
            "intercept": self.intercept,
        }
        return FittedState({"unit": self.unit}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> GaussianHead:
        """Restore what `state` gave."""
        standard = Standardizer(state.arrays["centre"], state.arrays["inverse"])
        return cls(standard, bool(state.meta["unit"]), state.arrays["coefficients"], state.arrays["intercept"])


class SpannedRows:
    """Rows standardised, and expressed in the space that all of them span where that is the smaller one.

    Lengths and angles stay as they are; what lies outside of that space does not separate classes.
    """

    def __init__(self, features: FloatMatrix, rows: Index) -> None:
        self.standard = Standardizer.fit(features, rows)
        standardised = self.standard.apply(features, np.arange(len(features)), None)
        self.basis = find_spanned_space(standardised)
        self.matrix = standardised if self.basis is None else standardised @ self.basis

    def select_rows(self, unit: bool) -> FloatMatrix:
        """Return all rows (n_rows, n_axes), at their own length or at length one."""
        return scale_to_unit_length(self.matrix) if unit else self.matrix

    def head(self, solved: tuple[Floats, Floats], unit: bool, temperature: float, base: Floats) -> GaussianHead:
        """Express a solution for raw features, divided by the temperature, with the classes' log frequencies added."""
        coefficients, intercept = solved
        wide = coefficients if self.basis is None else self.basis @ coefficients
        last = (intercept / temperature + base).astype(np.float32)
        return GaussianHead(self.standard, unit, (wide / temperature).astype(np.float32), last)


@dataclass(frozen=True)
class ClassMoments:
    """Class counts (n_classes,), sums (n_classes, n_dims) and the second moments of all rows (n_dims, n_dims)."""

    counts: Floats
    sums: Floats
    squares: NDArray[np.float32]

    @classmethod
    def measure(cls, matrix: FloatMatrix, codes: Index, n_classes: int) -> ClassMoments:
        """Measure them in one pass."""
        counts = np.bincount(codes, minlength=n_classes).astype(np.float64)
        sums = np.zeros((n_classes, matrix.shape[1]))
        order, present = np.argsort(codes, kind="stable"), counts > 0
        if len(codes):
            starts = (np.cumsum(counts) - counts)[present].astype(np.intp)
            sums[present] = np.add.reduceat(matrix[order], starts, axis=0, dtype=np.float64)
        return cls(counts, sums, matrix.T @ matrix)

    def plus(self, other: ClassMoments, sign: float = 1.0) -> ClassMoments:
        """Add the moments of other rows, or take them out again."""
        squares = self.squares + np.float32(sign) * other.squares
        return ClassMoments(self.counts + sign * other.counts, self.sums + sign * other.sums, squares)


@dataclass(frozen=True)
class MeanPrior:
    """Where the mean of each class is expected (n_classes, n_dims), and as how many of its rows that counts.

    `weights` (n_classes,) may differ by class.
    """

    places: FloatMatrix
    weights: Floats


class ClassGaussians:
    """Class means and shared covariance, ready to be solved for several shrinkages; means are drawn to a prior."""

    def __init__(self, moments: ClassMoments, prior: MeanPrior | None = None) -> None:
        self.present = np.flatnonzero(moments.counts > 0.5)
        self.n_classes, counts = len(moments.counts), moments.counts[self.present, None]
        self.means = moments.sums[self.present] / counts
        n_rows, n_dims = float(counts.sum()), moments.squares.shape[0]
        scatter = moments.squares - (self.means * counts).T @ self.means
        self.covariance = (scatter / max(1.0, n_rows - len(counts))).astype(np.float32)
        smallest = LINEAR_CONFIG.smallest_class_variance * float(np.trace(moments.squares)) / n_rows
        self.size = max(float(np.trace(self.covariance)), smallest, TINY) / n_dims
        if prior is not None:
            weights = prior.weights[self.present, None]
            self.means = (moments.sums[self.present] + weights * prior.places[self.present]) / (counts + weights)

    def solve(self, shrinkage: float) -> tuple[Floats, Floats]:
        """Return coefficients (n_dims, n_classes) and intercept of the log densities, up to what all classes share.

        Absent classes get `ABSENT`.
        """
        damped = (1 - shrinkage) * self.covariance.astype(np.float64)
        damped.flat[:: len(damped) + 1] += shrinkage * self.size
        coefficients, intercept = np.zeros((len(damped), self.n_classes)), np.full(self.n_classes, ABSENT)
        solved = cho_solve(cho_factor(damped, overwrite_a=True, check_finite=False), self.means.T, check_finite=False)
        coefficients[:, self.present] = solved
        intercept[self.present] = -0.5 * np.einsum("ij,ji->i", self.means, solved)
        return coefficients, intercept

    @staticmethod
    def scores(rows: FloatMatrix, solved: tuple[Floats, Floats]) -> NDArray[np.float32]:
        """Return the log densities of rows (n_rows, n_dims), up to what all classes share; (n_rows, n_classes)."""
        coefficients, intercept = solved
        return rows @ coefficients.astype(np.float32) + intercept.astype(np.float32)
