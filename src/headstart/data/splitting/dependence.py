"""Dependent rows: copies, and rows of one group (a patient, a farm) that count as one in splits and intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headstart.data.duplicates.components import number_components
from headstart.data.settings import SETTINGS
from headstart.errors import make_unknown_name
from headstart.records import Column, Index, Table


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """Clusters of the rows of a table that depend on each other.

    Parameters
    ----------
    groups : tuple of str
        Group columns whose rows stay on one side of every split and fold.
    copies : Index, shape (n_rows,)
        Cluster of each row by equal or nearly equal content only.
    for_splitting : Index, shape (n_rows,)
        Cluster of each row in splits and folds: copies, and rows that share a value in one of `groups`.
    for_resampling : Index, shape (n_rows,)
        Cluster of each row in intervals and tests: copies, and rows that share a value in one of `resampled_groups`.
    resampled_groups : tuple of str
        Group columns of at least `min_groups` values (patients, farms); empty where fewer clusters would be left.
    """

    groups: tuple[str, ...]
    copies: Index
    for_splitting: Index
    for_resampling: Index
    resampled_groups: tuple[str, ...]

    @property
    def bootstrap_clusters(self) -> Index | None:
        """Return `for_resampling`, or None where no two rows belong together or fewer than `min_groups` clusters do."""
        n_clusters = len(np.unique(self.for_resampling))
        return (
            None if n_clusters == len(self.for_resampling) or n_clusters < SETTINGS.min_groups else self.for_resampling
        )

    @property
    def group_clusters(self) -> Index | None:
        """Return `for_resampling`, or None where rows are not resampled by groups."""
        return self.for_resampling if self.resampled_groups else None


def find_dependence(table: Table, group_columns: tuple[str, ...], split_groups: tuple[str, ...] = ()) -> Dependence:
    """Return which rows of a table depend on each other.

    Parameters
    ----------
    table : Table
        Its hashes, near-duplicate groups and metadata are used.
    group_columns : tuple of str
        Columns that the user names as groups.
    split_groups : tuple of str
        Those of them whose rows stay on one side of every split.

    Raises
    ------
    UnknownName
        There is no such column.
    """
    require_groups(table, group_columns)
    copies = number_clusters(table)
    resampled = select_many_valued(table, group_columns)
    clusters = number_clusters(table, resampled) if resampled else copies
    if len(np.unique(clusters)) < SETTINGS.min_groups:
        resampled, clusters = (), copies
    return Dependence(
        groups=split_groups,
        copies=copies,
        for_splitting=number_clusters(table, split_groups) if split_groups else copies,
        for_resampling=clusters,
        resampled_groups=resampled,
    )


def number_clusters(table: Table, groups: tuple[str, ...] = ()) -> Index:
    """Return the cluster of each row: equal or nearly equal content, or an equal value in any group column.

    Parameters
    ----------
    table : Table
        Its hashes, near-duplicate groups and metadata are used.
    groups : tuple of str
        Names of metadata columns; empty values group nothing.

    Returns
    -------
    Index, shape (n_rows,)
        Cluster numbers 0 .. n_clusters - 1, in order of first appearance.

    Raises
    ------
    UnknownName
        There is no such column.
    """
    columns = [table.hashes, *(_read_group_column(table, name) for name in groups)]
    if table.near_duplicate_groups is not None:
        columns.insert(1, table.near_duplicate_groups)
    return number_components(len(table), (pair for values in columns for pair in _pair_equal_values(values)))


def _pair_equal_values(values: Column) -> Iterator[tuple[int, int]]:
    """Yield each row with the first row of the same value; empty values pair nothing."""
    first: dict[str, int] = {}
    for row, value in enumerate(values):
        if value != "":
            yield row, first.setdefault(value, row)


def require_groups(table: Table, groups: tuple[str, ...]) -> None:
    """Refuse group columns that the table does not have.

    Parameters
    ----------
    table : Table
    groups : tuple of str

    Raises
    ------
    UnknownName
        There is no such column; the nearest name is suggested.
    """
    for name in groups:
        _read_group_column(table, name)


def select_many_valued(table: Table, groups: tuple[str, ...], least: int = SETTINGS.min_groups) -> tuple[str, ...]:
    """Return the group columns with at least `least` values, such as patients or farms.

    Parameters
    ----------
    table : Table
    groups : tuple of str
        Columns that the table does not have are ignored.
    least : int
        Least number of values, "" not counted.
    """
    present_columns = [name for name in groups if name in table.metadata]
    return tuple(name for name in present_columns if len(set(table.metadata[name]) - {""}) >= least)


def _read_group_column(table: Table, name: str) -> Column:
    """Return the values of a group column, or raise `UnknownName`."""
    if name not in table.metadata:
        raise make_unknown_name("group column", name, table.metadata, f" in {table.source}")
    return table.metadata[name]
