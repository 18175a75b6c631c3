"""Series in tables: first which layout a table has, then which columns are values, by the whole pattern of names.

Nothing numeric is taken or dropped without a word: what is read stands in `InputColumns`, what is not in `left_out`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.columns.axes import LEAST_STEPS, Axis, find_axis
from headstart.data.columns.binding import bind_asked, bind_names
from headstart.data.columns.cells import as_text
from headstart.data.columns.names import MIN_STEPS, Wanted, key, label_columns
from headstart.data.columns.scales import other_scale
from headstart.data.columns.value_cells import thousands_in_doubt
from headstart.data.reading.rows import Draft
from headstart.data.reading.sheet_rows import ids_of, labels_of, optional_texts, rest_of, roles_of
from headstart.data.reading.sheets import Sheet
from headstart.data.series import long_tables, series_files
from headstart.errors import DataError, OptionError, offenders
from headstart.modalities.series import Series
from headstart.records import Finding, InputColumns


def fits(sheet: Sheet, base: Path, wanted: Wanted) -> bool:
    """Whether the sheet is a table of series, in whatever layout."""
    if wanted.values is not None or wanted.channels or "time" in wanted.columns:
        return True
    return value_run(sheet, wanted) is not None or long_tables.is_long(sheet, wanted) or _has_fallback(sheet, wanted)


def value_run(sheet: Sheet, wanted: Wanted, least: int = MIN_STEPS) -> Axis | None:
    """Find the columns of numbers whose names make one axis.

    A run with a few columns of words is one of values all the same, with cells to be mended; one of words is none.
    """
    names = _candidates(sheet, wanted)
    axis = find_axis(names, least)
    if axis is None or 2 * sum(map(sheet.is_mostly_numbers, axis.names)) > len(axis.names):
        return axis
    return find_axis([name for name in names if sheet.is_mostly_numbers(name)], least)


def read(sheet: Sheet, base: Path, wanted: Wanted) -> Draft:
    """Read a wide table (a row a series), a long one (a row a time step), or one file that is one series.

    Raises
    ------
    DataError
        It is none of these, cells are no numbers, or columns of training are missing.
    """
    return _READ[_layout_of(sheet, wanted)](sheet, wanted)


def _candidates(sheet: Sheet, wanted: Wanted) -> list[str]:
    """Return the columns that are not asked for as something else."""
    asked = {*wanted.columns.values(), *wanted.keep, *label_columns(sheet.names, wanted, f" in {sheet.name}")}
    return [name for name in sheet.names if name not in asked]


def _layout_of(sheet: Sheet, wanted: Wanted) -> str:
    """Decide how series are laid out, before any column is read as anything."""
    known = wanted.inputs or InputColumns()
    if wanted.values is not None or (known.layout == "wide" and _has_values(sheet, known)):
        return "wide"
    if sheet.headerless and not wanted.strict:
        return "headerless"
    is_long = long_tables.is_long(sheet, wanted)
    if known.layout == "files" and not (wanted.strict or is_long) and _has_channels(sheet, known):
        return "file"
    run = value_run(sheet, wanted)
    if is_long and (run is None or long_tables.is_longer(sheet, wanted, run.n_steps)):
        return "long"
    return "wide" if run is not None or wanted.strict or _is_other_table(sheet, wanted) else "file"


def _is_other_table(sheet: Sheet, wanted: Wanted) -> bool:
    """Whether training had a table of series, and this file is no single series of the one channel."""
    if not {"values", "series"} & set(wanted.roles):
        return False
    known = wanted.inputs or InputColumns()
    return known.n_channels != 1 or len(series_files.channels_of(sheet, wanted)) != 1


def _has_values(sheet: Sheet, known: InputColumns) -> bool:
    return {name for steps in known.values for name in steps} <= {"", *sheet.names}


def _has_channels(sheet: Sheet, known: InputColumns) -> bool:
    return bool(known.channels) and set(known.channels) <= set(sheet.names)


def _read_wide(sheet: Sheet, wanted: Wanted) -> Draft:
    """Read a row a series."""
    axis, findings = _axis_of(sheet, wanted)
    sheet = _with_numbers(sheet, axis.names)
    sheet.require_fine(axis.names)
    roles = roles_of(sheet, wanted, axis.names)
    used = roles.named()
    labels, marks = labels_of(roles, sheet.texts)
    nameless = sheet.headerless or (wanted.inputs is not None and wanted.inputs.layout == "array")
    return Draft(
        modality="series",
        inputs=_cubes(sheet, axis),
        ids=ids_of(sheet, roles.id),
        labels=list(map(_whole_label, labels)) if labels is not None and sheet.headerless else labels,
        marks=marks,
        splits=optional_texts(sheet, roles.split),
        metadata=rest_of(sheet, [*used.values(), *axis.names]),
        set_aside=sheet.set_aside,
        findings=(*sheet.findings, *roles.findings, *findings, *thousands_in_doubt(sheet, axis.names)),
        columns={**used, "values": f"{axis.names[0]} to {axis.names[-1]}"},
        input_columns=InputColumns(layout="array") if nameless else _wide_columns(axis),
    )


def _whole_label(label: str) -> str:
    """Write a class number as people do: the UCR archive has 1.0000000e+00 for 1."""
    return as_text(float(label)) if re.fullmatch(r"\s*[-+]?\d\.\d+e[-+]\d+\s*", label, re.IGNORECASE) else label


def _wide_columns(axis: Axis) -> InputColumns:
    return InputColumns(layout="wide", channels=axis.channels, values=axis.columns)


def _axis_of(sheet: Sheet, wanted: Wanted) -> tuple[Axis, tuple[Finding, ...]]:
    """Return the value columns: those asked for, those of training, those of one pattern, or all numbers."""
    known = wanted.inputs or InputColumns()
    if wanted.values is not None:
        return _fitting(_named_run(sheet, wanted, wanted.values), known, sheet), ()
    if known.layout == "wide":
        return _known_axis(sheet, wanted, known), ()
    axis = value_run(sheet, wanted, LEAST_STEPS if wanted.channels else MIN_STEPS) or value_run(sheet, wanted, 1)
    if axis is None or axis.n_steps < MIN_STEPS:
        numbers = _fallback(sheet, wanted)
        if axis is None or (len(numbers) >= MIN_STEPS and not _holds_most(axis, numbers)):
            return _fitting(_all_numbers(sheet, numbers), known, sheet), _unnamed_steps(sheet, numbers)
    axis = _chosen_channels(axis, wanted.channels, sheet)
    return _fitting(axis, known, sheet), _other_runs(axis)


def _holds_most(axis: Axis, numbers: Sequence[str]) -> bool:
    """Whether channels of few steps are most columns of numbers."""
    is_grid = len(axis.channels) > 1 and axis.n_steps >= LEAST_STEPS
    return is_grid and len(axis.names) >= MIN_STEPS and 2 * len(axis.names) > len(numbers)


def _known_axis(sheet: Sheet, wanted: Wanted, known: InputColumns) -> Axis:
    """Find the value columns of training by name."""
    flat = [name for steps in known.values for name in steps if name]
    roles = roles_of(sheet, replace(wanted, strict=True), (), classed=True)
    others = {*roles.named().values(), *wanted.keep}
    numbers = [name for name in sheet.names if name not in others and sheet.numbers(name) is not None]
    found = dict(zip(flat, bind_names(flat, sheet.names, sheet.name, numbers), strict=True))
    return Axis(known.channels, tuple(tuple(found.get(name, "") for name in steps) for steps in known.values))


def _fitting(axis: Axis, known: InputColumns, sheet: Sheet) -> Axis:
    """Put channels in the order of training by their names, where both have some."""
    n_channels = len(axis.channels)
    if known.n_channels not in {0, n_channels}:
        raise DataError(
            f"{sheet.name} has {n_channels} channels of {axis.n_steps} steps; the model learnt from "
            f"{known.n_channels} channels.",
            "Give the channels of training; --values FROM:TO and --channels say which columns they are.",
        )
    if n_channels == 1 or not any(known.channels):
        return axis
    is_whole = set(map(key, known.channels)) <= set(map(key, axis.described))
    there = axis.described if is_whole else axis.channels
    order = bind_names(known.channels, there, sheet.name, there)
    return Axis(known.channels, tuple(axis.columns[there.index(name)] for name in order))


def _named_run(sheet: Sheet, wanted: Wanted, values: str) -> Axis:
    """Take every column from the first to the last that `--values FROM:TO` names."""
    ends = [(values[:at], values[at + 1 :]) for at, mark in enumerate(values) if mark == ":"]
    ends = [pair for pair in ends if {part.strip() for part in pair} <= set(sheet.names)]
    if not ends:
        raise OptionError(
            f"--values {values}: these are not two columns of {sheet.name} (columns: {', '.join(sheet.names[:20])}).",
            "Write the first and the last value column with a colon between, such as t0:t99.",
        )
    first, last = (sheet.names.index(part.strip()) for part in ends[0])
    asked = set(_candidates(sheet, wanted))
    names = [name for name in sheet.names[min(first, last) : max(first, last) + 1] if name in asked]
    axis = find_axis(names, LEAST_STEPS)
    whole = axis if axis is not None and sorted(axis.names) == sorted(names) else Axis(("",), (tuple(names),))
    return _chosen_channels(whole, wanted.channels, sheet)


def _chosen_channels(axis: Axis, asked: Sequence[str], sheet: Sheet) -> Axis:
    if not asked:
        return axis
    order = bind_asked(asked, axis.channels, sheet.name)
    return Axis(tuple(order), tuple(axis.columns[axis.channels.index(name)] for name in order), axis.others)


def _has_fallback(sheet: Sheet, wanted: Wanted) -> bool:
    return len(_fallback(sheet, wanted)) >= MIN_STEPS


def _fallback(sheet: Sheet, wanted: Wanted) -> list[str]:
    """Return every column of numbers that serves as nothing else."""
    roles = roles_of(sheet, wanted, [], classed=True)
    taken = {*roles.named().values(), *wanted.keep}
    return [name for name in _candidates(sheet, wanted) if name not in taken and sheet.has_numbers(name)]


def _all_numbers(sheet: Sheet, names: Sequence[str]) -> Axis:
    if len(names) < MIN_STEPS:
        raise DataError(
            f"{sheet.name} holds no series that can be read (columns: {', '.join(sheet.names[:20])}).",
            f"Give one row a series with at least {MIN_STEPS} columns t0, t1 ..., or columns id, time and values; or "
            "say which columns are what: --values FROM:TO, or --id and --time-column.",
        )
    return Axis(("",), (tuple(names),))


def _unnamed_steps(sheet: Sheet, names: Sequence[str]) -> tuple[Finding, ...]:
    """Point out that steps were taken without a pattern in their names, and those at the ends that look otherwise."""
    odd = other_scale(np.stack([sheet.needed_numbers(name) for name in names]))
    advice = (
        f"If some of them are no steps of the series, pass --values FROM:TO, such as --values {names[0]}:{names[-1]}."
    )
    summary = (
        f"The names of the columns show no axis: all {len(names)} columns of numbers were read as the steps of one "
        f"channel, in the order of the file, from '{names[0]}' to '{names[-1]}'."
    )
    if not odd:
        return (Finding(kind="unnamed-steps", severity="note", rows=(), summary=summary, advice=advice),)
    left = [place for place in range(len(names)) if place not in odd]
    advice = f"If they are no steps of the series, pass --values {names[left[0]]}:{names[left[-1]]}."
    stand = "stands at an end and is" if len(odd) == 1 else "stand at an end and are"
    summary += f" {offenders([names[at] for at in odd])} {stand} on another scale than the rest."
    return (Finding(kind="other-scale", severity="warn", rows=(), summary=summary, advice=advice),)


def _other_runs(axis: Axis) -> tuple[Finding, ...]:
    gaps = [name for name, steps in zip(axis.channels, axis.columns, strict=True) if "" in steps]
    found = [
        Finding(
            kind="values-left-out",
            severity="warn",
            rows=(),
            summary=f"{len(run)} columns ({run[0]} to {run[-1]}) have steps of their own and were not read as values: "
            "the axis "
            f"taken has {axis.n_steps} steps, {axis.names[0]} to {axis.columns[0][-1] or axis.names[-1]}.",
            advice="They are kept as metadata. Pass --values FROM:TO to read other columns.",
        )
        for run in axis.others
    ]
    if gaps:
        found.append(
            Finding(
                kind="uneven-channels-steps",
                severity="warn",
                rows=(),
                summary=f"{len(gaps)} of {len(axis.channels)} channels lack steps that the others have "
                f"({offenders(gaps)}); "
                "these steps count as missing values.",
                advice="Check the names of the columns, or pass --channels to read some of them.",
            )
        )
    return tuple(found)


def _with_numbers(sheet: Sheet, names: Sequence[str]) -> Sheet:
    """Set rows aside of which a value is no number; where that is most rows, the columns are none of values.

    Raises
    ------
    DataError
        At least half of the rows have such cells.
    """
    bad: dict[int, list[str]] = {}
    for name in names:
        if sheet.numbers(name) is None:
            for row, cell in sheet.bad_cells(name):
                bad.setdefault(row, []).append(f"column {name}: '{cell.strip()[:40]}' is no number")
    if 2 * len(bad) >= len(sheet.rows):
        cells = [f"row {row}, {cell}" for row, found in bad.items() for cell in found]
        raise DataError(
            f"{sheet.name}: {len(cells)} cells are not numbers ({offenders(cells)}).", "Correct or empty these cells."
        )
    return sheet.without({row: cells[0] for row, cells in bad.items()})


def _cubes(sheet: Sheet, axis: Axis) -> list[Series]:
    """Put value columns together, one array (n_channels, n_steps) a row."""
    values = np.full((len(sheet.rows), len(axis.channels), axis.n_steps), np.nan, dtype=np.float32)
    for channel, steps in enumerate(axis.columns):
        for step, name in enumerate(steps):
            if name:
                values[:, channel, step] = sheet.needed_numbers(name)
    return list(values)


def _read_headerless(sheet: Sheet, wanted: Wanted) -> Draft:
    """Read rows to predict from a table without header: its width tells whether labels come first.

    Raises
    ------
    DataError
        The width fits neither.
    """
    known = wanted.inputs or InputColumns()
    width = len(sheet.names)
    if known.layout in {"files", "long"} or (not known.layout and not {"values", "series"} & set(wanted.roles)):
        return series_files.read_one(sheet, wanted)
    if known.n_channels > 1:
        return series_files.read_one(sheet, wanted)
    if not known.most_steps or width == known.most_steps + 1:
        return _read_wide(sheet, wanted)
    if width == known.most_steps:
        return _read_wide(sheet.renamed([f"t{step}" for step in range(width)]), wanted)
    raise DataError(
        f"{sheet.name} has {width} columns without names; the model learnt from {known.most_steps} steps, so it cannot "
        "be told whether the first column is a label.",
        "Write a first row with names: label, t0, t1 ... or t0, t1 ...",
    )


_READ: dict[str, Callable[[Sheet, Wanted], Draft]] = {
    "wide": _read_wide,
    "long": long_tables.read,
    "file": series_files.read_one,
    "headerless": _read_headerless,
}
