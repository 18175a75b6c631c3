"""What the training loop is to do, as plain data, and how many epochs fit a time limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Parameters whose names begin with `prefix` ("" = all that no other group has) learn at `learning_rate`."""

    prefix: str
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One training run.

    Parameters
    ----------
    epochs : int
        Decided before the start: the learning-rate schedule runs over exactly these.
    batch_size : int
        Rows a step of the optimiser.
    groups : tuple of Group
        The longest prefix that fits a parameter's name counts; parameters that fit none stay frozen.
    weight_decay : float
    patience : int
        Epochs without a lower held-out loss after which to stop.
    limit_seconds : float
        No epoch begins later than this.
    seed : int
        Of the order of rows, augmentation and dropout.
    keep : str
        "best": the weights of the epoch with the lowest held-out loss stay; "last": those of the last epoch.
    label_smoothing : float
        Share (0-1) of the truth that is spread over all classes.
    frozen_statistics : bool
        Batch norms use, and keep, the averages they came with; dropout is off.
    rows_at_once : int
        A step's rows are learnt in parts of so many (gradients add up), which bounds memory; 0: all at once.
    half : bool
        Multiply in bfloat16 (autocast); only where the hardware has it and the loss agrees.
    device : str
        "cpu", "cuda" or "mps".
    mixup : bool
        Learn from mixtures of two rows, in a share between 0 and 1 drawn for each step, and the same mixture of their
        losses (Zhang et al. 2018, arXiv:1710.09412, with alpha = 1). For inputs that are numbers.
    threads : int
        Of the processor; 0: as many as torch takes by itself. On a busy machine one is often the fastest.
    """

    epochs: int
    batch_size: int
    groups: tuple[Group, ...]
    weight_decay: float = 0.05
    patience: int = 20
    limit_seconds: float = float("inf")
    seed: int = 0
    keep: str = "best"
    label_smoothing: float = 0.05
    frozen_statistics: bool = False
    rows_at_once: int = 0
    half: bool = False
    device: str = "cpu"
    threads: int = 0
    mixup: bool = False


def epochs_that_fit(seconds: float, seconds_per_epoch: float, most: int) -> int:
    """Give how many epochs fit, at most `most`, with a tenth of the time kept in reserve.

    Examples
    --------
    >>> epochs_that_fit(100, 10, 40)
    9
    """
    return int(min(most, 0.9 * seconds / max(seconds_per_epoch, 1e-9)))
