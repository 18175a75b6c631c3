"""Columns and tables of other libraries (pandas, Arrow, polars) as plain lists; none of them is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.columns.cells import format_cell
from headstart.data.columns.names import ColumnSpec, find_column
from headstart.data.reading.table_files import RawTable
from headstart.errors import DataError, list_offenders
from headstart.records import make_column

_TO_LIST = ("to_pylist", "to_list", "tolist")
_MISSING_TYPES = frozenset({"NAType", "NaTType", "NoneType"})
_TEXT_KINDS = "USTO"
"""Kinds of numpy types whose values may be texts or anything else."""


def is_frame(value: Any) -> bool:
    """Return whether a value is a table with named columns, such as a DataFrame.

    Parameters
    ----------
    value : object
    """
    if isinstance(value, np.ndarray | str | bytes | list | tuple | dict):
        return False
    return hasattr(value, "columns") and hasattr(value, "shape") and len(getattr(value, "shape", ())) == 2


def is_column(value: Any) -> bool:
    """Return whether a value is one column of another library, such as a Series.

    Parameters
    ----------
    value : object
    """
    if isinstance(value, np.ndarray) or is_frame(value):
        return False
    return hasattr(value, "to_pylist") or (hasattr(value, "to_list") and hasattr(value, "dtype"))


def is_missing_value(value: Any) -> bool:
    """Return whether a value stands for none: None, NaN, or what pandas writes.

    Examples
    --------
    >>> [is_missing_value(value) for value in (None, float("nan"), "", 0)]
    [True, True, False, False]
    """
    return type(value).__name__ in _MISSING_TYPES or (isinstance(value, float | np.floating) and math.isnan(value))


def read_column_values(value: Any) -> list[Any]:
    """Return the values of one column in order, whatever its index; missing ones are None.

    Parameters
    ----------
    value : array, list, generator or Series
        One column.
    """
    method = next((name for name in _TO_LIST if hasattr(value, name)), None)
    values = list(value) if method is None else getattr(value, method)()
    return [None if is_missing_value(item) else item for item in values]


def read_frame_columns(frame: Any) -> dict[str, list[Any]]:
    """Return the columns of a table by name.

    Parameters
    ----------
    frame : DataFrame or Arrow table
    """
    names = list(getattr(frame, "column_names", None) or frame.columns)
    written = list(map(_write_column_name, names))
    if len(set(written)) < len(names):
        raise DataError(f"The table has columns of the same name ({list_offenders(written)}).", "Rename them.")
    return {text: read_column_values(frame[name]) for text, name in zip(written, names, strict=True)}


def _write_column_name(name: Any) -> str:
    """Write a column's name; one of several levels as "x_0"."""
    return "_".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def convert_frame(frame: Any) -> RawTable:
    """Return a table of another library as one that was read from a file; rows are numbered from 0.

    Parameters
    ----------
    frame : DataFrame or Arrow table
    """
    columns = read_frame_columns(frame)
    n_rows = len(next(iter(columns.values()), []))
    cells_by_name = {
        name: np.array([np.nan if item is None else item for item in values], dtype=np.float64)
        if _are_floats(values)
        else make_column([format_cell(item) for item in values])
        for name, values in columns.items()
    }
    return RawTable(name="the table", columns=cells_by_name, rows=list(range(n_rows)))


def _are_floats(values: Sequence[Any]) -> bool:
    filled = [item for item in values if item is not None]
    return bool(filled) and all(isinstance(item, float | np.floating) for item in filled)


def are_numbers(values: Sequence[Any]) -> bool:
    """Return whether all values are numbers or missing, and at least one is a number.

    Parameters
    ----------
    values : sequence of object
    """
    filled = [item for item in values if item is not None]
    return bool(filled) and all(isinstance(item, int | float | np.number) for item in filled)


def convert_inputs(inputs: Any) -> Any:
    """Return rows as an array of numbers, or as a list of texts, paths and arrays in which missing ones are None.

    Parameters
    ----------
    inputs : list, array, generator, Series or DataFrame
        Of a table the only column, the one that is called like texts or files, or all if all are numbers.

    Raises
    ------
    DataError
        A table has several columns, and no name says which one is meant.
    """
    if is_frame(inputs):
        return _convert_frame_rows(inputs)
    if hasattr(inputs, "__array__") and len(getattr(inputs, "shape", ())) > 1:
        inputs = np.asarray(inputs)  # A tensor of another library.
    if isinstance(inputs, np.ndarray):
        return _convert_array_rows(inputs)
    values = read_column_values(inputs)
    return [_decode_text(item) for item in values]


def _convert_frame_rows(frame: Any) -> Any:
    columns = read_frame_columns(frame)
    if len(columns) > 1 and all(map(are_numbers, columns.values())):
        rows = [[math.nan if item is None else float(item) for item in values] for values in columns.values()]
        return np.array(rows, dtype=np.float32).T
    names = list(columns)
    chosen = next((name for role in ("text", "file") if (name := find_column(names, role, ColumnSpec(), ""))), None)
    if len(columns) != 1 and chosen is None:
        raise DataError(
            f"The table has {len(columns)} columns ({list_offenders(names)}), and none is called text or file_name.",
            "Give one column, such as table['text'], or rename it.",
        )
    return [_decode_text(item) for item in columns[chosen or names[0]]]


def _convert_array_rows(values: np.ndarray[Any, Any]) -> Any:
    if values.dtype.kind not in _TEXT_KINDS:
        return values
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim > 1 and values.dtype.kind == "O":
        try:
            return flat.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"An array of shape {values.shape} holds no numbers.", "Give one text a row.") from error
    return [_decode_text(None if is_missing_value(item) else item) for item in flat.tolist()]


def _decode_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else value
