"""The tunable numbers of linear heads: solver, search of the strength, encoding, ridge regression, discriminants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def _spaced(first: float, last: float, n: int) -> tuple[float, ...]:
    """Return values that grow by one factor, from 10**first to 10**last."""
    return tuple(float(value) for value in np.logspace(first, last, n))


@dataclass(frozen=True, kw_only=True)
class LinearConfig:
    """Numbers that change what a linear head learns or when it changes its method.

    Parameters
    ----------
    fold_tolerance, final_tolerance : float
        Largest gradient entry at which fits on folds, and the last fit, stop.
    solver_memory, most_steps : int
        Of L-BFGS-B.
    strengths, default_strength : float
        `C` of heads on dense features; the default starts the search and serves where there are no folds.
    least_gain : float
        A weaker shrinkage must lower the loss by this share (0-1): on a plateau the stronger one is kept.
    enough_rows : int
        Held-out rows on which a strength is chosen; further folds only get their predictions.
    few_rows : int
        Up to here each fold standardises with its own rows; beyond, all folds share one standardisation and rotation.
    largest_rotation : int
        Most rows or columns for which principal axes are computed.
    smallest_axis : float
        Axes with less than this share (0-1) of the largest one's variance are rounding errors.
    penalties, default_penalty : float
        Of ridge regression on random convolutions, as a share of the mean squared length of a standardised row.
    many_rows_of_ridge : int
        Beyond, the penalty is chosen on the first fold only.
    loo_penalties : float
        Of ridge regression with leave-one-out, as a share of the mean squared length of a row.
    most_axes, most_axes_of_many : int
        Principal axes that are kept for it; the second beyond `many_rows_of_axes` rows.
    many_rows_of_axes, axes_rows : int
        Axes are found on at most `axes_rows` rows.
    smallest_class_variance : float
        Smallest within-class variance of a discriminant, as a share (0-1) of the variance of all rows.
    temperature_without_rows : float
        Where there is no held-out row to choose a temperature on.
    """

    fold_tolerance: float = 1e-3
    final_tolerance: float = 1e-4
    solver_memory: int = 8
    most_steps: int = 1_000
    strengths: tuple[float, ...] = tuple(float(f"1e{exponent}") for exponent in range(-6, 3))
    default_strength: float = 1e-2
    least_gain: float = 0.002
    enough_rows: int = 1_000
    few_rows: int = 256
    largest_rotation: int = 2_600
    smallest_axis: float = 1e-6
    penalties: tuple[float, ...] = _spaced(-5, 1, 13)
    default_penalty: float = 0.01
    many_rows_of_ridge: int = 2_600
    loo_penalties: tuple[float, ...] = _spaced(-4, 2, 13)
    most_axes: int = 768
    most_axes_of_many: int = 256
    many_rows_of_axes: int = 20_000
    axes_rows: int = 1_500
    smallest_class_variance: float = 0.01
    temperature_without_rows: float = 0.1


LINEAR_CONFIG = LinearConfig()
