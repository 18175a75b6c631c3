"""Records of fine-tuning: configs, sources of rows, variants and outcomes. Nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.array_files import ArraySpec, DamagedArrays, read_arrays, write_arrays
from headstart.records import Probabilities
from headstart.strategies.linear.head import Head
from headstart.training.loop import Inputs

Weights = Mapping[str, Tensor]
Scores = NDArray[np.float64]
"""(n_views, n_rows, n_outputs), before the link."""


@dataclass(frozen=True, kw_only=True)
class FineTuningSettings:
    """The fixed numbers of every fine-tuning strategy.

    Parameters
    ----------
    alphas : tuple of float
        Weights are interpolated between the probe (0) and the end of training (1) at these coefficients (WiSE-FT).
    least_gain : float
        Going further, or averaging over views, must lower the held-out loss by this fraction.
    batch_size, predict_batch_size : int
        Rows per training step, and per forward pass of scoring.
    head_learning_rate : float
        The base has the rate of its `FineTuningConfig`.
    label_smoothing : float
        For classes and labels.
    mixup_epochs : int
        From so many epochs on augmented rows, mixtures of two rows are trained on as well.
    probe_folds : int
        Inner folds on which the strength of a probe on tuned features is chosen.
    fewest_rows : int
        With fewer rows the strategy is skipped.
    few_rows, pilot_folds, most_repeats : int
        Below `few_rows`, variants are compared on all folds of `most_repeats` repeats; else on `pilot_folds` folds.
    deeper_from_alpha : float
        Deeper tails are tried only if the best coefficient of the shallow one is at least this.
    pilot_share, pass_share, time_share_alone : float
        Largest shares (0-1) of the time left: for scoring the first variant, for the forward pass, and for the strategy
        if no other costly one was requested.
    one_thread_factor : float
        On a busy machine threads wait for each other: one thread is used where it is faster by this factor.
    half_precision_factor, half_precision_tolerance : float
        bfloat16 is used where it is faster by this factor and the loss differs by at most this fraction.
    scoring_cost : float
        Cost of scoring a row, relative to training on it.
    start_seconds : float
        Approximate time to build a network and fit its first probe.
    timed_rows, timed_batch_size : int
        Rows on which costs are measured.
    max_contrastive_labels : int
        `contrastive` is skipped if the median class has more rows: the probe then gains little from it.
    fresh_views : int
        Number of different views of a row; each depends on the row's content and the number of the view only.
    """

    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    least_gain: float = 0.002
    batch_size: int = 32
    predict_batch_size: int = 64
    head_learning_rate: float = 1e-4
    label_smoothing: float = 0.1
    mixup_epochs: int = 20
    probe_folds: int = 3
    fewest_rows: int = 10
    few_rows: int = 100
    pilot_folds: int = 2
    most_repeats: int = 2
    deeper_from_alpha: float = 0.5
    pilot_share: float = 0.3
    pass_share: float = 0.35
    time_share_alone: float = 0.9
    one_thread_factor: float = 1.2
    half_precision_factor: float = 1.15
    half_precision_tolerance: float = 0.01
    scoring_cost: float = 0.35
    start_seconds: float = 0.3
    timed_rows: int = 24
    timed_batch_size: int = 8
    max_contrastive_labels: int = 64
    fresh_views: int = 64


SETTINGS = FineTuningSettings()


@dataclass(frozen=True, kw_only=True)
class FineTuningConfig:
    """Configuration of a fine-tuning strategy.

    Parameters
    ----------
    name : str
    tails : mapping of str to tuple of int
        By library: how many blocks behind the cut are tried, shallow first; (0,) trains on the whole base.
    select_trained : (net, names) -> names of the parameters that are trained
        `net` is the base network; `names` are the parameters of the tail (all if there is no cut).
    learning_rate : float
        Of the last block.
    decay : float
        Factor of the learning rate from one block to the block before it (ULMFiT, arXiv:1801.06146).
    epochs : int
        Fewest epochs; few rows are seen up to six times as often, until `steps` steps are taken.
    steps : int
    time_share : float
        Largest share (0-1) of the time left that it may take.
    add_adapters : (net, seed) -> function, or None
        Adds adapters to the base network; the function that it returns merges them into the weights.
    objective : str
        "task", or "contrastive" (then the head is fitted again on the tuned features).
    n_views : int
        Augmented views of each row, if the modality has any.
    """

    name: str
    tails: Mapping[str, tuple[int, ...]]
    select_trained: Callable[[nn.Module, Sequence[str]], Sequence[str]]
    learning_rate: float
    decay: float = 1.0
    epochs: int = 10
    steps: int = 50
    time_share: float = 0.5
    add_adapters: Callable[[nn.Module, int], Callable[[], None]] | None = None
    objective: str = "task"
    n_views: int = 3


@dataclass(frozen=True)
class RowSource:
    """Model inputs of rows: activations at a cut, or the inputs of the whole network."""

    n_tail: int
    n_views: int
    load_batch: Callable[[int, Sequence[int]], tuple[Tensor, ...]]

    def make_inputs(self, augmented: bool) -> Inputs:
        """Return the function that loads a batch; with a generator it draws a view for every batch."""

        def batch(rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
            view = 0
            if augmented and generator is not None and self.n_views:
                view = int(torch.randint(0, self.n_views + 1, (1,), generator=generator))
            return self.load_batch(view, rows.tolist())

        return batch


@dataclass(frozen=True)
class TrainingVariant:
    """Variant of a training: source of the rows, with or without augmented views, number of epochs."""

    source: RowSource
    augmented: bool
    epochs: int

    @property
    def uses_mixup(self) -> bool:
        """Return whether mixup is used: if augmented rows are seen many times."""
        return self.augmented and self.epochs >= SETTINGS.mixup_epochs


@dataclass
class TrainingOutcome:
    """The outcome of one training, by interpolation coefficient between the probe (0) and the end of training (1).

    Parameters
    ----------
    weights : dict of float to Weights
        Trained weights.
    heads : dict of float to Head
        Heads for raw features.
    scores : dict of float to array (n_views, n_held, n_outputs)
        Scores of the held-out rows before the link, the plain view first.
    best_epoch : int
    """

    weights: dict[float, Weights] = field(default_factory=dict)
    heads: dict[float, Head] = field(default_factory=dict)
    scores: dict[float, Scores] = field(default_factory=dict)
    best_epoch: int = 0


_BEST_EPOCH = {"best_epoch": ArraySpec("int64", (1,))}


def write_outcome(outcome: TrainingOutcome, path: Path) -> None:
    """Write the held-out scores of an outcome (not its weights).

    Parameters
    ----------
    outcome : TrainingOutcome
    path : Path
    """
    arrays = {str(alpha): values for alpha, values in outcome.scores.items()}
    write_arrays(path, {**arrays, "best_epoch": np.asarray([outcome.best_epoch])})


def read_outcome(path: Path) -> TrainingOutcome | None:
    """Return the outcome in a file, without weights; None if there is none or it is damaged.

    Parameters
    ----------
    path : Path
    """
    try:
        arrays = read_arrays(path, _BEST_EPOCH, need_checksums=True)
    except (OSError, DamagedArrays):
        return None
    best_epoch = int(arrays.pop("best_epoch")[0])
    return TrainingOutcome(scores={float(share): values for share, values in arrays.items()}, best_epoch=best_epoch)


@dataclass(frozen=True, kw_only=True)
class TailCost:
    """The measured cost of training one tail.

    Parameters
    ----------
    pass_seconds : float
        Forward pass of the frozen blocks for a row with all its views; 0 if its activations are cached.
    row_seconds : float
        One training step on one row.
    memory_bytes : float
        Weights, gradients and one batch.
    rows_at_once : int
        Rows of a batch that fit memory; 0: all.
    half_precision : bool
        Whether bfloat16 is faster here and gives the same loss.
    n_threads : int
        The fastest number of threads; 0: torch's default.
    """

    pass_seconds: float
    row_seconds: float
    memory_bytes: float
    rows_at_once: int
    half_precision: bool
    n_threads: int


@dataclass(frozen=True, kw_only=True)
class VariantChoice:
    """The choice made on held-out rows.

    Parameters
    ----------
    alpha : float
        Interpolation coefficient between the probe (0) and the end of training (1).
    n_views : int
        Augmented views whose outputs are averaged with those of the plain row.
    temperature : float
    outputs : Probabilities, shape (n_rows, n_outputs)
        Out of fold; NaN for rows that were not held out.
    loss : float
    """

    alpha: float
    n_views: int
    temperature: float
    outputs: Probabilities
    loss: float
