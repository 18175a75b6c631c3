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

from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies.baselines.settings import CLASSIC_TEXT
from headstart.strategies.linear.links import STEEPEST
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.probes.self_training import LEAST

NamedTensors = Mapping[str, Tensor]
"""Inputs and what sources made of them, by name."""


def apply_link(scores: Tensor, link: str) -> Tensor:
    """Turn scores into outputs (see `headstart.strategies.linear.links`)."""
    scores = scores.double()
    if link == "softmax":
        return torch.softmax(scores, dim=1)
    return torch.sigmoid(scores.clamp(-STEEPEST, STEEPEST)) if link == "logistic" else scores


def _scale_to_unit(rows: Tensor, smallest: float = 1e-12) -> Tensor:
    return rows / (rows * rows).sum(1, keepdim=True).sqrt().clamp(min=smallest)


def register_arrays(module: nn.Module, **arrays: Any) -> None:
    """Keep arrays as buffers of a module (never trained)."""
    for name, value in arrays.items():
        module.register_buffer(name, torch.from_numpy(value.copy()))


class LinearHead(nn.Module):
    """A `headstart.strategies.linear.head.Head` on columns of what is given, side by side."""

    centre: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, head: Any, reads: Sequence[str], unit: bool = False) -> None:
        super().__init__()
        register_arrays(self, centre=head.centre, coefficients=head.coefficients, intercept=head.intercept)
        self.link, self.reads, self.unit = head.link, tuple(reads), unit

    def forward(self, tensors: NamedTensors) -> Tensor:
        parts = [tensors[name] for name in self.reads]
        values = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        values = _scale_to_unit(values) if self.unit else values
        return apply_link((values - self.centre) @ self.coefficients + self.intercept, self.link)


class LdaHead(nn.Module):
    """A `headstart.strategies.linear.lda.GaussianHead`."""

    centre: Tensor
    inverse: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, head: Any) -> None:
        super().__init__()
        standard = head.standard
        register_arrays(self, centre=standard.centre, inverse=standard.inverse)
        register_arrays(self, coefficients=head.coefficients, intercept=head.intercept)
        self.unit = head.unit

    def forward(self, tensors: NamedTensors) -> Tensor:
        rows = (tensors["features"] - self.centre) * self.inverse
        rows = _scale_to_unit(rows) if self.unit else rows
        return apply_link(rows @ self.coefficients + self.intercept, "softmax")


class SelfTrainingHead(nn.Module):
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
        register_arrays(self, centre=axes.standard.centre, inverse=axes.standard.inverse, basis=axes.basis)
        register_arrays(self, coefficients=core.coefficients.astype("float32"), nodes=core.nodes, reached=core.reached)
        self.n_near = min(PROBE_CONFIG.neighbours, len(core.nodes) - 1)

    def forward(self, tensors: NamedTensors) -> Tensor:
        rows = ((tensors["features"] - self.centre) * self.inverse) @ self.basis
        linear_outputs = apply_link(rows @ self.coefficients[:-1] + self.coefficients[-1], "softmax")
        similarities = _scale_to_unit(rows[:, : self.nodes.shape[1]]) @ self.nodes.T
        best, where = similarities.topk(self.n_near, dim=1)
        weights = best.clamp(min=0.0).double() ** PROBE_CONFIG.similarity_power
        near = (weights[:, :, None] * self.reached[where]).sum(1) + LEAST
        return (linear_outputs + near / near.sum(1, keepdim=True)) / 2


class NgramHead(nn.Module):
    """A `classic_text.TextModel`: TF-IDF of the n-grams that were counted, and its coefficients."""

    idf: Tensor
    coefficients: Tensor
    intercept: Tensor
    projection: Tensor | None

    def __init__(self, core: Any, names: Sequence[str]) -> None:
        super().__init__()
        weights = [torch.from_numpy(values.copy()) for values in core.vectorizer.weights.values()]
        self.register_buffer("idf", torch.cat(weights))
        register_arrays(self, coefficients=core.coefficients, intercept=core.intercept)
        projection = core.projection
        self.register_buffer("projection", projection and torch.from_numpy(projection.directions).half())
        self.reach = projection.reach if projection else 0.0
        ends = [0, *torch.tensor([len(values) for values in weights]).cumsum(0).tolist()]
        self.bounds = list(pairwise(ends))
        self.ids, self.weights, self.link = names[0], names[1], core.link

    def forward(self, tensors: NamedTensors) -> Tensor:
        return self._answer(tensors, self._weigh(tensors))

    def answer_and_represent(self, tensors: NamedTensors) -> tuple[Tensor, Tensor]:
        """Return outputs, and the rows in the model's own space."""
        assert self.projection is not None
        scaled = self._weigh(tensors)
        inside = (scaled[:, None] @ self.projection[tensors[self.ids]].float())[:, 0]
        outside = (len(self.bounds) - (inside * inside).sum(1, keepdim=True)).clamp(min=0.0).sqrt()
        excess = CLASSIC_TEXT.outside_weight * (outside - self.reach).clamp(min=0.0)
        return self._answer(tensors, scaled), torch.cat([inside, excess], dim=1)

    def _answer(self, tensors: NamedTensors, scaled: Tensor) -> Tensor:
        scores = (scaled[:, None] @ self.coefficients[tensors[self.ids]])[:, 0]
        return apply_link(scores + self.intercept, self.link)

    def _weigh(self, tensors: NamedTensors) -> Tensor:
        """Return the weights of the n-grams of each row (n_rows, n_pieces)."""
        ids = tensors[self.ids]
        values = tensors[self.weights] * self.idf[ids]
        scaled = torch.zeros_like(values)
        for first, last in self.bounds:  # Each kind of piece is scaled to length one.
            of_kind = torch.where((ids >= first) & (ids < last), values, torch.zeros_like(values))
            scaled = scaled + _scale_to_unit(of_kind)
        return scaled


class ConstantHead(nn.Module):
    """A `headstart.strategies.baselines.majority.ConstantModel`: the same answer for every row."""

    shares: Tensor

    def __init__(self, core: Any, name: str) -> None:
        super().__init__()
        register_arrays(self, shares=core.outputs)
        self.counts = name

    def forward(self, tensors: NamedTensors) -> Tensor:
        rows = tensors[self.counts].double().reshape(tensors[self.counts].shape[0], -1)
        return rows[:, :1] * 0 + self.shares


def _to_blend_scale(outputs: Tensor, link: str) -> Tensor:
    """Transform outputs to the scale on which a blend averages (see `headstart.strategies.blend.SCALES`)."""
    if link == "softmax":
        return outputs.clamp(min=SHARED_SETTINGS.min_probability).log()
    if link == "logistic":
        inside = outputs.clamp(SHARED_SETTINGS.min_probability, 1 - SHARED_SETTINGS.min_probability)
        return (inside / (1 - inside)).log()
    return outputs


class BlendHead(nn.Module):
    """A `headstart.strategies.blend.Blend` of other heads."""

    def __init__(self, members: Sequence[nn.Module], weights: Sequence[float], link: str) -> None:
        super().__init__()
        self.members, self.weights, self.link = nn.ModuleList(members), tuple(weights), link

    def forward(self, tensors: NamedTensors) -> Tensor:
        parts = [
            weight * _to_blend_scale(member(tensors), self.link)
            for weight, member in zip(self.weights, self.members, strict=True)
        ]
        return apply_link(torch.stack(parts).sum(0), self.link)
