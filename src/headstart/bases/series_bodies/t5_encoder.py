"""The encoder of T5 (Raffel et al. 2020, arXiv:1910.10683), which MOMENT and Chronos-Bolt run over patches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.series_bodies.body import SeriesBodyNet, average_tokens, read_sizes

_HIDDEN = -1e9
"""Added to the score of a token that is not read."""


class ScaleNorm(nn.Module):
    """Divides by the root of the mean square; no mean is taken off."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, tokens: Tensor) -> Tensor:
        return self.weight * (tokens * torch.rsqrt(tokens.square().mean(-1, keepdim=True) + self.epsilon))


class T5Block(nn.Module):
    """Attention without a scale, then a feed-forward layer: gated (GELU) or plain (ReLU)."""

    def __init__(self, architecture: Mapping[str, Any], is_gated: bool) -> None:
        super().__init__()
        width, inner, self.heads, self.head_width = read_sizes(architecture, "width inner_width heads head_width")
        epsilon, projected = float(architecture["norm_epsilon"]), self.heads * self.head_width
        self.norm1, self.norm2 = ScaleNorm(width, epsilon), ScaleNorm(width, epsilon)
        self.query, self.key, self.value = (nn.Linear(width, projected, bias=False) for _ in range(3))
        self.out = nn.Linear(projected, width, bias=False)
        self.wide, self.narrow = nn.Linear(width, inner, bias=False), nn.Linear(inner, width, bias=False)
        self.gate = nn.Linear(width, inner, bias=False) if is_gated else None

    def forward(self, tokens: Tensor, bias: Tensor | None) -> Tensor:
        n_tokens = int(tokens.shape[1])
        even = self.norm1(tokens)
        query, key, value = (
            part(even).reshape(-1, n_tokens, self.heads, self.head_width).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) + bias
        seen = (scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, n_tokens, self.heads * self.head_width)
        tokens = tokens + self.out(seen)
        even = self.norm2(tokens)
        if self.gate is not None:
            inner = functional.gelu(self.wide(even), approximate="tanh") * self.gate(even)
        else:
            inner = functional.relu(self.wide(even))
        encoded: Tensor = tokens + self.narrow(inner)
        return encoded


class T5Body(SeriesBodyNet):
    """A body whose blocks are those of T5; a distance between tokens adds to their score."""

    def __init__(self, architecture: Mapping[str, Any], is_gated: bool) -> None:
        super().__init__()
        width, heads, n_blocks = read_sizes(architecture, "width heads blocks")
        self.buckets, self.distance = read_sizes(architecture, "buckets distance")
        self.places = nn.Embedding(self.buckets, heads)
        self.blocks = nn.ModuleList(T5Block(architecture, is_gated) for _ in range(n_blocks))
        self.norm = ScaleNorm(width, float(architecture["norm_epsilon"]))

    def make_bias(self, weights: Tensor) -> Tensor:
        buckets = assign_distances(int(weights.shape[1]), self.buckets, self.distance).to(weights.device)
        places = self.places(buckets).permute(2, 0, 1)[None]
        bias: Tensor = places + (1 - weights)[:, None, None] * _HIDDEN
        return bias

    def pool(self, tokens: Tensor, weights: Tensor) -> Tensor:
        return average_tokens(tokens, weights)


def assign_distances(n_tokens: int, buckets: int, distance: int) -> Tensor:
    """Return the bucket of the distance between every two tokens, (n_tokens, n_tokens): from, to.

    Half of the buckets are for tokens behind. Near distances have one each, far ones share them by their logarithm.

    Examples
    --------
    >>> assign_distances(4, 8, 16).tolist()
    [[0, 5, 6, 6], [1, 0, 5, 6], [2, 1, 0, 5], [2, 2, 1, 0]]
    """
    half, exact = buckets // 2, buckets // 4
    places = torch.arange(n_tokens)
    ahead = places[None] - places[:, None]
    steps = ahead.abs()
    share = torch.log(steps.clamp(min=1).float() / exact) / math.log(distance / exact)
    far = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(steps < exact, steps, far) + (ahead > 0).long() * half
