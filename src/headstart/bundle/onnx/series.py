"""Parts of a portable graph for series, as torch modules: MiniRocket's convolutions, QUANT's quantiles and trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.rocket import TAPS, TRIPLES
from headstart.bundle.onnx.heads import NamedTensors, apply_link, register_arrays
from headstart.modalities.quantiles import ROUNDED, SILENT, SMOOTHED, count_quantiles, list_intervals
from headstart.strategies.linear.links import ABSENT


class MiniRocketNetwork(nn.Module):
    """MiniRocket (Dempster, Schmidt and Webb 2021) with the parameters of `headstart.bases.rocket.fit_rocket`.

    Series (n, channels, time) to the share of positions where each convolution is above its threshold.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], n_channels: int, length: int) -> None:
        super().__init__()
        kernels = np.full((len(TRIPLES), TAPS), -1.0, dtype=np.float32)
        np.put_along_axis(kernels, np.array(TRIPLES), 2.0, axis=1)
        self.dilations = [int(value) for value in weights["dilations"]]
        sizes = [int(value) for value in weights["features_per_dilation"]]
        per_combination = np.asarray(weights["channels_per_combination"])
        ends, start = np.cumsum(per_combination), 0
        for number, (dilation, size) in enumerate(zip(self.dilations, sizes, strict=True)):
            chosen = np.ones((len(TRIPLES), n_channels), dtype=np.float32)
            if n_channels > 1:
                chosen[:] = 0
                for kernel in range(len(TRIPLES)):
                    at = number * len(TRIPLES) + kernel
                    chosen[kernel, weights["channel_indices"][ends[at] - per_combination[at] : ends[at]]] = 1
            stop = start + len(TRIPLES) * size
            padding = TAPS // 2 * dilation
            inner = np.zeros(length, dtype=bool)
            inner[padding : length - padding] = True
            whole = (number + np.arange(len(TRIPLES))) % 2 == 0
            share = np.where(whole[:, None], 1 / length, inner / max(1, inner.sum())).astype(np.float32)
            register_arrays(self, **{
                f"taps_{number}": kernels[:, None] * chosen[:, :, None],
                f"thresholds_{number}": weights["biases"][start:stop].reshape(len(TRIPLES), size).astype(np.float32),
                f"shares_{number}": share,
            })  # fmt: skip
            start = stop

    def forward(self, series: Tensor) -> Tensor:
        features = []
        for number, dilation in enumerate(self.dilations):
            taps, thresholds = getattr(self, f"taps_{number}"), getattr(self, f"thresholds_{number}")
            share = getattr(self, f"shares_{number}")
            convolved = functional.conv1d(series, taps, padding=TAPS // 2 * dilation, dilation=dilation)
            zero = torch.zeros_like(share)
            parts = [
                torch.where(convolved > thresholds[:, at, None], share, zero).sum(2)
                for at in range(thresholds.shape[1])
            ]
            features.append(torch.stack(parts, dim=2).flatten(1))
        return torch.cat(features, dim=1)


class ConvolutionModel(nn.Module):
    """A `classic_series.SeriesModel`: convolutions of the series and of its first difference."""

    def __init__(self, core: Any, head: nn.Module, name: str) -> None:
        super().__init__()
        shape = int(core.spec["n_channels"]), int(core.spec["length"])
        self.rockets = nn.ModuleDict({view: MiniRocketNetwork(some, *shape) for view, some in core.kernels.items()})
        self.head, self.name = head, name

    def forward(self, tensors: NamedTensors) -> Tensor:
        series = tensors[self.name]
        first = torch.cat([torch.zeros_like(series[..., :1]), series[..., 1:] - series[..., :-1]], dim=2)
        views = {"kernels": series, "difference": first}
        features = [rocket(views[view]) for view, rocket in self.rockets.items()]
        outputs: Tensor = self.head({"convolved": torch.cat(features, dim=1)})
        return outputs


def _make_fourier_matrices(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines of the discrete Fourier transform, each (length, length // 2 + 1)."""
    turns = np.outer(np.arange(length), np.arange(length // 2 + 1)) % length
    angles = 2 * np.pi * turns / length
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class QuantileFeatures(nn.Module):
    """`headstart.modalities.quantiles.describe_series`: series (n, channels, time) to quantiles of their parts."""

    cosines: Tensor
    sines: Tensor

    def __init__(self, length: int, divisor: int) -> None:
        super().__init__()
        cosines, sines = _make_fourier_matrices(length)
        register_arrays(self, cosines=cosines, sines=sines)
        self.divisor = divisor

    def forward(self, series: Tensor) -> Tensor:
        first = series[..., 1:] - series[..., :-1]
        half, n_steps = SMOOTHED // 2, first.shape[-1]
        padded = torch.cat([first[..., :1]] * half + [first] + [first[..., -1:]] * half, dim=-1)
        smooth = torch.stack([padded[..., at : at + n_steps] for at in range(SMOOTHED)]).sum(0) / SMOOTHED
        across, down = series @ self.cosines, series @ self.sines
        spectrum = (across * across + down * down).sqrt()
        least = SILENT * (series * series).sum(-1, keepdim=True).sqrt()
        spectrum = torch.where(spectrum < least, torch.zeros_like(spectrum), spectrum)
        representations = (series, smooth, first[..., 1:] - first[..., :-1], spectrum)
        quantiles, places, start = [], list[NDArray[np.int64]](), 0
        for values in representations:
            start, parts = _group_intervals(int(values.shape[-1]), self.divisor, start)
            for rows, at in parts:
                quantiles.append(self._compute_quantiles(values[..., torch.from_numpy(rows)]).flatten(-2))
                places.append(at.ravel())
        order = np.argsort(np.concatenate(places))
        return torch.cat(quantiles, dim=-1)[..., torch.from_numpy(order)].flatten(1)

    def _compute_quantiles(self, values: Tensor) -> Tensor:
        """Return quantiles of parts of one width: (n, channels, n_parts, width) to (n, channels, n_parts, count)."""
        width = int(values.shape[-1])
        count = count_quantiles(width, self.divisor)
        if width == 1:
            return values
        ordered = values.sort(dim=-1).values
        at = np.asarray([0.5]) * (width - 1) if count == 1 else np.linspace(0, width - 1, count)
        below = np.floor(at).astype(np.int64)
        share = torch.from_numpy((at - below).astype(np.float32))
        low, high = torch.from_numpy(below), torch.from_numpy(np.minimum(below + 1, width - 1))
        quantiles = ordered[..., low] * (1 - share) + ordered[..., high] * share
        if count == 1:
            return quantiles
        odd = torch.from_numpy((np.arange(count) % 2).astype(np.float32))
        mean = values.mean(dim=-1, keepdim=True)
        differences = quantiles - mean * odd
        return torch.where(
            (odd > 0) & (differences.abs() < ROUNDED * mean.abs()), torch.zeros_like(differences), differences
        )


def _group_intervals(
    length: int, divisor: int, start: int
) -> tuple[int, list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    """Group the intervals of a representation by width, so that a graph needs few steps.

    Returns
    -------
    int
        Where the next representation's features start.
    list of (steps (n_parts, width), places of their features (n_parts, count))
    """
    groups: dict[int, list[tuple[int, int]]] = {}
    for before, after in list_intervals(length):
        groups.setdefault(after - before, []).append((before, start))
        start += count_quantiles(after - before, divisor)
    return start, [
        (
            np.asarray([np.arange(before, before + width) for before, _ in items]),
            np.asarray([np.arange(at, at + count_quantiles(width, divisor)) for _, at in items]),
        )
        for width, items in groups.items()
    ]


class ForestModel(nn.Module):
    """A `headstart.strategies.baselines.quant.TreeModel`: every tree is walked down at once, level by level."""

    feature: Tensor
    threshold: Tensor
    after: Tensor
    leaf: Tensor
    values: Tensor
    roots: Tensor
    shares: Tensor

    def __init__(self, core: Any, name: str) -> None:
        super().__init__()
        forest, inside = core.forest, core.forest.feature >= 0
        itself = np.arange(len(inside), dtype=np.int32)[:, None]
        register_arrays(
            self, feature=np.where(inside, forest.feature, 0).astype(np.int32), threshold=forest.threshold,
            after=np.where(inside[:, None], forest.children, itself).astype(np.int32).ravel(),
            leaf=forest.leaf, values=forest.values, roots=forest.roots.astype(np.int64),
            shares=np.asarray(core.prior, dtype=np.float64),
        )  # fmt: skip
        self.describe = QuantileFeatures(int(core.spec["length"]), core.divisor)
        self.depth, self.link, self.name = _measure_depth(forest), core.link, name
        self.temperature, self.present = float(core.temperature), core.prior > 0

    def forward(self, tensors: NamedTensors) -> Tensor:
        described = self.describe(tensors[self.name])
        node = self.roots[None] + torch.zeros_like(described[:, :1]).long()
        for _ in range(self.depth):
            split_values = described.gather(1, self.feature[node].long())
            right = (split_values > self.threshold[node]).long()
            node = self.after[2 * node + right].long()
        mean = self.values[self.leaf[node].long()].double().mean(1)
        return apply_link(self._compute_scores(mean) / self.temperature, self.link)

    def _compute_scores(self, mean: Tensor) -> Tensor:
        """Mean votes (n, n_present) to scores, with one tree more that knows the shares only."""
        n_trees = self.roots.shape[0]
        if self.link == "identity":
            return mean
        if self.link == "logistic":
            probabilities = ((n_trees * mean + self.shares) / (n_trees + 1)).clamp(1e-9, 1 - 1e-9)
            return (probabilities / (1 - probabilities)).log()
        place = np.cumsum(self.present) - 1
        columns = [
            (((n_trees * mean[:, int(place[code])] + self.shares[code]) / (n_trees + 1)).clamp(min=1e-300)).log()
            if is_present
            else torch.full_like(mean[:, 0], ABSENT)
            for code, is_present in enumerate(self.present)
        ]
        return torch.stack(columns, dim=1)


def _measure_depth(forest: Any) -> int:
    """Count the questions on the longest way down."""
    level, depth = forest.roots, 0
    while True:
        level = level[forest.feature[level] >= 0]
        if len(level) == 0:
            return depth
        level, depth = forest.children[level].ravel(), depth + 1
