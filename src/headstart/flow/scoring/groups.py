"""Which rows of a table form groups, and what evaluation says of them."""

from __future__ import annotations

import numpy as np

from headstart import data, evaluation
from headstart.evaluation import Truth
from headstart.records import Index, Predictions, Table
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
    together = tuple(name for name, values in present.items() if evaluation.has_too_many_values(values))
    return (
        evaluation.score_groups(truth, predictions, present, clusters=data.number_clusters(table, together), seed=seed)
        if present
        else []
    )


def number_resampling_clusters(table: Table, columns: tuple[str, ...]) -> Index | None:
    """Number the rows that intervals should draw together; None where there are too few groups to draw from.

    Parameters
    ----------
    table : Table
    columns : tuple of str
        Names given with `--group`; empty: every row stands for itself.

    Returns
    -------
    Index or None, shape (n_rows,)
    """
    many = data.select_many_valued(table, columns)
    if not many:
        return None
    cluster_ids = data.number_clusters(table, many)
    return cluster_ids if len(np.unique(cluster_ids)) >= data.MIN_GROUPS else None
