"""What measured series have besides smooth change: trends, seasons, steps, bursts, beats, walks; and how causes mix.

Every function makes all series of a batch at once: arrays (n, time), mean about 0, spread about 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headstart.pretraining.kernels import standardise

Series = NDArray[np.float32]
Maker = Callable[[int, int, np.random.Generator], Series]


def _times(length: int) -> Series:
    return np.linspace(0, 1, length, dtype=np.float32)[None]


def _draw_log_uniform(generator: np.random.Generator, low: float, high: float, shape: tuple[int, int]) -> Series:
    """Draw evenly between the logarithms of two numbers."""
    return np.exp(generator.uniform(np.log(low), np.log(high), shape)).astype(np.float32)


def _normal(generator: np.random.Generator, *shape: int) -> Series:
    return generator.standard_normal(shape, dtype=np.float32)


def draw_trends(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw straight and bent lines."""
    at = _times(length) - 0.5
    return _normal(generator, n, 1) * at + _normal(generator, n, 1) * 2 * at**2


def draw_seasons(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw four harmonics of one period, some of them squared off, some drifting in pitch."""
    at = _times(length)
    at = at + generator.uniform(-0.4, 0.4, (n, 1)).astype(np.float32) * at**2 * (generator.random((n, 1)) < 0.3)
    phase = at / _draw_log_uniform(generator, 0.03, 0.8, (n, 1)) + generator.random((n, 1), dtype=np.float32)
    series = np.zeros((n, length), dtype=np.float32)
    for number in range(1, 5):
        series += (
            _normal(generator, n, 1) / number * np.sin(2 * np.pi * number * phase + 6.3 * generator.random((n, 1)))
        )
    squared = generator.random((n, 1)) < 0.25
    return np.where(squared, np.tanh(4 * series), series).astype(np.float32)


def draw_steps(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw one to four sudden or soft changes of level."""
    at = _times(length)
    series = np.zeros((n, length), dtype=np.float32)
    for number in range(4):
        is_present = generator.random((n, 1)) < (1.0, 0.6, 0.3, 0.3)[number]
        sharp = _draw_log_uniform(generator, 15, 1_000, (n, 1))
        place = generator.random((n, 1), dtype=np.float32)
        series += is_present * _normal(generator, n, 1) * (0.5 + 0.5 * np.tanh(sharp * (at - place)))
    return series.astype(np.float32)


def draw_bursts(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw one to five short events, smooth or ringing."""
    at = _times(length)
    series = np.zeros((n, length), dtype=np.float32)
    for number in range(5):
        is_present = generator.random((n, 1)) < (1.0, 0.6, 0.4, 0.3, 0.2)[number]
        away = (at - generator.random((n, 1), dtype=np.float32)) / _draw_log_uniform(generator, 0.005, 0.15, (n, 1))
        ringing = np.where(
            generator.random((n, 1)) < 0.4, np.cos(_draw_log_uniform(generator, 1, 12, (n, 1)) * away), 1.0
        )
        series += is_present * _normal(generator, n, 1) * np.exp(-0.5 * away**2) * ringing
    return series.astype(np.float32)


def draw_beats(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw a repeated shape of three bumps, as of a heart."""
    period = _draw_log_uniform(generator, 0.08, 1.2, (n, 1))
    phase = _times(length) / period + generator.random((n, 1), dtype=np.float32)
    phase = phase - np.floor(phase)
    series = np.zeros((n, length), dtype=np.float32)
    for number in range(3):
        width = _draw_log_uniform(generator, 0.01, 0.15, (n, 1))
        place = generator.uniform(0.2, 0.8, (n, 1)).astype(np.float32)
        series += _normal(generator, n, 1) * (3, 1, 1)[number] * np.exp(-0.5 * ((phase - place) / width) ** 2)
    return series.astype(np.float32)


def draw_walks(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw random walks."""
    return np.asarray(np.cumsum(_normal(generator, n, length), axis=1) / np.sqrt(length), dtype=np.float32)


def draw_noise(n: int, length: int, generator: np.random.Generator) -> Series:
    """Draw independent values, some with a strength that changes along the series."""
    strength = np.exp(generator.uniform(-2, 2, (n, 1)).astype(np.float32) * _times(length))
    return standardise(_normal(generator, n, length) * strength)


SHAPES: tuple[tuple[Maker, float], ...] = (
    (draw_trends, 0.2),
    (draw_seasons, 0.3),
    (draw_steps, 0.25),
    (draw_bursts, 0.3),
    (draw_beats, 0.2),
    (draw_walks, 0.1),
    (draw_noise, 0.25),
)
"""What is added, and to which share of the series."""

BENDS: tuple[Callable[[Series], Series], ...] = (
    lambda x: x,
    np.tanh,
    np.abs,
    lambda x: np.maximum(x, 0),
    lambda x: np.sin(2 * x),
    lambda x: x * np.abs(x),
    lambda x: np.sign(x) * np.float32(1),
)
"""How a cause acts in `mixed`."""


def mix_causes(roots: Series, n: int, generator: np.random.Generator) -> Series:
    """Draw mixtures by a small random network of causes: each node bends a sum of two earlier ones, shifted in time.

    Parameters
    ----------
    roots : array, shape (n_roots, time)
    n : int
        Series to make.
    generator : numpy Generator
    """
    length = roots.shape[1]
    nodes = [roots[generator.integers(0, len(roots), n)] for _ in range(3)]
    for _ in range(3):
        node = np.zeros((n, length), dtype=np.float32)
        for parent in generator.choice(len(nodes), 2, replace=False):
            shift = generator.integers(0, length // 6, (n, 1))
            moved = np.take_along_axis(nodes[parent], np.maximum(np.arange(length)[None] - shift, 0), axis=1)
            node += _normal(generator, n, 1) * moved
        which = generator.integers(0, len(BENDS), n)
        for number, bend in enumerate(BENDS):
            node[which == number] = bend(node[which == number])
        nodes.append(standardise(node))
    return nodes[-1]
