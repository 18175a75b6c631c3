"""Which rows of a table form groups, and what evaluation says of them."""

from __future__ import annotations

from headstart import data, evaluation
from headstart.data.splitting.dependence import Dependence
from headstart.evaluation import Truth
from headstart.records import Predictions, Table
from headstart.results import GroupColumn


def compare_groups(
    table: Table, truth: Truth, predictions: Predictions, columns: tuple[str, ...], seed: int
) -> list[GroupColumn]:
    """Compare the groups of every column, with copies and the rows of one patient, farm ... counted together.

    Parameters
    ----------
    table : Table
        The labelled rows that were predicted, in the same order.
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
        Their true classes, or what their `targets` hold.
    predictions : Predictions
    columns : tuple of str
        Names given with `--group`.
    seed : int

    Returns
    -------
    list of GroupColumn
        One for each column that the table has; empty where none was named.
    """
    present = {name: table.metadata[name] for name in columns if name in table.metadata}
    if not present:
        return []
    clusters = find_group_dependence(table, columns).for_splitting
    return evaluation.score_groups(truth, predictions, present, clusters=clusters, seed=seed)


def find_group_dependence(table: Table, columns: tuple[str, ...]) -> Dependence:
    """Return which rows belong together where columns of many small groups (patients, farms) are not compared.

    Parameters
    ----------
    table : Table
    columns : tuple of str
        Names given with `--group`; those that the table does not have are ignored.
    """
    present = tuple(name for name in columns if name in table.metadata)
    split_groups = tuple(name for name in present if evaluation.has_too_many_values(table.metadata[name]))
    return data.find_dependence(table, present, split_groups)
