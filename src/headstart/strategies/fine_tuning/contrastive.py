"""`contrastive`: for few labelled texts: contrastive training of the later layers, then a probe.

After SetFit (Tunstall et al. 2022, arXiv:2209.11055): few rows give many pairs. Here all pairs of a batch are used, so
that their number is bounded by the number of steps and does not grow with the square of the rows. Features are scaled
to length one before the head, as for the cosines in training.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.records import SETTINGS, FineTuningConfig
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, StrategySkipped, Task

CONFIG = FineTuningConfig(
    name="contrastive",
    tails={"transformers": (2,)},
    select_trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.9,
    epochs=4,
    steps=20,
    time_share=0.5,
    objective="contrastive",
)


def _require_few_labels(task: Task) -> None:
    counts = np.bincount(task.codes)
    if np.median(counts[counts > 0]) > SETTINGS.max_contrastive_labels:
        raise StrategySkipped(f"it is made for at most {SETTINGS.max_contrastive_labels} labelled rows a class")


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the measured cost."""
    _require_few_labels(task)
    return search.forecast(CONFIG, rows, task)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train and score on held-out folds, then train on all rows."""
    _require_few_labels(task)
    return search.tune(CONFIG, rows, task)


load = search.load
