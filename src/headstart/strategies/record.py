"""What a strategy is: a record of functions from rows with labels to out-of-fold probabilities and a model.

A strategy sees `StrategyRows` and a `Task`, never a split, a test row, a file or a report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.bases import Backbone
from headstart.fitted_state import FittedState
from headstart.records import (
    TRAINING_ONLY,
    Features,
    FloatMatrix,
    Index,
    Probabilities,
    Table,
    list_held_out_folds,
)

if TYPE_CHECKING:
    from headstart.strategies.text.cooccurrence import Cooccurrence


@dataclass(frozen=True)
class Clock:
    """A time limit that started when it was made."""

    limit_seconds: float
    started: float = field(default_factory=time.monotonic)

    def elapsed_seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def remaining_seconds(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.limit_seconds - self.elapsed_seconds())

    def reserve(self, seconds: float) -> Clock:
        """Return the same clock with so many seconds kept back for what follows."""
        return replace(self, limit_seconds=self.limit_seconds - seconds)

    def start_share(self, share: float, at_most: float = np.inf) -> Clock:
        """Start a smaller clock with a share (0-1) of what is left."""
        return Clock(min(self.remaining_seconds() * share, at_most))


@dataclass(frozen=True)
class StrategyRows:
    """Rows as a strategy may see them; all parts have the same length and order.

    Parameters
    ----------
    table : Table
        For strategies that learn from the inputs themselves (`table.inputs`).
    features : Features or None
        What the frozen base says (absent where the strategy's `uses` does not name it).
    descriptors : Features or None
        Classic, hand-made descriptors of the same rows, where the modality has cached ones (images).
    representation : FloatMatrix or None, shape (n_rows, n_dims)
        What the fitted model itself makes of the rows, where its decisions read that (see `Strategy.own_space`).
    """

    table: Table
    features: Features | None = None
    descriptors: Features | None = None
    representation: FloatMatrix | None = None

    def __len__(self) -> int:
        return len(self.table)

    def take(self, index: Index) -> StrategyRows:
        """Return the rows `index`, in that order."""
        return StrategyRows(
            self.table.take(index),
            None if self.features is None else self.features.take(index),
            None if self.descriptors is None else self.descriptors.take(index),
            None if self.representation is None else self.representation[index],
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """The training targets, folds and limits of a strategy.

    Parameters
    ----------
    classes : tuple of str, sorted
    codes : Index, shape (n_rows,)
        Class code of each training row.
    folds : Index, shape (n_rows,)
        Fold of each row, 0 .. n_folds - 1; duplicates and groups share a fold. Every choice is made on these.
    repeats : tuple of Index
        Further assignments of the rows to folds (repeated cross-validation), where rows are few.
    balance : str
        "auto", "on" or "off".
    seed : int
    clock : Clock
        What is left of `--time`; a strategy that trains long takes a share of it.
    spec : mapping
        The input spec of the base model (see `headstart.modalities.record.Spec`).
    architecture : mapping
        The base model's architecture as plain data, for `scratch`.
    kind : str
        One of `headstart.task_types.TASK_TYPES`; `headstart.strategies.scoring.OBJECTIVES` says what is good for each.
    truth : FloatMatrix or None, shape (n_rows, n_outputs)
        For "multi-label" 0 or 1 for each label, for "regression" the number; `codes` then only number strata (used
        to deal folds), and `classes` are the labels, or the one name of the number. None where `codes` are classes.
    backbone : Backbone or None
        The base model itself, for strategies that move its weights.
    precision : str
        "auto" or "float32", numerics of the frozen part.
    max_memory_bytes : float
        What a strategy may hold in memory beside the rows' features.
    folder : Path or None
        Where a strategy may keep finished parts, so that a killed run goes on from them.
    unlabelled : StrategyRows or None
        Rows without labels, for strategies that learn from them as well.
    cooccurrence : Cooccurrence or None
        Counts and co-occurrence of words in unlabelled texts, for `classic`.
    weights : array of float64 or None, shape (n_rows,)
        How much each row counts for a linear head, beside `balance`; None: alike. Other strategies do not heed it.
    groups : Index or None, shape (n_rows,)
        Group of each training row (site, sex ...), -1 where unknown: what `balanced-probe` balances.
    is_only_costly : bool
        No other costly strategy follows: this one may take nearly all the time.
    name_features : FloatMatrix or None, shape (n_classes, n_dims)
        What the base sees in the names of the classes, where rows are texts and the names are words.
    """

    classes: tuple[str, ...]
    codes: Index
    folds: Index
    balance: str
    seed: int
    clock: Clock
    spec: Mapping[str, object] = field(default_factory=dict)
    architecture: Mapping[str, object] = field(default_factory=dict)
    repeats: tuple[Index, ...] = ()
    kind: str = "classification"
    truth: FloatMatrix | None = None
    backbone: Backbone | None = None
    precision: str = "auto"
    max_memory_bytes: float = 2e9
    unlabelled: StrategyRows | None = None
    folder: Path | None = None
    cooccurrence: Cooccurrence | None = None
    weights: NDArray[np.float64] | None = None
    groups: Index | None = None
    is_only_costly: bool = False
    name_features: FloatMatrix | None = None

    def take(self, rows: Index) -> Task:
        """Return the task of some of the rows, with one assignment to folds, numbered anew."""
        return replace(
            self, codes=self.codes[rows], folds=renumber_folds(self.folds[rows]), repeats=(),
            truth=None if self.truth is None else self.truth[rows],
            weights=None if self.weights is None else self.weights[rows],
            groups=None if self.groups is None else self.groups[rows],
        )  # fmt: skip


def renumber_folds(folds: Index) -> Index:
    """Return folds (n_rows,) numbered 0, 1, 2 ...; rows that are never held out stay so."""
    numbered = np.searchsorted(list_held_out_folds(folds), folds)
    return np.where(folds == TRAINING_ONLY, TRAINING_ONLY, numbered).astype(np.intp)


@dataclass(frozen=True)
class CostForecast:
    """Expected cost of fitting a strategy, from a short measurement: seconds, and bytes of memory."""

    seconds: float
    memory_bytes: float = 0.0

    def scale(self, factor: float) -> CostForecast:
        """Return the forecast with so many times the seconds."""
        return replace(self, seconds=self.seconds * factor)


class StrategySkipped(Exception):
    """Raised by `Strategy.fit` where a strategy cannot be tried; the message is the reason, as part of a sentence."""


class Fitted(Protocol):
    """A strategy after learning."""

    @property
    def out_of_fold(self) -> Probabilities:
        """(n_train, n_classes): each training row predicted by a model that did not see it; NaN where there is none."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the report ("C = 0.01", "3 epochs fitted the time")."""

    def predict(self, rows: StrategyRows) -> Probabilities:
        """(n_rows, n_classes) for any rows."""

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows (n_rows, n_dims) in a space that the model has learnt; None where it has none."""

    def state(self) -> FittedState:
        """Everything `Strategy.load` needs to predict the same, as plain data."""


@dataclass(frozen=True, kw_only=True)
class RepresentedFold:
    """Rows in a space that was learnt from some of them.

    Parameters
    ----------
    learnt, held_out : Index
        Row numbers of those that it was learnt from, and of others.
    learnt_values, held_out_values : FloatMatrix, shape (n_rows, n_dims)
    """

    learnt: Index
    held_out: Index
    learnt_values: FloatMatrix
    held_out_values: FloatMatrix


class OwnSpace(Protocol):
    """What makes the space that a model has learnt usable for out-of-distribution detection."""

    def add_space(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Fitted:
        """Return the model with all that `Fitted.represent` needs, learnt from training rows."""

    def hold_out(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Iterator[RepresentedFold]:
        """Yield rows that a space like that of `fitted` was learnt without, with those that it was learnt from."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to fit and predict, as a value in the table `headstart.strategies.STRATEGIES`.

    Parameters
    ----------
    name : str
        Permanent, kebab-case.
    kind : str
        `baseline`, `scratch` or `transfer`.
    summary : str
        One plain sentence for the report.
    modalities : collection of str
        Those it can learn from; the table of all where it makes no difference.
    uses : frozenset of str
        Which parts of `StrategyRows` it reads: "features", "stages" (of the features), "descriptors", "inputs"; and of
        `Task`: "unlabelled", "words", "names" (of the classes).
    members : tuple of str
        Strategies whose fitted models it is given, as far as they were fitted (for `blend`).
    fit : (StrategyRows, Task, fitted members by name) -> Fitted
    load : (FittedState, classes) -> Fitted
        Restores a model from a bundle; `out_of_fold` is then empty.
    tasks : collection of str
        The tasks that it can learn.
    preset : str
        The cheapest preset that takes it: `quick` (heads on what the one pass gave: seconds), `default` (minutes)
        or `thorough`. Rivals (`is_rival`) and the first of `quick` are fitted even when the time is over.
    forecast : ((StrategyRows, Task) -> CostForecast) or None
        Measures shortly what `fit` will cost; may raise `StrategySkipped`. None for what costs next to nothing.
    reads : frozenset of str or None
        Which parts of `StrategyRows` its fitted model reads, where those are not the ones that `fit` uses.
    on_request : bool
        In no preset: fitted only where it is named, or where an option such as `--mitigate` asks for it.
    instead : str
        Fitted where this one was skipped and nothing else was fitted either; "": nothing.
    own_space : (modality) -> OwnSpace or None, or None
        For models whose own space tells rows apart where no other features are kept.
    """

    name: str
    kind: str
    summary: str
    modalities: Collection[str]
    uses: frozenset[str]
    members: tuple[str, ...]
    fit: Callable[[StrategyRows, Task, Mapping[str, Fitted]], Fitted]
    load: Callable[[FittedState, tuple[str, ...]], Fitted]
    tasks: Collection[str] = ("classification", "ordinal")
    preset: str = "quick"
    forecast: Callable[[StrategyRows, Task], CostForecast] | None = None
    reads: frozenset[str] | None = None
    on_request: bool = False
    instead: str = ""
    own_space: Callable[[str], OwnSpace | None] | None = None

    @property
    def is_rival(self) -> bool:
        """Return whether it learns without the base: the other side of the verdict, which is fitted in any case."""
        return self.kind != "transfer"

    @property
    def predicts_from(self) -> frozenset[str]:
        """Return the parts of `StrategyRows` that its fitted model reads."""
        return self.uses if self.reads is None else self.reads
