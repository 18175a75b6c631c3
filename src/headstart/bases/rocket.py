"""A "base" of time series that has learnt nothing: MiniRocket's random convolutions.

Dempster, Schmidt and Webb 2021, "MiniRocket" (arXiv:2012.08791), through aeon. It has learnt nothing from other data,
and says so. Its thresholds (biases) are quantiles of convolutions of some training series; labels are not used.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numba
import numpy as np
from aeon.transformations.collection.convolution_based import MiniRocket
from numpy.typing import NDArray

from headstart.bases.record import Stage

PARTS = ("channels_per_combination", "channel_indices", "dilations", "features_per_dilation", "biases")
N_KERNELS = 2_520
"""Features of the base: enough for a probe, few enough that 100,000 rows are 1 GB on disk."""
SAMPLE = 500
_ABOVE_TIES = 1e-5
"""Thresholds are values of convolutions themselves: raised by this share of the largest value, more than rounding, so
that a constant channel or channels that are multiples of each other are on one side of them whatever adds them up."""


def fit_rocket(
    prepared: Sequence[NDArray[np.float32]], seed: int, n_kernels: int = N_KERNELS
) -> dict[str, NDArray[Any]]:
    """Choose dilations and thresholds from at most `SAMPLE` series of shape (channels, time)."""
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(prepared))[:SAMPLE]
    numpy_state = np.random.get_state()  # noqa: NPY002 - aeon seeds numpy's global generator; put it back
    try:
        transform = MiniRocket(n_kernels=n_kernels, random_state=seed)
        sample = np.stack([prepared[i] for i in sorted(chosen)]).astype(np.float32)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Data seen by instance", UserWarning)  # of a dead sensor: it is common
            warnings.filterwarnings("ignore", "overflow encountered", RuntimeWarning)  # of aeon's look at huge values
            transform.fit(sample)
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
    weights = dict(zip(PARTS, (np.asarray(part) for part in transform.parameters), strict=True))
    above = np.float32(_ABOVE_TIES * np.abs(sample).max(initial=0.0))
    return {**weights, "biases": (weights["biases"] + above).astype(weights["biases"].dtype)}


def transform_series(weights: Mapping[str, NDArray[Any]], series: NDArray[np.float32]) -> tuple[NDArray[np.float32]]:
    """Transform series (n, channels, time) into features (n, n_dims): shares of positive values, 0-1."""
    transform = MiniRocket(random_state=0)
    transform.reset()
    transform._n_jobs = numba.config.NUMBA_NUM_THREADS  # aeon would count cores that this process may not use
    transform.parameters = tuple(weights[name] for name in PARTS)
    return (np.ascontiguousarray(transform._transform(series), dtype=np.float32),)


def list_stages() -> tuple[Stage, ...]:
    """One block, with nothing in it that could be trained."""
    return (Stage("convolutions", ()),)
