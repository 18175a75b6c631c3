"""How many of the doubted labels are really wrong: labels as a mixture of right ones and random ones.

A model that is often wrong doubts many right labels. So the doubt alone is no evidence; what is: that labels are
improbable more often than the model's own uncertainty explains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.checks.settings import SETTINGS
from headstart.records import FloatMatrix, Index, Interval, Probabilities

Floats = NDArray[np.float64]

_RATES = np.concatenate([[0.0], np.geomspace(0.002, 0.5, 40)])
"""Shares of wrong labels that are tried."""
_TEMPERATURES = np.geomspace(0.2, 4.0, 40)
_SCALES = np.geomspace(0.05, 5.0, 60)
"""Scales of the errors of a regression, in mean absolute errors."""
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class WrongLabels:
    """Probability that the label of each row is wrong.

    Parameters
    ----------
    probability, low, high : Floats, shape (n_rows,)
        At the most likely share of wrong labels, and at the ends of its 95 % interval; 0 where nothing is known.
    """

    probability: Floats
    low: Floats
    high: Floats

    def take(self, rows: Index) -> WrongLabels:
        """Return the rows `rows`, in that order."""
        return WrongLabels(probability=self.probability[rows], low=self.low[rows], high=self.high[rows])

    def expected_share(self) -> Interval:
        """Return which share (0-1) of the rows is expected to be really wrong."""
        value = float(self.probability.mean())
        return Interval(value, min(float(self.low.mean()), value), max(float(self.high.mean()), value))


def estimate_wrong_classes(codes: Index, probabilities: Probabilities) -> WrongLabels:
    """Return how likely the class of each row is wrong.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Given classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Out of fold; rows of NaN are left out.

    Notes
    -----
    A wrong label is any other class, each alike; its rate and the temperature of the probabilities are fitted together
    by maximum likelihood (label-noise robust logistic regression, Bootkrajang and Kaban 2012, with one rate for all
    classes and the model's logits as they are). The interval of the rate is that of its profile likelihood. Planted
    errors were estimated within 15 points in simulations on texts and digits (docs/research/label-errors.md). Where all
    probabilities are alike, errors and uncertainty cannot be told apart, and nothing is claimed.

    Examples
    --------
    A model that guesses doubts in vain:

    >>> rng = np.random.default_rng(0)
    >>> float(estimate_wrong_classes(rng.integers(0, 2, 100), rng.dirichlet([1, 1], 100)).low.max())
    0.0
    """
    known = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    n_others = max(probabilities.shape[1] - 1, 1)
    logits = np.log(np.clip(probabilities[known], 1e-9, 1.0))
    own = np.empty((len(_TEMPERATURES), len(known)))
    for at, temperature in enumerate(_TEMPERATURES):
        scaled = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        own[at] = scaled[np.arange(len(known)), codes[known]] / scaled.sum(axis=1)
    return _fit_mixture(own, (1.0 - own) / n_others, known, n_rows=len(codes))


def estimate_wrong_numbers(truth: FloatMatrix, predicted: Probabilities) -> WrongLabels:
    """Return how likely the number of each row is wrong.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, 1)
    predicted : Probabilities, shape (n_rows, 1)
        Out of fold; NaN is left out.

    Notes
    -----
    Errors of right numbers have Laplace's distribution, which has long tails; a wrong number is as far away as that of
    another row would be (normal).
    """
    values, outputs = truth[:, 0].astype(np.float64), predicted[:, 0]
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(outputs))
    errors = values[known] - outputs[known]
    usual = float(np.abs(errors).mean()) if len(errors) else 0.0
    spread = float(np.sqrt(values[known].var() + outputs[known].var())) if len(errors) else 0.0
    if usual <= 0 or spread <= 0:
        return _fit_mixture(np.ones((1, 0)), np.ones((1, 0)), known[:0], n_rows=len(values))
    scales = (_SCALES * usual)[:, None]
    right = np.exp(-np.abs(errors) / scales) / (2 * scales)
    wrong = np.exp(-0.5 * (errors / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
    return _fit_mixture(right, np.broadcast_to(wrong, right.shape), known, n_rows=len(values))


def _fit_mixture(right: Floats, wrong: Floats, known: Index, n_rows: int) -> WrongLabels:
    """Fit the share of wrong labels; `right` and `wrong` are likelihoods of the known rows, a line for each scale."""
    nothing = np.zeros(n_rows)
    if len(known) < 2:
        return WrongLabels(probability=nothing, low=nothing, high=nothing)
    sampled = np.linspace(0, len(known) - 1, min(len(known), SETTINGS.wrong_label_rows)).astype(np.intp)
    likelihood = np.empty((len(right), len(_RATES)))
    for at in range(len(right)):
        mixed = (1.0 - _RATES)[:, None] * right[at, sampled] + _RATES[:, None] * wrong[at, sampled]
        likelihood[at] = np.log(np.maximum(mixed, _TINY)).sum(axis=1)
    profile = likelihood.max(axis=0)
    inside = np.flatnonzero(profile >= profile.max() - SETTINGS.profile_drop)
    columns = []
    for rate in (int(profile.argmax()), int(inside[0]), int(inside[-1])):
        scale, share = int(likelihood[:, rate].argmax()), _RATES[rate]
        is_wrong = share * wrong[scale]
        column = nothing.copy()
        column[known] = is_wrong / np.maximum((1.0 - share) * right[scale] + is_wrong, _TINY)
        columns.append(column)
    return WrongLabels(probability=columns[0], low=columns[1], high=columns[2])
