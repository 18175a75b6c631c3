"""Labels as numbers, and whether they measure something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing
from headstart.data.columns.written_numbers import read_amounts

MANY_NUMBERS, FEW_NUMBERS = 20, 10


def numbers_of(texts: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Read numbers (n,), with decimal points or commas; what stands for nothing is NaN.

    Returns
    -------
    numbers : float64, shape (n,)
    bad : list of int
        Positions of what is no number; "1,234" alone is none, since nobody knows what its comma means.

    Examples
    --------
    >>> numbers_of(["1.5", "2,5", "NA", "much"])
    (array([1.5, 2.5, nan, nan]), [3])
    """
    places = [place for place, text in enumerate(texts) if not is_missing(text)]
    found = read_amounts([texts[place] for place in places])
    made = np.full(len(texts), np.nan)
    made[places] = found.values
    endless = np.flatnonzero(np.isinf(made)).tolist()
    return made, sorted({*(places[at] for at in found.bad), *endless})


def is_quantity(numbers: NDArray[np.float64]) -> bool:
    """Whether numbers (n,) could hardly be classes."""
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) >= FEW_NUMBERS and 2 * len(values) > len(numbers):
        return True
    decimals = bool((values != np.round(values)).any())
    return len(values) > MANY_NUMBERS and (decimals or 2 * int((counts == 1).sum()) > len(values))
