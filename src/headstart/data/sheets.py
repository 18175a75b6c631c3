"""Tables of any file format as columns; what a column means is decided elsewhere."""

from __future__ import annotations

import csv
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import extras
from headstart.data.cells import as_text, compact, header_names, is_data, joined, parse_number, parse_numbers
from headstart.data.decoding import Writing, encoding_of, lines, writing_of
from headstart.errors import DataError, offenders
from headstart.plain_files import reason_not_plain
from headstart.records import Column, Finding, SetAside, column

_CHUNK_ROWS, _PEEK_ROWS = 4096, 5
_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can say and UTF-8 cannot."""


@dataclass(frozen=True)
class Sheet:
    """One table as it was read.

    Parameters
    ----------
    name : str
        The file's name.
    columns : dict of str to array, shape (n_rows,)
        Strings: as objects, or as ASCII bytes where all are short; or floats where the file's format says so. What a
        column is for is not known here: "01" may be a name, a class or a number.
    rows : list of int
        Row numbers as a person sees them in the file; the header is row 1.
    decimal_comma : bool
        Whether "1,5" is a number.
    """

    name: str
    columns: dict[str, NDArray[Any]]
    rows: list[int]
    decimal_comma: bool = False
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    headerless: bool = False
    _numbers: dict[str, NDArray[np.float32] | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Columns read as numbers once already."""

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return list(self.columns)

    def texts(self, name: str) -> list[str]:
        """Return a column as strings."""
        values = self.columns[name]
        if values.dtype.kind == "S":
            return list(np.char.decode(values, "ascii").tolist())
        return list(values) if values.dtype == object else [as_text(value) for value in values.tolist()]

    def column(self, name: str) -> Column:
        """Give a column as strings, as the records want it."""
        return column(self.texts(name))

    def numbers(self, name: str) -> NDArray[np.float32] | None:
        """Return a column as numbers (NaN = missing), or None if it holds anything else."""
        if name not in self._numbers:
            self._numbers[name] = self._parsed(name)
        return self._numbers[name]

    def _parsed(self, name: str) -> NDArray[np.float32] | None:
        values = self.columns[name]
        if values.dtype.kind == "f":
            return values.astype(np.float32)
        try:
            return parse_numbers(self.texts(name), self.decimal_comma)
        except ValueError:
            return None

    def needed_numbers(self, name: str) -> NDArray[np.float32]:
        """Return a column that has to be numbers.

        Raises
        ------
        DataError
            A cell is none; names the cells.
        """
        numbers = self.numbers(name)
        if numbers is None:
            cells = [f"row {row}: {cell[:20]!r}" for row, cell in self.bad_cells(name)]
            raise DataError(
                f"{self.name}: {len(cells)} cells of the column {name} are not numbers ({offenders(cells)}).",
                "Correct or empty these cells.",
            )
        return numbers

    def has_numbers(self, name: str) -> bool:
        """Return whether a column holds numbers and nothing else, and at least one."""
        numbers = self.numbers(name)
        return numbers is not None and bool(np.isfinite(numbers).any())

    def is_mostly_numbers(self, name: str) -> bool:
        """Return whether most cells of a column are numbers or missing."""
        return self.numbers(name) is not None or 2 * len(self.bad_cells(name)) < len(self.rows)

    def bad_cells(self, name: str) -> list[tuple[int, str]]:
        """Return row and text of the cells of a column that are no numbers."""
        bad = []
        for row, text in zip(self.rows, self.texts(name), strict=True):
            try:
                parse_number(text, self.decimal_comma)
            except ValueError:
                bad.append((row, text))
        return bad

    def without(self, reasons: Mapping[int, str]) -> Sheet:
        """Return the sheet with some rows set aside; `reasons` are by row number."""
        if not reasons:
            return self
        stays = np.array([row not in reasons for row in self.rows], dtype=bool)
        aside = tuple(SetAside(f"{self.name}:{row}", reason) for row, reason in sorted(reasons.items()))
        columns = {name: values[stays] for name, values in self.columns.items()}
        rows = [row for row in self.rows if row not in reasons]
        return replace(self, columns=columns, rows=rows, set_aside=(*self.set_aside, *aside))

    def renamed(self, names: Sequence[str]) -> Sheet:
        """Return the sheet with other names for its columns."""
        return replace(self, columns=dict(zip(names, self.columns.values(), strict=True)))


def read_sheet(path: Path) -> Sheet:
    """Read a table by the file's suffix.

    Raises
    ------
    DataError
        The file is empty, damaged or not of a known kind.
    """
    reason = reason_not_plain(path)
    if reason is not None:
        raise DataError(f"{path}: {reason}.", "Save it as a file, and give that.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.", "Copy it again from where it came.")
    sheet = READERS[path.suffix.lower()](path)
    if not sheet.rows:
        raise DataError(f"{path}: the table has no rows below its header.", "Check that this is the right file.")
    return sheet


def _read_delimited(path: Path) -> Sheet:
    writing = writing_of(path)
    records = _records(path, writing)
    number, header = next(records, (0, []))
    headerless = is_data(header, _first_rows(path, writing), writing.decimal_comma)
    if headerless:
        names, records = _made_up_names(len(header)), _records(path, writing)
    else:
        while header and not header[-1].strip():
            header = header[:-1]
        names = header_names(header)
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    rows: list[int] = []
    set_aside: list[SetAside] = []
    chunk: list[list[str]] = []

    def flush() -> None:
        for position, part in enumerate(parts):
            part.append(compact([record[position] for record in chunk]))
        chunk.clear()

    for number, record in records:
        if len(record) > len(names) and any(cell.strip() for cell in record[len(names) :]):
            reason = f"the row has {len(record)} cells, the header has {len(names)}"
            set_aside.append(SetAside(f"{path.name}:{number}", reason))
            continue
        chunk.append((record + [""] * (len(names) - len(record)))[: len(names)])
        rows.append(number)
        if len(chunk) == _CHUNK_ROWS:
            flush()
    if chunk:
        flush()
    columns = {name: joined(part) for name, part in zip(names, parts, strict=True)}
    return Sheet(
        path.name, columns, rows, writing.decimal_comma, tuple(set_aside), _encoding_note(path, writing), headerless
    )


def _records(path: Path, writing: Writing) -> Iterator[tuple[int, list[str]]]:
    """Give the non-blank records with their row numbers; a quotation mark that is never closed is an error."""
    taken: list[str] = []

    def remember() -> Iterator[str]:
        for line in lines(path, writing):
            taken.append(line)
            yield line.replace("\x00", "")

    number, closed = writing.skipped, True
    for record in csv.reader(remember(), delimiter=writing.separator, quoting=writing.quoting):
        number += 1
        closed = len(taken) < 2 or writing.quoting == csv.QUOTE_NONE or sum(map(_count_quotes, taken)) % 2 == 0
        taken.clear()
        if any(cell.strip() for cell in record):
            yield number, record
    if not closed:  # such a mark swallows every row to the end of the file
        raise DataError(
            f"{path}: a quotation mark that is opened in row {number} is never closed.",
            "Close or remove it, or save the table as XLSX.",
        )


def _count_quotes(line: str) -> int:
    return line.count('"')


def _first_rows(path: Path, writing: Writing) -> list[list[str]]:
    """Return a few rows below the first."""
    return [record for _, record in islice(_records(path, writing), 1, 1 + _PEEK_ROWS)]


def _made_up_names(n_columns: int) -> list[str]:
    """Name the columns of a table without header as the UCR archive orders them: the label, then the values."""
    return (
        ["label", *(f"t{step}" for step in range(n_columns - 1))] if n_columns > 2 else header_names([""] * n_columns)
    )


def _encoding_note(path: Path, writing: Writing) -> tuple[Finding, ...]:
    doubts = {
        "cp1252": "is not UTF-8 and was read as Windows-1252",
        "utf-8": "has bytes that are not UTF-8; they were replaced by �",
    }
    if writing.errors == "strict" or writing.encoding not in doubts:
        return ()
    advice = "Look at a few accented letters; if they are wrong, save the file as UTF-8."
    return (Finding("encoding", "note", (), f"{path.name} {doubts[writing.encoding]}.", advice),)


def _read_json(path: Path) -> Sheet:
    writing = encoding_of(path)
    items: list[dict[str, Any]] = []
    rows: list[int] = []
    bad: list[str] = []
    for number, line in enumerate(lines(path, writing), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            bad.append(f"line {number}: {error.msg}")
            continue
        except RecursionError:
            bad.append(f"line {number}: nested without end")
            continue
        if isinstance(item, dict):
            items.append(item)
            rows.append(number)
        else:
            bad.append(f"line {number}: not an object in braces")
    if bad:
        raise DataError(
            f"{path}: {len(bad)} lines are not JSON objects ({offenders(bad)}).", "Write one object in braces a line."
        )
    keys = list(dict.fromkeys(name for item in items for name in item))
    names = header_names([_HALF.sub("\ufffd", name) for name in keys])
    columns = {
        name: column([_HALF.sub("\ufffd", as_text(item.get(key))) for item in items])
        for name, key in zip(names, keys, strict=True)
    }
    return Sheet(path.name, columns, rows, findings=_encoding_note(path, writing))


def _read_parquet(path: Path) -> Sheet:
    parquet, arrow = _optional("pyarrow.parquet", "Parquet"), _optional("pyarrow", "Parquet")
    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: the Parquet file is damaged ({error}).", "Copy or export it again.") from error
    names = header_names([str(name) for name in table.column_names])
    columns: dict[str, NDArray[Any]] = {}
    for name, values in zip(names, table.columns, strict=True):
        numeric = arrow.types.is_floating(values.type)
        columns[name] = values.to_numpy() if numeric else column([as_text(value) for value in values.to_pylist()])
    return Sheet(path.name, columns, list(range(2, table.num_rows + 2)))


def _read_xlsx(path: Path) -> Sheet:
    openpyxl = _optional("openpyxl", "Excel")
    zipfile, invalid = import_module("zipfile"), import_module("openpyxl.utils.exceptions").InvalidFileException
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            sheets = [list(enumerate(sheet.iter_rows(values_only=True), start=1)) for sheet in book.worksheets[:1]]
            book.close()
        except (zipfile.BadZipFile, invalid, KeyError, ValueError, OSError) as error:
            raise DataError(f"{path}: the Excel file is damaged ({error}).", "Open it and save it again.") from error
    filled = [(number, cells) for number, cells in sheets[0] if any(as_text(cell).strip() for cell in cells)]
    if not filled:
        raise DataError(f"{path}: the first sheet is empty.", "Put the table on the first sheet.")
    header = [as_text(cell) for cell in filled[0][1]]
    while header and not header[-1].strip():
        header.pop()
    names = header_names(header)
    cells = {
        name: column([as_text(row[place]) if place < len(row) else "" for _, row in filled[1:]])
        for place, name in enumerate(names)
    }
    return Sheet(path.name, cells, [number for number, _ in filled[1:]])


def _optional(module: str, kind: str) -> Any:
    if find_spec(module.split(".", maxsplit=1)[0]) is None:
        extras.require("adapt", f"Reading {kind} files")
    return import_module(module)


READERS: dict[str, Callable[[Path], Sheet]] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".tab": _read_delimited,
    ".txt": _read_delimited,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
    ".xlsx": _read_xlsx,
}
