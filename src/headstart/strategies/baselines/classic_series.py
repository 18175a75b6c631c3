"""`classic` for series: MiniRocket's random convolutions and ridge regression; nothing pre-trained.

Dempster, Schmidt and Webb 2021, "MiniRocket" (arXiv:2012.08791), on the series and, with half as many convolutions,
on its first difference (as in Tan et al. 2022, "MultiRocket", arXiv:2102.00457). The thresholds of the
convolutions are quantiles of training series, drawn without looking at labels; standardisation and ridge are fitted
inside each fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bases import rocket
from headstart.fitted_state import FittedState
from headstart.modalities import MODALITIES
from headstart.records import FloatMatrix, Probabilities
from headstart.strategies.baselines.settings import CLASSIC_SERIES
from headstart.strategies.fitted import FittedModel
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.head import Head
from headstart.strategies.linear.ridge import fit_ridge
from headstart.strategies.linear.ridge import forecast_ridge as ridge_forecast
from headstart.strategies.record import CostForecast, StrategyRows, Task

BATCH = 2_048
Spec = Mapping[str, Any]
Series = NDArray[np.float32]
"""(n_rows, channels, time)."""
Kernels = Mapping[str, Mapping[str, NDArray[Any]]]
"""The convolutions of each of `VIEWS`."""
VIEWS: dict[str, Callable[[Series], Series]] = {
    "kernels": lambda series: series,
    "difference": lambda series: np.diff(series, axis=-1, prepend=series[..., :1]),
}
"""What is convolved; bundles of older versions have the first alone."""


def count_kernels(n_rows: int) -> int:
    """Return the number of convolutions: fewer for many rows (time and memory)."""
    usual = (
        CLASSIC_SERIES.n_kernels
        if n_rows <= LINEAR_CONFIG.many_rows_of_ridge
        else CLASSIC_SERIES.n_kernels_of_many_rows
    )
    return max(CLASSIC_SERIES.min_kernels, min(usual, CLASSIC_SERIES.max_values // max(n_rows, 1)))


def _fit_kernels(series: Series, n_rows: int, seed: int) -> Kernels:
    """Choose the convolutions of every view, for so many rows."""
    count = count_kernels(n_rows)
    sizes = {"kernels": count, "difference": max(CLASSIC_SERIES.min_kernels, count // 2)}
    return {name: rocket.fit_rocket(list(view(series)), seed, sizes[name]) for name, view in VIEWS.items()}


def _convolve(kernels: Kernels, series: Series) -> FloatMatrix:
    """Return the features of every view side by side."""
    parts = [rocket.transform_series(some, VIEWS[name](series))[0] for name, some in kernels.items()]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _read_series(rows: StrategyRows, spec: Spec) -> Series:
    modality = MODALITIES["series"]
    series = [modality.prepare(modality.load(source, spec), spec)[0] for source in rows.table.inputs]
    return np.stack(series).astype(np.float32)


@dataclass(frozen=True)
class SeriesModel:
    """Convolutions and a linear head."""

    spec: Spec
    kernels: Kernels
    head: Head

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        outputs = np.empty((len(rows), len(self.head.intercept)))
        for start in range(0, len(rows), BATCH):
            part = rows.take(np.arange(start, min(start + BATCH, len(rows))))
            outputs[start : start + BATCH] = self.head.predict(_convolve(self.kernels, _read_series(part, self.spec)))
        return outputs

    def state(self) -> FittedState:
        """Return the spec, the convolutions and the head."""
        inner = self.head.state()
        arrays = dict(inner.arrays)
        for view, some in self.kernels.items():
            arrays |= {f"{view}/{name}": value for name, value in some.items()}
        return FittedState({**inner.meta, "spec": dict(self.spec)}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> SeriesModel:
        """Restore what `state` gave."""
        kernels = {
            view: {name: state.arrays[f"{view}/{name}"] for name in rocket.PARTS}
            for view in VIEWS
            if f"{view}/{rocket.PARTS[0]}" in state.arrays
        }
        return cls(state.meta["spec"], kernels, Head.load(state))


def fit(rows: StrategyRows, task: Task) -> FittedModel:
    """Fit convolutions and ridge on the series of `rows.table.inputs`, brought to one length by `task.spec`."""
    series = _read_series(rows, task.spec)
    kernels = _fit_kernels(series, len(series), task.seed)
    convolved = _convolve(kernels, series)
    head, out_of_fold, notes = fit_ridge(convolved, task)
    notes = (*notes, f"{convolved.shape[1]} convolutions")
    return FittedModel(SeriesModel(task.spec, kernels, head), out_of_fold, notes)


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`, from the convolutions of some series."""
    n_rows = len(rows)
    sample_rows = rows.take(np.arange(0, n_rows, max(1, n_rows // CLASSIC_SERIES.sample_series)))
    series = _read_series(sample_rows, task.spec)
    kernels = _fit_kernels(series, n_rows, task.seed)
    n_dims = _convolve(kernels, series[:2]).shape[1]  # The first call compiles.
    seconds_per_row = cost_model.measure_seconds(lambda: _convolve(kernels, series)) / len(series)
    solved = ridge_forecast(n_rows, n_dims, task)
    return CostForecast(seconds_per_row * n_rows + solved.seconds, solved.memory_bytes)
