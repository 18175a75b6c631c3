"""Rows without labels to learn from as well, and further labelled rows that only train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.columns.names import ColumnSpec, add_named_columns, make_column_spec
from headstart.data.reading.inputs import read_ordered_inputs
from headstart.data.reading.paths import require_existing
from headstart.data.reading.rows import ReadPolicy, build_table, tidy_table_labels
from headstart.data.reading.sources import UNLABELLED_ACTIONS, USE, read_source
from headstart.data.splitting.append import append_rows
from headstart.errors import DataError
from headstart.options import ColumnOptions, ReadOptions
from headstart.records import TEST, TRAIN, SplitTable, Table, make_column


def read_rows_as_they_are(path: Path, modality: str, options: ColumnOptions) -> Table:
    """Read rows whose labels do not matter; a label column is metadata like any other.

    Parameters
    ----------
    path : Path
        A folder, a table, a zip.
    modality : str
        One of `MODALITIES`, or "auto".
    options : ColumnOptions

    Raises
    ------
    DataError
        The path is not there, or holds nothing that can be read.
    UnknownName
        A column that the user named is not there.
    """
    source = require_existing(path.expanduser())
    spec = add_named_columns(ColumnSpec(for_training=False), options)
    table = build_table(read_source(source, modality, spec), str(path), ReadPolicy(expects_labels=False))
    if len(table) == 0:
        first = f" ({table.set_aside[0].id}: {table.set_aside[0].reason})" if table.set_aside else ""
        raise DataError(f"Nothing in {path} can be read{first}.", "Open the file to check.")
    return table


def uses_unlabelled(options: ReadOptions) -> bool:
    """Return whether `--unlabelled` names rows to learn from.

    Parameters
    ----------
    options : ReadOptions

    Examples
    --------
    >>> uses_unlabelled(ReadOptions(unlabelled="drop")), uses_unlabelled(ReadOptions(unlabelled="use"))
    (False, True)
    """
    return options.unlabelled == USE or options.unlabelled not in UNLABELLED_ACTIONS


def read_unlabelled(table: Table, options: ReadOptions, rows: Table | None = None) -> Table:
    """Read the rows without labels that `--unlabelled` names.

    Parameters
    ----------
    table : Table
        All other rows, those set aside included; with "use" its `source` is read again for rows without a label.
    options : ReadOptions
        `uses_unlabelled` holds.
    rows : Table, optional
        Read already, for sources that are no files.

    Returns
    -------
    Table
        Without labels; each content once, and none that `table` has. May be empty.

    Raises
    ------
    DataError
        Nothing can be read there.
    """
    if rows is None:
        rows = _read_left_out_rows(table, options) if options.unlabelled == USE else _read_other_source(table, options)
    _, first = np.unique(rows.hashes.astype(str), return_index=True)
    known_hashes = set(table.hashes)
    new_rows = [int(row) for row in np.sort(first) if rows.hashes[row] not in known_hashes]
    return replace(rows.take(np.asarray(new_rows, dtype=np.intp)), labels=None)


def _read_left_out_rows(table: Table, options: ReadOptions) -> Table:
    """Return the rows of the data itself that were left out because they have no label."""
    source = require_existing(Path(table.source).expanduser())
    rows = build_table(
        read_source(source, options.modality, make_column_spec(options)), table.source, ReadPolicy(expects_labels=False)
    )
    left_out = {item.id for item in table.set_aside}
    unlabelled_rows = [row for row, name in enumerate(rows.ids) if str(name) in left_out]
    return rows.take(np.asarray(unlabelled_rows, dtype=np.intp))


def _read_other_source(table: Table, options: ReadOptions) -> Table:
    return read_ordered_inputs(
        [Path(options.unlabelled)], table.modality, table.columns, {}, inputs=table.input_columns, options=options
    ).table


def add_training_rows(table: SplitTable, extra: Table, merge: bool) -> SplitTable:
    """Add labelled rows that only train; copies of test rows are left out.

    Parameters
    ----------
    table : SplitTable
    extra : Table
        Of the same kind and task; its ids get the prefix "also/".
    merge : bool
        Merge labels that differ only in spelling.
    """
    test_hashes = set(table.hashes[table.splits == TEST])
    new_rows = extra.take(np.flatnonzero([digest not in test_hashes for digest in extra.hashes]).astype(np.intp))
    added = append_rows(table, replace(new_rows, splits=make_column([TRAIN] * len(new_rows))), "also")
    return SplitTable.from_table(tidy_table_labels(added, merge))
