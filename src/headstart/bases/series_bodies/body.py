"""What the published networks for series have in common: channels by themselves, pooled blocks, facts beside them.

A body encodes one channel at a time: `embed`, then its blocks, then `pool`. The features of a row are those of its
channels side by side, and four facts of each channel that the networks' own scaling takes away.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.record import Stage
from headstart.bases.series_bodies.layout import count_pooled_blocks
from headstart.bases.series_encoder import compress_values, standardise

LARGEST_VALUE = 1e15
"""Values beyond are cut: their squares would leave single precision."""


class SeriesBodyNet(nn.Module, ABC):
    """One published network; subclasses fill `blocks` and the abstract methods."""

    blocks: nn.ModuleList
    norm: nn.Module
    """After the last block."""

    @abstractmethod
    def embed(self, values: Tensor, known: Tensor) -> Tensor:
        """Return tokens (n, tokens, width) of series (n, time); `known` is 1 where there was a value."""

    @abstractmethod
    def weigh_tokens(self, known: Tensor) -> Tensor:
        """Return which tokens (n, tokens) are read: 1 or 0."""

    def make_bias(self, weights: Tensor) -> Tensor | None:
        """Return what is added to the scores of attention, from the weights of the tokens; None if nothing is."""
        return None

    @abstractmethod
    def pool(self, tokens: Tensor, weights: Tensor) -> Tensor:
        """Return the features (n, n_dims) of tokens."""


class PooledBody(nn.Module):
    """Features of whole rows, a tuple of one tensor (n, n_dims).

    Of each channel the features of the last blocks, as many as fit, and its facts. Of many channels the mean and the
    maximum of the last block and of the facts. Input values and known (n, channels, time) and steps (n, 1).
    """

    def __init__(self, net: SeriesBodyNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, values: Tensor, known: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        channels, length = int(values.shape[1]), int(values.shape[2])  # Constants of a converted network.
        flat = values.clamp(-LARGEST_VALUE, LARGEST_VALUE).reshape(-1, length)
        is_known = known.reshape(-1, length)
        weights = self.net.weigh_tokens(is_known)
        bias, tokens = self.net.make_bias(weights), self.net.embed(flat, is_known)
        pooled = []
        for number, block in enumerate(self.net.blocks):
            tokens = block(tokens, bias)
            is_last = number == len(self.net.blocks) - 1
            pooled.append(self.net.pool(self.net.norm(tokens) if is_last else tokens, weights))
        n_blocks = count_pooled_blocks(len(pooled), int(pooled[-1].shape[1]), channels)
        facts = describe_channels(flat, is_known, steps, channels)
        each = torch.cat([*pooled[-max(1, n_blocks) :], facts], 1)
        each = each.reshape(-1, channels, int(each.shape[1]))
        return (each.flatten(1) if n_blocks else torch.cat([each.mean(1), each.amax(1)], 1),)


def wrap_network(net: SeriesBodyNet) -> PooledBody:
    """Make the module that gives features of whole rows."""
    return PooledBody(net)


def describe_channels(values: Tensor, known: Tensor, steps: Tensor, channels: int) -> Tensor:
    """Return the facts of each channel (n * channels, 4): level, spread, steps (as logarithms), share of missing ones.

    Parameters
    ----------
    values, known : Tensor, shape (n * channels, time)
    steps : Tensor, shape (n, 1)
    channels : int
    """
    _, mean, spread = standardise(values, known)
    level = compress_values(mean)
    taken = torch.log2(steps.clamp(min=1.0)).expand(-1, channels).reshape(-1, 1)
    return torch.cat([level, torch.log(spread + 1e-6), taken, 1 - known.mean(1, keepdim=True)], 1)


def centre(values: Tensor) -> Tensor:
    """Return values minus their mean over the last axis; exactly 0 where they never change."""
    steps = values - values[..., :1]
    return steps - steps.mean(-1, keepdim=True)


def pad_left(values: Tensor, multiple: int) -> Tensor:
    """Return series (n, time) with zeros before them up to a multiple of some length."""
    return functional.pad(values, (-int(values.shape[1]) % multiple, 0))


def average_tokens(tokens: Tensor, weights: Tensor) -> Tensor:
    """Return the mean (n, width) of the tokens that are read; 0 if none is."""
    return (tokens * weights[..., None]).sum(1) / weights.sum(1, keepdim=True).clamp(min=1.0)


def make_sinusoids(tokens: int, width: int) -> Tensor:
    """Return positions (tokens, width) as sines and cosines in turn (Vaswani et al. 2017, arXiv:1706.03762)."""
    angles = torch.arange(tokens)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    return torch.stack([torch.sin(angles), torch.cos(angles)], 2).reshape(tokens, width)


def list_stages(net: SeriesBodyNet) -> tuple[Stage, ...]:
    """List the blocks from input to output; together they hold every parameter once.

    Parameters
    ----------
    net : SeriesBodyNet
    """
    names = [name for name, _ in net.named_parameters()]
    inside = [[name for name in names if name.startswith(f"blocks.{number}.")] for number in range(len(net.blocks))]
    last = [name for name in names if name.startswith("norm.")]
    stem = [name for name in names if not name.startswith(("blocks.", "norm."))]
    groups: Sequence[list[str]] = [stem, *inside[:-1], [*inside[-1], *last]]
    return tuple(Stage(f"stage-{number}", tuple(group)) for number, group in enumerate(groups))


def read_sizes(architecture: Mapping[str, Any], names: str) -> tuple[int, ...]:
    """Return settings, their names with spaces between, as whole numbers."""
    return tuple(int(architecture[name]) for name in names.split())
