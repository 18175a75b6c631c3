"""Series that come as arrays: `.npz` and `.ts` files, and arrays in memory, each in the shape (channels, time)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import format_cell, parse_number
from headstart.data.columns.names import ColumnSpec, find_column, find_label_columns, fold_column_name
from headstart.data.columns.precision import is_too_fine, make_precision_error, to_single_precision
from headstart.data.reading.decoding import find_text_format, read_lines
from headstart.data.reading.npz import read_npz_arrays
from headstart.data.reading.npz_splits import join_splits
from headstart.data.reading.rows import ParsedRows
from headstart.errors import DataError, list_offenders
from headstart.modalities.series import Series
from headstart.records import AXES, Finding, InputColumns, make_column
from headstart.results.findings import make_finding

_USUAL_ARRAYS = ("x", "data", "inputs", "values", "series", "features", "signals")


def read_npz(path: Path, spec: ColumnSpec) -> ParsedRows:
    """Read arrays X (n, channels, time) or (n, time), y, split and further columns of length n.

    Parameters
    ----------
    path : Path
    spec : ColumnSpec

    Raises
    ------
    DataError
        There is no X, its shape is none of the two, or the file is damaged or would have to be unpickled.
    """
    arrays = join_splits(path, read_npz_arrays(path))
    by_key = {fold_column_name(name): name for name in arrays}
    name = next((by_key[known] for known in _USUAL_ARRAYS if known in by_key), None)
    if name is None:
        raise DataError(f"{path} has no array X (found: {', '.join(arrays)}).", "Save it as X, with labels as y.")
    oriented = orient_one_series(arrays.pop(name), str(path), spec)
    n_rows = len(oriented.rows)
    columns_by_name = {
        other: [format_cell(v) for v in array.tolist()] for other, array in arrays.items() if array.shape == (n_rows,)
    }
    _refuse_misfits(path, {other: array.shape for other, array in arrays.items()}, n_rows)
    label_names = find_label_columns(
        list(columns_by_name), ColumnSpec(labels=spec.labels, training_columns=spec.training_columns), f" in {path}"
    )
    label = label_names[0] if label_names else find_column(list(columns_by_name), "label", ColumnSpec(), "")
    split, id_name = (
        find_column(list(columns_by_name), role, ColumnSpec(columns=_select_role(spec, role)), f" in {path}")
        for role in ("split", "id")
    )
    used = {role: column for role, column in (("label", label), ("split", split)) if column is not None}
    numbered = [f"{path.name}:{row}" for row in range(1, n_rows + 1)]
    return ParsedRows(
        modality="series",
        inputs=oriented.rows,
        ids=columns_by_name[id_name] if id_name is not None else numbered,
        labels=columns_by_name[label] if label is not None else None,
        splits=columns_by_name[split] if split is not None else None,
        metadata={
            other: make_column(v) for other, v in columns_by_name.items() if other not in {label, split, id_name}
        },
        findings=oriented.findings,
        columns={"values": name, **used},
        input_columns=oriented.input_columns,
        left_out={
            other: f"its shape is {array.shape}, not ({n_rows},)"
            for other, array in arrays.items()
            if other not in columns_by_name
        },
    )


def _select_role(spec: ColumnSpec, role: str) -> dict[str, str]:
    return {role: spec.columns[role]} if role in spec.columns else {}


def _refuse_misfits(path: Path, shapes: Mapping[str, tuple[int, ...]], n_rows: int) -> None:
    """Refuse labels or splits that are not one value a row."""
    for role in ("label", "split"):
        name = find_column(list(shapes), role, ColumnSpec(), "")
        if name is not None and shapes[name] != (n_rows,):
            raise DataError(
                f"{path}: {name} has shape {shapes[name]}, but there are {n_rows} series.",
                "Give one value for each series.",
            )


@dataclass(frozen=True)
class OrientedSeries:
    """Series as (channels, time) arrays, the axes that they had (one of `AXES`), and findings on them."""

    rows: list[Series]
    axes: str
    findings: tuple[Finding, ...] = ()

    @property
    def input_columns(self) -> InputColumns:
        """The same axes, as a table keeps them."""
        return InputColumns(layout="array", axes=self.axes)


def orient_one_series(values: NDArray[np.generic], where: str, spec: ColumnSpec) -> OrientedSeries:
    """Return the rows of one array of numbers as series.

    Parameters
    ----------
    values : array, shape (n, time), (n, channels, time) or (n, time, channels)
    where : str
        What holds it, for messages.
    spec : ColumnSpec
        Axes that the user named, or those of training.

    Raises
    ------
    DataError
        Of another shape; as many channels as steps, which cannot be known apart; or axes other than in training.
    """
    if values.ndim not in {2, 3} or values.dtype.kind not in "fiub":
        raise DataError(
            f"{where}: the array of series has shape {values.shape} and type {values.dtype}.",
            "Give numbers of shape (rows, time) or (rows, channels, time).",
        )
    known = spec.training_inputs or InputColumns()
    axes = spec.axes if spec.axes != "auto" else known.axes
    if is_too_fine(values):
        raise make_precision_error(where, values.ravel()[:2].tolist())
    oriented_values = to_single_precision(values)
    if oriented_values.ndim == 2:
        oriented_values = oriented_values[:, None, :]
        _require_channels(oriented_values.shape, known, where, axes)
        return OrientedSeries(list(oriented_values), AXES[0])
    if (
        spec.axes == "auto"
        and spec.training_inputs is None
        and oriented_values.shape[1] == oriented_values.shape[2] > 1
    ):
        raise DataError(
            f"{where}: the array has the shape {oriented_values.shape}: it is unclear which axis is the time.",
            "Pass --axes channels-first if it is the last one, or --axes time-first.",
        )
    is_open = spec.axes == "auto" and spec.training_inputs is None
    axes = AXES[1] if is_open and _has_one_channel(oriented_values.shape[1:]) else axes
    oriented_values = oriented_values if axes == AXES[0] else np.ascontiguousarray(oriented_values.transpose(0, 2, 1))
    _require_channels(oriented_values.shape, known, where, axes)
    findings = find_exchanged_axes(oriented_values.shape) if is_open else ()
    return OrientedSeries(list(oriented_values), axes, findings)


def _has_one_channel(shape: Sequence[int]) -> bool:
    """Return whether the last axis can only be the channel: channels of one step are no series."""
    return shape[0] > 1 == shape[1]


def find_exchanged_axes(shape: Sequence[int]) -> tuple[Finding, ...]:
    """Return a finding for an array (n, channels, time) with more channels than steps."""
    n_rows, n_channels, n_steps = shape
    if n_channels <= n_steps:
        return ()
    summary = (
        f"The array ({n_rows}, {n_channels}, {n_steps}) was read as {n_rows} series with {n_channels} channels of "
        f"{n_steps} steps: more channels than steps. Are the axes exchanged?"
    )
    return (make_finding("axes", summary, n_channels=str(n_channels), n_steps=str(n_steps)),)


def _require_channels(shape: Sequence[int], known: InputColumns, where: str, axes: str) -> None:
    """Refuse an array (n, channels, time) with another number of channels than the model's."""
    _, n_channels, n_steps = shape
    if known.n_channels in {0, n_channels}:
        return
    other = AXES[1] if axes == AXES[0] else AXES[0]
    looks_exchanged = n_steps == known.n_channels
    raise DataError(
        f"{where}: read as {axes}, the array has {n_channels} channels of {n_steps} steps; the model learnt from "
        f"{known.n_channels} {'channel' if known.n_channels == 1 else 'channels'}{_describe_steps(known)}.",
        f"The axes look exchanged: pass --axes {other}, or exchange them." if looks_exchanged
        else "Give the channels of training.",
    )  # fmt: skip


def _describe_steps(known: InputColumns) -> str:
    if not known.most_steps:
        return ""
    least, most = known.fewest_steps, known.most_steps
    return f" of {most} steps" if least == most else f" of {least} to {most} steps"


def read_ts(path: Path, spec: ColumnSpec) -> ParsedRows:
    """Read the `.ts` format of the UEA archive: channels separated by colons, the label last.

    Parameters
    ----------
    path : Path
    spec : ColumnSpec
        Not used: the format has no columns.

    Raises
    ------
    DataError
        A line cannot be read; all bad lines are named.
    """
    labelled, started, bad_lines = "", False, []
    inputs: list[Series] = []
    labels: list[str] = []
    rows: list[int] = []
    for number, line in enumerate(read_lines(path, find_text_format(path)), start=1):
        text = line.strip()
        if not text or text.startswith(("#", "%")):
            continue
        if not started:
            words = text.casefold().split()
            if words[0] in {"@classlabel", "@targetlabel"} and words[1:2] == ["true"]:
                labelled = words[0].removeprefix("@")
            started = words[0] == "@data"
            continue
        *channels, last = text.split(":") if labelled else (*text.split(":"), "")
        try:
            inputs.append(_parse_ts_line(channels))
        except ValueError:
            bad_lines.append(f"line {number}")
            continue
        labels.append(last.strip())
        rows.append(number)
    if bad_lines:
        raise DataError(
            f"{path}: {len(bad_lines)} lines cannot be read ({list_offenders(bad_lines)}).", "Correct them."
        )
    if not rows:
        raise DataError(f"{path} has no series below @data.", "Check that this is the right file.")
    ids = [f"{path.name}:{row}" for row in rows]
    columns = {"label": labelled} if labelled == "targetlabel" else {}
    return ParsedRows(
        modality="series",
        inputs=inputs,
        ids=ids,
        labels=labels if labelled else None,
        columns=columns,
        input_columns=InputColumns(layout="array"),
    )


def _parse_ts_line(channels: Sequence[str]) -> Series:
    """Read one line; "(time,value)" pairs give their values, shorter channels end in NaN."""
    parts = [re.sub(r"\([^,()]*,([^()]*)\)", r"\1", channel).split(",") for channel in channels]
    if not parts:
        raise ValueError
    series = np.full((len(parts), max(map(len, parts))), np.nan, dtype=np.float32)
    for row, values in zip(series, parts, strict=True):
        row[: len(values)] = [parse_number(value, False) for value in values]
    return series


def orient_series_list(values: Sequence[object], spec: ColumnSpec) -> OrientedSeries:
    """Return series of different lengths as (channels, time), from arrays (time,) or of two axes.

    Parameters
    ----------
    values : sequence of arrays
        One array a row: (time,), (channels, time) or (time, channels).
    spec : ColumnSpec
        Axes and training channels.

    Raises
    ------
    DataError
        One has another number of dimensions, or other channels than the model learnt from.
    """
    try:
        arrays = [np.asarray(value, dtype=np.float32) for value in values]
    except (ValueError, TypeError) as error:
        raise DataError(
            f"Some rows are no arrays of numbers ({error}).", "Give one text or one array a row."
        ) from error
    bad_rows = [str(row) for row, array in enumerate(arrays) if array.ndim not in {1, 2}]
    if bad_rows:
        raise DataError(
            f"Series must have one or two dimensions; rows {list_offenders(bad_rows)} do not.", "Reshape them."
        )
    known = spec.training_inputs or InputColumns()
    axes = spec.axes if spec.axes != "auto" else known.axes
    is_open = spec.axes == "auto" and spec.training_inputs is None
    if is_open and all(array.ndim == 2 and _has_one_channel(array.shape) for array in arrays):
        axes = AXES[1]
    oriented = [array[None, :] if array.ndim == 1 else array if axes == AXES[0] else array.T for array in arrays]
    for row, array in enumerate(oriented):
        _require_channels((1, *array.shape), known, f"row {row}", axes)
    widest = max(oriented, key=lambda array: len(array) - array.shape[1])
    findings = find_exchanged_axes((len(oriented), *widest.shape)) if is_open else ()
    return OrientedSeries(oriented, axes, findings)
