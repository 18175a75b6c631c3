"""`linear-probe`: logistic regression on the frozen features of the base model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headstart.fitted_state import FittedState
from headstart.records import Probabilities
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.head import Head, fit_head, forecast_head
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task


@dataclass(frozen=True)
class FeatureHeadModel:
    """A head on `rows.features`."""

    head: Head

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.head.predict(rows.features.final)

    def state(self) -> FittedState:
        """Return the head's arrays."""
        return self.head.state()


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit a head on the frozen features."""
    assert rows.features is not None, "rows come without features"
    head, fitted = fit_head(rows.features.final, task)
    return FittedModel(FeatureHeadModel(head), fitted.choice.out_of_fold, fitted.notes)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Forecast what `fit` will cost."""
    assert rows.features is not None, "rows come without features"
    values = rows.features.final
    return forecast_head(lambda some: values[some], len(values), values.shape[1], task)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore_model(FeatureHeadModel(Head.load(state)), state, classes)
