"""`full`: the whole base learns, its early blocks more slowly; started at the probe, averaged with it afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.recipe import Recipe
from headstart.strategies.record import Fitted, Forecast, Rows, Task

RECIPE = Recipe(
    name="full",
    tails={"timm": (0,), "transformers": (0,), "headstart-series": (0,)},
    trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.8,
    epochs=4,
    share=0.9,
)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Measure what it will cost."""
    return search.forecast(RECIPE, rows, task)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train, judge on held-out folds, and train on all rows."""
    return search.tune(RECIPE, rows, task)


load = search.load
