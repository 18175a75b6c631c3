"""A fitted strategy: what predicts, with its out-of-fold probabilities and notes; strategies imported when needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, runtime_checkable

import numpy as np

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Probabilities
from headstart.strategies.record import CostForecast, Fitted, OwnSpace, StrategyRows, Task


class Predictor(Protocol):
    """Predictor with a state that can be stored."""

    def predict(self, rows: StrategyRows) -> Probabilities:
        """(n_rows, n_classes)."""

    def state(self) -> FittedState:
        """Plain data from which it can be restored."""


@runtime_checkable
class Representing(Protocol):
    """Predictor that may have a space of its own."""

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows (n_rows, n_dims) in that space; None without one."""


@dataclass(frozen=True)
class FittedModel:
    """A fitted strategy (see `headstart.strategies.record.Fitted`).

    Parameters
    ----------
    predictor : Predictor
    out_of_fold : Probabilities, shape (n_train, n_classes); (0, n_classes) after loading
    notes : tuple of str
    """

    predictor: Predictor
    out_of_fold: Probabilities
    notes: tuple[str, ...] = ()

    def predict(self, rows: StrategyRows) -> Probabilities:
        """(n_rows, n_classes)."""
        return self.predictor.predict(rows)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows in the space of the predictor; None where it has none."""
        return self.predictor.represent(rows) if isinstance(self.predictor, Representing) else None

    def state(self) -> FittedState:
        """Everything that `restore_model` needs."""
        inner = self.predictor.state()
        return FittedState({**inner.meta, "notes": list(self.notes)}, inner.arrays)


def restore_model(predictor: Predictor, state: FittedState, classes: tuple[str, ...]) -> FittedModel:
    """Return a model around a restored predictor, without out-of-fold probabilities."""
    return FittedModel(predictor, np.empty((0, len(classes))), tuple(state.meta["notes"]))


Fit = Callable[[StrategyRows, Task, Mapping[str, Fitted]], Fitted]
Load = Callable[[FittedState, tuple[str, ...]], Fitted]


def lazy_fit(module: str) -> Fit:
    """Return the `fit` of a module of this room, imported at the first call."""

    def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
        fitted: Fitted = import_module(f"headstart.strategies.{module}").fit(rows, task, members)
        return fitted

    return fit


def lazy_forecast(module: str) -> Callable[[StrategyRows, Task], CostForecast]:
    """Return the `forecast` of a module of this room, imported at the first call."""

    def forecast(rows: StrategyRows, task: Task) -> CostForecast:
        cost: CostForecast = import_module(f"headstart.strategies.{module}").forecast(rows, task)
        return cost

    return forecast


def lazy_load(module: str) -> Load:
    """Return the `load` of a module of this room, imported at the first call."""

    def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
        fitted: Fitted = import_module(f"headstart.strategies.{module}").load(state, classes)
        return fitted

    return load


def lazy_own_space(module: str) -> Callable[[str], OwnSpace | None]:
    """Return the function that finds the `OWN_SPACES` of a module of this room by modality, imported when needed."""

    def find_own_space(modality: str) -> OwnSpace | None:
        spaces: Mapping[str, OwnSpace] = import_module(f"headstart.strategies.{module}").OWN_SPACES
        return spaces.get(modality)

    return find_own_space


def list_members(state: FittedState) -> tuple[str, ...]:
    """Name the strategies whose models a fitted model's state holds (those that a `blend` uses; else none).

    Parameters
    ----------
    state : FittedState
        Of a fitted model.

    Examples
    --------
    >>> list_members(FittedState({"weights": {"linear-probe": 0.75, "classic": 0.25}}, {}))
    ('linear-probe', 'classic')
    >>> list_members(FittedState({"probe": "linear-probe", "weight": 0.5}, {}))
    ('linear-probe', 'classic')
    """
    if "probe" in state.meta:  # The form of the first bundles.
        return (str(state.meta["probe"]), "classic")
    return tuple(state.meta.get("weights", ()))
