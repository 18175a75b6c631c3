"""Gaussian processes: random kernels, put together from a few kinds, each shared by several series.

Kernels and compositions after KernelSynth (Ansari et al. 2024, arXiv:2403.07815) and CauKer (arXiv:2508.02879). One
Cholesky factor serves many series, which makes them thousands of times cheaper than one factor each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headstart.pretraining.settings import SETTINGS

Floats = NDArray[np.float64]


def _log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def _smooth(at: Floats, generator: np.random.Generator) -> Floats:
    scale = _log_uniform(generator, 0.01, 0.6)
    return np.asarray(np.exp(-0.5 * ((at[:, None] - at[None]) / scale) ** 2))


def _rough(at: Floats, generator: np.random.Generator) -> Floats:
    scale = _log_uniform(generator, 0.02, 1.0)
    return np.asarray(np.exp(-np.abs(at[:, None] - at[None]) / scale))


def _periodic(at: Floats, generator: np.random.Generator) -> Floats:
    period, scale = _log_uniform(generator, 0.03, 0.7), _log_uniform(generator, 0.3, 2.0)
    return np.asarray(np.exp(-2 * np.sin(np.pi * (at[:, None] - at[None]) / period) ** 2 / scale**2))


def _linear(at: Floats, generator: np.random.Generator) -> Floats:
    centre = generator.uniform(0, 1)
    return np.asarray(3 * (at[:, None] - centre) * (at[None] - centre))


def _uneven(at: Floats, generator: np.random.Generator) -> Floats:
    """Smooth, with a length scale that grows or shrinks along the series (time is bent)."""
    bend = _log_uniform(generator, 0.3, 3.0)
    return _smooth(at**bend if generator.random() < 0.5 else 1 - (1 - at) ** bend, generator)


KINDS: tuple[tuple[Callable[[Floats, np.random.Generator], Floats], float], ...] = (
    (_smooth, 0.4),
    (_uneven, 0.15),
    (_periodic, 0.25),
    (_rough, 0.12),
    (_linear, 0.08),
)
"""Kinds of kernels and how often each is drawn."""


def _draw_simple_kernel(at: Floats, generator: np.random.Generator) -> Floats:
    kinds, probabilities = zip(*KINDS, strict=True)
    matrix: Floats = kinds[int(generator.choice(len(kinds), p=probabilities))](at, generator)
    return matrix


def draw_kernel(at: Floats, generator: np.random.Generator) -> Floats:
    """Draw a kernel matrix (time, time): one to three kinds, added, multiplied, or one before and one after a change.

    Parameters
    ----------
    at : array, shape (time,)
        Times from 0 to 1, rising.
    generator : numpy Generator
    """
    matrix = _draw_simple_kernel(at, generator)
    for _ in range(int(generator.choice(3, p=(0.45, 0.4, 0.15)))):
        other, choice = _draw_simple_kernel(at, generator), generator.random()
        if choice < 0.4:
            matrix = matrix + other
        elif choice < 0.75:
            matrix = matrix * other
        else:
            after = 1 / (1 + np.exp(-(at - generator.uniform(0.2, 0.8)) * _log_uniform(generator, 10, 200)))
            matrix = matrix * np.outer(1 - after, 1 - after) + other * np.outer(after, after)
    return matrix


def draw_processes(n_kernels: int, n_each: int, length: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Draw series (n_kernels * n_each, length), each with mean 0 and spread 1; neighbours share a kernel."""
    at = np.linspace(0, 1, length)
    series = []
    for _ in range(n_kernels):
        matrix = draw_kernel(at, generator)
        matrix[np.diag_indices(length)] += SETTINGS.kernel_ridge * max(1.0, float(np.trace(matrix)) / length)
        factor = np.linalg.cholesky(matrix)
        series.append(generator.standard_normal((n_each, length)) @ factor.T)
    return standardise(np.concatenate(series).astype(np.float32))


def standardise(series: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each series (n, time) with mean 0 and standard deviation 1; constant ones become 0.

    Examples
    --------
    >>> standardise(np.array([[1.0, 3.0], [5.0, 5.0]], dtype=np.float32)).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    centred = series - series.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.asarray(centred / np.where(spread > 1e-6, spread, 1.0), dtype=np.float32)
