"""What the training loop is to do, as plain data, and how many epochs fit a time limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Parameters whose names begin with `prefix` ("" = all that no other group has) learn at `learning_rate`."""

    prefix: str
    learning_rate: float


@dataclass(frozen=True)
class Plan:
    """One training run.

    Parameters
    ----------
    epochs : int
        Decided before the start: the learning-rate schedule runs over exactly these.
    batch_size : int
    groups : tuple of Group
        The longest prefix that fits a parameter's name counts; parameters that fit none stay frozen.
    weight_decay : float
    patience : int
        Epochs without a lower held-out loss after which to stop.
    limit_seconds : float
        No epoch begins later than this.
    seed : int
        Of the order of rows, augmentation and dropout.
    """

    epochs: int
    batch_size: int
    groups: tuple[Group, ...]
    weight_decay: float = 0.05
    patience: int = 20
    limit_seconds: float = float("inf")
    seed: int = 0


def epochs_that_fit(seconds: float, seconds_per_epoch: float, most: int) -> int:
    """Give how many epochs fit, at most `most`, with a tenth of the time kept in reserve.

    Examples
    --------
    >>> epochs_that_fit(100, 10, 40)
    9
    """
    return int(min(most, 0.9 * seconds / max(seconds_per_epoch, 1e-9)))
