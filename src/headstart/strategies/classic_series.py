"""`classic` for series: MiniRocket's random convolutions and ridge regression; nothing pre-trained.

Dempster, Schmidt and Webb 2021, "MiniRocket" (arXiv:2012.08791), through aeon. The thresholds of the convolutions are
quantiles of training series, drawn without looking at labels; standardisation and ridge are fitted inside each fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bases import rocket
from headstart.modalities import MODALITIES
from headstart.records import Probabilities, State
from headstart.strategies import costs
from headstart.strategies.linear import Head
from headstart.strategies.record import Forecast, Rows, Task
from headstart.strategies.ridge import MANY_ROWS, fit_ridge
from headstart.strategies.ridge import forecast as ridge_forecast

N_KERNELS = 9_996
N_KERNELS_MANY_ROWS = 4_956
FEWEST_KERNELS = 840
MOST_VALUES = 100_000_000
"""Feature values kept in memory at once (400 MB)."""
BATCH = 2_048
SAMPLE_SERIES = 200
Spec = Mapping[str, Any]
Series = NDArray[np.float32]
"""(n_rows, channels, time)."""


def n_kernels(n_rows: int) -> int:
    """Give the number of convolutions: fewer where rows are many (time and memory)."""
    usual = N_KERNELS if n_rows <= MANY_ROWS else N_KERNELS_MANY_ROWS
    return max(FEWEST_KERNELS, min(usual, MOST_VALUES // max(n_rows, 1)))


def _prepared(rows: Rows, spec: Spec) -> Series:
    modality = MODALITIES["series"]
    made = [modality.prepare(modality.load(source, spec), spec)[0] for source in rows.table.inputs]
    return np.stack(made).astype(np.float32)


@dataclass(frozen=True)
class SeriesModel:
    """Convolutions and a linear head."""

    spec: Spec
    kernels: Mapping[str, NDArray[Any]]
    head: Head

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        made = np.empty((len(rows), len(self.head.intercept)))
        for start in range(0, len(rows), BATCH):
            part = rows.take(np.arange(start, min(start + BATCH, len(rows))))
            made[start : start + BATCH] = self.head.predict(rocket.forward(self.kernels, _prepared(part, self.spec))[0])
        return made

    def state(self) -> State:
        """Give the spec, the convolutions and the head."""
        inner = self.head.state()
        arrays = {**inner.arrays, **{f"kernels/{name}": value for name, value in self.kernels.items()}}
        return State({**inner.meta, "spec": dict(self.spec)}, arrays)

    @classmethod
    def load(cls, state: State) -> SeriesModel:
        """Restore what `state` gave."""
        return cls(
            state.meta["spec"], {name: state.arrays[f"kernels/{name}"] for name in rocket.PARTS}, Head.load(state)
        )


def fit(rows: Rows, task: Task) -> tuple[SeriesModel, Probabilities, tuple[str, ...]]:
    """Fit convolutions and ridge on the series of `rows.table.inputs`, brought to one length by `task.spec`."""
    series = _prepared(rows, task.spec)
    kernels = rocket.fit(list(series), task.seed, n_kernels(len(series)))
    head, out_of_fold, notes = fit_ridge(rocket.forward(kernels, series)[0], task)
    return SeriesModel(task.spec, kernels, head), out_of_fold, (*notes, f"{len(kernels['biases'])} convolutions")


def forecast(rows: Rows, task: Task) -> Forecast:
    """Say what `fit` will cost, from the convolutions of some series."""
    n_rows = len(rows)
    some = rows.take(np.arange(0, n_rows, max(1, n_rows // SAMPLE_SERIES)))
    series = _prepared(some, task.spec)
    kernels = rocket.fit(list(series), task.seed, n_kernels(n_rows))
    rocket.forward(kernels, series[:2])  # The first call compiles.
    one = costs.seconds_of(lambda: rocket.forward(kernels, series)) / len(series)
    solved = ridge_forecast(n_rows, len(kernels["biases"]), task)
    return Forecast(one * n_rows + solved.seconds, solved.memory_bytes)
