"""MOMENT (Goswami et al. 2024, arXiv:2402.03885): patches of a series that stands at the end of the window; T5.

The features are the mean over the patches that hold values only, as the published `embed` takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.series_bodies.body import centre, list_stages, make_sinusoids, read_sizes, wrap_network
from headstart.bases.series_bodies.t5_encoder import T5Body

__all__ = ["build_network", "list_stages", "wrap_network"]

_SMALLEST_SPREAD = 1e-5


class MomentNet(T5Body):
    """Gaps were filled before; what is not read are the steps before a series that is shorter than the window."""

    positions: Tensor

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__(architecture, is_gated=True)
        self.length, self.patch, width = read_sizes(architecture, "length patch width")
        self.patches = nn.Linear(self.patch, width, bias=False)
        self.masked = nn.Parameter(torch.zeros(width))
        n_patches = self.length // self.patch
        self.register_buffer("positions", make_sinusoids(n_patches, width), persistent=False)

    def embed(self, values: Tensor, known: Tensor) -> Tensor:
        centred = centre(values)
        scaled = centred / (centred.square().mean(1, keepdim=True).sqrt() + _SMALLEST_SPREAD)
        cut = self._fill_window(scaled).reshape(-1, self.length // self.patch, self.patch)
        weights = self.weigh_tokens(known)[..., None]
        tokens: Tensor = weights * self.patches(cut) + (1 - weights) * self.masked + self.positions
        return tokens

    def weigh_tokens(self, known: Tensor) -> Tensor:
        is_read = self._fill_window(torch.ones_like(known))
        return is_read.reshape(-1, self.length // self.patch, self.patch).amin(2)

    def _fill_window(self, values: Tensor) -> Tensor:
        return functional.pad(values, (self.length - int(values.shape[1]), 0))


def build_network(architecture: Mapping[str, Any]) -> MomentNet:
    """Return the network with random weights."""
    return MomentNet(architecture)
