"""`classic`: what one would learn without any pre-trained model, by modality, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from headstart.records import FittedState, Probabilities
from headstart.strategies.fitted import FittedModel, Predictor, restore_model
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task

Found = tuple[Predictor, Probabilities, tuple[str, ...]]
"""What was fitted, its out-of-fold probabilities, and notes."""


@dataclass(frozen=True)
class ClassicMethod:
    """How one modality is learnt from nothing; all functions import their module at the first call."""

    fit: Callable[[StrategyRows, Task], Found]
    forecast: Callable[[StrategyRows, Task], CostForecast]
    load: Callable[[FittedState], Predictor]


def _load_method(name: str, core: str) -> ClassicMethod:
    """Take `fit` and the class `core` of a module of this room."""

    def room() -> Any:
        return import_module(f"headstart.strategies.{name}")

    def fit(rows: StrategyRows, task: Task) -> Found:
        found: Found = room().fit(rows, task)
        return found

    def forecast(rows: StrategyRows, task: Task) -> CostForecast:
        found: CostForecast = room().forecast(rows, task)
        return found

    def load(state: FittedState) -> Predictor:
        found: Predictor = getattr(room(), core).load(state)
        return found

    return ClassicMethod(fit, forecast, load)


METHODS: dict[str, ClassicMethod] = {
    "image": _load_method("baselines.classic_image", "DescriptorModel"),
    "text": _load_method("baselines.classic_text", "TextModel"),
    "series": _load_method("baselines.classic_series", "SeriesModel"),
}


@dataclass(frozen=True)
class ClassicModel:
    """What a recipe made, with the recipe's name."""

    modality: str
    core: Predictor

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        return self.core.predict(rows)

    def state(self) -> FittedState:
        """Give the state, with the recipe's name."""
        inner = self.core.state()
        return FittedState({**inner.meta, "recipe": self.modality}, inner.arrays)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Follow the recipe of the rows' modality."""
    recipe = rows.table.modality
    core, out_of_fold, notes = METHODS[recipe].fit(rows, task)
    return FittedModel(ClassicModel(recipe, core), out_of_fold, notes)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Say what following the recipe will cost."""
    return METHODS[rows.table.modality].forecast(rows, task)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore by the recipe that the state names."""
    recipe = str(state.meta["recipe"])
    return restore_model(ClassicModel(recipe, METHODS[recipe].load(state)), state, classes)
