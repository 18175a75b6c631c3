"""Series in tables: first which layout a table has, then which columns are values, by the whole pattern of names.

Nothing numeric is taken or dropped without a word: what is read stands in `InputColumns`, what is not in `left_out`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.columns.axes import Axis, find_axis
from headstart.data.columns.binding import bind_names, bind_requested
from headstart.data.columns.cells import format_cell
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import ColumnSpec, find_label_columns, fold_column_name
from headstart.data.columns.scales import find_other_scale
from headstart.data.columns.value_cells import find_doubtful_thousands
from headstart.data.reading.column_roles import find_roles, read_ids, read_labels, read_metadata, read_optional_texts
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.table_files import RawTable
from headstart.data.series import long_tables, series_files
from headstart.errors import DataError, OptionError, list_offenders
from headstart.modalities.series import Series
from headstart.records import Finding, InputColumns
from headstart.results.findings import make_finding


def is_series_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> bool:
    """Return whether a table holds series, in whatever layout.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
        Not used.
    spec : ColumnSpec
    """
    if spec.values is not None or spec.channels or "time" in spec.columns:
        return True
    return (
        find_value_run(raw_table, spec) is not None
        or long_tables.is_long(raw_table, spec)
        or _has_number_columns(raw_table, spec)
    )


def find_value_run(raw_table: RawTable, spec: ColumnSpec, fewest_steps: int = COLUMN_RULES.min_steps) -> Axis | None:
    """Return the columns of numbers whose names make one axis; None where there is none.

    A run with a few columns of words is still one of values, with cells to correct; one of words only is not.

    Parameters
    ----------
    raw_table : RawTable
    spec : ColumnSpec
    fewest_steps : int
        A shorter axis is none.
    """
    names = _list_candidates(raw_table, spec)
    axis = find_axis(names, fewest_steps)
    if axis is None or 2 * sum(map(raw_table.is_mostly_numbers, axis.names)) > len(axis.names):
        return axis
    return find_axis([name for name in names if raw_table.is_mostly_numbers(name)], fewest_steps)


def read_series_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> ParsedRows:
    """Read a wide table (a row a series), a long one (a row a time step), or one file that is one series.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
        Not used.
    spec : ColumnSpec

    Raises
    ------
    DataError
        It is none of these, cells are no numbers, or columns of training are missing.
    """
    return _LAYOUT_READERS[_find_layout(raw_table, spec)](raw_table, spec)


def _list_candidates(raw_table: RawTable, spec: ColumnSpec) -> list[str]:
    """Return the columns that are not named as something else."""
    requested = {
        *spec.columns.values(),
        *spec.group_columns,
        *find_label_columns(raw_table.names, spec, f" in {raw_table.name}"),
    }
    return [name for name in raw_table.names if name not in requested]


def _find_layout(raw_table: RawTable, spec: ColumnSpec) -> str:
    """Return how series are laid out, before any column is read: a key of `_LAYOUT_READERS`."""
    known = spec.training_inputs or InputColumns()
    if spec.values is not None or (known.layout == "wide" and _has_values(raw_table, known)):
        return "wide"
    if raw_table.headerless and not spec.for_training:
        return "headerless"
    is_long = long_tables.is_long(raw_table, spec)
    if known.layout == "files" and not (spec.for_training or is_long) and _has_channels(raw_table, known):
        return "file"
    run = find_value_run(raw_table, spec)
    if is_long and (run is None or long_tables.has_longer_series(raw_table, spec, run.n_steps)):
        return "long"
    return "wide" if run is not None or spec.for_training or _is_single_file_of_other_table(raw_table, spec) else "file"


def _is_single_file_of_other_table(raw_table: RawTable, spec: ColumnSpec) -> bool:
    """Return whether training had a table of series, and this file is no single series of one channel."""
    if not {"values", "series"} & set(spec.roles):
        return False
    known = spec.training_inputs or InputColumns()
    return known.n_channels != 1 or len(series_files.find_channels(raw_table, spec)) != 1


def _has_values(raw_table: RawTable, known: InputColumns) -> bool:
    return {name for steps in known.values for name in steps} <= {"", *raw_table.names}


def _has_channels(raw_table: RawTable, known: InputColumns) -> bool:
    return bool(known.channels) and set(known.channels) <= set(raw_table.names)


def _read_wide(raw_table: RawTable, spec: ColumnSpec) -> ParsedRows:
    """Read a row a series."""
    axis, findings = _find_axis(raw_table, spec)
    raw_table = _set_aside_bad_rows(raw_table, axis.names)
    raw_table.require_fine(axis.names)
    roles = find_roles(raw_table, spec, axis.names)
    used = roles.by_role()
    labels, indicators = read_labels(roles, raw_table.texts)
    nameless = raw_table.headerless or (spec.training_inputs is not None and spec.training_inputs.layout == "array")
    return ParsedRows(
        modality="series",
        inputs=_stack_values(raw_table, axis),
        ids=read_ids(raw_table, roles.id),
        labels=list(map(_format_class_number, labels)) if labels is not None and raw_table.headerless else labels,
        indicators=indicators,
        splits=read_optional_texts(raw_table, roles.split),
        metadata=read_metadata(raw_table, [*used.values(), *axis.names]),
        set_aside=raw_table.set_aside,
        findings=(*raw_table.findings, *roles.findings, *findings, *find_doubtful_thousands(raw_table, axis.names)),
        columns={**used, "values": f"{axis.names[0]} to {axis.names[-1]}"},
        input_columns=InputColumns(layout="array") if nameless else _make_wide_columns(axis),
    )


def _format_class_number(label: str) -> str:
    """Write a class number as people do: the UCR archive has 1.0000000e+00 for 1."""
    return format_cell(float(label)) if re.fullmatch(r"\s*[-+]?\d\.\d+e[-+]\d+\s*", label, re.IGNORECASE) else label


def _make_wide_columns(axis: Axis) -> InputColumns:
    return InputColumns(layout="wide", channels=axis.channels, values=axis.columns)


def _find_axis(raw_table: RawTable, spec: ColumnSpec) -> tuple[Axis, tuple[Finding, ...]]:
    """Return the value columns: those that the user named, those of training, those of one pattern, or all numbers."""
    known = spec.training_inputs or InputColumns()
    if spec.values is not None:
        return _order_channels(_take_named_run(raw_table, spec, spec.values), known, raw_table), ()
    if known.layout == "wide":
        return _find_known_axis(raw_table, spec, known), ()
    axis = find_value_run(
        raw_table, spec, COLUMN_RULES.min_grid_steps if spec.channels else COLUMN_RULES.min_steps
    ) or find_value_run(raw_table, spec, 1)
    if axis is None or axis.n_steps < COLUMN_RULES.min_steps:
        numbers = _list_number_columns(raw_table, spec)
        if axis is None or (len(numbers) >= COLUMN_RULES.min_steps and not _covers_most(axis, numbers)):
            return _order_channels(_make_axis_of_numbers(raw_table, numbers), known, raw_table), _find_unnamed_steps(
                raw_table, numbers
            )
    axis = _choose_channels(axis, spec.channels, raw_table)
    return _order_channels(axis, known, raw_table), _find_other_runs(axis)


def _covers_most(axis: Axis, numbers: Sequence[str]) -> bool:
    """Return whether channels of few steps are most columns of numbers."""
    is_grid = len(axis.channels) > 1 and axis.n_steps >= COLUMN_RULES.min_grid_steps
    return is_grid and len(axis.names) >= COLUMN_RULES.min_steps and 2 * len(axis.names) > len(numbers)


def _find_known_axis(raw_table: RawTable, spec: ColumnSpec, known: InputColumns) -> Axis:
    """Find the value columns of training by name."""
    flat = [name for steps in known.values for name in steps if name]
    roles = find_roles(raw_table, replace(spec, for_training=True), (), has_classes=True)
    others = {*roles.by_role().values(), *spec.group_columns}
    numbers = [name for name in raw_table.names if name not in others and raw_table.numbers(name) is not None]
    names_in_table = dict(zip(flat, bind_names(flat, raw_table.names, raw_table.name, numbers), strict=True))
    return Axis(known.channels, tuple(tuple(names_in_table.get(name, "") for name in steps) for steps in known.values))


def _order_channels(axis: Axis, known: InputColumns, raw_table: RawTable) -> Axis:
    """Return channels in the order of training by their names, where both have some."""
    n_channels = len(axis.channels)
    if known.n_channels not in {0, n_channels}:
        raise DataError(
            f"{raw_table.name} has {n_channels} channels of {axis.n_steps} steps; the model learnt from "
            f"{known.n_channels} channels.",
            "Give the channels of training; --values FROM:TO and --channels say which columns they are.",
        )
    if n_channels == 1 or not any(known.channels):
        return axis
    is_whole = set(map(fold_column_name, known.channels)) <= set(map(fold_column_name, axis.descriptions))
    available = axis.descriptions if is_whole else axis.channels
    bound = bind_names(known.channels, available, raw_table.name, available)
    return Axis(known.channels, tuple(axis.columns[available.index(name)] for name in bound))


def _take_named_run(raw_table: RawTable, spec: ColumnSpec, values: str) -> Axis:
    """Return every column from the first to the last that `--values FROM:TO` names."""
    ends = [(values[:at], values[at + 1 :]) for at, character in enumerate(values) if character == ":"]
    ends = [pair for pair in ends if {part.strip() for part in pair} <= set(raw_table.names)]
    if not ends:
        raise OptionError(
            f"--values {values}: these are not two columns of {raw_table.name} "
            f"(columns: {', '.join(raw_table.names[:20])}).",
            "Write the first and the last value column with a colon between, such as t0:t99.",
        )
    first, last = (raw_table.names.index(part.strip()) for part in ends[0])
    candidates = set(_list_candidates(raw_table, spec))
    names = [name for name in raw_table.names[min(first, last) : max(first, last) + 1] if name in candidates]
    axis = find_axis(names, COLUMN_RULES.min_grid_steps)
    axis_of_run = axis if axis is not None and sorted(axis.names) == sorted(names) else Axis(("",), (tuple(names),))
    return _choose_channels(axis_of_run, spec.channels, raw_table)


def _choose_channels(axis: Axis, requested: Sequence[str], raw_table: RawTable) -> Axis:
    if not requested:
        return axis
    order = bind_requested(requested, axis.channels, raw_table.name)
    return Axis(tuple(order), tuple(axis.columns[axis.channels.index(name)] for name in order), axis.other_runs)


def _has_number_columns(raw_table: RawTable, spec: ColumnSpec) -> bool:
    return len(_list_number_columns(raw_table, spec)) >= COLUMN_RULES.min_steps


def _list_number_columns(raw_table: RawTable, spec: ColumnSpec) -> list[str]:
    """Return every column of numbers that serves as nothing else."""
    roles = find_roles(raw_table, spec, [], has_classes=True)
    used_columns = {*roles.by_role().values(), *spec.group_columns}
    return [
        name for name in _list_candidates(raw_table, spec) if name not in used_columns and raw_table.has_numbers(name)
    ]


def _make_axis_of_numbers(raw_table: RawTable, names: Sequence[str]) -> Axis:
    if len(names) < COLUMN_RULES.min_steps:
        raise DataError(
            f"{raw_table.name} holds no series that can be read (columns: {', '.join(raw_table.names[:20])}).",
            f"Give one row for each series with at least {COLUMN_RULES.min_steps} columns t0, t1 ..., or columns id, "
            "time and values; or name the columns: --values FROM:TO, or --id and --time-column.",
        )
    return Axis(("",), (tuple(names),))


def _find_unnamed_steps(raw_table: RawTable, names: Sequence[str]) -> tuple[Finding, ...]:
    """Return a finding on steps without a pattern in their names, and on odd ones at the ends."""
    odd_columns = find_other_scale(np.stack([raw_table.require_numbers(name) for name in names]))
    summary = (
        f"The names of the columns show no axis: all {len(names)} columns of numbers were read as the steps of one "
        f"channel, in the order of the file, from '{names[0]}' to '{names[-1]}'."
    )
    if not odd_columns:
        return (make_finding("unnamed-steps", summary, first=names[0], last=names[-1]),)
    remaining = [position for position in range(len(names)) if position not in odd_columns]
    stand = "stands at an end and is" if len(odd_columns) == 1 else "stand at an end and are"
    summary += f" {list_offenders([names[at] for at in odd_columns])} {stand} on another scale than the rest."
    return (make_finding("other-scale", summary, first=names[remaining[0]], last=names[remaining[-1]]),)


def _find_other_runs(axis: Axis) -> tuple[Finding, ...]:
    gaps = [name for name, steps in zip(axis.channels, axis.columns, strict=True) if "" in steps]
    findings = [
        make_finding(
            "values-left-out",
            f"{len(run)} columns ({run[0]} to {run[-1]}) have steps of their own and were not read as values: "
            "the axis "
            f"taken has {axis.n_steps} steps, {axis.names[0]} to {axis.columns[0][-1] or axis.names[-1]}.",
        )
        for run in axis.other_runs
    ]
    if gaps:
        findings.append(
            make_finding(
                "uneven-channels-steps",
                f"{len(gaps)} of {len(axis.channels)} channels lack steps that the others have "
                f"({list_offenders(gaps)}); "
                "these steps count as missing values.",
            )
        )
    return tuple(findings)


def _set_aside_bad_rows(raw_table: RawTable, names: Sequence[str]) -> RawTable:
    """Set rows aside of which a value is no number; where that is most rows, the columns are none of values.

    Raises
    ------
    DataError
        At least half of the rows have such cells.
    """
    reasons_by_row: dict[int, list[str]] = {}
    for name in names:
        if raw_table.numbers(name) is None:
            for row, cell in raw_table.find_bad_cells(name):
                reasons_by_row.setdefault(row, []).append(f"column {name}: '{cell.strip()[:40]}' is no number")
    if 2 * len(reasons_by_row) >= len(raw_table.rows):
        cells = [f"row {row}, {cell}" for row, reasons in reasons_by_row.items() for cell in reasons]
        raise DataError(
            f"{raw_table.name}: {len(cells)} cells are not numbers ({list_offenders(cells)}).",
            "Correct or empty these cells.",
        )
    return raw_table.set_rows_aside({row: cells[0] for row, cells in reasons_by_row.items()})


def _stack_values(raw_table: RawTable, axis: Axis) -> list[Series]:
    """Return value columns as one array (n_channels, n_steps) a row."""
    values = np.full((len(raw_table.rows), len(axis.channels), axis.n_steps), np.nan, dtype=np.float32)
    for channel, steps in enumerate(axis.columns):
        for step, name in enumerate(steps):
            if name:
                values[:, channel, step] = raw_table.require_numbers(name)
    return list(values)


def _read_headerless(raw_table: RawTable, spec: ColumnSpec) -> ParsedRows:
    """Read rows to predict from a table without header: its width decides whether labels come first.

    Raises
    ------
    DataError
        The width fits neither.
    """
    known = spec.training_inputs or InputColumns()
    width = len(raw_table.names)
    if known.layout in {"files", "long"} or (not known.layout and not {"values", "series"} & set(spec.roles)):
        return series_files.read_series_file(raw_table, spec)
    if known.n_channels > 1:
        return series_files.read_series_file(raw_table, spec)
    if not known.most_steps or width == known.most_steps + 1:
        return _read_wide(raw_table, spec)
    if width == known.most_steps:
        return _read_wide(raw_table.rename_columns([f"t{step}" for step in range(width)]), spec)
    raise DataError(
        f"{raw_table.name} has {width} columns without names; the model learnt from {known.most_steps} steps, so it "
        "is unclear whether the first column is a label.",
        "Write a first row with names: label, t0, t1 ... or t0, t1 ...",
    )


_LAYOUT_READERS: dict[str, Callable[[RawTable, ColumnSpec], ParsedRows]] = {
    "wide": _read_wide,
    "long": long_tables.read_long_table,
    "file": series_files.read_series_file,
    "headerless": _read_headerless,
}
