"""`contrastive`: for few labelled texts, the later layers learn to bring texts of one class together, then the probe.

The idea is SetFit's (Tunstall et al. 2022, arXiv:2209.11055): pairs of rows teach more than rows where there are few.
Here the pairs are all those inside a batch, so that their number is bounded by the number of steps and never grows
with the square of the rows. The head reads features of length one, as the cosines of the training do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headstart.strategies.fine_tuning import search
from headstart.strategies.fine_tuning.recipe import Recipe
from headstart.strategies.record import Fitted, Forecast, Rows, Skipped, Task

MOST_LABELS = 64
"""Median rows a class above which it is not tried: the probe then gains little from it."""
RECIPE = Recipe(
    name="contrastive",
    tails={"transformers": (2,)},
    trained=lambda net, names: names,
    learning_rate=1e-4,
    decay=0.9,
    epochs=4,
    steps=20,
    share=0.5,
    objective="contrastive",
)


def _few(task: Task) -> None:
    counts = np.bincount(task.codes)
    if np.median(counts[counts > 0]) > MOST_LABELS:
        raise Skipped(f"it is for at most {MOST_LABELS} labelled rows a class")


def forecast(rows: Rows, task: Task) -> Forecast:
    """Measure what it will cost."""
    _few(task)
    return search.forecast(RECIPE, rows, task)


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Train, judge on held-out folds, and train on all rows."""
    _few(task)
    return search.tune(RECIPE, rows, task)


load = search.load
