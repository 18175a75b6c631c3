"""`multi-stage-probe`: logistic regression on the pooled features of several stages of the base model at once.

After Head2Toe (Evci et al. 2022, arXiv:2201.03529): early stages see colour, texture and strokes that the last stage
has forgotten. Here all columns are kept and shrunk by the L2 penalty, instead of a group-lasso selection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.fitted_state import FittedState
from headstart.records import Features, FloatMatrix, Probabilities
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.head import Head, fit_head, forecast_head
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, StrategySkipped, Task


def choose_stages(features: Features) -> list[str]:
    """Name the latest stages that fit the bounds together with the final features, input to output.

    Examples
    --------
    >>> final = np.zeros((2, 4_000), np.float32)
    >>> stages = {"stage-0": final[:, :60], "stage-1": final[:, :80]}
    >>> choose_stages(Features(np.array(["a", "b"], dtype=object), final, "x", stages))
    ['stage-1']
    """
    free_columns = (
        min(PROBE_CONFIG.most_stage_columns, PROBE_CONFIG.most_stage_values // max(1, len(features)))
        - features.final.shape[1]
    )
    chosen: list[str] = []
    for name in sorted(features.stages, key=lambda name: -int(name.rpartition("-")[2])):
        free_columns -= features.stages[name].shape[1]
        if free_columns < 0:
            break
        chosen.insert(0, name)
    return chosen


def stack_stages(features: Features, stages: Sequence[str]) -> FloatMatrix:
    """Return the pooled stages and the final features side by side (n_rows, n_dims)."""
    return np.concatenate([*(features.stages[name] for name in stages), features.final], axis=1)


@dataclass(frozen=True)
class StagesModel:
    """A head on stacked stages."""

    stages: tuple[str, ...]
    head: Head

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.head.predict(stack_stages(rows.features, self.stages))

    def state(self) -> FittedState:
        """Return the names of the stages and the head's arrays."""
        inner = self.head.state()
        return FittedState({**inner.meta, "stages": list(self.stages)}, inner.arrays)


def _require_stages(features: Features) -> list[str]:
    stages = choose_stages(features)
    if not stages:
        raise StrategySkipped("the base model has only one stage, or there are too many rows for several")
    return stages


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit a head on as many late stages as fit the bounds.

    Raises
    ------
    StrategySkipped
        If there is no stage besides the last.
    """
    assert rows.features is not None, "rows come without features"
    stages = _require_stages(rows.features)
    head, fitted = fit_head(stack_stages(rows.features, stages), task)
    notes = (*fitted.notes, f"{len(stages) + 1} stages")
    return FittedModel(StagesModel(tuple(stages), head), fitted.choice.out_of_fold, notes)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Forecast what `fit` will cost; raises `StrategySkipped` as it does."""
    assert rows.features is not None, "rows come without features"
    features = rows.features
    stages = _require_stages(features)
    n_dims = sum(features.stages[name].shape[1] for name in stages) + features.final.shape[1]
    cost = forecast_head(lambda some: stack_stages(features.take(some), stages), len(features), n_dims, task)
    return CostForecast(cost.seconds, cost.memory_bytes + 4 * len(features) * n_dims)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore_model(StagesModel(tuple(state.meta["stages"]), Head.load(state)), state, classes)
