"""The config of a training, as plain data, and the number of epochs that fit a time limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters whose names begin with `prefix` ("": all that no other group has), with their learning rate."""

    prefix: str
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Configuration of a training.

    Parameters
    ----------
    epochs : int
        Fixed before the start: the learning-rate schedule has exactly this length.
    batch_size : int
        Rows per step.
    groups : tuple of ParameterGroup
        The longest matching prefix counts; parameters that match none stay frozen.
    weight_decay : float
    patience : int
        Epochs without a lower held-out loss after which to stop.
    limit_seconds : float
        No epoch begins later than this.
    seed : int
        Order of rows, augmentation and dropout.
    keep : str
        "best": the weights of the epoch with the lowest held-out loss stay; "last": those of the last epoch.
    label_smoothing : float
        Share (0-1) of the target that is spread over all classes.
    frozen_statistics : bool
        Batch norms keep their running averages; dropout is off.
    rows_at_once : int
        Rows per forward pass (gradients are accumulated over a step), which bounds memory; 0: all.
    half_precision : bool
        Multiply in bfloat16 (autocast).
    device : str
        "cpu", "cuda" or "mps".
    mixup : bool
        Train on mixtures of two rows, and the same mixture of their losses (Zhang et al. 2018, arXiv:1710.09412, with
        alpha = 1). For numeric inputs only.
    n_threads : int
        CPU threads; 0: torch's default. On a busy machine one is often the fastest.
    """

    epochs: int
    batch_size: int
    groups: tuple[ParameterGroup, ...]
    weight_decay: float = 0.05
    patience: int = 20
    limit_seconds: float = float("inf")
    seed: int = 0
    keep: str = "best"
    label_smoothing: float = 0.05
    frozen_statistics: bool = False
    rows_at_once: int = 0
    half_precision: bool = False
    device: str = "cpu"
    n_threads: int = 0
    mixup: bool = False


def count_epochs_that_fit(seconds: float, seconds_per_epoch: float, most: int) -> int:
    """Return how many epochs fit, at most `most`; a tenth of the time is a reserve.

    Parameters
    ----------
    seconds, seconds_per_epoch : float
    most : int

    Examples
    --------
    >>> count_epochs_that_fit(100, 10, 40)
    9
    """
    return int(min(most, 0.9 * seconds / max(seconds_per_epoch, 1e-9)))
