"""Values of one series as people paste them: a line or a column of numbers, or one column a channel."""

from __future__ import annotations

import re

import numpy as np

from headstart.errors import DataError
from headstart.modalities.series import Series

_MISSING = frozenset(("", "nan", "na", "null", "-"))
_SEPARATORS = re.compile(r"[\t;]|\s*,\s+|\s+")


def parse_series(text: str, n_channels: int) -> Series | None:
    r"""Return pasted numbers as a series of shape (n_channels, n_steps); None where some of it is no number.

    Parameters
    ----------
    text : str
    n_channels : int
        Of the model.

    Raises
    ------
    DataError
        They are numbers, but not of so many channels.

    Examples
    --------
    >>> parse_series("1, 2, 3", 1).tolist(), parse_series("1\t10\n2\t20\n3\t", 2)[1].tolist()
    ([[1.0, 2.0, 3.0]], [10.0, 20.0, nan])
    >>> parse_series("a label, 2", 1) is None, parse_series("1,5\n2,5", 1).tolist()
    (True, [[1.5, 2.5]])
    """
    rows = [_split(line) for line in text.splitlines() if line.strip()]
    try:
        values = [[np.nan if cell.strip().lower() in _MISSING else _read(cell) for cell in row] for row in rows]
    except ValueError:
        return None
    widths = {len(row) for row in values}
    if len(widths) != 1:
        return None
    matrix = np.asarray(values, dtype=np.float32)
    if n_channels == 1 and 1 in matrix.shape:
        return matrix.reshape(1, -1)
    if matrix.shape[1] == n_channels:
        return np.ascontiguousarray(matrix.T)
    if matrix.shape[0] == n_channels:
        return matrix
    raise DataError(
        f"These are {matrix.shape[0]} lines of {matrix.shape[1]} numbers; the model reads {n_channels} channels.",
        "Paste one line a step and one column a channel.",
    )


def _split(line: str) -> list[str]:
    """Return the cells of a line; a comma parts cells where there are several of them, or a space behind it."""
    plain = line.strip(" \r\n")
    if plain.count(",") > 1 and not re.search(r"[\t;]", plain):
        return [cell.strip() for cell in plain.split(",")]
    return _SEPARATORS.split(plain)


def _read(cell: str) -> float:
    return float(cell.replace(",", "."))
