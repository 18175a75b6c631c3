"""Headstart's own network for series: convolutions, then a small transformer; every block leaves its pooled output.

Each channel is brought to mean 0 and spread 1, cut into patches and encoded by itself; how its level and scale, its
gaps and its length were is kept beside it. Dosovitskiy-style tokens as in Mantis (Feofanov et al. 2025,
arXiv:2502.15637), pooled shares of positive values as in MiniRocket (arXiv:2012.08791). What is read out is said by
`headstart.bases.series_shape.READ_OUT`: networks of bundles before 0.3.0 have none of its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.record import Stage
from headstart.bases.series_readout import FixedConvolutions
from headstart.bases.series_shape import (
    N_FACTS,
    count_components_each,
    count_described,
    count_first,
    has_read_out,
)

_SHARPNESS = 4.0
_SMALL, _LARGE = 1e-2, 1e6
"""Largest values outside these are brought to 1 first, or their squares would leave single precision."""
_FLAT = 1e-4
"""A series that moves by less than this share of its size: taking off its mean would leave rounding errors."""


def standardise(values: Tensor, known: Tensor, any_unit: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Standardise series (n, time) over the known steps; also return means and standard deviations (n, 1).

    Without `any_unit` very small and very large values are taken as they are.
    """
    top = values.abs().amax(1, keepdim=True)
    is_extreme = (top > 0) & ((top < _SMALL) | (top > _LARGE)) if any_unit else torch.zeros_like(top, dtype=torch.bool)
    unit = torch.where(is_extreme, top, torch.ones_like(top))
    weight = known / known.sum(1, keepdim=True).clamp(min=1.0)
    values = values / unit
    mean = (values * weight).sum(1, keepdim=True)
    spread = ((values - mean).square() * weight).sum(1, keepdim=True).sqrt()
    steps = values - values[:, :1]  # Exact where a series hardly moves; of a dead sensor all 0, whatever adds it up.
    level = (steps * weight).sum(1, keepdim=True)
    fine = ((steps - level).square() * weight).sum(1, keepdim=True).sqrt()
    flat = spread < _FLAT * top / unit
    centred, spread = torch.where(flat, steps - level, values - mean), torch.where(flat, fine, spread)
    return centred / spread.clamp(min=1e-6), mean * unit, spread * unit


def compress_values(values: Tensor) -> Tensor:
    """Return the logarithm of 1 + size, with the sign of the value.

    Parameters
    ----------
    values : Tensor
        Of any shape, in the unit of the data.
    """
    return torch.sign(values) * torch.log1p(values.abs())


class SeriesStem(nn.Module):
    """Series to tokens: dilated convolutions of the series and its difference, and the patches themselves.

    Input values and known (n, channels, time) and steps (n, 1); output (n, channels, tokens, width): the patches, then
    tokens that hold facts and pooled features, which no block changes.
    """

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        width, patch, length = (int(architecture[name]) for name in ("width", "patch", "length"))
        kernels, dilations = int(architecture["kernels"]), [int(value) for value in architecture["dilations"]]
        self.patch, self.width, self.length = patch, width, length
        self.any_unit = True
        self.convolutions = nn.ModuleList(nn.Conv1d(3, kernels, 9, dilation=d, padding=4 * d) for d in dilations)
        self.join = nn.Linear(2 * kernels * len(dilations) + patch + 3, width)
        self.n_first = count_first(architecture)
        self.fixed = nn.ModuleList(
            FixedConvolutions([int(value) for value in architecture["fixed_dilations"]], int(n_thresholds))
            for n_thresholds in architecture.get("fixed_thresholds", ())
        )
        self.places = nn.Parameter(torch.randn(length // patch, width) * 0.02)

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> Tensor:
        channels, n_patches = int(values.shape[1]), self.length // self.patch  # Constants of a converted network.
        flat, is_known = values.reshape(-1, self.length), known.reshape(-1, self.length)
        series, change, mean, spread = self.standardise_views(flat, is_known)
        stacked = torch.stack([series, change, 1 - is_known], 1)
        convolved = torch.cat([convolve(stacked) for convolve in self.convolutions], 1)
        patches = series.reshape(-1, n_patches, self.patch)
        middle, change_size = patches.mean(2), change.reshape(-1, n_patches, self.patch).square().mean(2).sqrt()
        missing = 1 - is_known.reshape(-1, n_patches, self.patch).mean(2)
        share = functional.avg_pool1d(functional.hardsigmoid(_SHARPNESS * convolved), self.patch)
        highest = functional.max_pool1d(convolved, self.patch)
        described = [
            share, functional.gelu(highest),
            patches.transpose(1, 2), middle[:, None], change_size[:, None], missing[:, None],
        ]  # fmt: skip
        tokens = self.join(torch.cat(described, 1).transpose(1, 2)) + self.places
        taken = torch.log2(steps.clamp(min=1.0)).expand(-1, channels).reshape(-1, 1)
        level = compress_values(mean)
        facts = torch.cat([level, torch.log(spread + 1e-6), taken, missing.mean(1, keepdim=True)], 1)
        raw = compress_values(flat)
        read = self.read_fixed(series, change, raw) if self.fixed else [share.mean(2), highest.amax(2)]
        first = torch.cat([middle, change_size, *read], 1)
        fact_tokens = torch.cat([functional.pad(facts, (0, self.width - N_FACTS)),
                          functional.pad(first, (0, -self.n_first % self.width))], 1)  # fmt: skip
        joined = torch.cat([tokens, fact_tokens.reshape(-1, 1 - (-self.n_first // self.width), self.width)], 1)
        return joined.reshape(-1, channels, joined.shape[1], self.width)

    def standardise_views(self, values: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the standardised series and its change (n, time), and means and standard deviations (n, 1)."""
        series, mean, spread = standardise(values, known, self.any_unit)
        change = functional.pad(series[:, 1:] - series[:, :-1], (1, 0))
        return series, change / (change.square().mean(1, keepdim=True).sqrt() + 1e-3), mean, spread

    def read_fixed(self, series: Tensor, change: Tensor, raw: Tensor) -> list[Tensor]:
        """Return features (n, ...) of the standardised series, its change, and its values as they are: these last."""
        fixed = [convolve(view) for convolve, view in zip(self.fixed, (series, change, raw), strict=True)]
        patches = raw.reshape(-1, self.length // self.patch, self.patch)
        return [fixed[0], fixed[1], patches.mean(2), patches.amax(2), patches.amin(2), fixed[2]]


class SeriesBlock(nn.Module):
    """Transformer block over the patches of each channel; adds tokens: their mean, maximum and spread."""

    def __init__(self, width: int, heads: int, patches: int) -> None:
        super().__init__()
        self.heads, self.patches = heads, patches
        self.norm1, self.norm2, self.out = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, state: Tensor) -> Tensor:
        channels, width = int(state.shape[1]), self.proj.in_features
        tokens = state[:, :, : self.patches].reshape(-1, self.patches, width)
        shape = (-1, self.patches, 3, self.heads, width // self.heads)
        query, key, value = self.qkv(self.norm1(tokens)).reshape(shape).permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        tokens = tokens + self.proj(seen.reshape(-1, self.patches, width))
        tokens = tokens + self.narrow(functional.gelu(self.wide(self.norm2(tokens))))
        even = self.out(tokens)
        spread = (even.var(1, correction=0) + 1e-6).sqrt()
        pooled = torch.stack([even.mean(1), even.amax(1), spread], 1)
        old = state[:, :, self.patches :].flatten(0, 1)
        joined = torch.cat([tokens, old, pooled], 1)
        return joined.reshape(-1, channels, joined.shape[1], width)


class SeriesNet(nn.Module):
    """Stem, blocks, and what is left over of them."""

    centre: Tensor
    spread: Tensor
    components: Tensor

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        width = int(architecture["width"])
        self.patches, self.width = int(architecture["length"]) // int(architecture["patch"]), width
        self.stem = SeriesStem(architecture)
        self.n_first = self.stem.n_first
        self.read_blocks = int(architecture["read_blocks"]) if has_read_out(architecture) else None
        self.n_dims = count_described(architecture)
        n_blocks, heads = int(architecture["blocks"]), int(architecture["heads"])
        self.blocks = nn.ModuleList(SeriesBlock(width, heads, self.patches) for _ in range(n_blocks))
        self.register_buffer("centre", torch.zeros(self.n_dims))
        self.register_buffer("spread", torch.ones(self.n_dims))
        self.register_buffer("components", torch.zeros(self.n_dims, int(architecture["components"])))

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> Tensor:
        state = self.stem(values, known, steps)
        for block in self.blocks:
            state = block(state)
        return self.pool_features(state)

    def split_described(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return each channel's features (n, channels, n_dims) and facts (n, channels, N_FACTS)."""
        fact_tokens = state[:, :, self.patches :]
        first = -(-self.n_first // self.width)
        before, after = fact_tokens[:, :, 1 : 1 + first].flatten(2), fact_tokens[:, :, 1 + first :]
        if self.read_blocks is not None:  # The means alone.
            pooled = after.reshape(-1, int(state.shape[1]), len(self.blocks), 3, self.width)
            after = pooled[:, :, len(self.blocks) - self.read_blocks :, 0]
        return torch.cat([before[:, :, : self.n_first], after.flatten(2)], 2), fact_tokens[:, :, 0, :N_FACTS]

    def pool_features(self, state: Tensor) -> Tensor:
        """Return the features of a row: of one channel all, of several the principal components of each.

        Features are standardised by their mean and spread over synthetic series, so that all kinds have a say.
        """
        described, facts = self.split_described(state)
        features = (described - self.centre) / self.spread
        channels = int(features.shape[1])
        if channels == 1:
            return torch.cat([features, facts], 2)[:, 0]
        projected, each = features @ self.components, count_components_each(self.components.shape[1], channels)
        if each:
            return torch.cat([projected[:, :, :each].flatten(1), facts.flatten(1)], 1)
        both = torch.cat([projected, facts], 2)
        return torch.cat([both.mean(1), both.amax(1)], 1)


class PooledSeries(nn.Module):
    """A network that answers with the features of whole rows, as a tuple of one."""

    def __init__(self, net: SeriesNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        return (self.net(values, known, steps),)


class SeriesTail(nn.Module):
    """The last blocks and the pooling."""

    def __init__(self, net: SeriesNet, n_tail: int) -> None:
        super().__init__()
        self.net = net
        self.blocks = net.blocks[len(net.blocks) - n_tail :]

    def forward(self, state: Tensor, *_: Tensor) -> Tensor:
        for block in self.blocks:
            state = block(state)
        return self.net.pool_features(state)


class SeriesTrunk(nn.Module):
    """The stem and the first blocks."""

    def __init__(self, net: SeriesNet, n_tail: int) -> None:
        super().__init__()
        self.stem = net.stem
        self.blocks = net.blocks[: len(net.blocks) - n_tail]

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        state = self.stem(values, known, steps)
        for block in self.blocks:
            state = block(state)
        return (state,)


def build_network(architecture: Mapping[str, Any]) -> SeriesNet:
    """Return the network with random weights.

    Parameters
    ----------
    architecture : mapping
        As `headstart.bases.series_shape.ARCHITECTURE`.
    """
    return SeriesNet(architecture)


def wrap_network(net: SeriesNet) -> PooledSeries:
    """Make the module that gives features of whole rows."""
    return PooledSeries(net)


def list_stages(net: SeriesNet) -> tuple[Stage, ...]:
    """List the network's blocks from input to output; together they hold every parameter once."""
    parts: list[tuple[str, nn.Module]] = [("stem", net.stem)]
    parts += [(f"blocks.{number}", block) for number, block in enumerate(net.blocks)]
    return tuple(
        Stage(f"stage-{place}", tuple(f"{name}.{inner}" for inner, _ in part.named_parameters()))
        for place, (name, part) in enumerate(parts)
    )
