"""Which of several gaps between groups does the most harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.fairness.groups import name_values
from headstart.evaluation.settings import SETTINGS
from headstart.records import Column
from headstart.results import GroupColumn


def order_by_harm(groups: Sequence[GroupColumn], columns: Mapping[str, Column]) -> list[GroupColumn]:
    """Put real gaps first, the largest first, and mark those that an earlier column shows already.

    Parameters
    ----------
    groups : sequence of GroupColumn
    columns : mapping of str to Column, each of shape (n_rows,)
        Their values by name.

    Returns
    -------
    list of GroupColumn
        With `same_as` where at least half of the rows of either worse group are the same as in an earlier column.

    Notes
    -----
    The overlap of two groups is that of Jaccard: rows in both over rows in either.
    """
    real = [part for part in groups if part.gap is not None and part.gap.low > 0]
    real.sort(key=lambda part: -part.gap.value if part.gap is not None else 0.0)
    ordered: list[GroupColumn] = []
    for part in real:
        rows = _find_worse_rows(part, columns)
        same = [other.column for other in ordered if _overlap(rows, _find_worse_rows(other, columns))]
        ordered.append(part.model_copy(update={"same_as": same[0] if same else ""}))
    return [*ordered, *(part for part in groups if part not in real)]


def _find_worse_rows(part: GroupColumn, columns: Mapping[str, Column]) -> NDArray[np.bool_]:
    assert part.gap_between is not None
    return np.array([name == part.gap_between[1] for name in name_values(columns[part.column])], dtype=bool)


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> bool:
    return int((a & b).sum()) >= SETTINGS.max_slice_overlap * int((a | b).sum())
