"""`norm-bias`: only normalisation layers and biases learn (BitFit, Ben Zaken et al. 2021, arXiv:2106.10199)."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.recipe import Recipe
from headstart.strategies.record import Fitted, Forecast, Rows, Task
from headstart.training.bodies import norm_and_bias

RECIPE = Recipe(
    name="norm-bias",
    tails={"timm": (0,), "transformers": (0,), "headstart-series": (0,)},
    trained=lambda net, names: norm_and_bias(net),
    learning_rate=1e-3,
    epochs=4,
    share=0.5,
)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Measure what it will cost."""
    return search.forecast(RECIPE, rows, task)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train, judge on held-out folds, and train on all rows."""
    return search.tune(RECIPE, rows, task)


load = search.load
