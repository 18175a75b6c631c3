"""Which rows of a table form groups, and what evaluation says of them."""

from __future__ import annotations

from collections.abc import Sequence

from headstart import data, evaluation
from headstart.data.grouping.columns import ComparedColumn
from headstart.data.splitting.dependence import Dependence
from headstart.evaluation.fairness.groups import AnsweredRows
from headstart.evaluation.fairness.harm import order_by_harm
from headstart.flow.scoring.decisions import ScoredRows
from headstart.records import Table
from headstart.results import GroupColumn
from headstart.task_types import TASK_TYPES


def compare_groups(
    rows: ScoredRows, columns: Sequence[ComparedColumn], group_columns: tuple[str, ...], seed: int
) -> list[GroupColumn]:
    """Compare the groups of every column, with copies and the rows of one patient, farm ... counted together.

    Parameters
    ----------
    rows : ScoredRows
        Labelled.
    columns : sequence of ComparedColumn
        With the values of these rows, in their order.
    group_columns : tuple of str
        Names given with `--group`.
    seed : int

    Returns
    -------
    list of GroupColumn
        One for each column, real gaps first; empty where there are none.
    """
    if not columns or not len(rows.table):
        return []
    clusters = find_group_dependence(rows.table, group_columns).for_splitting
    values_by_name = {column.name: column.values for column in columns}
    decisions = rows.decisions
    right = decisions.codes == rows.truth if TASK_TYPES[rows.predictions.task].has_one_class else None
    groups = evaluation.score_groups(
        rows.truth, rows.predictions, values_by_name, clusters=clusters, seed=seed,
        answers=AnsweredRows(decisions.outcomes == "answered", right),
    )  # fmt: skip
    origin_by_name = {column.name: column.origin for column in columns}
    groups = [part.model_copy(update={"origin": origin_by_name[part.column]}) for part in groups]
    return order_by_harm(groups, values_by_name)


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
