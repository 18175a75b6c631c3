"""The synthetic stream: series with levels and scales of their own, and two views of each, with gaps in some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.pretraining.kernels import draw_processes, standardise
from headstart.pretraining.settings import SETTINGS
from headstart.pretraining.shapes import SHAPES, mix_causes

Series = NDArray[np.float32]
"""(n, time)."""


@dataclass(frozen=True)
class SeriesView:
    """Series as the network wants them.

    Parameters
    ----------
    values : array, shape (n, time)
        Gaps are filled linearly.
    known : array, shape (n, time)
        1 where a value was measured, 0 in a gap.
    """

    values: Series
    known: Series


def draw_series(n: int, length: int, generator: np.random.Generator) -> Series:
    """Make series (n, length) of every kind, each with a level and a scale of its own.

    Parameters
    ----------
    n : int
    length : int
        Steps; at least 16.
    generator : numpy Generator
        The same state gives the same series.

    Examples
    --------
    >>> one, two = (draw_series(3, 32, np.random.default_rng(5)) for _ in range(2))
    >>> one.shape, bool((one == two).all())
    ((3, 32), True)
    """
    roots = draw_processes(-(-n // SETTINGS.series_per_kernel), SETTINGS.series_per_kernel, length, generator)
    roots = roots[generator.permutation(len(roots))[:n]]
    drawn = np.where(generator.random((n, 1)) < SETTINGS.mixed_share, mix_causes(roots, n, generator), roots)
    drawn = drawn * (generator.random((n, 1)) >= SETTINGS.plain_share)
    for make, share in SHAPES:
        rows = np.flatnonzero(generator.random(n) < share)
        size = np.exp(generator.normal(-0.5, 0.8, (len(rows), 1)))
        drawn[rows] += (size * standardise(make(len(rows), length, generator))).astype(np.float32)
    empty = drawn.std(axis=1) < 1e-3
    drawn[empty] = roots[empty]
    scale, level = np.exp(generator.normal(0, 2, (n, 1))), generator.normal(0, 3, (n, 1))
    return np.asarray(standardise(drawn) * scale + level * scale, dtype=np.float32)


def _interpolate(values: Series, places: NDArray[np.float64]) -> Series:
    """Read series between their steps, linearly."""
    left = np.clip(places.astype(np.intp), 0, values.shape[1] - 2)
    share = (places - left).astype(np.float32)
    low, high = (np.take_along_axis(values, left + step, axis=1) for step in (0, 1))
    return np.asarray(low + share * (high - low), dtype=np.float32)


def draw_view(values: Series, generator: np.random.Generator, least: float = 0.8) -> SeriesView:
    """Draw another view of each series: cut, stretched, noisier, mixed with some of another series, some with a gap.

    Parameters
    ----------
    values : array, shape (n, time)
    generator : numpy Generator
    least : float
        Smallest share (0-1) of the series that a cut leaves.
    """
    n, length = values.shape
    share = generator.uniform(least, 1, (n, 1))
    start = generator.uniform(0, 1, (n, 1)) * (1 - share)
    along = np.linspace(0, 1, length)[None]
    bend = generator.uniform(-0.15, 0.15, (n, 1)) * np.sin(np.pi * along) / np.pi
    drawn = standardise(_interpolate(values, (start + share * (along + bend)) * (length - 1)))
    swell = 1 + generator.uniform(-0.2, 0.2, (n, 1)) * np.cos(np.pi * (along + generator.uniform(0, 2, (n, 1))))
    strength = generator.uniform(0, 0.12, (n, 1)) * (generator.random((n, 1)) < 0.7)
    drawn = drawn * swell + strength * generator.standard_normal((n, length))
    return add_gap((drawn + _draw_distraction(values, generator)).astype(np.float32), generator)


def _draw_distraction(values: Series, generator: np.random.Generator) -> Series:
    """Draw weak, stretched parts of other series for most series: differences between rows of one class."""
    n, length = values.shape
    stretched = generator.uniform(0.3, 1, (n, 1)) * np.linspace(0, length - 1, length)[None]
    others = _interpolate(standardise(values)[generator.permutation(n)], stretched)
    size = generator.uniform(0, SETTINGS.distraction, (n, 1)) * (generator.random((n, 1)) < SETTINGS.distracted_share)
    return np.asarray(size * others, dtype=np.float32)


def add_gap(values: Series, generator: np.random.Generator, share: float = 0.15) -> SeriesView:
    """Return series of which a share has a gap, filled by a straight line."""
    n, length = values.shape
    steps = np.arange(length)[None]
    width = np.where(generator.random((n, 1)) < share, generator.integers(2, length // 4, (n, 1)), 0)
    first = (generator.random((n, 1)) * (length - 1 - width)).astype(np.intp)
    last = first + width
    inside = (steps > first) & (steps < last)
    along = (steps - first) / np.maximum(width, 1)
    low, high = np.take_along_axis(values, first, axis=1), np.take_along_axis(values, last, axis=1)
    filled = np.where(inside, low + along * (high - low), values)
    return SeriesView(filled.astype(np.float32), (~inside).astype(np.float32))
