"""Tables of any file format as columns; what a column means is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from headstart.data.reading.delimited import read_delimited
from headstart.data.reading.json_records import read_json, read_json_lines
from headstart.data.reading.parquet import read_parquet
from headstart.data.reading.raw_table import RawTable, clear_spreadsheet_errors
from headstart.data.reading.workbook import SheetChoice, read_workbook
from headstart.errors import DataError
from headstart.plain_files import require_plain

Reader = Callable[[Path, str | None], RawTable]
"""Reads a file; the encoding is the one that the user named, if any (files of text only)."""
READERS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".txt": read_delimited,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": read_parquet,
    ".xlsx": read_workbook,
}
"""Tables by the ending of their file, which are looked for in folders as well."""
NAMED_READERS: dict[str, Reader] = {".json": read_json, ".xlsm": read_workbook}
"""Tables that are read where they are named, or lie alone: in folders such files are mostly something else."""


def is_table(path: Path) -> bool:
    """Return whether a file's ending is that of a table.

    Parameters
    ----------
    path : Path
        Need not exist.
    """
    return path.suffix.lower() in READERS or path.suffix.lower() in NAMED_READERS


def is_workbook(path: Path) -> bool:
    """Return whether a file's ending is that of a workbook.

    Parameters
    ----------
    path : Path
        Need not exist.
    """
    return {**READERS, **NAMED_READERS}.get(path.suffix.lower()) is read_workbook


def read_raw_table(path: Path, encoding: str | None = None, sheet: SheetChoice | None = None) -> RawTable:
    """Read a table by the file's suffix.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        Of files of text, where it should not be found out.
    sheet : SheetChoice, optional
        Which sheet of a workbook to read; the first that holds a table where it is not given.

    Raises
    ------
    DataError
        The file is empty, damaged or not of a known kind.
    UnknownName
        The workbook has no such sheet.
    """
    require_plain(path)
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.", "Copy it again from where it came.")
    suffix = path.suffix.lower()
    reader = READERS.get(suffix) or NAMED_READERS[suffix]
    read = read_workbook(path, encoding, sheet) if sheet and reader is read_workbook else reader(path, encoding)
    raw_table = clear_spreadsheet_errors(read)
    if not raw_table.rows:
        raise DataError(f"{path}: the table has no rows below its header.", "Check that this is the right file.")
    return raw_table


__all__ = ["NAMED_READERS", "READERS", "RawTable", "SheetChoice", "is_table", "is_workbook", "read_raw_table"]
