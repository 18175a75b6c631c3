"""Long tables: a row a time step, with a column that names the series and one that says the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.binding import bind_names, bind_requested
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import ColumnSpec, find_column, fold_column_name
from headstart.data.columns.times import find_time_columns, read_times
from headstart.data.columns.value_cells import find_doubtful_thousands
from headstart.data.reading.column_roles import ColumnRoles, find_roles, read_labels
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.table_files import RawTable
from headstart.errors import DataError, list_offenders
from headstart.records import Column, Finding, InputColumns
from headstart.results.findings import make_finding

OWN_CHANNEL_PREFIX = "channel_"
"""Begin of the names of channels without names in tables that Headstart writes: in the order of training."""
_COARSE = frozenset({"minute", "hour", "day", "week", "month", "days", "weeks", "months", "epoch", "cycle"})
CHANNEL_ROLE = "channel "
"""Begin of the role of each channel: "channel 1", "channel 2" ..."""


@dataclass(frozen=True)
class OrderedSteps:
    """The rows of a long table in order: series by series, each by time.

    Parameters
    ----------
    ids : list of str, shape (n_series,)
    series_indices : array of int, shape (n_rows,)
        The series of each row of the file.
    order : array of int, shape (n_rows,)
        Rows of the file in order.
    starts : array of int, shape (n_series,)
        Where each series starts in `order`.
    """

    ids: list[str]
    series_indices: NDArray[np.intp]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @property
    def firsts(self) -> NDArray[np.intp]:
        """The row of the file with which each series begins."""
        return self.order[self.starts]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Return whether neighbours in order belong to one series, shape (n_rows - 1,)."""
        same: NDArray[np.bool_] = np.diff(self.series_indices[self.order]) == 0
        return same


def find_key_columns(raw_table: RawTable, spec: ColumnSpec) -> tuple[str | None, str | None]:
    """Return the columns that name the series and the time: named, of training, or with a usual name."""
    where = f" in {raw_table.name}"
    roles = {"series": spec.columns.get("id"), "time": spec.columns.get("time")}
    key_spec = ColumnSpec(columns={role: name for role, name in roles.items() if name}, training_columns=spec.roles)
    name = find_column(raw_table.names, "series", key_spec, where)
    return name, find_column([other for other in raw_table.names if other != name], "time", key_spec, where)


def is_long(raw_table: RawTable, spec: ColumnSpec) -> bool:
    """Return whether rows are time steps: one column names the series, which repeat, and another the time.

    Parameters
    ----------
    raw_table : RawTable
    spec : ColumnSpec
    """
    name, time = find_key_columns(raw_table, spec)
    if name is None or (time is None and "id" not in spec.columns):
        return False
    values = raw_table.texts(name)
    return len(set(values)) < len(values) or (not spec.for_training and time is not None)


def has_longer_series(raw_table: RawTable, spec: ColumnSpec, n_steps: int) -> bool:
    """Return whether the median series has at least `n_steps` rows; days and weeks may be steps of rows.

    Parameters
    ----------
    raw_table : RawTable
        A long table.
    spec : ColumnSpec
    n_steps : int
    """
    name, time = find_key_columns(raw_table, spec)
    assert name is not None
    if time is not None and fold_column_name(time) in _COARSE and "time" not in spec.roles:
        return False
    _, counts = np.unique(np.asarray(raw_table.texts(name), dtype=str), return_counts=True)
    return float(np.median(counts)) >= n_steps


def read_long_table(raw_table: RawTable, spec: ColumnSpec) -> ParsedRows:
    """Read a table with a row a time step.

    Parameters
    ----------
    raw_table : RawTable
        A row a time step.
    spec : ColumnSpec

    Raises
    ------
    DataError
        It has no column of values, lacks channels of training, or a series has two labels.
    """
    name, time = find_key_columns(raw_table, spec)
    assert name is not None
    steps, time_findings = _order_rows(raw_table, spec, name, time)
    key_columns = [name] if time is None else [name, *find_time_columns(raw_table, time)]
    roles, findings = _find_roles(raw_table, spec, key_columns, steps)
    others = [other for other in raw_table.names if other not in {*key_columns, *roles.by_role().values()}]
    channels = _find_channels(raw_table, others, steps, spec)
    if not channels:
        raise DataError(
            f"{raw_table.name} has no column of values beside {' and '.join(key_columns)}.",
            "Add one column for each channel.",
        )
    raw_table.require_fine(channels)
    values = np.stack([raw_table.require_numbers(channel) for channel in channels])[:, steps.order]
    labels, indicators = read_labels(roles, lambda column: _read_constant(raw_table, column, steps))
    metadata, left_out = _read_rest(raw_table, [other for other in others if other not in channels], steps, spec)
    return ParsedRows(
        modality="series",
        inputs=np.split(values, steps.starts[1:], axis=1),
        ids=steps.ids,
        labels=labels,
        indicators=indicators,
        splits=None if roles.split is None else _read_constant(raw_table, roles.split, steps),
        metadata=metadata,
        set_aside=raw_table.set_aside,
        findings=(
            *raw_table.findings,
            *roles.findings,
            *findings,
            *time_findings,
            *find_doubtful_thousands(raw_table, channels),
        ),
        columns={
            **{role: column for role, column in roles.by_role().items() if role != "id"},
            "series": name,
            **({} if time is None else {"time": time}),
            **{f"{CHANNEL_ROLE}{number}": channel for number, channel in enumerate(channels, start=1)},
        },
        input_columns=InputColumns(layout="long", channels=_use_training_names(channels, spec)),
        left_out=left_out,
    )


def _use_training_names(channels: Sequence[str], spec: ColumnSpec) -> tuple[str, ...]:
    known = spec.training_inputs.channels if spec.training_inputs is not None else ()
    return known if len(known) == len(channels) and any(known) else tuple(channels)


def _order_rows(
    raw_table: RawTable, spec: ColumnSpec, name: str, time: str | None
) -> tuple[OrderedSteps, tuple[Finding, ...]]:
    """Return the rows in order of series and time."""
    series_indices, ids = _number_series(raw_table.texts(name))
    times, time_findings = (
        (np.arange(len(series_indices), dtype=np.float64), _make_no_time_finding())
        if time is None
        else read_times(raw_table, time)
    )
    _refuse_interleaved(raw_table, spec, list(zip(series_indices.tolist(), times.tolist(), strict=True)), name)
    order = np.lexsort((times, series_indices)).astype(np.intp)
    steps = OrderedSteps(
        ids, series_indices, order, np.flatnonzero(np.diff(series_indices[order], prepend=-1)).astype(np.intp)
    )
    return steps, time_findings or _find_repeated_times(times[order], steps)


def _make_no_time_finding() -> tuple[Finding, ...]:
    summary = "No column says the time: the steps of each series stand in the order of the file."
    return (make_finding("no-time-column", summary),)


def _number_series(values: Sequence[str]) -> tuple[NDArray[np.intp], list[str]]:
    """Number the series in order of first appearance."""
    numbers: dict[str, int] = {}
    series_indices = np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.intp)
    return series_indices, list(numbers)


def _refuse_interleaved(
    raw_table: RawTable, spec: ColumnSpec, row_positions: Sequence[tuple[int, float]], name: str
) -> None:
    """Refuse a table in which several rows share a time and another column distinguishes them: a channel, or a trial.

    Raises
    ------
    DataError
        Naming that column.
    """
    if 2 * len(set(row_positions)) > len(row_positions):
        return
    label = find_column(raw_table.names, "label", spec, "")
    for other in [item for item in raw_table.names if item not in {name, label, *spec.labels}]:
        values = raw_table.texts(other)
        words = sorted(set(values))
        if len(words) <= COLUMN_RULES.max_interleaved_values and len(
            set(zip(row_positions, values, strict=True))
        ) == len(row_positions):
            raise DataError(
                f"{raw_table.name} has several rows for one time of a series, which differ in '{other}' "
                f"({list_offenders(words)}).",
                f"If '{other}' says what was measured, write a column for each ({words[0]}, {words[-1]}). If it "
                f"numbers series, join it to '{name}' in one column, and name that with --id.",
            )


def _find_repeated_times(times: NDArray[np.float64], steps: OrderedSteps) -> tuple[Finding, ...]:
    """Return a finding for series that have two values at one time (times in order)."""
    is_repeated = (np.diff(times) == 0) & steps.inside
    rows = tuple(steps.ids[code] for code in np.unique(steps.series_indices[steps.order][1:][is_repeated]))
    if not rows:
        return ()
    summary = f"{len(rows)} series have two rows with the same time (such as {rows[0]}); both were kept, in file order."
    return (make_finding("repeated-times", summary, rows),)


def _find_roles(
    raw_table: RawTable, spec: ColumnSpec, key_columns: Sequence[str], steps: OrderedSteps
) -> tuple[ColumnRoles, tuple[Finding, ...]]:
    """Find label and split; a guessed label that changes within most series is a channel, and no label.

    Raises
    ------
    DataError
        Several other columns could be the label.
    """
    named_columns = {role: name for role, name in spec.columns.items() if role not in {"id", "time"}}
    roles = find_roles(raw_table, replace(spec, columns=named_columns), key_columns)
    known = spec.labels or any(role.startswith("label") for role in spec.training_columns)
    if roles.label is None or known or 2 * len(_list_varying_series(raw_table, roles.label, steps)) <= len(steps.ids):
        return roles, ()
    others = [
        name for name in raw_table.names if name not in {*key_columns, roles.split, roles.label, *spec.group_columns}
    ]
    likely = [name for name in others if _could_be_label(raw_table, name, steps)]
    if not likely:
        return (replace(roles, label=None) if raw_table.has_numbers(roles.label) else roles), ()
    if len(likely) > 1:
        raise DataError(
            f"{raw_table.name}: '{roles.label}' changes within series, so it is not a label; {len(likely)} columns "
            f"have one value in each series ({list_offenders(likely)}).",
            "Name the one that is the label with --label COLUMN.",
        )
    summary = (
        f"'{roles.label}' changes within series, so it was read as a channel; the label is '{likely[0]}', the one "
        "column that has one value in each series."
    )
    return replace(roles, label=likely[0]), (make_finding("label-column", summary, advice="another"),)


def _could_be_label(raw_table: RawTable, name: str, steps: OrderedSteps) -> bool:
    values = raw_table.texts(name)
    n_values = len({values[row] for row in steps.firsts} - {""})
    return 2 <= n_values < len(steps.ids) and not _list_varying_series(raw_table, name, steps)


def _list_varying_series(raw_table: RawTable, name: str, steps: OrderedSteps) -> list[int]:
    """Return the series in which a column has more than one value."""
    values = raw_table.texts(name)
    first = [values[row] for row in steps.firsts]
    return sorted(
        {code for code, value in zip(steps.series_indices.tolist(), values, strict=True) if value != first[code]}
    )


def _read_constant(raw_table: RawTable, name: str, steps: OrderedSteps) -> list[str]:
    """Return one value a series; a series with two labels is an error."""
    varying_ids = [steps.ids[position] for position in _list_varying_series(raw_table, name, steps)]
    if varying_ids:
        raise DataError(
            f"{raw_table.name}: {len(varying_ids)} series have more than one {name} ({list_offenders(varying_ids)}).",
            "Give every row of a series the same value, or name another column with --label.",
        )
    values = raw_table.texts(name)
    return [values[row] for row in steps.firsts]


def _find_channels(raw_table: RawTable, others: Sequence[str], steps: OrderedSteps, spec: ColumnSpec) -> list[str]:
    """Return the columns of values: those named, those of training, else every number that changes in a series."""
    numeric = [name for name in others if name not in spec.group_columns and raw_table.is_mostly_numbers(name)]
    numeric = [name for name in numeric if raw_table.has_numbers(name) or raw_table.numbers(name) is None]
    changing = [name for name in numeric if _changes_within_series(raw_table, name, steps)]
    known = [name for role, name in spec.roles.items() if role.startswith(CHANNEL_ROLE)]
    inputs = spec.training_inputs or InputColumns()
    if spec.channels:
        return bind_requested(spec.channels, raw_table.names, raw_table.name)
    names = inputs.channels or known
    ours = [f"{OWN_CHANNEL_PREFIX}{number}" for number in range(1, len(names) + 1)]
    if ours and set(ours) <= set(raw_table.names):  # a table of corrections that `serve` wrote
        return ours
    if any(names) and (len(names) > 1 or inputs.layout in {"", "long", "files"}):
        return bind_names(names, raw_table.names, raw_table.name, changing)
    names = changing or numeric
    if inputs.n_channels not in {0, len(names)}:
        raise DataError(
            f"{raw_table.name} has {len(names)} columns of values ({list_offenders(names)}); the model learnt from "
            f"{inputs.n_channels}.",
            "Name the columns of values with --channels.",
        )
    return names


def _changes_within_series(raw_table: RawTable, name: str, steps: OrderedSteps) -> bool:
    """Return whether a column changes within a series; one with cells that are no numbers does."""
    numbers = raw_table.numbers(name)
    if numbers is None:
        return True
    change = np.diff(numbers[steps.order])
    return bool((change[steps.inside & np.isfinite(change)] != 0).any())


def _read_rest(
    raw_table: RawTable, names: Sequence[str], steps: OrderedSteps, spec: ColumnSpec
) -> tuple[dict[str, Column], dict[str, str]]:
    """Return metadata, one value a series, and the columns that have none."""
    varied = [name for name in names if name not in spec.group_columns and _list_varying_series(raw_table, name, steps)]
    left_out = dict.fromkeys(varied, "its values change within series, and it is no channel")
    return {name: raw_table.column(name)[steps.firsts] for name in names if name not in varied}, left_out
