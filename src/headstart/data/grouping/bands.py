"""Dates as months, quarters, half-years or years, and numbers as thirds: names of bands say their bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing, parse_number
from headstart.data.columns.times import parse_dates
from headstart.data.grouping.settings import SETTINGS
from headstart.records import Column, Index, make_column

_BAND_MONTHS = (1, 3, 6, 12)


def read_numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Return a column as numbers, NaN where it is empty; None if one of them is no number.

    Parameters
    ----------
    texts : sequence of str, shape (n_rows,)

    Examples
    --------
    >>> read_numbers(["1,5", ""]), read_numbers(["1", "x"])
    (array([1.5, nan]), None)
    """
    try:
        return np.array([parse_number(text, decimal_comma=True) for text in texts], dtype=np.float64)
    except ValueError:
        return None


def read_dates(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Return a column as seconds since 1970, NaN where it is empty; None if one of them is no date.

    Parameters
    ----------
    texts : sequence of str, shape (n_rows,)
    """
    return parse_dates(["" if is_missing(text) else text for text in texts])


def name_periods(seconds: NDArray[np.float64], rows: Index) -> Column | None:
    """Return the period of each row: the finest in which most of the compared rows are in bands of enough rows.

    Parameters
    ----------
    seconds : array, shape (n_rows,)
    rows : Index
        Those that will be compared.

    Returns
    -------
    Column or None, shape (n_rows,)
        "" for a row without a date; None where all rows are in one year.

    Examples
    --------
    >>> seconds = np.array([0.0, 86_400.0 * 40, 86_400.0 * 200, np.nan])
    >>> name_periods(seconds, np.arange(4)).tolist()
    ['1970-01 – 1970-06', '1970-01 – 1970-06', '1970-07 – 1970-12', '']
    """
    known = np.isfinite(seconds)
    days = np.where(known, seconds, 0.0).astype("datetime64[s]")
    months = days.astype("datetime64[M]").astype(np.int64)
    coarsest: Column | None = None
    for size in _BAND_MONTHS:
        names = make_column(
            [
                _name_period(int(month) // size * size, size) if has_date else ""
                for month, has_date in zip(months, known, strict=True)
            ]
        )
        counts = Counter(names[rows].tolist())
        counts.pop("", None)
        if not 2 <= len(counts) <= SETTINGS.max_values:
            continue
        coarsest = names
        n_full = sum(n for n in counts.values() if n >= SETTINGS.band_rows)
        if n_full >= SETTINGS.band_share * sum(counts.values()):
            return names
    return coarsest


def _name_period(first_month: int, n_months: int) -> str:
    """Name the months from one on, counted from January 1970."""
    first, last = (str(np.datetime64(month, "M")) for month in (first_month, first_month + n_months - 1))
    return first if n_months == 1 else first[:4] if n_months == 12 else f"{first} – {last}"


def name_thirds(numbers: NDArray[np.float64]) -> Column | None:
    """Return the band of each number: three of about equally many rows, or two where most are equal.

    Parameters
    ----------
    numbers : array, shape (n_rows,)

    Returns
    -------
    Column or None, shape (n_rows,)
        "" for NaN; None where there is no second band.

    Examples
    --------
    >>> name_thirds(np.array([1, 2, 3, 4, 5, 6, np.nan])).tolist()
    ['≤ 2', '≤ 2', '2 – 4', '2 – 4', '> 4', '> 4', '']
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return None
    shares = np.arange(1, SETTINGS.n_bands) / SETTINGS.n_bands
    bounds = [bound for bound in np.unique(np.quantile(known, shares, method="lower")) if bound < known.max()]
    if not bounds:
        return None
    ends = [f"{bound:.6g}" for bound in bounds]
    names = [f"≤ {ends[0]}", *(f"{low} – {high}" for low, high in pairwise(ends)), f"> {ends[-1]}"]
    places = np.searchsorted(bounds, numbers, side="left")
    return make_column(
        [names[place] if np.isfinite(number) else "" for place, number in zip(places, numbers, strict=True)]
    )
