"""Quantiles of nested intervals of a series: what `quant` learns from. Plain numpy, nothing is fitted.

Dempster, Schmidt and Webb 2024, "QUANT: a minimalist interval method" (arXiv:2308.00928).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

DEPTH, DIVISOR = 6, 4
"""Halvings of the series, and values of an interval for each quantile taken of it: those of the paper."""
SMOOTHED = 5
"""Steps over which the first difference is averaged."""
SILENT = 1e-4
"""Parts of the spectrum below this share of the series' length (as a vector) are rounding errors and count as zero.

A series with mean zero has such a part: trees would ask for noise that other machines do not repeat.
"""
ROUNDED = 3e-6
"""A difference from the mean below this share of it is a rounding error and counts as zero, as in a dead sensor."""
Series = NDArray[np.float32]
Bounds = list[tuple[int, int]]


def list_intervals(length: int, depth: int = DEPTH) -> Bounds:
    """Return the intervals of `0 .. length`: halves, quarters and so on, and again shifted by half an interval.

    Parameters
    ----------
    length : int
        Steps of the series, at least 1.
    depth : int
        Levels: the whole, halves, quarters ...; fewer for short series.

    Returns
    -------
    list of (int, int)
        First step, and the step after the last.

    Examples
    --------
    >>> list_intervals(8, 2)
    [(0, 8), (0, 4), (4, 8), (2, 6)]
    """
    bounds: Bounds = []
    for level in range(min(depth, int(np.log2(length)) + 1)):
        edges = [length * place // 2**level for place in range(2**level + 1)]
        level_bounds = list(pairwise(edges))
        bounds += level_bounds
        widths = sorted(after - before for before, after in level_bounds)
        if level and widths[(len(widths) - 1) // 2] > 1:
            shift = -(-length // 2 ** (level + 1))
            bounds += [(before + shift, after + shift) for before, after in level_bounds[:-1]]
    return bounds


def compute_representations(series: Series) -> tuple[Series, ...]:
    """Return the series (n, channels, time), its smoothed first and its second difference, and its spectrum."""
    first = np.diff(series, axis=-1)
    half = SMOOTHED // 2
    padded = np.concatenate([np.repeat(first[..., :1], half, -1), first, np.repeat(first[..., -1:], half, -1)], axis=-1)
    n_steps = first.shape[-1]
    windows = np.stack([padded[..., start : start + n_steps] for start in range(SMOOTHED)])
    smooth: Series = windows.mean(axis=0, dtype=np.float32)
    spectrum = np.abs(np.fft.rfft(series, axis=-1)).astype(np.float32)
    least = np.float32(SILENT) * np.sqrt(np.square(series).sum(axis=-1, keepdims=True, dtype=np.float32))
    return series, smooth, np.diff(series, n=2, axis=-1), np.where(spectrum < least, np.float32(0), spectrum)


def count_quantiles(width: int, divisor: int) -> int:
    """Return how many quantiles are taken of an interval.

    Parameters
    ----------
    width : int
        Steps of the interval, at least 1.
    divisor : int
        Steps for each quantile.
    """
    return 1 + (width - 1) // divisor


def count_features(length: int, divisor: int = DIVISOR) -> int:
    """Return how many features `describe_series` gives for one channel.

    Parameters
    ----------
    length : int
        Steps of the series.
    divisor : int
        Steps for each quantile.

    Examples
    --------
    >>> count_features(32), describe_series(np.zeros((1, 1, 32), dtype=np.float32)).shape
    (323, (1, 323))
    """
    lengths = (length, length - 1, length - 2, length // 2 + 1)
    return sum(count_quantiles(after - before, divisor) for one in lengths for before, after in list_intervals(one))


def _compute_quantiles(values: Series, divisor: int) -> Series:
    """Return evenly spaced quantiles of the last axis, every other one less the mean."""
    width = values.shape[-1]
    count = count_quantiles(width, divisor)
    if width == 1:
        return values
    ordered = np.sort(values, axis=-1)
    at = np.asarray([0.5]) * (width - 1) if count == 1 else np.linspace(0, width - 1, count)
    below = np.floor(at).astype(np.intp)
    share = (at - below).astype(np.float32)
    quantiles = ordered[..., below] * (1 - share) + ordered[..., np.minimum(below + 1, width - 1)] * share
    if count > 1:
        mean = values.mean(axis=-1, keepdims=True)
        quantiles[..., 1::2] -= mean
        quantiles[..., 1::2][np.abs(quantiles[..., 1::2]) < np.float32(ROUNDED) * np.abs(mean)] = 0
    return quantiles


def describe_series(series: Series, divisor: int = DIVISOR) -> Series:
    """Describe series by quantiles of their parts.

    Parameters
    ----------
    series : float32 array, shape (n, channels, time), time >= 9
        Finite.
    divisor : int
        Values of an interval for each quantile.

    Returns
    -------
    float32 array, shape (n, channels * count_features(time, divisor))
    """
    quantiles = [
        _compute_quantiles(representation[..., before:after], divisor)
        for representation in compute_representations(np.asarray(series, dtype=np.float32))
        for before, after in list_intervals(representation.shape[-1])
    ]
    features = np.concatenate(quantiles, axis=-1)
    return np.ascontiguousarray(features.reshape(len(features), -1), dtype=np.float32)
