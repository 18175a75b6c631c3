"""TinyTimeMixer (Ekambaram et al. 2024, arXiv:2401.03955): patches mixed with each other and within themselves.

The features of a block are mean, maximum and spread over its patches. Forecasts need the decoder and the head, which
are left out here (`headstart.bases.series_bodies.layouts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.series_bodies.body import SeriesBodyNet, centre, list_stages, read_sizes, wrap_network

__all__ = ["build_network", "list_stages", "wrap_network"]

_SMALLEST_VARIANCE = 1e-5


class Mixer(nn.Module):
    """Norm, two layers and a soft gate, over the patches or over the width."""

    def __init__(self, width: int, mixed: int, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        inner = mixed * int(architecture["expansion"])
        self.norm = nn.LayerNorm(width, eps=float(architecture["norm_epsilon"]))
        self.wide, self.narrow, self.gate = nn.Linear(mixed, inner), nn.Linear(inner, mixed), nn.Linear(mixed, mixed)

    def forward(self, even: Tensor) -> Tensor:
        mixed = self.narrow(functional.gelu(self.wide(even)))
        out: Tensor = mixed * self.gate(mixed).softmax(-1)
        return out


class MixerLayer(nn.Module):
    """Mixes patches, then features."""

    def __init__(self, patches: int, width: int, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        self.patch, self.feature = Mixer(width, patches, architecture), Mixer(width, width, architecture)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.patch(self.patch.norm(tokens).transpose(1, 2)).transpose(1, 2)
        out: Tensor = tokens + self.feature(self.feature.norm(tokens))
        return out


class MixerBlock(nn.Module):
    """Layers at one level: every patch is cut into `parts` smaller ones, which are put together again afterwards."""

    def __init__(self, parts: int, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        length, patch, width, n_layers = read_sizes(architecture, "length patch width layers")
        self.n_patches, self.width = length // patch * parts, width // parts
        self.layers = nn.ModuleList(MixerLayer(self.n_patches, self.width, architecture) for _ in range(n_layers))

    def forward(self, tokens: Tensor, bias: Tensor | None) -> Tensor:
        shape = (-1, int(tokens.shape[1]), int(tokens.shape[2]))
        tokens = tokens.reshape(-1, self.n_patches, self.width)
        for layer in self.layers:
            tokens = layer(tokens)
        return tokens.reshape(shape)


class TinyTimeMixerNet(SeriesBodyNet):
    """Gaps were filled before."""

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        length, self.patch, width, n_blocks = read_sizes(architecture, "length patch width blocks")
        self.n_patches = length // self.patch
        self.patches = nn.Linear(self.patch, width)
        self.blocks = nn.ModuleList(MixerBlock(2**level, architecture) for level in reversed(range(n_blocks)))
        self.norm = nn.Identity()

    def embed(self, values: Tensor, known: Tensor) -> Tensor:
        centred = centre(values)
        scaled = centred / (centred.square().mean(1, keepdim=True) + _SMALLEST_VARIANCE).sqrt()
        tokens: Tensor = self.patches(scaled.reshape(-1, self.n_patches, self.patch))
        return tokens

    def weigh_tokens(self, known: Tensor) -> Tensor:
        return torch.ones_like(known[:, : self.n_patches])

    def pool(self, tokens: Tensor, weights: Tensor) -> Tensor:
        spread = (tokens.var(1, correction=0) + 1e-6).sqrt()
        return torch.cat([tokens.mean(1), tokens.amax(1), spread], 1)


def build_network(architecture: Mapping[str, Any]) -> TinyTimeMixerNet:
    """Return the network with random weights."""
    return TinyTimeMixerNet(architecture)
