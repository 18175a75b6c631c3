"""What strategies that move weights share: recipes, sources of rows, trials, outcomes. No work is done here."""

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

MIXUP_EPOCHS = 20
Weights = Mapping[str, Tensor]
Scores = NDArray[np.float64]
"""(n_views, n_rows, n_outputs), before the link."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a strategy moves.

    Parameters
    ----------
    name : str
    tails : mapping of str to tuple of int
        By library: how many blocks behind the cut are tried, shallow first; (0,) trains on the whole base.
    trained : (net) -> names of the parameters that move, as the bare network names them
        Given the tail's names as second argument (all names where there is no cut).
    learning_rate : float
        Of the last block.
    decay : float
        Each block before learns at this share of the rate of the one behind it (ULMFiT, arXiv:1801.06146).
    epochs : int
        At least; few rows are seen more often, until some `steps` are made, but at most six times as often.
    steps : int
    share : float
        Largest share of the time left that it may take.
    adapt : (net, seed) -> function that undoes the adapters
        Puts adapters into the bare network; what it gives merges them.
    objective : str
        "task", or "contrastive" (then the head is fitted anew on the tuned features).
    n_views : int
        Augmented views of each row, where the modality has any.
    """

    name: str
    tails: Mapping[str, tuple[int, ...]]
    trained: Callable[[nn.Module, Sequence[str]], Sequence[str]]
    learning_rate: float
    decay: float = 1.0
    epochs: int = 10
    steps: int = 50
    share: float = 0.5
    adapt: Callable[[nn.Module, int], Callable[[], None]] | None = None
    objective: str = "task"
    n_views: int = 3


@dataclass(frozen=True)
class Source:
    """Rows as the body of a network wants them: activations at a cut, or the inputs themselves."""

    n_tail: int
    n_views: int
    batch: Callable[[int, Sequence[int]], tuple[Tensor, ...]]

    def inputs(self, augmented: bool) -> Inputs:
        """Give the inputs of batches; with a generator a view is drawn for every batch."""

        def batch(rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
            view = 0
            if augmented and generator is not None and self.n_views:
                view = int(torch.randint(0, self.n_views + 1, (1,), generator=generator))
            return self.batch(view, rows.tolist())

        return batch


@dataclass(frozen=True)
class Trial:
    """One way to train: on which rows' source, with or without augmented views, for how many epochs."""

    source: Source
    augmented: bool
    epochs: int

    @property
    def mixed(self) -> bool:
        """Whether mixtures of two rows are learnt from as well: where there are many passes over augmented rows."""
        return self.augmented and self.epochs >= MIXUP_EPOCHS


@dataclass
class Outcome:
    """What one training gave: weights at both ends, and scores of the held-out rows for each share and view.

    Parameters
    ----------
    weights : dict of float to Weights
        Moved weights by share.
    heads : dict of float to Head
        Heads for raw features, by share.
    scores : dict of float to array (n_views, n_held, n_outputs)
        Before the link, of the held-out rows, the plain view first; by share.
    best_epoch : int
    """

    weights: dict[float, Weights] = field(default_factory=dict)
    heads: dict[float, Head] = field(default_factory=dict)
    scores: dict[float, Scores] = field(default_factory=dict)
    best_epoch: int = 0


_BEST_EPOCH = {"best_epoch": ArraySpec("int64", (1,))}


def keep(made: Outcome, path: Path) -> None:
    """Write what an outcome says of its held-out rows (not its weights)."""
    arrays = {str(share): values for share, values in made.scores.items()}
    write_arrays(path, {**arrays, "best_epoch": np.asarray([made.best_epoch])})


def kept(path: Path) -> Outcome | None:
    """Read it again; None if there is none, or it is damaged."""
    try:
        arrays = read_arrays(path, _BEST_EPOCH, need_checksums=True)
    except (OSError, DamagedArrays):
        return None
    best = int(arrays.pop("best_epoch")[0])
    return Outcome(scores={float(share): values for share, values in arrays.items()}, best_epoch=best)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was measured of one tail.

    Parameters
    ----------
    pass_seconds : float
        Of the frozen part, a row with all its views; 0 where it is kept already.
    row_seconds : float
        Of learning once from one row.
    memory_bytes : float
        Of weights, gradients and one batch.
    rows_at_once : int
        How many rows of a batch fit memory; 0: all.
    half : bool
        Whether bfloat16 is faster here and gives the same loss.
    threads : int
        Threads that were the fastest; 0: as many as torch takes.
    """

    pass_seconds: float
    row_seconds: float
    memory_bytes: float
    rows_at_once: int
    half: bool
    threads: int


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the held-out rows chose.

    Parameters
    ----------
    share : float
        Of the way from the probe to the end of training.
    n_views : int
        Augmented views whose outputs are averaged with the plain row's.
    temperature : float
    outputs : Probabilities, shape (n_rows, n_outputs)
        Out of fold; NaN where a row was not held out.
    loss : float
    """

    share: float
    n_views: int
    temperature: float
    outputs: Probabilities
    loss: float
