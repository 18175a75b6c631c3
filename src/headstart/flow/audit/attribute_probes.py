"""How well groups and plain properties of rows can be read off features: a probe for each, cross-validated."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.evaluation import has_too_many_values
from headstart.evaluation.fairness.groups import name_values
from headstart.evaluation.fairness.inherited_bias import predict_balanced
from headstart.evaluation.intervals import balanced_accuracy_interval
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.audit.settings import SETTINGS
from headstart.records import Column, FloatMatrix, Index, Interval, Table
from headstart.results import AttributeProbe, Figure
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies.linear.ridge_loo import PrincipalAxes, fit_ridge_loo

Properties = Mapping[str, NDArray[np.float64]]
"""A number for each row (n_rows,) by the property's name; NaN where it is not known."""


@dataclass(frozen=True)
class ProbeTarget:
    """An attribute to probe for: its name and values, and the class index of each row (-1: left out)."""

    name: str
    kind: str
    values: tuple[str, ...]
    codes: Index


def list_probe_targets(
    table: Table, columns: tuple[str, ...], properties: Properties, clusters: Index
) -> list[ProbeTarget]:
    """List what can be read off these rows: groups with enough rows, and properties cut at their median.

    Parameters
    ----------
    table : Table
    columns : tuple of str
        Group columns; those that the table does not have are ignored.
    properties : Properties
    clusters : Index
        Rows with one number are not independent.
    """
    targets = [_make_group_target(name, table.metadata[name], clusters) for name in columns if name in table.metadata]
    targets += [_make_property_target(name, values, clusters) for name, values in properties.items()]
    return [item for item in targets if item is not None]


def _make_group_target(name: str, column: Column, clusters: Index) -> ProbeTarget | None:
    if has_too_many_values(column):
        return None
    names = np.array(name_values(column), dtype=object)
    counts = {str(value): int((names == value).sum()) for value in set(names) if value}
    frequent = sorted(counts, key=lambda value: (-counts[value], value))[: SETTINGS.probe_values]
    return _encode_values(name, "group", tuple(sorted(frequent)), names=names, clusters=clusters)


def _make_property_target(name: str, values: NDArray[np.float64], clusters: Index) -> ProbeTarget | None:
    is_known = np.isfinite(values)
    if not is_known.any():
        return None
    middle = float(np.median(values[is_known]))
    names = np.where(~is_known, "", np.where(values > middle, "high", "low")).astype(object)
    return _encode_values(name, "property", ("high", "low"), names=names, clusters=clusters)


def _encode_values(name: str, kind: str, values: tuple[str, ...], names: Column, clusters: Index) -> ProbeTarget | None:
    frequent = tuple(
        value
        for value in values
        if (names == value).sum() >= EVALUATION_SETTINGS.min_rows
        and len(np.unique(clusters[names == value])) >= EVALUATION_SETTINGS.min_clusters
    )
    if len(frequent) < 2:
        return None
    place = {value: code for code, value in enumerate(frequent)}
    return ProbeTarget(name, kind, frequent, np.asarray([place.get(str(each), -1) for each in names], dtype=np.intp))


def compute_plain_descriptors(table: Table) -> FloatMatrix | None:
    """Describe rows without any base: words of a text hashed to 512 counts, a series by its values; else None.

    Parameters
    ----------
    table : Table
    """
    describe = _PLAIN_DESCRIPTORS.get(table.modality)
    return describe(table) if describe else None


def _hash_words(table: Table) -> FloatMatrix:
    counts = np.zeros((len(table), SETTINGS.word_columns), dtype=np.float32)
    for row, text in enumerate(table.inputs):
        for word in re.findall(r"\w+", str(text).casefold()):
            counts[row, zlib.crc32(word.encode("utf-8", "replace")) % SETTINGS.word_columns] += 1
    return np.asarray(np.log1p(counts), dtype=np.float32)


def _resample_series(table: Table) -> FloatMatrix:
    """Resample every channel to 64 values, gaps as zeros."""
    n_channels = max(len(values) for values in table.inputs)
    descriptors = np.zeros((len(table), n_channels * 64), dtype=np.float32)
    for row, values in enumerate(table.inputs):
        whole = np.nan_to_num(values, nan=0.0)
        at = np.linspace(0, whole.shape[1] - 1, 64)
        course = np.concatenate([np.interp(at, np.arange(whole.shape[1]), channel) for channel in whole])
        descriptors[row, : len(course)] = course
    return descriptors


_PLAIN_DESCRIPTORS = {"text": _hash_words, "series": _resample_series}


def probe_attributes(
    targets: list[ProbeTarget], places: Mapping[str, FloatMatrix], strata: Index, clusters: Index, seed: int
) -> list[AttributeProbe]:
    """Probe every place for everything that is asked.

    Parameters
    ----------
    targets : list of ProbeTarget
    places : mapping of str to FloatMatrix, shape (n_rows, n_dims) each
        "frozen", "adapted", "answers", "without_base": features of the same rows.
    strata : Index, shape (n_rows,)
        Spread evenly over the folds.
    clusters : Index, shape (n_rows,)
        Rows that stay in one fold.
    seed : int

    Notes
    -----
    Ridge regression on at most 192 principal axes, its strength by leave-one-out inside each training part; the answer
    is the value that is favoured most against how frequent it is. A lower bound: other probes may read off more.
    """
    fold_ids = data.assign_folds(strata, clusters, SHARED_SETTINGS.n_folds, seed)
    if not targets or len(np.unique(fold_ids)) < 2:
        return []
    encoded = [_encode_target(item) for item in targets]
    outputs = {name: _out_of_fold(values, np.hstack(encoded), fold_ids, seed) for name, values in places.items()}
    ends = np.cumsum([0, *(part.shape[1] for part in encoded)])
    return [
        _measure_decodability(
            item, {name: predicted[:, ends[at] : ends[at + 1]] for name, predicted in outputs.items()}, clusters
        )
        for at, item in enumerate(targets)
    ]


def _encode_target(item: ProbeTarget) -> NDArray[np.float64]:
    """Return one column a value; rows without one get the shares of all."""
    known = item.codes >= 0
    encoded: NDArray[np.float64] = np.eye(len(item.values))[np.maximum(item.codes, 0)]
    encoded[~known] = encoded[known].mean(axis=0)
    return encoded


def _out_of_fold(values: FloatMatrix, targets: NDArray[np.float64], fold_ids: Index, seed: int) -> NDArray[np.float64]:
    predicted = np.empty(targets.shape)
    axes = PrincipalAxes.fit(
        np.ascontiguousarray(values, dtype=np.float32), np.arange(len(values)), seed, SETTINGS.probe_axes
    )
    reduced = axes.apply(values)
    for fold in np.unique(fold_ids):
        is_held_out = fold_ids == fold
        predicted[is_held_out] = fit_ridge_loo(reduced[~is_held_out], targets[~is_held_out]).predict(
            reduced[is_held_out]
        )
    return predicted


def _measure_decodability(
    item: ProbeTarget, outputs: Mapping[str, NDArray[np.float64]], clusters: Index
) -> AttributeProbe:
    rows = np.flatnonzero(item.codes >= 0)
    codes = item.codes[rows]
    intervals: dict[str, Interval | None] = {
        name: balanced_accuracy_interval(codes, predict_balanced(predicted[rows], codes), clusters[rows])
        for name, predicted in outputs.items()
    }
    figures = {name: Figure.from_interval(figure) for name, figure in intervals.items() if figure is not None}
    return AttributeProbe(
        name=item.name, kind=item.kind, values=list(item.values), n_rows=len(rows), chance=1 / len(item.values),  # type: ignore[arg-type]
        frozen=figures.get("frozen"), adapted=figures.get("adapted"), answers=figures.get("answers"),
        without_base=figures.get("without_base"),
    )  # fmt: skip
