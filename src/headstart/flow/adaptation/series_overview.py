"""Median and spread of the training series, class by class and step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.flow.adaptation.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.records import Index, Table
from headstart.results import SeriesBand, SeriesChannel, SeriesOverview
from headstart.strategies.record import Task

_QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}
_DIGITS = 4


def summarise_series(table: Table, task: Task) -> SeriesOverview | None:
    """Return quantiles of the training series; None for images and texts, and without rows.

    Parameters
    ----------
    table : Table
        Training rows.
    task : Task
    """
    if not MODALITIES[table.modality].has_channels or not len(table):
        return None
    chosen = np.unique(np.linspace(0, len(table) - 1, min(len(table), SETTINGS.overview_rows)).astype(np.intp))
    n_steps = max(table.inputs[row].shape[1] for row in chosen)
    n_channels = max(table.inputs[row].shape[0] for row in chosen)
    steps = np.unique(np.linspace(0, n_steps - 1, min(n_steps, SETTINGS.overview_steps)).astype(np.intp))
    values = np.full((len(chosen), min(n_channels, SETTINGS.overview_channels), len(steps)), np.nan, dtype=np.float32)
    for place, row in enumerate(chosen):
        series = table.inputs[row][: values.shape[1]]
        inside = steps < series.shape[1]
        values[place, : len(series), inside] = series[:, steps[inside]].T
    members = _list_members(task, chosen)
    names = table.input_columns.channels if table.input_columns else ()
    return SeriesOverview(
        steps=[float(step) for step in steps],
        n_steps=int(n_steps),
        n_channels=int(n_channels),
        n_classes=len(members),
        n_rows=len(chosen),
        channels=[
            SeriesChannel(
                name=names[at] if at < len(names) else "",
                bands=[
                    _measure_band(label, values[index, at]) for label, index in members[: SETTINGS.overview_classes]
                ],
            )
            for at in range(values.shape[1])
        ],
    )


def _list_members(task: Task, chosen: Index) -> list[tuple[str, Index]]:
    """Return the rows of each class, the largest first; all rows under an empty name where there are no classes."""
    if task.truth is not None:
        return [("", np.arange(len(chosen)))]
    codes = task.codes[chosen]
    members = [(name, np.flatnonzero(codes == at)) for at, name in enumerate(task.classes)]
    return sorted([(name, index) for name, index in members if len(index)], key=lambda item: (-len(item[1]), item[0]))


def _measure_band(label: str, values: NDArray[np.float32]) -> SeriesBand:
    """Return quantiles of one class: (n_rows, n_steps) -> three lists."""
    known = np.isfinite(values).sum(axis=0) >= 2
    ends = np.full((len(_QUANTILES), values.shape[1]), np.nan)
    if known.any():
        ends[:, known] = np.nanquantile(
            np.where(np.isfinite(values), values, np.nan)[:, known], list(_QUANTILES.values()), axis=0
        )
    quantiles = {name: _write_numbers(part) for name, part in zip(_QUANTILES, ends, strict=True)}
    return SeriesBand(label=label, n_rows=len(values), **quantiles)


def _write_numbers(values: Sequence[float] | NDArray[np.float64]) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]
