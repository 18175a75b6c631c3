"""`linear-probe`: logistic regression on the frozen features of the base model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headstart.records import FittedState, Probabilities
from headstart.strategies.fitted import Model, restore
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.head import Head, fit_head
from headstart.strategies.record import Fitted, Forecast, Rows, Task


@dataclass(frozen=True)
class FeatureModel:
    """A head on `rows.features`."""

    head: Head

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.head.predict(rows.features.final)

    def state(self) -> FittedState:
        """Give the head's arrays."""
        return self.head.state()


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit a head on the frozen features."""
    assert rows.features is not None, "rows come without features"
    head, learnt = fit_head(rows.features.final, task)
    return Model(FeatureModel(head), learnt.choice.out_of_fold, learnt.notes)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Say what `fit` will cost."""
    assert rows.features is not None, "rows come without features"
    return cost_model.dense(len(rows), rows.features.final.shape[1], task)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore(FeatureModel(Head.load(state)), state, classes)
