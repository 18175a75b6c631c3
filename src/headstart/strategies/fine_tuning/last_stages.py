"""`last-stages`: the later blocks of the base are trained on cached activations of the frozen blocks before."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.records import FineTuningConfig
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task

CONFIG = FineTuningConfig(
    name="last-stages",
    tails={"timm": (2, 3), "transformers": (1, 2), "headstart-series": (1, 2)},
    select_trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.7,
    epochs=5,
    time_share=0.3,
)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the measured cost."""
    return search.forecast(CONFIG, rows, task)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train and score on held-out folds, then train on all rows."""
    return search.tune(CONFIG, rows, task)


load = search.load
