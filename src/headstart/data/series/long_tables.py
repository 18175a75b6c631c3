"""Long tables: a row a time step, with a column that names the series and one that says the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.binding import bind_asked, bind_names
from headstart.data.columns.names import ColumnSpec, find_column, fold_column_name
from headstart.data.columns.times import time_columns, times_of
from headstart.data.columns.value_cells import thousands_in_doubt
from headstart.data.reading.column_roles import ColumnRoles, find_roles, read_labels
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.table_files import RawTable
from headstart.errors import DataError, offenders
from headstart.records import Column, Finding, InputColumns

OWN_CHANNEL = "channel_"
"""Begin of the names of channels without names in tables that Headstart writes: in the order of training."""
_COARSE = frozenset({"minute", "hour", "day", "week", "month", "days", "weeks", "months", "epoch", "cycle"})
MOST_INTERLEAVED = 100
"""Different values at most of a column that tells rows of one time apart."""
CHANNEL = "channel "
"""Begin of the role of each channel: "channel 1", "channel 2" ..."""


@dataclass(frozen=True)
class Steps:
    """The rows of a long table in order: series by series, each by time.

    Parameters
    ----------
    ids : list of str, shape (n_series,)
    codes : array of int, shape (n_rows,)
        The series of each row of the file.
    order, firsts : arrays of int, shape (n_rows,) and (n_series,)
        Rows of the file in order; the first of each series.
    starts : array of int, shape (n_series,)
        Where each series starts in `order`.
    """

    ids: list[str]
    codes: NDArray[np.intp]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @property
    def firsts(self) -> NDArray[np.intp]:
        """The row of the file with which each series begins."""
        return self.order[self.starts]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether neighbours in order are of one series (n_rows - 1,)."""
        same: NDArray[np.bool_] = np.diff(self.codes[self.order]) == 0
        return same


def keys_of(raw_table: RawTable, spec: ColumnSpec) -> tuple[str | None, str | None]:
    """Return the columns that name the series and the time: those asked for, of training, or with a usual name."""
    where = f" in {raw_table.name}"
    roles = {"series": spec.columns.get("id"), "time": spec.columns.get("time")}
    asked = ColumnSpec(columns={role: name for role, name in roles.items() if name}, training_columns=spec.roles)
    name = find_column(raw_table.names, "series", asked, where)
    return name, find_column([other for other in raw_table.names if other != name], "time", asked, where)


def is_long(raw_table: RawTable, spec: ColumnSpec) -> bool:
    """Whether rows are time steps: one column names the series, which repeat, and another the time."""
    name, time = keys_of(raw_table, spec)
    if name is None or (time is None and "id" not in spec.columns):
        return False
    values = raw_table.texts(name)
    return len(set(values)) < len(values) or (not spec.for_training and time is not None)


def is_longer(raw_table: RawTable, spec: ColumnSpec, n_steps: int) -> bool:
    """Whether series have at least `n_steps` rows, as the median; days and weeks may be those of rows of steps."""
    name, time = keys_of(raw_table, spec)
    assert name is not None
    if time is not None and fold_column_name(time) in _COARSE and "time" not in spec.roles:
        return False
    _, counts = np.unique(np.asarray(raw_table.texts(name), dtype=str), return_counts=True)
    return float(np.median(counts)) >= n_steps


def read(raw_table: RawTable, spec: ColumnSpec) -> ParsedRows:
    """Read a table with a row a time step.

    Raises
    ------
    DataError
        It has no column of values, lacks channels of training, or a series has two labels.
    """
    name, time = keys_of(raw_table, spec)
    assert name is not None
    steps, odd = _steps(raw_table, spec, name, time)
    keys = [name] if time is None else [name, *time_columns(raw_table, time)]
    roles, findings = _roles(raw_table, spec, keys, steps)
    others = [other for other in raw_table.names if other not in {*keys, *roles.by_role().values()}]
    channels = _channels(raw_table, others, steps, spec)
    if not channels:
        raise DataError(
            f"{raw_table.name} has no column of values beside {' and '.join(keys)}.", "Add one column a channel."
        )
    raw_table.require_fine(channels)
    values = np.stack([raw_table.require_numbers(channel) for channel in channels])[:, steps.order]
    labels, marks = read_labels(roles, lambda column: _constant(raw_table, column, steps))
    metadata, left_out = _rest(raw_table, [other for other in others if other not in channels], steps, spec)
    return ParsedRows(
        modality="series",
        inputs=np.split(values, steps.starts[1:], axis=1),
        ids=steps.ids,
        labels=labels,
        indicators=marks,
        splits=None if roles.split is None else _constant(raw_table, roles.split, steps),
        metadata=metadata,
        set_aside=raw_table.set_aside,
        findings=(*raw_table.findings, *roles.findings, *findings, *odd, *thousands_in_doubt(raw_table, channels)),
        columns={
            **{role: column for role, column in roles.by_role().items() if role != "id"},
            "series": name,
            **({} if time is None else {"time": time}),
            **{f"{CHANNEL}{number}": channel for number, channel in enumerate(channels, start=1)},
        },
        input_columns=InputColumns(layout="long", channels=_names_of_training(channels, spec)),
        left_out=left_out,
    )


def _names_of_training(channels: Sequence[str], spec: ColumnSpec) -> tuple[str, ...]:
    known = spec.training_inputs.channels if spec.training_inputs is not None else ()
    return known if len(known) == len(channels) and any(known) else tuple(channels)


def _steps(raw_table: RawTable, spec: ColumnSpec, name: str, time: str | None) -> tuple[Steps, tuple[Finding, ...]]:
    """Put the rows in order."""
    codes, ids = _coded(raw_table.texts(name))
    times, odd = (np.arange(len(codes), dtype=np.float64), _no_time()) if time is None else times_of(raw_table, time)
    _refuse_interleaved(raw_table, spec, list(zip(codes.tolist(), times.tolist(), strict=True)), name)
    order = np.lexsort((times, codes)).astype(np.intp)
    steps = Steps(ids, codes, order, np.flatnonzero(np.diff(codes[order], prepend=-1)).astype(np.intp))
    return steps, odd or _repeated(times[order], steps)


def _no_time() -> tuple[Finding, ...]:
    summary = "No column says the time: the steps of each series stand in the order of the file."
    return (
        Finding(
            kind="no-time-column",
            severity="note",
            rows=(),
            summary=summary,
            advice="Name the column of times with --time-column.",
        ),
    )


def _coded(values: Sequence[str]) -> tuple[NDArray[np.intp], list[str]]:
    """Number the series in order of first appearance."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.intp)
    return codes, list(numbers)


def _refuse_interleaved(raw_table: RawTable, spec: ColumnSpec, places: Sequence[tuple[int, float]], name: str) -> None:
    """Refuse a table in which several rows share a time and another column tells them apart: a channel, or a trial.

    Raises
    ------
    DataError
        Naming that column.
    """
    if 2 * len(set(places)) > len(places):
        return
    label = find_column(raw_table.names, "label", spec, "")
    for other in [one for one in raw_table.names if one not in {name, label, *spec.labels}]:
        values = raw_table.texts(other)
        words = sorted(set(values))
        if len(words) <= MOST_INTERLEAVED and len(set(zip(places, values, strict=True))) == len(places):
            raise DataError(
                f"{raw_table.name} has several rows at one time of a series, which '{other}' tells apart "
                f"({offenders(words)}).",
                f"If '{other}' says what was measured, write a column for each ({words[0]}, {words[-1]}). If it "
                f"numbers series, join it to '{name}' in one column, and name that with --id.",
            )


def _repeated(times: NDArray[np.float64], steps: Steps) -> tuple[Finding, ...]:
    """Point out series that have two values at one time (times in order)."""
    again = (np.diff(times) == 0) & steps.inside
    rows = tuple(steps.ids[code] for code in np.unique(steps.codes[steps.order][1:][again]))
    if not rows:
        return ()
    summary = f"{len(rows)} series have two rows with the same time (such as {rows[0]}); both were kept, in file order."
    return (
        Finding(
            kind="repeated-times",
            severity="warn",
            rows=rows,
            summary=summary,
            advice="Remove the copies if they are a mistake.",
        ),
    )


def _roles(
    raw_table: RawTable, spec: ColumnSpec, keys: Sequence[str], steps: Steps
) -> tuple[ColumnRoles, tuple[Finding, ...]]:
    """Find label and split; a guessed label that changes within most series is a channel, and no label.

    Raises
    ------
    DataError
        Several other columns could be the label.
    """
    asked = {role: name for role, name in spec.columns.items() if role not in {"id", "time"}}
    roles = find_roles(raw_table, replace(spec, columns=asked), keys)
    known = spec.labels or any(role.startswith("label") for role in spec.training_columns)
    if roles.label is None or known or 2 * len(_varied(raw_table, roles.label, steps)) <= len(steps.ids):
        return roles, ()
    others = [name for name in raw_table.names if name not in {*keys, roles.split, roles.label, *spec.group_columns}]
    likely = [name for name in others if _could_be_label(raw_table, name, steps)]
    if not likely:
        return (replace(roles, label=None) if raw_table.has_numbers(roles.label) else roles), ()
    if len(likely) > 1:
        raise DataError(
            f"{raw_table.name}: '{roles.label}' changes within series, so it is no label; {len(likely)} columns have "
            f"one value in each series ({offenders(likely)}).",
            "Name the one that is the label with --label COLUMN.",
        )
    summary = (
        f"'{roles.label}' changes within series, so it was read as a channel; the label is '{likely[0]}', the one "
        "column that has one value in each series."
    )
    return replace(roles, label=likely[0]), (
        Finding(
            kind="label-column", severity="note", rows=(), summary=summary, advice="Name another with --label COLUMN."
        ),
    )


def _could_be_label(raw_table: RawTable, name: str, steps: Steps) -> bool:
    values = raw_table.texts(name)
    n_values = len({values[row] for row in steps.firsts} - {""})
    return 2 <= n_values < len(steps.ids) and not _varied(raw_table, name, steps)


def _varied(raw_table: RawTable, name: str, steps: Steps) -> list[int]:
    """Return the series in which a column has more than one value."""
    values = raw_table.texts(name)
    first = [values[row] for row in steps.firsts]
    return sorted({code for code, value in zip(steps.codes.tolist(), values, strict=True) if value != first[code]})


def _constant(raw_table: RawTable, name: str, steps: Steps) -> list[str]:
    """Return one value a series; a series with two labels is an error."""
    odd = [steps.ids[place] for place in _varied(raw_table, name, steps)]
    if odd:
        raise DataError(
            f"{raw_table.name}: {len(odd)} series have more than one {name} ({offenders(odd)}).",
            "Give every row of a series the same value, or name another column with --label.",
        )
    values = raw_table.texts(name)
    return [values[row] for row in steps.firsts]


def _channels(raw_table: RawTable, others: Sequence[str], steps: Steps, spec: ColumnSpec) -> list[str]:
    """Find the columns of values: those asked for, those of training, else every number that changes in a series."""
    numeric = [name for name in others if name not in spec.group_columns and raw_table.is_mostly_numbers(name)]
    numeric = [name for name in numeric if raw_table.has_numbers(name) or raw_table.numbers(name) is None]
    changing = [name for name in numeric if _changes(raw_table, name, steps)]
    known = [name for role, name in spec.roles.items() if role.startswith(CHANNEL)]
    inputs = spec.training_inputs or InputColumns()
    if spec.channels:
        return bind_asked(spec.channels, raw_table.names, raw_table.name)
    names = inputs.channels or known
    ours = [f"{OWN_CHANNEL}{number}" for number in range(1, len(names) + 1)]
    if ours and set(ours) <= set(raw_table.names):  # a table of corrections that `serve` wrote
        return ours
    if any(names) and (len(names) > 1 or inputs.layout in {"", "long", "files"}):
        return bind_names(names, raw_table.names, raw_table.name, changing)
    found = changing or numeric
    if inputs.n_channels not in {0, len(found)}:
        raise DataError(
            f"{raw_table.name} has {len(found)} columns of values ({offenders(found)}); the model learnt from "
            f"{inputs.n_channels}.",
            "Name the columns of values with --channels.",
        )
    return found


def _changes(raw_table: RawTable, name: str, steps: Steps) -> bool:
    """Whether a column changes between two rows of one series; one with cells that are no numbers does."""
    numbers = raw_table.numbers(name)
    if numbers is None:
        return True
    change = np.diff(numbers[steps.order])
    return bool((change[steps.inside & np.isfinite(change)] != 0).any())


def _rest(
    raw_table: RawTable, names: Sequence[str], steps: Steps, spec: ColumnSpec
) -> tuple[dict[str, Column], dict[str, str]]:
    """Return metadata, one value a series, and the columns that have none."""
    varied = [name for name in names if name not in spec.group_columns and _varied(raw_table, name, steps)]
    left_out = dict.fromkeys(varied, "its values change within series, and it is no channel")
    return {name: raw_table.column(name)[steps.firsts] for name in names if name not in varied}, left_out
