"""Which examples are put away for the check: decided once, and kept.

Examples that were chosen because the model was unsure are harder than usual; figures on them say little about new data.
So those that chance chose are put away, and the others are learnt from, as far as groups and near-duplicates allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.data.settings import SETTINGS as DATA_SETTINGS
from headstart.data.splitting.folds import assign_parts
from headstart.flow.adaptation.prepare import choose_group_columns
from headstart.flow.projects.settings import SETTINGS
from headstart.options import AdaptOptions, parse
from headstart.projects import Example, Project
from headstart.projects.tables import TableRequest
from headstart.records import TEST, TRAIN, Index, Table, make_column

_BY_CHANCE = ("random", "human_reference")


@dataclass(frozen=True)
class SplitCounts:
    """Numbers of labelled examples on each side, and of those decided now."""

    n_train: int
    n_test: int
    n_new: int


def assign_splits(project: Project, options: AdaptOptions | None = None) -> SplitCounts:
    """Put a share of the labelled examples away for the check; what was decided before stays.

    Parameters
    ----------
    project : Project
    options : AdaptOptions, optional
        `group`, `seed`, `merge_labels` and `task` are used.

    Returns
    -------
    SplitCounts

    Raises
    ------
    HeadstartError
        No example has a label, or there is no such group column.
    """
    options = options or parse(AdaptOptions)
    request = TableRequest(merge_labels=options.merge_labels, task=options.task, order=options.order)
    rows = project.read_rows(request)
    table = rows.table
    is_new = np.array([split == "" for split in table.splits], dtype=bool)
    if is_new.any():
        splits = _decide(table, rows.examples, is_new, options)
        project.set_splits({rows.examples[row].id: str(splits[row]) for row in np.flatnonzero(is_new)})
        table = replace(table, splits=splits)
    return SplitCounts(int((table.splits == TRAIN).sum()), int((table.splits == TEST).sum()), int(is_new.sum()))


def estimate_put_away(n_labelled: int) -> int:
    """Return about how many labelled examples `assign_splits` puts away, before it is called.

    Parameters
    ----------
    n_labelled : int

    Examples
    --------
    >>> estimate_put_away(300), estimate_put_away(1)
    (75, 0)
    """
    return round(DATA_SETTINGS.test_share * n_labelled)


def _decide(
    table: Table, examples: Sequence[Example], is_new: NDArray[np.bool_], options: AdaptOptions
) -> NDArray[np.object_]:
    """Return the split of each row (n_rows,)."""
    if not table.is_split_drawn:
        return make_column([split or TRAIN for split in table.splits])
    group = choose_group_columns(table, options, own_split=True)
    by_chance = np.array([is_by_chance(example) for example in examples], dtype=bool)
    if is_new.all() and by_chance.all():
        drawn = data.assign_splits(table, options.model_copy(update={"group": group}))
        by_id = dict(zip(drawn.ids, drawn.splits, strict=True))
        return make_column([by_id.get(name, "") for name in table.ids])
    joined = data.add_near_duplicate_groups(table, options.seed)
    clusters = data.number_clusters(joined, group)
    splits = table.splits.copy()
    _follow_cluster(splits, clusters, is_new)
    is_open = np.array([split == "" for split in splits], dtype=bool)
    splits[is_open] = TRAIN
    is_drawn = is_open & ~_touches(clusters, ~by_chance)
    candidates = np.flatnonzero(is_drawn if is_drawn.any() or (splits == TEST).any() else is_open)
    n_missing = DATA_SETTINGS.test_share * len(table) - float((splits == TEST).sum())
    if n_missing < 1 or not len(candidates):
        return splits
    share = min(SETTINGS.largest_drawn_share, n_missing / len(candidates))
    rows = joined.take(candidates)
    part_shares = np.array([1 - share, share])
    n_least = DATA_SETTINGS.min_class_rows if len(candidates) == len(table) else 0
    parts = assign_parts(
        data.number_strata(rows), data.number_clusters(rows, group), part_shares, options.seed, least_kept=n_least
    )
    splits[candidates[parts == 1]] = TEST
    _give_back_scarce(splits, data.number_strata(joined), clusters, candidates[parts == 1])
    return splits


def _give_back_scarce(splits: NDArray[np.object_], strata: Index, clusters: Index, drawn: Index) -> None:
    """Give drawn rows back where their kind has too few to learn from: most of the others may have been drawn, too."""
    for row in drawn:
        if ((strata == strata[row]) & (splits == TRAIN)).sum() < DATA_SETTINGS.min_class_rows:
            mine = drawn[clusters[drawn] == clusters[row]]
            splits[mine] = TRAIN


def is_by_chance(example: Example) -> bool:
    """Return whether an example was not chosen for what a model thinks of it.

    Parameters
    ----------
    example : Example
    """
    if example.chosen:
        return example.chosen in _BY_CHANCE
    return example.label_origin == "import" or example.round == 0


def _follow_cluster(splits: NDArray[np.object_], clusters: Index, is_new: NDArray[np.bool_]) -> None:
    """Put new rows where rows of their cluster stand already; beside a row of the check is in the check."""
    for side in (TRAIN, TEST):
        splits[is_new & _touches(clusters, ~is_new & (splits == side))] = side


def _touches(clusters: Index, is_member: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows (n_rows,) share a cluster with a member."""
    return np.asarray(np.isin(clusters, np.unique(clusters[is_member])))
