"""Columns at the ends of a run that are on another scale than the rest: a latitude is no step of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.column_rules import COLUMN_RULES


def find_other_scale(values: NDArray[np.float32]) -> list[int]:
    """Return the columns at either end whose level or spread is many times that of the rest.

    Parameters
    ----------
    values : float32 array, shape (n_columns, n_rows)
        NaN = missing.

    Returns
    -------
    list of int
        Their numbers, at most five at each end; empty where there are fewer than five rows.

    Examples
    --------
    >>> steps = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    >>> find_other_scale(np.concatenate([steps[:1] * 300 + 900, steps]))
    [0]
    """
    if values.shape[1] < COLUMN_RULES.min_scale_rows:
        return []
    known = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    has_values = np.isfinite(known).any(axis=1)
    low, middle, high = np.full((3, len(known)), np.nan)
    low[has_values], middle[has_values], high[has_values] = np.nanpercentile(known[has_values], (25, 50, 75), axis=1)
    spread = high - low
    usual, level = float(np.nanmedian(spread)), float(np.nanmedian(middle))
    room = COLUMN_RULES.other_scale_factor * max(usual, float(np.nanmedian(np.abs(middle - level))), 1e-30)
    is_odd = has_values & (
        (np.abs(middle - level) > room)
        | (spread > COLUMN_RULES.other_scale_factor * usual)
        | ((spread > 0) & (COLUMN_RULES.other_scale_factor * spread < usual))
    )
    ends = [*_list_edge_columns(is_odd), *(len(is_odd) - 1 - at for at in _list_edge_columns(is_odd[::-1]))]
    return sorted(set(ends)) if len(ends) < len(is_odd) else []


def _list_edge_columns(is_odd: NDArray[np.bool_]) -> list[int]:
    """Return the numbers of the columns up to the last odd one of the first few."""
    first = np.flatnonzero(is_odd[: COLUMN_RULES.max_end_columns])
    return list(range(int(first[-1]) + 1)) if len(first) else []
