"""Labels as numbers, and whether they measure something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing
from headstart.data.columns.written_numbers import read_amounts
from headstart.data.settings import SETTINGS


def parse_numbers(texts: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Parse numbers with decimal points or commas.

    Parameters
    ----------
    texts : sequence of str, length n

    Returns
    -------
    numbers : float64, shape (n,)
        NaN for a missing value.
    bad : list of int
        Positions of texts that are no number; "1,234" alone is ambiguous and counts as none.

    Examples
    --------
    >>> parse_numbers(["1.5", "2,5", "NA", "much"])
    (array([1.5, 2.5, nan, nan]), [3])
    """
    places = [place for place, text in enumerate(texts) if not is_missing(text)]
    amounts = read_amounts([texts[place] for place in places])
    values = np.full(len(texts), np.nan)
    values[places] = amounts.values
    endless = np.flatnonzero(np.isinf(values)).tolist()
    return values, sorted({*(places[at] for at in amounts.bad_rows), *endless})


def is_quantity(numbers: NDArray[np.float64]) -> bool:
    """Return whether numbers are a measured quantity rather than classes.

    Parameters
    ----------
    numbers : float64 array, shape (n,)
        Finite.
    """
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) >= SETTINGS.few_numbers and 2 * len(values) > len(numbers):
        return True
    decimals = bool((values != np.round(values)).any())
    return len(values) > SETTINGS.many_numbers and (decimals or 2 * int((counts == 1).sum()) > len(values))
