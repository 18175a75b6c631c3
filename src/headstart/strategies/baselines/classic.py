"""`classic`: the usual model without any pre-training, by modality, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Probabilities
from headstart.strategies.fitted import FittedModel, Predictor, Representing, restore_model
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task


@dataclass(frozen=True)
class ClassicMethod:
    """Fit of a modality without a pre-trained model; the module is imported at the first call."""

    fit: Callable[[StrategyRows, Task], FittedModel]
    forecast: Callable[[StrategyRows, Task], CostForecast]
    load: Callable[[FittedState], Predictor]


def _load_method(name: str, predictor: str) -> ClassicMethod:
    """Return the method of a module of this room, whose fitted model is the class `predictor`."""

    def load_module() -> Any:
        return import_module(f"headstart.strategies.{name}")

    def fit(rows: StrategyRows, task: Task) -> FittedModel:
        fitted: FittedModel = load_module().fit(rows, task)
        return fitted

    def forecast(rows: StrategyRows, task: Task) -> CostForecast:
        cost: CostForecast = load_module().forecast(rows, task)
        return cost

    def load(state: FittedState) -> Predictor:
        restored: Predictor = getattr(load_module(), predictor).load(state)
        return restored

    return ClassicMethod(fit, forecast, load)


METHODS: dict[str, ClassicMethod] = {
    "image": _load_method("baselines.classic_image", "DescriptorModel"),
    "text": _load_method("baselines.classic_text", "TextModel"),
    "series": _load_method("baselines.classic_series", "SeriesModel"),
}


@dataclass(frozen=True)
class ClassicModel:
    """A fitted model of one modality."""

    modality: str
    core: Predictor

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        return self.core.predict(rows)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows in the model's own space; None where it has none."""
        return self.core.represent(rows) if isinstance(self.core, Representing) else None

    def state(self) -> FittedState:
        """Return the state, with the modality (stored as "recipe")."""
        inner = self.core.state()
        return FittedState({**inner.meta, "recipe": self.modality}, inner.arrays)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit the method of the rows' modality."""
    modality = rows.table.modality
    fitted = METHODS[modality].fit(rows, task)
    return replace(fitted, predictor=ClassicModel(modality, fitted.predictor))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of fitting."""
    return METHODS[rows.table.modality].forecast(rows, task)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Return the model of the modality that the state names."""
    modality = str(state.meta["recipe"])
    return restore_model(ClassicModel(modality, METHODS[modality].load(state)), state, classes)
