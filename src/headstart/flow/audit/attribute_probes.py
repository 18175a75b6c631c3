"""How well groups and plain properties of rows can be read off features: a probe for each, cross-validated."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.evaluation import keeps_together
from headstart.evaluation.fairness.groups import MIN_ROWS, MIN_UNITS, names_of
from headstart.evaluation.fairness.inherited_bias import balanced_guess, balanced_share, readable_reading
from headstart.records import Column, FloatMatrix, Index, Interval, Table
from headstart.results import Figure, Readable
from headstart.strategies.linear.ridge_loo import Axes, fit_quick

N_FOLDS = 5
MOST_AXES = 192
MANY_VALUES = 8
"""Of a group column with more values, the most frequent ones are read off."""
HASHED = 512

Properties = Mapping[str, NDArray[np.float64]]
"""A number for each row (n_rows,) by the property's name; NaN where it is not known."""


@dataclass(frozen=True)
class Wanted:
    """What is to be read off: a name, its values, and the code of each row (-1: left out)."""

    name: str
    kind: str
    values: tuple[str, ...]
    codes: Index


def wanted(table: Table, columns: tuple[str, ...], properties: Properties, clusters: Index) -> list[Wanted]:
    """List what can be read off these rows: groups with enough rows, and properties cut at their median."""
    found = [_group(name, table.metadata[name], clusters) for name in columns if name in table.metadata]
    found += [_halves(name, values, clusters) for name, values in properties.items()]
    return [item for item in found if item is not None]


def _group(name: str, column: Column, clusters: Index) -> Wanted | None:
    if keeps_together(column):
        return None
    names = np.array(names_of(column), dtype=object)
    counts = {str(value): int((names == value).sum()) for value in set(names) if value}
    frequent = sorted(counts, key=lambda value: (-counts[value], value))[:MANY_VALUES]
    return _coded(name, "group", tuple(sorted(frequent)), names=names, clusters=clusters)


def _halves(name: str, values: NDArray[np.float64], clusters: Index) -> Wanted | None:
    there = np.isfinite(values)
    if not there.any():
        return None
    middle = float(np.median(values[there]))
    names = np.where(~there, "", np.where(values > middle, "high", "low")).astype(object)
    return _coded(name, "property", ("high", "low"), names=names, clusters=clusters)


def _coded(name: str, kind: str, values: tuple[str, ...], names: Column, clusters: Index) -> Wanted | None:
    told = tuple(
        value
        for value in values
        if (names == value).sum() >= MIN_ROWS and len(np.unique(clusters[names == value])) >= MIN_UNITS
    )
    if len(told) < 2:
        return None
    place = {value: code for code, value in enumerate(told)}
    return Wanted(name, kind, told, np.asarray([place.get(str(each), -1) for each in names], dtype=np.intp))


def plain_descriptors(table: Table) -> FloatMatrix | None:
    """Describe rows without any base: words of a text hashed to 512 counts, a series by its raw course; else None."""
    made = _PLAIN.get(table.modality)
    return made(table) if made else None


def _hashed(table: Table) -> FloatMatrix:
    counts = np.zeros((len(table), HASHED), dtype=np.float32)
    for row, text in enumerate(table.inputs):
        for word in re.findall(r"\w+", str(text).casefold()):
            counts[row, zlib.crc32(word.encode("utf-8", "replace")) % HASHED] += 1
    return np.asarray(np.log1p(counts), dtype=np.float32)


def _course(table: Table) -> FloatMatrix:
    """Resample every channel to 64 values, gaps as zeros."""
    n_channels = max(len(values) for values in table.inputs)
    made = np.zeros((len(table), n_channels * 64), dtype=np.float32)
    for row, values in enumerate(table.inputs):
        whole = np.nan_to_num(values, nan=0.0)
        at = np.linspace(0, whole.shape[1] - 1, 64)
        course = np.concatenate([np.interp(at, np.arange(whole.shape[1]), channel) for channel in whole])
        made[row, : len(course)] = course
    return made


_PLAIN = {"text": _hashed, "series": _course}


def read_off(
    asked: list[Wanted], places: Mapping[str, FloatMatrix], strata: Index, clusters: Index, seed: int
) -> list[Readable]:
    """Probe every place for everything that is asked.

    Parameters
    ----------
    asked : list of Wanted
    places : mapping of str to FloatMatrix, shape (n_rows, n_dims) each
        "frozen", "adapted", "answers", "without_base": features of the same rows.
    strata : Index, shape (n_rows,)
        Dealt evenly over the folds.
    clusters : Index, shape (n_rows,)
        Rows that stay in one fold.
    seed : int

    Notes
    -----
    Ridge regression on at most 192 principal axes, its strength by leave-one-out inside each training part; the answer
    is the value that is favoured most against how frequent it is. A lower bound: other probes may read off more.
    """
    dealt = data.assign_folds(strata, clusters, N_FOLDS, seed)
    if not asked or len(np.unique(dealt)) < 2:
        return []
    targets = [_targets(item) for item in asked]
    outputs = {name: _out_of_fold(values, np.hstack(targets), dealt, seed) for name, values in places.items()}
    ends = np.cumsum([0, *(part.shape[1] for part in targets)])
    return [
        _readable(item, {name: made[:, ends[at] : ends[at + 1]] for name, made in outputs.items()}, clusters)
        for at, item in enumerate(asked)
    ]


def _targets(item: Wanted) -> NDArray[np.float64]:
    """Give one column a value; rows without one get the shares of all."""
    known = item.codes >= 0
    made: NDArray[np.float64] = np.eye(len(item.values))[np.maximum(item.codes, 0)]
    made[~known] = made[known].mean(axis=0)
    return made


def _out_of_fold(values: FloatMatrix, targets: NDArray[np.float64], dealt: Index, seed: int) -> NDArray[np.float64]:
    made = np.empty(targets.shape)
    axes = Axes.of(np.ascontiguousarray(values, dtype=np.float32), np.arange(len(values)), seed, MOST_AXES)
    reduced = axes.apply(values)
    for fold in np.unique(dealt):
        held = dealt == fold
        made[held] = fit_quick(reduced[~held], targets[~held]).predict(reduced[held])
    return made


def _readable(item: Wanted, outputs: Mapping[str, NDArray[np.float64]], clusters: Index) -> Readable:
    rows = np.flatnonzero(item.codes >= 0)
    codes = item.codes[rows]
    found: dict[str, Interval | None] = {
        name: balanced_share(codes, balanced_guess(made[rows], codes), clusters[rows]) for name, made in outputs.items()
    }
    chance = 1 / len(item.values)
    figures = {name: Figure.of(figure) for name, figure in found.items() if figure is not None}
    return Readable(
        name=item.name, kind=item.kind, values=list(item.values), n_rows=len(rows), chance=chance,  # type: ignore[arg-type]
        frozen=figures.get("frozen"), adapted=figures.get("adapted"), answers=figures.get("answers"),
        without_base=figures.get("without_base"),
        reading=readable_reading(item.name, item.kind, chance, found=found, n_rows=len(rows)),
    )  # fmt: skip
