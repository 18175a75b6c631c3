"""`last-stages`: the later blocks of the base learn, on activations that the frozen blocks before them gave once."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.recipe import Recipe
from headstart.strategies.record import Fitted, Forecast, Rows, Task

RECIPE = Recipe(
    name="last-stages",
    tails={"timm": (2, 3), "transformers": (1, 2), "headstart-series": (1, 2)},
    trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.7,
    epochs=5,
    share=0.3,
)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Measure what it will cost."""
    return search.forecast(RECIPE, rows, task)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train, judge on held-out folds, and train on all rows."""
    return search.tune(RECIPE, rows, task)


load = search.load
