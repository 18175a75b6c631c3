"""Networks for fine-tuning: a body (the whole base, or the tail behind a cut), standardised features, a linear head.

The head starts at the probe's solution (LP-FT, Kumar et al. 2022, arXiv:2202.10054), so that the first gradients are
useful and do not distort the features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

from headstart.training.settings import SETTINGS

ATTENTION = ("query", "key", "value", "q_proj", "k_proj", "v_proj", "q_lin", "k_lin", "v_lin", "qkv", "in_proj", "Wqkv")
"""Last parts of the names of attention's linear layers in transformers and timm."""


class FinalFeatures(nn.Module):
    """A whole base that returns its final features only."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        features: Tensor = self.module(*inputs)[-1]
        return features


class FeatureNet(nn.Module):
    """A body without head; its parameters have the same names as in a `TunedNet`."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor) -> Tensor:
        features: Tensor = self.body(*inputs)
        return features


class TunedNet(nn.Module):
    """Body, standardised features, linear head.

    Parameters
    ----------
    body : Module
        Inputs in, features (n, n_dims) out.
    standard : centre and inverse of the spread, shape (n_dims,)
        Standardise the features before the head; not trained.
    head : weights and intercept, shapes (n_outputs, n_dims) and (n_outputs,)
        Initial head, for standardised features.
    scale : centre and scale of the scores, shape (n_outputs,)
        Mean and standard deviation of values; 0 and 1 for classes.
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

    def head_for_raw_features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the head for raw features minus `centre`: weights (n_dims, n_outputs) and intercept."""
        weights = self.head.weight.detach() * self.unit[:, None] * self.inverse
        intercept = self.head.bias.detach() * self.unit + self.middle
        return np.array(weights.T.numpy(), dtype=np.float32), np.array(intercept.numpy(), dtype=np.float32)


class LowRank(nn.Module):
    """A weight plus a low-rank product (LoRA, Hu et al. 2021, arXiv:2106.09685) that starts at zero."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def find_attention_layers(net: nn.Module) -> dict[str, nn.Linear]:
    """Return the linear layers of the attention blocks by name.

    Parameters
    ----------
    net : Module
    """
    return {
        name: item
        for name, item in net.named_modules()
        if isinstance(item, nn.Linear) and name.rpartition(".")[2] in ATTENTION
    }


def add_low_rank(net: nn.Module, seed: int) -> dict[str, nn.Linear]:
    """Add low-rank updates to attention's linear layers; return these layers by name.

    Parameters
    ----------
    net : Module
    seed : int
        Of the random matrices; global random state is not changed.
    """
    layers = find_attention_layers(net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers.values():
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, SETTINGS.lora_rank))
    return layers


def merge_low_rank(layers: Mapping[str, nn.Linear]) -> None:
    """Merge the updates into the weights: the network has its original parameters again.

    Parameters
    ----------
    layers : mapping of str to Linear
        As `add_low_rank` returns them.
    """
    for layer in layers.values():
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def name_norms_and_biases(net: nn.Module) -> list[str]:
    """Return the names of all biases and of normalisation layers' parameters (BitFit, arXiv:2106.10199).

    Parameters
    ----------
    net : Module
    """
    norms = {
        f"{name}.{part}"
        for name, item in net.named_modules()
        if isinstance(item, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm)
        for part, _ in item.named_parameters(recurse=False)
    }
    return [name for name, _ in net.named_parameters() if name in norms or name.endswith("bias")]


def count_saved_bytes(net: nn.Module, batch: tuple[Tensor, ...]) -> int:
    """Return the bytes that a forward pass saves for the backward pass.

    Parameters
    ----------
    net : Module
    batch : tuple of Tensor
        Model inputs.
    """
    total = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        net(*batch)
    return total
