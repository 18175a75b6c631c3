"""Tunable numbers that several rooms share: one record, so that each stands once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SharedSettings:
    """Numbers of every comparison and cross-validation.

    Parameters
    ----------
    n_folds : int
        Of a cross-validation.
    one_sided_quantile : float
        Standard errors that a gain must exceed to count: the 95 % point of the normal distribution.
    min_probability : float
        Smaller probabilities count as this one in a log-loss.
    """

    n_folds: int = 5
    one_sided_quantile: float = 1.645
    min_probability: float = 1e-9


SHARED_SETTINGS = SharedSettings()
