"""MiniRocket's random convolutions: a "base" of time series that was not pre-trained on anything.

Dempster, Schmidt and Webb 2021, "MiniRocket" (arXiv:2012.08791), with combinations of channels as in the authors'
multivariate code. Kernels have nine weights, three of them 2 and six -1; a feature is the share of positions at which
a convolution is above a threshold. Thresholds are quantiles of convolutions of training series; labels are not used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bases.record import Stage

PARTS = ("channels_per_combination", "channel_indices", "dilations", "features_per_dilation", "biases")
TAPS = 9
TRIPLES = tuple(combinations(range(TAPS), 3))
"""The three taps of weight 2 of each of the 84 kernels."""
_ABOVE_TIES = 1e-5
"""Thresholds are values of convolutions: raised by this share of the largest value, more than rounding, so that a
constant channel, or channels that are multiples of each other, are on one side of them in every implementation."""
_BLOCK_VALUES = 32_768
"""Values of a convolution computed at once; they stay in the processor's cache."""
Series = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class RocketSettings:
    """Numbers of the base of random convolutions; its other ones are those of the paper.

    Parameters
    ----------
    n_kernels : int
        Features of the base: enough for a probe, few enough that 100,000 rows are 1 GB on disk.
    sample_series : int
        Training series that thresholds come from, at most.
    max_dilations, max_channels : int
        Of a kernel, and channels that a convolution reads, at most.
    """

    n_kernels: int = 2_520
    sample_series: int = 500
    max_dilations: int = 32
    max_channels: int = 9


SETTINGS = RocketSettings()


def choose_dilations(length: int, n_kernels: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return dilations and the number of features of each kernel at each dilation, both (n_dilations,).

    Parameters
    ----------
    length : int
        Time steps, at least 9.
    n_kernels : int
        Features; rounded down to a multiple of 84.
    """
    per_kernel = max(n_kernels, len(TRIPLES)) // len(TRIPLES)
    n_exponents = min(per_kernel, SETTINGS.max_dilations)
    exponents = np.logspace(0, np.log2((length - 1) / (TAPS - 1)), n_exponents, base=2).astype(np.int32)
    dilations, counts = np.unique(exponents, return_counts=True)
    features = (counts * (per_kernel / n_exponents)).astype(np.int32)
    for number in range(per_kernel - int(features.sum())):
        features[number % len(features)] += 1
    return dilations, features


def fit_rocket(prepared: Sequence[Series], seed: int, n_kernels: int = SETTINGS.n_kernels) -> dict[str, NDArray[Any]]:
    """Return the arrays of `PARTS`: dilations, combinations of channels and thresholds.

    Parameters
    ----------
    prepared : sequence of array (channels, time)
        Training series; thresholds are taken from at most `sample_series` of them.
    seed : int
    n_kernels : int
        Features; rounded down to a multiple of 84.
    """
    chosen = np.random.default_rng(seed).permutation(len(prepared))[: SETTINGS.sample_series]
    sample = np.stack([prepared[i] for i in sorted(chosen)]).astype(np.float32)
    n_channels = sample.shape[1]
    dilations, features = choose_dilations(sample.shape[2], n_kernels)
    n_combinations = len(dilations) * len(TRIPLES)
    generator = np.random.RandomState(seed)  # The generators and the order of draws of the authors' code.
    most_exponent = np.log2(min(n_channels, SETTINGS.max_channels) + 1)
    n_each = (2 ** generator.uniform(0, most_exponent, n_combinations)).astype(np.int32)
    channels = [generator.choice(n_channels, n, replace=False).astype(np.int32) for n in n_each]
    rows = np.random.RandomState(seed).randint(len(sample), size=n_combinations)
    golden = (np.arange(1, len(TRIPLES) * int(features.sum()) + 1) * ((np.sqrt(5) + 1) / 2)) % 1
    golden = golden.astype(np.float32).astype(np.float64)
    biases, start = [], 0
    with np.errstate(over="ignore", invalid="ignore"):
        for number, (dilation, size) in enumerate(zip(dilations, features, strict=True)):
            for kernel in range(len(TRIPLES)):
                at = number * len(TRIPLES) + kernel
                taps = _Taps(sample[rows[at], channels[at], None], int(dilation))
                convolved = taps.convolve(kernel, range(len(channels[at])))
                biases.append(np.quantile(convolved.astype(np.float64), golden[start : start + size]))
                start += size
    above = np.float32(_ABOVE_TIES * np.abs(sample).max(initial=0.0))
    arrays = (n_each, np.concatenate(channels), dilations, features, np.concatenate(biases).astype(np.float32) + above)
    return dict(zip(PARTS, arrays, strict=True))


class _Taps:
    """Series (channels, n, time) shifted to the nine places of a dilated kernel; zero outside."""

    def __init__(self, series: Series, dilation: int) -> None:
        self.gamma = np.zeros((TAPS, *series.shape), dtype=np.float32)
        self.alpha = -series
        for tap in range(TAPS):
            shift = (tap - TAPS // 2) * dilation
            source = slice(max(shift, 0), series.shape[-1] + min(shift, 0))
            target = slice(max(-shift, 0), series.shape[-1] + min(-shift, 0))
            self.gamma[tap][..., target] = 3 * series[..., source]
            if shift:
                self.alpha[..., target] -= series[..., source]

    def convolve(self, kernel: int, channels: Sequence[int] | NDArray[np.int32]) -> Series:
        """Return the convolution (n, time) of some channels with a kernel: -1 at all taps, 3 more at three of them."""
        first, second, third = TRIPLES[kernel]
        total: Series | None = None
        for channel in channels:
            part = self.alpha[channel] + self.gamma[first, channel]
            part += self.gamma[second, channel]
            part += self.gamma[third, channel]
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None, "a convolution reads at least one channel"
        return total


def transform_series(weights: Mapping[str, NDArray[Any]], series: Series) -> tuple[Series]:
    """Return features (n, n_dims): shares (0-1) of positions at which a convolution is above its threshold.

    Parameters
    ----------
    weights : mapping of str to array
        As `fit_rocket` returns them.
    series : array, shape (n, channels, time)
    """
    series = np.asarray(series, dtype=np.float32)
    features = np.empty((len(series), len(weights["biases"])), dtype=np.float32)
    n_rows = max(1, _BLOCK_VALUES // series.shape[2])
    blocks = [slice(start, start + n_rows) for start in range(0, len(series), n_rows)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(lambda rows: _fill_features(weights, series[rows], features[rows]), blocks):
            pass
    return (features,)


def _list_channels(weights: Mapping[str, NDArray[Any]], n_channels: int) -> Iterator[NDArray[np.int32]]:
    """Yield the channels of each combination; of one channel, none were drawn."""
    ends = np.cumsum(weights["channels_per_combination"])
    for end, size in zip(ends, weights["channels_per_combination"], strict=True):
        yield weights["channel_indices"][end - size : end] if n_channels > 1 else np.zeros(1, np.int32)


def _fill_features(weights: Mapping[str, NDArray[Any]], series: Series, features: Series) -> None:
    """Write the features of some series into an array (n, n_dims)."""
    by_channel = np.ascontiguousarray(series.transpose(1, 0, 2))
    length, start = series.shape[2], 0
    above = np.empty((len(series), length), dtype=np.float32)
    channels = _list_channels(weights, series.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        for number, dilation in enumerate(weights["dilations"].tolist()):
            taps, padding = _Taps(by_channel, dilation), TAPS // 2 * dilation
            inner = np.zeros(length, dtype=np.float32)
            inner[padding : length - padding] = 1
            for kernel in range(len(TRIPLES)):
                convolved = taps.convolve(kernel, next(channels))
                positions = inner if (number + kernel) % 2 else np.ones_like(inner)
                n_positions = max(1.0, float(positions.sum()))
                for threshold in weights["biases"][start : start + weights["features_per_dilation"][number]]:
                    np.greater(convolved, threshold, out=above, casting="unsafe")
                    features[:, start] = above @ positions / n_positions
                    start += 1


def list_stages() -> tuple[Stage, ...]:
    """Return one block, with nothing in it that could be trained."""
    return (Stage("convolutions", ()),)
