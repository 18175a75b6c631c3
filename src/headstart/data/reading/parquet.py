"""Tables in Parquet: the header is held against the limits before anything is unpacked, then read in batches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import format_cell, make_header_names
from headstart.data.reading.optional import import_optional
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_limits import LIMITS, require_bytes, require_size
from headstart.errors import DataError
from headstart.records import make_column

_BATCH_ROWS, _COUNT_SECONDS = 16_384, 60
_COUNT_VALUES = """
import sys
from pyarrow.parquet import ParquetFile
header = ParquetFile(sys.argv[1]).metadata
groups = [header.row_group(number) for number in range(header.num_row_groups)]
print(max((sum(group.column(place).num_values for group in groups) for place in range(header.num_columns)), default=0))
"""


def read_parquet(path: Path, encoding: str | None) -> RawTable:
    """Read a Parquet file.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        Not used.

    Raises
    ------
    DataError
        The file is damaged, or says that it holds more than is read.
    """
    parquet, arrow = import_optional("pyarrow.parquet", "Parquet"), import_optional("pyarrow", "Parquet")
    try:
        with parquet.ParquetFile(path) as opened:
            schema, header = opened.schema_arrow, opened.metadata
            require_size(path, header.num_rows, len(schema.names))
            require_bytes(path, sum(_list_group_bytes(header)), LIMITS.text_bytes, "its content")
            if any(_is_nested(arrow, item.type) for item in schema):
                _require_values(path)
            texts = [item.name for item in schema if _is_text(arrow, item.type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as opened:
            columns, n_rows = _read_columns(arrow, opened, path)
    except (arrow.ArrowException, OSError, ValueError, MemoryError, subprocess.TimeoutExpired) as error:
        problem = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: the Parquet file is damaged ({problem}).", "Copy or export it again.") from error
    return RawTable(name=path.name, columns=columns, rows=list(range(2, n_rows + 2)))


def _list_group_bytes(header: Any) -> list[int]:
    return [header.row_group(number).total_byte_size for number in range(header.num_row_groups)]


def _is_text(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))


def _is_nested(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_nested(kind))


def _require_values(path: Path) -> None:
    """Refuse lists whose rows hold very many values each.

    A process of its own looks: damaged figures of a column end it, and pyarrow cannot be asked for them otherwise.
    """
    command = [sys.executable, "-I", "-c", _COUNT_VALUES, str(path)]
    counted = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COUNT_SECONDS)
    if counted.returncode or not counted.stdout.strip().isdigit():
        raise ValueError("the figures of a column cannot be read")
    n_values, n_most = int(counted.stdout), LIMITS.n_cells // 10
    if n_values > n_most:
        raise DataError(
            f"{path}: a column of lists holds {n_values:,} values; at most {n_most:,} are read.",
            "Take a part of it, such as a random sample of the rows.",
        )


def _read_columns(arrow: Any, opened: Any, path: Path) -> tuple[dict[str, NDArray[Any]], int]:
    names = make_header_names([str(name) for name in opened.schema_arrow.names])
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    n_rows = n_characters = 0
    for batch in opened.iter_batches(batch_size=_BATCH_ROWS):
        n_rows += batch.num_rows
        for part, values in zip(parts, batch.columns, strict=True):
            cells = _convert_cells(arrow, values)
            n_characters += 0 if cells.dtype != object else sum(map(len, {id(cell): cell for cell in cells}.values()))
            part.append(cells)
        require_bytes(path, n_characters, LIMITS.text_bytes // 4, "its text")
    empty = make_column([])
    return {name: _concatenate(part, empty) for name, part in zip(names, parts, strict=True)}, n_rows


def _concatenate(parts: list[NDArray[Any]], empty: NDArray[Any]) -> NDArray[Any]:
    if not parts:
        return empty
    return np.concatenate(parts)


def _convert_cells(arrow: Any, values: Any) -> NDArray[Any]:
    """Return one column of a batch: floats, else text; equal texts of a dictionary are one object."""
    if arrow.types.is_floating(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False))
    if not arrow.types.is_dictionary(values.type):
        return make_column([format_cell(value) for value in values.to_pylist()])
    dictionary: NDArray[Any] = make_column([*(format_cell(value) for value in values.dictionary.to_pylist()), ""])
    dictionary_indices = values.indices.fill_null(len(dictionary) - 1).to_numpy(zero_copy_only=False)
    cells: NDArray[Any] = dictionary[dictionary_indices.astype(np.intp)]
    return cells
