"""Series that come as tables: a file a series, or a folder a class of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from headstart.data.columns.binding import bind_names
from headstart.data.columns.names import ROLES, ColumnSpec, find_column, fold_column_name
from headstart.data.columns.times import read_times
from headstart.data.images.class_folders import read_folder_labels
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.table_files import RawTable, read_raw_table
from headstart.data.reading.tree import FolderTree
from headstart.errors import DataError, cut_problem
from headstart.modalities.series import Series
from headstart.records import InputColumns, SetAside

_TIME_NAMES = {*ROLES["time"], "index"}


def read_series_file(raw_table: RawTable, spec: ColumnSpec) -> ParsedRows:
    """Read a whole file as one series: a row a time step, a column a channel.

    Parameters
    ----------
    raw_table : RawTable
        The whole file.
    spec : ColumnSpec

    Raises
    ------
    DataError
        It has no column of numbers, or lacks channels of training.
    """
    known = spec.training_inputs or InputColumns()
    names = find_channels(raw_table, spec)
    bound = _bind_channels(raw_table, names, known, spec)
    nameless = raw_table.headerless or (known.layout == "array")
    return ParsedRows(
        modality="series",
        inputs=[_read_values(raw_table, bound, spec)],
        ids=[raw_table.name],
        set_aside=raw_table.set_aside,
        findings=raw_table.findings,
        input_columns=InputColumns(layout="files", channels=() if nameless else tuple(known.channels or bound)),
        left_out={name: "it holds no channel" for name in raw_table.names if name not in bound},
    )


def find_channels(raw_table: RawTable, spec: ColumnSpec) -> list[str]:
    """Return the columns of a file of one series that hold numbers other than times.

    Parameters
    ----------
    raw_table : RawTable
        A file of one series.
    spec : ColumnSpec

    Raises
    ------
    DataError
        There is none.
    """
    time = spec.columns.get("time")
    names = [
        name
        for name in raw_table.names
        if name != time and (raw_table.headerless or fold_column_name(name) not in _TIME_NAMES)
    ]
    channels = [name for name in names if raw_table.has_numbers(name)]
    if not channels:
        raise DataError(
            "it has no column of numbers", "Give one row for each time step and one column for each channel."
        )
    return channels


def _bind_channels(raw_table: RawTable, names: Sequence[str], known: InputColumns, spec: ColumnSpec) -> list[str]:
    """Return channels in the order of training by name; by position where either has no names."""
    requested = spec.channels or (known.channels if any(known.channels) else ())
    is_one_channel = known.n_channels == 1 and len(names) == 1
    if requested and not raw_table.headerless and not (is_one_channel and not spec.channels):
        return bind_names(requested, raw_table.names, raw_table.name, names)
    return list(names)


def _read_values(raw_table: RawTable, names: Sequence[str], spec: ColumnSpec) -> Series:
    raw_table.require_fine(names)
    values = np.stack([raw_table.require_numbers(name) for name in names])
    if raw_table.headerless:
        return values.T if values.shape[1] == 1 else values
    time = find_column(
        raw_table.names,
        "time",
        ColumnSpec(columns={"time": spec.columns["time"]} if "time" in spec.columns else {}),
        "",
    )
    if time is None or time in names:
        return values
    return values[:, np.argsort(read_times(raw_table, time)[0], kind="stable")]


def read_series_folder(tree: FolderTree, files: Sequence[PurePosixPath], spec: ColumnSpec) -> ParsedRows:
    """Read a folder a class of CSV files, one series a file; split folders may stand above.

    Channels have the names that most files have, in the order of the first of these; a file that lacks one is set
    aside.

    Parameters
    ----------
    tree : FolderTree
    files : sequence of PurePosixPath
        Tables below the folder.
    spec : ColumnSpec
    """
    raw_tables: dict[PurePosixPath, RawTable] = {}
    set_aside: list[SetAside] = []
    for file in files:
        try:
            raw_table = read_raw_table(tree.locate(file), spec.encoding)
            find_channels(raw_table, spec)
            raw_tables[file] = raw_table
        except DataError as error:
            set_aside.append(SetAside(file.as_posix(), cut_problem(error.problem, tree.locate(file))))
    known = spec.training_inputs or _find_usual_channels(list(raw_tables.values()), spec)
    inputs, read_files, extra_channels = [], [], Counter[str]()
    for file, raw_table in raw_tables.items():
        names = find_channels(raw_table, spec)
        try:
            inputs.append(_read_values(raw_table, _bind_channels(raw_table, names, known, spec), spec))
        except DataError as error:
            set_aside.append(SetAside(file.as_posix(), cut_problem(error.problem, tree.locate(file))))
            continue
        read_files.append(file)
        extra_channels.update(
            name for name in names if known.channels and not raw_table.headerless and name not in known.channels
        )
    folder_labels = dict(
        zip(files, read_folder_labels([PurePosixPath(*file.parts[-3:]) for file in files]), strict=True)
    )
    return ParsedRows(
        modality="series",
        inputs=inputs,
        ids=[file.as_posix() for file in read_files],
        labels=[file.parts[-2] for file in read_files],
        splits=[folder_labels[file][1] or "" for file in read_files],
        set_aside=tuple(set_aside),
        input_columns=known,
        left_out={name: f"{n} files have it, most have not" for name, n in extra_channels.items()},
    )


def _find_usual_channels(raw_tables: Sequence[RawTable], spec: ColumnSpec) -> InputColumns:
    """Return the channels that most files with names have."""
    if spec.channels:
        return InputColumns(layout="files", channels=tuple(spec.channels))
    named = [find_channels(raw_table, spec) for raw_table in raw_tables if not raw_table.headerless]
    counts = Counter(frozenset(map(fold_column_name, names)) for names in named)
    if not counts:
        return InputColumns(layout="files")
    usual = counts.most_common(1)[0][0]
    return InputColumns(
        layout="files", channels=tuple(next(item for item in named if frozenset(map(fold_column_name, item)) == usual))
    )
