"""Cells of tables as text and as numbers, whatever the file; nothing here knows a file or what a column is for."""

from __future__ import annotations

import datetime
import json
import math
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.written_numbers import DECIMAL, THOUSANDS, UNKNOWN, infer_comma_meaning, parse_amount
from headstart.records import make_column

_MISSING_WORDS = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "inf", "-inf"))
_SHORT_CELL_BYTES = 32
_NAMING_CHARACTERS = frozenset("$£€¥₹%")
"""In a header these name a column; in a row they are part of a number."""


def format_cell(value: object) -> str:
    """Return a cell as text: nothing and NaN are empty, 3.0 is "3", dates are ISO.

    Parameters
    ----------
    value : object
        A value of a table of any format.

    Examples
    --------
    >>> [format_cell(value) for value in (None, 3.0, 2.5, "NA", b"yes", {"b", "a"}, set())]
    ['', '3', '2.5', 'NA', 'yes', '["a", "b"]', '[]']
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime.date | datetime.datetime | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, set | frozenset | tuple):
        value = sorted(value, key=str) if not isinstance(value, tuple) else list(value)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def is_missing(text: str) -> bool:
    """Return whether a cell of a column of numbers stands for a missing value.

    Parameters
    ----------
    text : str
    """
    return text.strip().casefold() in _MISSING_WORDS


def parse_number(text: str, decimal_comma: bool, comma: str = UNKNOWN) -> float:
    """Parse one number; "", "NA", "?" and the like are NaN.

    Parameters
    ----------
    text : str
        Also with thousands separators, a currency or a percent sign.
    decimal_comma : bool
        Whether "1,5" is a number.
    comma : str
        What the comma of "1,234" means, as `infer_comma_meaning` finds it in the whole column.

    Examples
    --------
    >>> parse_number("1.234,5", True), parse_number("1.5", True), parse_number("1,263.50", False)
    (1234.5, 1.5, 1263.5)
    """
    plain = text.strip()
    if is_missing(plain):
        return math.nan
    try:
        return float(plain)
    except ValueError:
        return parse_amount(plain, DECIMAL if decimal_comma else comma)[0]


def parse_numbers(values: Sequence[str], decimal_comma: bool) -> NDArray[np.float64]:
    """Parse many numbers; ValueError if one is none.

    Parameters
    ----------
    values : sequence of str, shape (n,)
    decimal_comma : bool
        Whether "1,5" is a number.
    """
    try:
        return np.array(list(map(float, values)), dtype=np.float64)
    except ValueError:
        comma = THOUSANDS if not decimal_comma and infer_comma_meaning(values) == THOUSANDS else UNKNOWN
        return np.array([parse_number(value, decimal_comma, comma) for value in values], dtype=np.float64)


def make_header_names(cells: Sequence[str]) -> list[str]:
    """Return non-empty and unique names for the cells of a header.

    Parameters
    ----------
    cells : sequence of str

    Examples
    --------
    >>> make_header_names(["text ", "", "text"])
    ['text', 'column 2', 'text (2)']
    """
    names: dict[str, None] = {}
    counts: dict[str, int] = {}
    for position, cell in enumerate(cells):
        name = unicodedata.normalize("NFC", cell.strip().lstrip("\ufeff")) or f"column {position + 1}"
        unique_name = name
        while unique_name in names:
            counts[name] = counts.get(name, 1) + 1
            unique_name = f"{name} ({counts[name]})"
        names[unique_name] = None
    return list(names)


def is_data_row(first: Sequence[str], following: Sequence[Sequence[str]], decimal_comma: bool) -> bool:
    """Return whether the first row is data: numbers, some of which may be missing, that are no scale.

    A scale names columns: it counts up, goes in equal steps (in any order), or rises or falls throughout where no
    row below it does.

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
    >>> [is_data_row(row.split(), (), False) for row in ("-1 0.2 0.1 NaN", "0 1 2 3", "id 0.2 0.1", "? 1 2 3")]
    [True, False, False, False]
    """
    values = _parse_finite_numbers(first, decimal_comma)
    if values is None or len(values) == 0:
        return False
    if len(values) < COLUMN_RULES.min_steps:
        return not (np.diff(values) == 1).all() or len(values) == 1
    gaps = np.diff(np.sort(values))
    if gaps[0] > 0 and np.allclose(gaps, gaps[0], rtol=1e-4):
        return False
    others = [_parse_finite_numbers(row, decimal_comma) for row in following]
    return not _is_monotone(values) or any(row is not None and _is_monotone(row) for row in others)


def _parse_finite_numbers(cells: Sequence[str], decimal_comma: bool) -> NDArray[np.float64] | None:
    """Return the numbers of a row without those that are missing; None where a cell is no plain number."""
    try:
        if any(set(cell) & _NAMING_CHARACTERS for cell in cells):
            return None
        values = np.array([parse_number(cell, decimal_comma) for cell in cells], dtype=np.float64)
    except ValueError:
        return None
    finite: NDArray[np.float64] = values[np.isfinite(values)]
    return finite


def _is_monotone(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return len(values) >= COLUMN_RULES.min_steps and bool((steps > 0).all() or (steps < 0).all())


def compact_cells(values: list[str]) -> NDArray[Any]:
    """Return short ASCII cells as bytes: many numbers take a sixth of the memory of their strings.

    Parameters
    ----------
    values : list of str, shape (n,)
    """
    try:
        cells = np.array(values, dtype=np.bytes_)
    except UnicodeEncodeError:
        return make_column(values)
    return cells if cells.dtype.itemsize <= _SHORT_CELL_BYTES else make_column(values)


def join_cell_parts(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join the parts of one column that `compact_cells` returned.

    Parameters
    ----------
    parts : list of arrays of bytes or objects, each of shape (n_i,)
    """
    if not parts:
        return make_column([])
    if all(part.dtype.kind == "S" for part in parts):
        return np.concatenate(parts)
    texts = [part.tolist() if part.dtype == object else np.char.decode(part, "ascii").tolist() for part in parts]
    return make_column([value for part in texts for value in part])
