"""Heads of fitted strategies as torch modules, for a portable graph: named tensors in, outputs (n, n_outputs) out.

Scores are float32, as they are learnt; from the link on everything is float64, so that log-odds of sure answers keep
their digits. Torch is needed to write a graph, never to run it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from headstart.strategies.linear.links import STEEPEST
from headstart.strategies.probes.self_training import LEAST, NEIGHBOURS, SHARPNESS

Given = Mapping[str, Tensor]
"""Inputs and what sources made of them, by name."""
SMALLEST = 1e-9


def linked(scores: Tensor, link: str) -> Tensor:
    """Turn scores into outputs (see `headstart.strategies.linear.links`)."""
    scores = scores.double()
    if link == "softmax":
        return torch.softmax(scores, dim=1)
    return torch.sigmoid(scores.clamp(-STEEPEST, STEEPEST)) if link == "logistic" else scores


def _unit(rows: Tensor, smallest: float = 1e-12) -> Tensor:
    return rows / (rows * rows).sum(1, keepdim=True).sqrt().clamp(min=smallest)


def kept(module: nn.Module, **arrays: Any) -> None:
    """Keep arrays as buffers of a module (never trained)."""
    for name, value in arrays.items():
        module.register_buffer(name, torch.from_numpy(value.copy()))


class Linear(nn.Module):
    """A `headstart.strategies.linear.head.Head` on columns of what is given, side by side."""

    centre: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, head: Any, reads: Sequence[str], unit: bool = False) -> None:
        super().__init__()
        kept(self, centre=head.centre, coefficients=head.coefficients, intercept=head.intercept)
        self.link, self.reads, self.unit = head.link, tuple(reads), unit

    def forward(self, given: Given) -> Tensor:
        parts = [given[name] for name in self.reads]
        values = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        values = _unit(values) if self.unit else values
        return linked((values - self.centre) @ self.coefficients + self.intercept, self.link)


class Clouds(nn.Module):
    """A `headstart.strategies.linear.lda.GaussianHead`."""

    centre: Tensor
    inverse: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, head: Any) -> None:
        super().__init__()
        standard = head.standard
        kept(self, centre=standard.centre, inverse=standard.inverse)
        kept(self, coefficients=head.coefficients, intercept=head.intercept)
        self.unit = head.unit

    def forward(self, given: Given) -> Tensor:
        rows = (given["features"] - self.centre) * self.inverse
        rows = _unit(rows) if self.unit else rows
        return linked(rows @ self.coefficients + self.intercept, "softmax")


class Taught(nn.Module):
    """Both learners of `headstart.strategies.probes.self_training`."""

    centre: Tensor
    inverse: Tensor
    basis: Tensor
    coefficients: Tensor
    nodes: Tensor
    reached: Tensor

    def __init__(self, core: Any) -> None:
        super().__init__()
        axes = core.axes
        kept(self, centre=axes.standard.centre, inverse=axes.standard.inverse, basis=axes.basis)
        kept(self, coefficients=core.coefficients.astype("float32"), nodes=core.nodes, reached=core.reached)
        self.n_near = min(NEIGHBOURS, len(core.nodes) - 1)

    def forward(self, given: Given) -> Tensor:
        rows = ((given["features"] - self.centre) * self.inverse) @ self.basis
        told = linked(rows @ self.coefficients[:-1] + self.coefficients[-1], "softmax")
        likeness = _unit(rows[:, : self.nodes.shape[1]]) @ self.nodes.T
        best, where = likeness.topk(self.n_near, dim=1)
        weights = best.clamp(min=0.0).double() ** SHARPNESS
        near = (weights[:, :, None] * self.reached[where]).sum(1) + LEAST
        return (told + near / near.sum(1, keepdim=True)) / 2


class Pieces(nn.Module):
    """A `classic_text.TextModel`: TF-IDF of the n-grams that were counted, and its coefficients."""

    idf: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, core: Any, names: Sequence[str]) -> None:
        super().__init__()
        weights = [torch.from_numpy(values.copy()) for values in core.vectorizer.weights.values()]
        self.register_buffer("idf", torch.cat(weights))
        kept(self, coefficients=core.coefficients, intercept=core.intercept)
        ends = [0, *torch.tensor([len(values) for values in weights]).cumsum(0).tolist()]
        self.bounds = list(pairwise(ends))
        self.ids, self.weights, self.link = names[0], names[1], core.link

    def forward(self, given: Given) -> Tensor:
        ids = given[self.ids]
        values = given[self.weights] * self.idf[ids]
        scaled = torch.zeros_like(values)
        for first, last in self.bounds:  # Each kind of piece is scaled to length one.
            mine = torch.where((ids >= first) & (ids < last), values, torch.zeros_like(values))
            scaled = scaled + _unit(mine)
        scores = (scaled[:, None] @ self.coefficients[ids])[:, 0]
        return linked(scores + self.intercept, self.link)


class Same(nn.Module):
    """A `headstart.strategies.baselines.majority.Frequencies`: the same answer for every row."""

    shares: Tensor

    def __init__(self, core: Any, name: str) -> None:
        super().__init__()
        kept(self, shares=core.shares)
        self.counts = name

    def forward(self, given: Given) -> Tensor:
        rows = given[self.counts].double().reshape(given[self.counts].shape[0], -1)
        return rows[:, :1] * 0 + self.shares


def _scaled(outputs: Tensor, link: str) -> Tensor:
    """Put outputs on the scale on which a blend averages (see `headstart.strategies.blend.SCALES`)."""
    if link == "softmax":
        return outputs.clamp(min=SMALLEST).log()
    if link == "logistic":
        inside = outputs.clamp(SMALLEST, 1 - SMALLEST)
        return (inside / (1 - inside)).log()
    return outputs


class Pool(nn.Module):
    """A `headstart.strategies.blend.Blend` of other heads."""

    def __init__(self, members: Sequence[nn.Module], weights: Sequence[float], link: str) -> None:
        super().__init__()
        self.members, self.weights, self.link = nn.ModuleList(members), tuple(weights), link

    def forward(self, given: Given) -> Tensor:
        parts = [
            weight * _scaled(member(given), self.link)
            for weight, member in zip(self.weights, self.members, strict=True)
        ]
        return linked(torch.stack(parts).sum(0), self.link)
