"""Training losses by task, and how scores become outputs: a table of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class TrainingLoss:
    """The loss of one task.

    Parameters
    ----------
    name : str
        One of `headstart.task_types.TASK_TYPES`; or "contrastive" or "pairs", where scores are features.
    compute_mean : (scores (n, n_outputs), targets, weights (n_outputs,), smoothing) -> scalar tensor
        Targets are class indices (n,) int64, or (n, n_outputs) float.
    to_outputs : (scores) -> (n, n_outputs)
        Probabilities, or values.
    """

    name: str
    compute_mean: Callable[[Tensor, Tensor, Tensor, float], Tensor]
    to_outputs: Callable[[Tensor], Tensor]


def _cross_entropy(scores: Tensor, class_indices: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    return functional.cross_entropy(scores, class_indices, weight=weights, label_smoothing=smoothing)


def _binary_cross_entropy(scores: Tensor, truth: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    softened = truth * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(scores, softened)


def _squared_error(scores: Tensor, truth: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Return the squared error; `weights` is one over the variance of each target."""
    return ((scores - truth).square() * weights).mean()


def _pairwise_cosine_loss(embeddings: Tensor, class_indices: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Return the squared error of the cosines of all pairs: 1 inside a class, 0 between classes, equally weighted.

    SetFit's loss (Tunstall et al. 2022, arXiv:2209.11055) on all pairs of a batch.
    """
    unit = functional.normalize(embeddings, dim=1)
    cosines = unit @ unit.T
    same = class_indices[:, None] == class_indices[None, :]
    others = ~torch.eye(len(class_indices), dtype=torch.bool, device=class_indices.device)
    parts = [(cosines - 1)[same & others], cosines[~same]]
    means = [part.square().mean() for part in parts if len(part)]
    return torch.stack(means).mean() if means else embeddings.sum() * 0.0


def _nt_xent(embeddings: Tensor, class_indices: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    """Return NT-Xent (Chen et al. 2020, arXiv:2002.05709) at a temperature of 0.1.

    A batch holds two views of each row, all first views before all second views.
    """
    unit = functional.normalize(embeddings, dim=1)
    similarities = (unit @ unit.T / 0.1).fill_diagonal_(-1e9)
    partners = torch.arange(len(unit), device=unit.device).roll(len(unit) // 2)
    return functional.cross_entropy(similarities, partners)


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(dim=1)


LOSSES: dict[str, TrainingLoss] = {
    "classification": TrainingLoss("classification", _cross_entropy, _softmax),
    "ordinal": TrainingLoss("ordinal", _cross_entropy, _softmax),
    "multi-label": TrainingLoss("multi-label", _binary_cross_entropy, lambda scores: scores.sigmoid()),
    "regression": TrainingLoss("regression", _squared_error, lambda scores: scores),
    "contrastive": TrainingLoss("contrastive", _pairwise_cosine_loss, lambda scores: scores),
    "pairs": TrainingLoss("pairs", _nt_xent, lambda scores: scores),
}
