"""Tables without a header, as the UCR archive has them: the label in the first column, then the values of a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_data_row, make_header_names, parse_number
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.errors import DataError, list_offenders


def name_columns(first: Sequence[str], following: Sequence[Sequence[str]], decimal_comma: bool) -> list[str] | None:
    """Return names for the columns of a table whose first row is data; None where it is a header.

    Parameters
    ----------
    first : sequence of str
        Cells of the first row.
    following : sequence of sequence of str
        Cells of some rows below it.
    decimal_comma : bool
        Whether "1,5" is a number.

    Examples
    --------
    >>> row = ["0.5", "-1", "0.3", "2", "0.1", "7", "0.2", "0.9"]
    >>> name_columns([*row, "rust"], [[*row, "rust"]], False)[-2:], name_columns([*row, "rust"], [[*row, "x"]], False)
    (['t7', 'label'], None)
    """
    if is_data_row(first, following[: COLUMN_RULES.header_peek_rows], decimal_comma):
        return _name_with_label(0, len(first)) if len(first) > 2 else make_header_names([""] * len(first))
    for position in (0, len(first) - 1):
        rows = [row for row in following if len(row) == len(first)]
        recurs = any(row[position] == first[position] for row in rows) and not _is_number(
            first[position], decimal_comma
        )
        other_cells = [_drop_cell(row, position) for row in rows[: COLUMN_RULES.header_peek_rows]]
        if (
            recurs
            and len(first) > COLUMN_RULES.min_steps
            and is_data_row(_drop_cell(first, position), other_cells, decimal_comma)
        ):
            return _name_with_label(position, len(first))
    return None


def _name_with_label(position: int, n_columns: int) -> list[str]:
    names = [f"t{step}" for step in range(n_columns - 1)]
    names.insert(position, "label")
    return names


def _drop_cell(cells: Sequence[str], position: int) -> list[str]:
    return [*cells[:position], *cells[position + 1 :]]


def _is_number(text: str, decimal_comma: bool) -> bool:
    try:
        parse_number(text, decimal_comma)
    except ValueError:
        return False
    return True


def require_label_first(name: str, columns: Sequence[NDArray[Any]]) -> None:
    """Refuse a table of numbers without header whose last column looks like the label, not the first.

    Parameters
    ----------
    name : str
        The file's name.
    columns : sequence of array of bytes or str, each of shape (n_rows,)

    Raises
    ------
    DataError
        The values of the last column are few and whole, those of all others are not.
    """
    if len(columns) <= COLUMN_RULES.min_steps or not all(_has_decimals(values) for values in columns[:-1]):
        return
    words = sorted(set(columns[-1].tolist()))
    if 1 < len(words) <= len(columns[-1]) / 2 and not _has_decimals(columns[-1]):
        examples = list_offenders([word.decode("ascii") if isinstance(word, bytes) else str(word) for word in words])
        raise DataError(
            f"{name} has no header, and its last column rather than its first looks like the label ({examples}).",
            "Write a first row that names the columns, such as t0, t1 ... label.",
        )


def _has_decimals(values: NDArray[Any]) -> bool:
    try:
        numbers = values.astype(np.float64)
    except ValueError:
        return False
    finite = numbers[np.isfinite(numbers)]
    return bool((finite != np.round(finite)).any())
