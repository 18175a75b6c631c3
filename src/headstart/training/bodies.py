"""Networks that are tuned: a body (a whole base, or the tail behind a cut), a standardising step, and a linear head.

The head starts at the probe's solution (LP-FT, Kumar et al. 2022, arXiv:2202.10054), so that training begins with
useful gradients and the general features are not torn apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

LORA_RANK = 8
ATTENTION = ("query", "key", "value", "q_proj", "k_proj", "v_proj", "q_lin", "k_lin", "v_lin", "qkv", "in_proj", "Wqkv")
"""Last parts of the names of attention's linear layers, over the families of transformers and timm."""


class Whole(nn.Module):
    """A whole base that answers with its final features only."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        found: Tensor = self.module(*inputs)[-1]
        return found


class Embedding(nn.Module):
    """A body alone, under the name that it has in a `TunedNet`."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor) -> Tensor:
        found: Tensor = self.body(*inputs)
        return found


class TunedNet(nn.Module):
    """Body, standardised features, linear head.

    Parameters
    ----------
    body : Module
        Inputs in, features (n, n_dims) out.
    centre, inverse : arrays, shape (n_dims,)
        Features are moved and scaled by them before the head; both stay as they are.
    weights, intercept : arrays, shape (n_outputs, n_dims) and (n_outputs,)
        Where the head starts, for standardised features.
    middle, unit : arrays, shape (n_outputs,)
        The head learns scores in this unit from this middle: mean and spread of values, 0 and 1 for classes.
    """

    centre: Tensor
    inverse: Tensor
    middle: Tensor
    unit: Tensor

    def __init__(
        self,
        body: nn.Module,
        standard: Sequence[NDArray[Any]],
        head: Sequence[NDArray[Any]],
        scale: Sequence[NDArray[Any]],
    ) -> None:
        super().__init__()
        self.body = body
        for name, part in zip(("centre", "inverse", "middle", "unit"), (*standard, *scale), strict=True):
            self.register_buffer(name, torch.from_numpy(np.array(part, dtype=np.float32)))
        weights, intercept = (torch.from_numpy(np.array(part, dtype=np.float32)) for part in head)
        self.head = nn.Linear(weights.shape[1], weights.shape[0])
        self.head.weight.data = weights / self.unit[:, None]
        self.head.bias.data = (intercept - self.middle) / self.unit

    def forward(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self.head((self.body(*inputs) - self.centre) * self.inverse) * self.unit + self.middle
        return scores

    def raw(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the head for features as they are, moved by `centre`: weights (n_dims, n_outputs) and intercept."""
        weights = self.head.weight.detach() * self.unit[:, None] * self.inverse
        intercept = self.head.bias.detach() * self.unit + self.middle
        return np.array(weights.T.numpy(), dtype=np.float32), np.array(intercept.numpy(), dtype=np.float32)


class LowRank(nn.Module):
    """A weight plus a product of two thin matrices (LoRA, Hu et al. 2021, arXiv:2106.09685); zero at the start."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def attention_layers(net: nn.Module) -> dict[str, nn.Linear]:
    """Find the linear layers of the attention blocks by name."""
    return {
        name: item
        for name, item in net.named_modules()
        if isinstance(item, nn.Linear) and name.rpartition(".")[2] in ATTENTION
    }


def add_low_rank(net: nn.Module, seed: int) -> dict[str, nn.Linear]:
    """Put low-rank updates onto attention's linear layers; gives these layers by name."""
    layers = attention_layers(net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers.values():
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, LORA_RANK))
    return layers


def merge_low_rank(layers: Mapping[str, nn.Linear]) -> None:
    """Put the updates into the weights themselves: the network then has its first shape again."""
    for layer in layers.values():
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def norm_and_bias(net: nn.Module) -> list[str]:
    """Name the parameters of normalisation layers, and all biases (BitFit, Ben Zaken et al. 2021, arXiv:2106.10199)."""
    norms = {
        f"{name}.{part}"
        for name, item in net.named_modules()
        if isinstance(item, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm)
        for part, _ in item.named_parameters(recurse=False)
    }
    return [name for name, _ in net.named_parameters() if name in norms or name.endswith("bias")]


def saved_bytes(net: nn.Module, batch: tuple[Tensor, ...]) -> int:
    """Count the bytes that a forward pass keeps for the backward pass."""
    total = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        net(*batch)
    return total
