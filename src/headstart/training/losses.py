"""What a network is to lower, for each kind of task, and what its scores mean. A value in a table, not a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Loss:
    """One kind of task.

    Parameters
    ----------
    name : str
        One of `headstart.records.TASKS`; or "contrastive" or "pairs", where scores are features.
    mean : (scores (n, n_outputs), targets, weights (n_outputs,), smoothing) -> scalar tensor
        Targets are class codes (n,) int64, or (n, n_outputs) float.
    outputs : (scores) -> (n, n_outputs)
        Probabilities, or values.
    """

    name: str
    mean: Callable[[Tensor, Tensor, Tensor, float], Tensor]
    outputs: Callable[[Tensor], Tensor]


def _classes(scores: Tensor, codes: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    return functional.cross_entropy(scores, codes, weight=weights, label_smoothing=smoothing)


def _labels(scores: Tensor, truth: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    softened = truth * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(scores, softened)


def _values(scores: Tensor, truth: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Squared error; `weights` is one over the variance of each target."""
    return ((scores - truth).square() * weights).mean()


def _contrast(embeddings: Tensor, codes: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Cosines of all pairs of a batch towards 1 inside a class and 0 between classes, both kinds counting the same.

    The loss of SetFit's pairs (Tunstall et al. 2022, arXiv:2209.11055), on every pair at once.
    """
    unit = functional.normalize(embeddings, dim=1)
    cosines = unit @ unit.T
    same = codes[:, None] == codes[None, :]
    others = ~torch.eye(len(codes), dtype=torch.bool, device=codes.device)
    parts = [(cosines - 1)[same & others], cosines[~same]]
    found = [part.square().mean() for part in parts if len(part)]
    return torch.stack(found).mean() if found else embeddings.sum() * 0.0


def _pairs(embeddings: Tensor, codes: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Two views of each row, all first views before all second ones: which of the others is mine, by cosine.

    NT-Xent (Chen et al. 2020, arXiv:2002.05709) at a temperature of 0.1.
    """
    unit = functional.normalize(embeddings, dim=1)
    closeness = (unit @ unit.T / 0.1).fill_diagonal_(-1e9)
    mine = torch.arange(len(unit), device=unit.device).roll(len(unit) // 2)
    return functional.cross_entropy(closeness, mine)


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(dim=1)


LOSSES: dict[str, Loss] = {
    "classification": Loss("classification", _classes, _softmax),
    "ordinal": Loss("ordinal", _classes, _softmax),
    "multi-label": Loss("multi-label", _labels, lambda scores: scores.sigmoid()),
    "regression": Loss("regression", _values, lambda scores: scores),
    "contrastive": Loss("contrastive", _contrast, lambda scores: scores),
    "pairs": Loss("pairs", _pairs, lambda scores: scores),
}
