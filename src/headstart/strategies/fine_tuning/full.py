"""`full`: the whole base is trained, early blocks more slowly; starts at the probe, averaged with it afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.records import FineTuningConfig
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task

CONFIG = FineTuningConfig(
    name="full",
    tails={"timm": (0,), "transformers": (0,), "headstart-series": (0,), **dict.fromkeys(SERIES_LAYOUTS, (0,))},
    select_trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.8,
    epochs=4,
    time_share=0.9,
)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the measured cost."""
    return search.forecast(CONFIG, rows, task)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train and score on held-out folds, then train on all rows."""
    return search.tune(CONFIG, rows, task)


load = search.load
