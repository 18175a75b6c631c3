"""Numbers that single precision cannot distinguish: values are kept with about seven digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.errors import DataError


def to_single_precision(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers as float32; values beyond its range become infinite, which counts as missing.

    Parameters
    ----------
    values : array of numbers
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded: NDArray[np.float32] = values.astype(np.float32)
    return rounded


def is_too_fine(values: NDArray[Any]) -> bool:
    """Return whether rounding takes much of the range of numbers: of most rows along the last axis that vary.

    Parameters
    ----------
    values : array of numbers, shape (..., n)

    Examples
    --------
    >>> is_too_fine(np.array([1e9, 1e9 + 1, 1e9 + 3])), is_too_fine(np.array([1e3, 1e3 + 1])), is_too_fine(np.ones(3))
    (True, False, False)
    """
    if values.dtype.kind not in "fiu" or values.dtype.itemsize < 8 or values.size == 0:
        return False
    rows = np.atleast_2d(values.astype(np.float64)).reshape(-1, values.shape[-1])
    rounded = to_single_precision(rows).astype(np.float64)
    known = np.isfinite(rounded)
    span = np.where(known, rows, -np.inf).max(axis=1) - np.where(known, rows, np.inf).min(axis=1)
    with np.errstate(invalid="ignore"):
        lost = np.where(known, np.abs(rows - rounded), 0.0).max(axis=1)
    varies = span > 0
    return bool(varies.any()) and 2 * int((lost > COLUMN_RULES.max_lost_share * span)[varies].sum()) > int(varies.sum())


def make_precision_error(where: str, examples: Sequence[object]) -> DataError:
    """Return the error for numbers that single precision cannot distinguish.

    Parameters
    ----------
    where : str
        File and column, for the message.
    examples : sequence of object
        Two such numbers.
    """
    values = ", ".join(map(str, examples))
    return DataError(
        f"{where}: the values differ only after the seventh digit, and these digits are not stored ({values}).",
        "Subtract a constant from all values, such as the mean, or take smaller units.",
    )
