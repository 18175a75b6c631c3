"""`classic` for images: a linear model on hand-made colour and gradient descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.fitted_state import FittedState
from headstart.records import Probabilities
from headstart.strategies.fitted import FittedModel
from headstart.strategies.linear.head import Head, fit_head, forecast_head
from headstart.strategies.record import CostForecast, StrategyRows, Task


@dataclass(frozen=True)
class DescriptorModel:
    """A head on `rows.descriptors`."""

    head: Head

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        assert rows.descriptors is not None, "rows come without descriptors"
        return self.head.predict(rows.descriptors.final)

    def state(self) -> FittedState:
        """Return the head's arrays."""
        return self.head.state()

    @classmethod
    def load(cls, state: FittedState) -> DescriptorModel:
        """Restore what `state` gave."""
        return cls(Head.load(state))


def fit(rows: StrategyRows, task: Task) -> FittedModel:
    """Fit a head on the descriptors."""
    assert rows.descriptors is not None, "rows come without descriptors"
    head, linear_fit = fit_head(rows.descriptors.final, task)
    return FittedModel(DescriptorModel(head), linear_fit.choice.out_of_fold, linear_fit.notes)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`."""
    assert rows.descriptors is not None, "rows come without descriptors"
    values = rows.descriptors.final
    return forecast_head(lambda some: values[some], len(values), values.shape[1], task)
