"""`lora`: thin matrices on the attention layers learn (Hu et al. 2021, arXiv:2106.09685) and are merged afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.recipe import Recipe
from headstart.strategies.record import Fitted, Forecast, Rows, Task
from headstart.training.bodies import add_low_rank, attention_layers, merge_low_rank


def _adapt(net: nn.Module, seed: int) -> Callable[[], None]:
    layers = add_low_rank(net, seed)
    return lambda: merge_low_rank(layers)


RECIPE = Recipe(
    name="lora",
    tails={"transformers": (0,), "timm": (0,), "headstart-series": (0,)},
    trained=lambda net, names: [f"{name}.weight" for name in attention_layers(net)],
    learning_rate=1e-3,
    epochs=4,
    share=0.5,
    adapt=_adapt,
)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Measure what it will cost."""
    return search.forecast(RECIPE, rows, task)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train, judge on held-out folds, and train on all rows."""
    return search.tune(RECIPE, rows, task)


load = search.load
