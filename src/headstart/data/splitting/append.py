"""Joining of two labelled tables, such as training rows and separate test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.data.reading.rows import join_columns
from headstart.errors import DataError
from headstart.records import AnyTable, FloatMatrix, SetAside, Table, make_column
from headstart.task_types import TASK_TYPES


def append_rows(table: AnyTable, more: Table, prefix: str) -> AnyTable:
    """Return a table with labelled rows appended; splits do not change.

    Parameters
    ----------
    table, more : Table
    prefix : str
        Prefix of the ids of `more`, before a slash.

    Raises
    ------
    DataError
        The two are of different kinds or tasks, or one has no labels.
    """
    if more.modality != table.modality:
        raise DataError(
            f"{more.source} holds {more.modality} data, {table.source} holds {table.modality} data.",
            f"Give {'test ' if prefix == 'test' else ''}data of the same kind.",
        )
    if more.task != table.task:
        raise DataError(
            f"The labels of {more.source} are read as {more.task}, those of {table.source} as {table.task}.",
            "Set the task with --task.",
        )
    if more.labels is None or table.labels is None:
        unlabelled_source = more.source if more.labels is None else table.source
        hint = f"{prefix.title()} data needs labels; name the column with --label."
        raise DataError(f"There are no labels in {unlabelled_source}.", hint)
    names = list(dict.fromkeys([*table.metadata, *more.metadata]))
    n, m = len(table), len(more)
    targets, target_names = _join_targets(table, more)
    return replace(
        table,
        ids=make_column([*table.ids, *(f"{prefix}/{name}" for name in more.ids)]),
        inputs=make_column([*table.inputs, *more.inputs]),
        hashes=np.concatenate([table.hashes, more.hashes]),
        labels=np.concatenate([table.labels, more.labels]),
        splits=np.concatenate([table.splits, more.splits]),
        metadata={k: join_columns([(table.metadata.get(k), n), (more.metadata.get(k), m)]) for k in names},
        set_aside=table.set_aside + tuple(SetAside(f"{prefix}/{item.id}", item.reason) for item in more.set_aside),
        targets=targets,
        target_names=target_names,
        near_duplicate_groups=None,
    )


def _join_targets(table: Table, test: Table) -> tuple[FloatMatrix | None, tuple[str, ...]]:
    """Return the targets of both tables; a label that only one of them has is 0 in the other."""
    if table.targets is None or test.targets is None:
        return None, tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    if TASK_TYPES[table.task].is_number:
        return np.concatenate([table.targets, test.targets]), table.target_names
    names = tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    place = {name: at for at, name in enumerate(names)}
    joined = np.zeros((len(table) + len(test), len(names)), dtype=np.float32)
    for part, rows in ((table, slice(0, len(table))), (test, slice(len(table), None))):
        assert part.targets is not None
        joined[rows, [place[name] for name in part.target_names]] = part.targets
    return joined, names
