"""Mantis (Feofanov et al. 2025, arXiv:2502.15637): tokens of a series, its difference and its scale; a transformer.

Every block gives the class token and the mean of the others side by side: the published `combined` output. The class
token alone, after the last block, is the model's own embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.series_bodies.body import (
    SeriesBodyNet,
    centre,
    list_stages,
    make_sinusoids,
    read_sizes,
    wrap_network,
)

__all__ = ["build_network", "list_stages", "wrap_network"]

_SMALLEST_SPREAD = 1e-5


def _compute_spread(values: Tensor) -> Tensor:
    """Return the standard deviation over the last axis, kept, of n - 1 degrees of freedom."""
    return (centre(values).square().sum(-1, keepdim=True) / (int(values.shape[-1]) - 1)).sqrt()


class ScaleEncoder(nn.Module):
    """Encodes a number as seen at one scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope, self.shift = nn.Parameter(torch.rand(1, width)), nn.Parameter(torch.rand(1, width))
        self.norm = nn.LayerNorm(width, eps=1e-15)

    def forward(self, numbers: Tensor, scale: float) -> Tensor:
        encoded: Tensor = self.norm(numbers * self.slope + scale * self.shift)
        return encoded


class NumberEncoder(nn.ModuleList):
    """Encodes a number at several scales; the nearer its size to a scale, the more that one counts."""

    def __init__(self, width: int, scales: Sequence[float], epsilon: float) -> None:
        super().__init__(ScaleEncoder(width) for _ in scales)
        self.scales, self.epsilon = list(scales), epsilon

    def forward(self, numbers: Tensor) -> Tensor:
        near = [(1 / torch.log(numbers.abs() / scale + self.epsilon)).abs() for scale in self.scales]
        total = torch.stack(near).sum(0)
        parts = [
            each(numbers, scale) * (weight / total) for each, scale, weight in zip(self, self.scales, near, strict=True)
        ]
        return torch.stack(parts).sum(0)


class MantisBlock(nn.Module):
    """Transformer block, norm first."""

    def __init__(self, width: int, heads: int, head_width: int, inner_width: int) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.proj = nn.Linear(heads * head_width, width)
        self.wide, self.narrow = nn.Linear(width, inner_width), nn.Linear(inner_width, width)

    def forward(self, tokens: Tensor, bias: Tensor | None) -> Tensor:
        n_tokens = int(tokens.shape[1])
        parts = self.qkv(self.norm1(tokens)).reshape(-1, n_tokens, 3, self.heads, self.head_width)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        tokens = tokens + self.proj(seen.reshape(-1, n_tokens, self.heads * self.head_width))
        out: Tensor = tokens + self.narrow(functional.gelu(self.wide(self.norm2(tokens))))
        return out


class MantisNet(SeriesBodyNet):
    """Convolutions of the series and its difference, mean and spread of each patch, then blocks."""

    positions: Tensor

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        length, patch, width, n_blocks = read_sizes(architecture, "length patch width blocks")
        heads, head_width, inner = read_sizes(architecture, "heads head_width inner_width")
        scalar = int(architecture["scalar_width"])
        scales, epsilon = [float(value) for value in architecture["scales"]], float(architecture["epsilon"])
        self.patch, self.patches, kernel = patch, length // patch, patch + 1 - patch % 2
        self.convolutions = nn.ModuleList(nn.Conv1d(1, width, kernel, padding=kernel // 2) for _ in range(2))
        self.convolution_norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.scalars = nn.ModuleList(NumberEncoder(scalar, scales, epsilon) for _ in range(2))
        self.join, self.join_norm = nn.Linear(2 * (scalar + width), width), nn.LayerNorm(width, eps=1e-15)
        self.class_token = nn.Parameter(torch.randn(width))
        self.register_buffer("positions", make_sinusoids(self.patches + 1, width), persistent=False)
        self.blocks = nn.ModuleList(MantisBlock(width, heads, head_width, inner) for _ in range(n_blocks))
        self.norm = nn.Identity()

    def embed(self, values: Tensor, known: Tensor) -> Tensor:
        change = functional.pad(values[:, 1:] - values[:, :-1], (0, 1))
        convolved = []
        for number, series in enumerate((change, values)):
            scaled = centre(series) / (_compute_spread(series) + _SMALLEST_SPREAD)
            tokens = self.convolution_norms[number](self.convolutions[number](scaled[:, None]).transpose(1, 2))
            convolved.append(tokens.reshape(-1, self.patches, self.patch, int(tokens.shape[2])).mean(2))
        cut = values.reshape(-1, self.patches, self.patch)
        numbers = [self.scalars[0](cut.mean(2, keepdim=True)), self.scalars[1](_compute_spread(cut))]
        tokens = self.join_norm(self.join(torch.cat([*convolved, *numbers], 2)))
        first = self.class_token.expand(tokens.shape[0], 1, -1)
        return torch.cat([first, tokens], 1) + self.positions

    def weigh_tokens(self, known: Tensor) -> Tensor:
        return torch.ones_like(known[:, : self.patches + 1])

    def pool(self, tokens: Tensor, weights: Tensor) -> Tensor:
        return torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1)


def build_network(architecture: Mapping[str, Any]) -> MantisNet:
    """Return the network with random weights."""
    return MantisNet(architecture)
