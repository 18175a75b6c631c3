"""The tunable numbers of the training loop, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Numbers of every training; the others stand in the `TrainingConfig` of each.

    Parameters
    ----------
    lora_rank : int
        Of the adapters (Hu et al. 2021, arXiv:2106.09685).
    max_gradient_norm : float
        Gradients are scaled down to at most this norm.
    """

    lora_rank: int = 8
    max_gradient_norm: float = 1.0


SETTINGS = TrainingSettings()
