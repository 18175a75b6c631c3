"""What a linear model makes small on its rows: a value and its slope, for raw scores, block by block.

Three convex losses: `CrossEntropy` for one class a row, `Logistic` for several labels a row, `Squares` for a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index

Floats = NDArray[np.float64]
Raw = NDArray[Any]
"""(m, n_columns) scores of some rows; a loss may overwrite them with its slope."""


class Loss(Protocol):
    """A convex loss of each row's raw scores."""

    @property
    def curvature(self) -> Floats:
        """(n_columns,) what the second derivative is expected to be: the scale of a first step."""

    @property
    def penalty(self) -> float:
        """Factor on the penalty, so that a strength means the same as in scikit-learn."""

    def __call__(self, raw: Raw, rows: slice, shares: Floats) -> tuple[float, Raw]:
        """Return the sum of `shares * loss` over these rows, and its slope (m, n_columns)."""


@dataclass(frozen=True)
class CrossEntropy:
    """Negative log probability of the true class; `codes` (n_rows,) of 0 .. n_classes - 1, each of which occurs."""

    codes: Index
    n_classes: int

    @property
    def curvature(self) -> Floats:
        """Of equal probabilities."""
        return np.full(self.n_classes, (1 - 1 / self.n_classes) / self.n_classes)

    @property
    def penalty(self) -> float:
        """Two symmetric columns carry half the squared norm of scikit-learn's single one."""
        return 2.0 if self.n_classes == 2 else 1.0

    def __call__(self, raw: Raw, rows: slice, shares: Floats) -> tuple[float, Raw]:
        """See `Loss`.

        Examples
        --------
        >>> value, slope = CrossEntropy(np.array([0]), 2)(np.zeros((1, 2)), slice(0, 1), np.ones(1))
        >>> round(value, 4), slope.tolist()
        (0.6931, [[-0.5, 0.5]])
        """
        codes = self.codes[rows]
        target = (np.arange(len(codes)), codes)
        raw -= raw.max(axis=1, keepdims=True)
        truth = raw[target]
        np.exp(raw, out=raw)
        total = raw.sum(axis=1)
        value = float(shares @ (np.log(total) - truth))
        raw *= (shares / total).astype(raw.dtype)[:, None]
        raw[target] -= shares.astype(raw.dtype)
        return value, raw


@dataclass(frozen=True)
class Logistic:
    """Negative log probability of each label, summed over labels; `truth` (n_rows, n_labels) of 0 and 1."""

    truth: NDArray[np.float32]

    @property
    def curvature(self) -> Floats:
        """Of each label's own share."""
        shares = np.clip(self.truth.mean(axis=0, dtype=np.float64), 1e-4, 1 - 1e-4)
        return np.asarray(shares * (1 - shares))

    @property
    def penalty(self) -> float:
        """One."""
        return 1.0

    def __call__(self, raw: Raw, rows: slice, shares: Floats) -> tuple[float, Raw]:
        """See `Loss`.

        Examples
        --------
        >>> value, slope = Logistic(np.ones((1, 1)))(np.zeros((1, 1)), slice(0, 1), np.ones(1))
        >>> round(value, 4), slope.tolist()
        (0.6931, [[-0.5]])
        """
        truth = self.truth[rows]
        tail = np.exp(-np.abs(raw))
        value = float(shares @ (np.maximum(raw, 0) - raw * truth + np.log1p(tail)).sum(axis=1, dtype=np.float64))
        slope = np.where(raw >= 0, 1, tail) / (1 + tail) - truth
        slope *= shares.astype(raw.dtype)[:, None]
        return value, slope


@dataclass(frozen=True)
class Squares:
    """Half the squared error, summed over columns; `truth` (n_rows, n_outputs)."""

    truth: NDArray[np.float32]

    @property
    def curvature(self) -> Floats:
        """One, everywhere."""
        return np.ones(self.truth.shape[1])

    @property
    def penalty(self) -> float:
        """One: a strength of C is ridge regression with a penalty of 1 / C."""
        return 1.0

    def __call__(self, raw: Raw, rows: slice, shares: Floats) -> tuple[float, Raw]:
        """See `Loss`.

        Examples
        --------
        >>> value, slope = Squares(np.array([[3.0]]))(np.ones((1, 1)), slice(0, 1), np.ones(1))
        >>> value, slope.tolist()
        (2.0, [[-2.0]])
        """
        raw -= self.truth[rows]
        value = float(shares @ np.square(raw).sum(axis=1, dtype=np.float64)) / 2
        raw *= shares.astype(raw.dtype)[:, None]
        return value, raw
