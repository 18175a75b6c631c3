"""Chronos-Bolt (Ansari et al. 2024, arXiv:2403.07815, in its patched form): patches and their gaps; T5's encoder.

The features are the mean over the patches with a value in them and the register token that stands behind them; without
one, the last patch. Forecasts need the decoder, which is left out here (`headstart.bases.series_bodies.layouts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.series_bodies.body import average_tokens, list_stages, pad_left, read_sizes, wrap_network
from headstart.bases.series_bodies.t5_encoder import T5Body

__all__ = ["build_network", "list_stages", "wrap_network"]

_SMALLEST_SPREAD = 1e-5


class ChronosBoltNet(T5Body):
    """A step counts as known if most of it was, where a longer series was resampled."""

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__(architecture, is_gated=False)
        self.patch, width, inner = read_sizes(architecture, "patch width inner_width")
        self.hidden, self.output = nn.Linear(2 * self.patch, inner), nn.Linear(inner, width)
        self.residual = nn.Linear(2 * self.patch, width)
        self.has_register = bool(architecture["register"])
        self.register = nn.Embedding(1 + self.has_register, width)

    def embed(self, values: Tensor, known: Tensor) -> Tensor:
        is_known = self._round_known(known)
        scaled = pad_left(_scale(values, is_known) * is_known, self.patch)
        cut = (-1, int(scaled.shape[1]) // self.patch, self.patch)
        patches = torch.cat([scaled.reshape(cut), pad_left(is_known, self.patch).reshape(cut)], 2)
        tokens: Tensor = self.output(functional.relu(self.hidden(patches))) + self.residual(patches)
        if not self.has_register:
            return tokens
        return torch.cat([tokens, self.register.weight[1].expand(tokens.shape[0], 1, -1)], 1)

    def weigh_tokens(self, known: Tensor) -> Tensor:
        padded = pad_left(self._round_known(known), self.patch)
        weights = padded.reshape(-1, int(padded.shape[1]) // self.patch, self.patch).amax(2)
        return functional.pad(weights, (0, 1), value=1.0) if self.has_register else weights

    def pool(self, tokens: Tensor, weights: Tensor) -> Tensor:
        n_patches = int(tokens.shape[1]) - self.has_register
        return torch.cat([average_tokens(tokens[:, :n_patches], weights[:, :n_patches]), tokens[:, -1]], 1)

    @staticmethod
    def _round_known(known: Tensor) -> Tensor:
        return (known > 0.5).to(known.dtype)


def _scale(values: Tensor, known: Tensor) -> Tensor:
    """Return values (n, time) with mean 0 and spread 1 over the known steps; those that never change are 0."""
    weight = known / known.sum(1, keepdim=True).clamp(min=1.0)
    steps = values - values[:, :1]
    centred = steps - (steps * weight).sum(1, keepdim=True)
    spread = (centred.square() * weight).sum(1, keepdim=True).sqrt()
    return centred / torch.where(spread > 0, spread, torch.full_like(spread, _SMALLEST_SPREAD))


def build_network(architecture: Mapping[str, Any]) -> ChronosBoltNet:
    """Return the network with random weights."""
    return ChronosBoltNet(architecture)
