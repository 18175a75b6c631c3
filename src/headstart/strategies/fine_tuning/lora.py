"""`lora`: low-rank updates of the attention layers (Hu et al. 2021, arXiv:2106.09685), merged afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.records import FineTuningConfig
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task
from headstart.training.networks import add_low_rank, find_attention_layers, merge_low_rank


def _add_adapters(net: nn.Module, seed: int) -> Callable[[], None]:
    layers = add_low_rank(net, seed)
    return lambda: merge_low_rank(layers)


CONFIG = FineTuningConfig(
    name="lora",
    tails={"transformers": (0,), "timm": (0,), "headstart-series": (0,), **dict.fromkeys(SERIES_LAYOUTS, (0,))},
    select_trained=lambda net, names: [f"{name}.weight" for name in find_attention_layers(net)],
    learning_rate=1e-3,
    epochs=4,
    time_share=0.5,
    add_adapters=_add_adapters,
)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the measured cost."""
    return search.forecast(CONFIG, rows, task)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train and score on held-out folds, then train on all rows."""
    return search.tune(CONFIG, rows, task)


load = search.load
