"""Intervals over draws and test rows: both are drawn again (Davison and Hinkley 1997, section 3.8), sets stay fixed.

A claim about "20 labels a class" is about any 20, so the draw is part of the chance where there are several.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.evaluation.intervals import compute_wilson_interval

RESAMPLES = 1_000


@lru_cache(maxsize=64)
def weights(n: int, seed: int) -> np.ndarray:
    """How often each of `n` is drawn, as shares: (RESAMPLES, n), rows add up to 1."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n


def figure(value: float, drawn: np.ndarray) -> dict[str, float]:
    """Give a value with the percentile interval of its resamples, which it is never outside of."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": value, "low": float(min(low, value)), "high": float(max(high, value))}


def resampled(values: np.ndarray, seed: int) -> np.ndarray:
    """Resample the mean of (n_draws, n_rows); all draws are tested on the same rows."""
    per_draw = weights(values.shape[1], seed) @ values.T
    return np.asarray((per_draw * weights(len(values), seed + 1)).sum(axis=1))


def mean(sets: Sequence[np.ndarray]) -> dict[str, float]:
    """Average over sets of the mean of each (n_draws, n_rows), with its interval.

    Examples
    --------
    >>> mean([np.array([[1.0, 1.0]]), np.array([[0.0, 0.0]])])
    {'value': 0.5, 'low': 0.5, 'high': 0.5}
    """
    drawn = np.mean([resampled(values, 2 * number) for number, values in enumerate(sets)], axis=0)
    return figure(float(np.mean([values.mean() for values in sets])), drawn)


def accuracy(right: np.ndarray) -> dict[str, float]:
    """Share of right answers of (n_draws, n_rows); at least as wide as Wilson's interval of one draw."""
    found = mean([right])
    n = np.array([float(right.shape[1])])
    low, high = (float(end[0]) for end in compute_wilson_interval(n * found["value"], n))
    return {"value": found["value"], "low": min(low, found["low"]), "high": max(high, found["high"])}


def _f1(chance: np.ndarray, truth: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that are meant or said, for each (n, n_rows) line of weights."""
    classes = np.unique([*truth, *told])
    meant, said = truth[:, None] == classes, told[:, None] == classes
    both, either = chance @ (meant & said), chance @ meant + chance @ said
    shares = np.divide(2 * both, either, out=np.full(either.shape, np.nan), where=either > 0)
    return np.asarray(np.nanmean(shares, axis=1))


def f1_once(truth: np.ndarray, told: np.ndarray) -> float:
    """Macro-F1 of (n_rows,) class codes.

    Examples
    --------
    >>> round(f1_once(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])), 4)
    0.7333
    """
    return float(_f1(np.ones((1, len(truth))), truth, told)[0])


def macro_f1(truth: np.ndarray, told: np.ndarray) -> dict[str, float]:
    """Macro-F1, averaged over draws, with its interval.

    Parameters
    ----------
    truth : shape (n_rows,)
    told : shape (n_draws, n_rows)
    """
    drawn = np.stack([_f1(weights(len(truth), 0), truth, answers) for answers in told], axis=1)
    value = float(np.mean([f1_once(truth, answers) for answers in told]))
    return figure(value, (drawn * weights(len(told), 1)).sum(axis=1))
