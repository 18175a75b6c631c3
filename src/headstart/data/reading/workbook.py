"""Tables in XLSX workbooks: the sheet that suits best, or that was named; its cells as they were last computed."""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from xml.etree.ElementTree import ParseError

from headstart.data.columns.cells import format_cell, make_header_names
from headstart.data.reading.optional import import_optional
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.sheet_previews import PreviewRow, SheetPreview
from headstart.data.reading.table_limits import LIMITS, require_bytes, require_size
from headstart.data.reading.text_tables import SAMPLE_ROWS, is_heading
from headstart.errors import DataError, list_offenders, make_unknown_name
from headstart.records import Finding, SetAside, make_column
from headstart.results.findings import make_finding

_Read = TypeVar("_Read")
_DAMAGE_ERRORS = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, OSError, IndexError, TypeError, AttributeError,
    EOFError, NotImplementedError, AssertionError, OverflowError, MemoryError, RecursionError,
)  # fmt: skip
"""What zipfile, the XML parser and openpyxl raise on parts that are broken."""
_CHUNK_BYTES = 1 << 22
_NO_VALUE = re.compile(
    rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?"
    rb"\s*</(?:\w+:)?c>"
)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")
_CELL_END = b"c>"


class _MergedCells(NamedTuple):
    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True)
class _SheetExtras:
    """Content of a sheet's XML beside its values: formulas without a value, and merged cells.

    The rows and columns of merged cells count from 1.
    """

    n_without_value: int
    merged: tuple[_MergedCells, ...]


@dataclass(frozen=True)
class SheetChoice:
    """Which sheet of a workbook to read.

    Parameters
    ----------
    measure_fit : function
        Returns how well a table suits, larger is better; the first of the best is read.
    name : str, optional
        The sheet that the user named; hidden ones too.
    """

    measure_fit: Callable[[RawTable], int]
    name: str | None = None


def read_workbook(path: Path, encoding: str | None = None, choice: SheetChoice | None = None) -> RawTable:
    """Read a table from a workbook.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        Not used.
    choice : SheetChoice, optional
        Without it the first visible sheet that holds a table is read.

    Raises
    ------
    DataError
        The workbook is damaged, unpacks to too much, or no visible sheet holds a table.
    UnknownName
        There is no sheet of the name.
    """
    return _open_workbook(path, lambda book: _read_best_sheet(path, book, choice))


def preview_sheets(path: Path) -> tuple[SheetPreview, ...]:
    """Return the first rows of every sheet as they stand, titles and empty rows included.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        The workbook is damaged, or unpacks to too much.
    """
    return _open_workbook(path, lambda book: tuple(map(_preview_sheet, book.worksheets)))


def _open_workbook(path: Path, read: Callable[[Any], _Read]) -> _Read:
    """Return what a function reads of an open workbook; a damaged one is refused."""
    openpyxl = import_optional("openpyxl", "Excel")
    try:
        _require_safe_workbook(path)
        with warnings.catch_warnings(), path.open("rb") as handle:
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(handle, read_only=True, data_only=True)
            try:
                return read(book)
            finally:
                book.close()
    except _DAMAGE_ERRORS as error:
        problem = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{path}: the Excel file is damaged ({problem}).", "Open it and save it again, or save the table as CSV."
        ) from error


def _preview_sheet(sheet: Any) -> SheetPreview:
    sheet.reset_dimensions()
    rows = [
        PreviewRow(number, tuple("" if cell is None else _format_value(cell) for cell in cells))
        for number, cells in enumerate(islice(sheet.iter_rows(values_only=True), LIMITS.workbook_peek_rows), start=1)
    ]
    filled = [row for row in rows if any(cell.strip() for cell in row.cells)]
    header = filled[_count_titles([_count_filled(row.cells) for row in filled])].number if len(filled) > 1 else 0
    return SheetPreview(
        name=sheet.title, rows=tuple(rows), header=header, is_hidden=sheet.sheet_state != "visible",
    )  # fmt: skip


def _read_best_sheet(path: Path, book: Any, choice: SheetChoice | None) -> RawTable:
    """Return the table of the sheet that suits best, with a note on the sheets that were not read."""
    if choice is not None and choice.name is not None:
        return _read_sheet(path, _find_sheet(path, book, choice.name))
    sheets = _list_tables(path, book)
    raw_table = _read_sheet(path, sheets[0])
    best, best_fit = sheets[0], 0
    if choice is not None and len(sheets) > 1:
        best_fit = choice.measure_fit(raw_table)
        for sheet in sheets[1:]:
            other = _read_sheet(path, sheet)
            fit = choice.measure_fit(other)
            if fit > best_fit:
                raw_table, best, best_fit = other, sheet, fit
    return replace(raw_table, findings=(*_note_other_sheets(path, book, best), *raw_table.findings))


def _find_sheet(path: Path, book: Any, name: str) -> Any:
    """Return the sheet of a name, in any letter case."""
    by_name = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets}
    sheet = by_name.get(name.strip().casefold())
    if sheet is None:
        raise make_unknown_name("sheet", name, [sheet.title for sheet in book.worksheets], f" in {path.name}")
    if not _measure_table_width(sheet):
        raise DataError(f"{path}: the sheet '{sheet.title}' holds no table.", "Name the sheet that holds the rows.")
    return sheet


def _read_sheet(path: Path, sheet: Any) -> RawTable:
    rows = _read_filled_rows(path, sheet)
    texts = [[_format_value(cell) for cell in cells] for _, cells in rows[: SAMPLE_ROWS + 2] if _is_filled(cells)]
    is_below = len(texts) > 2 and len(rows[1][1]) > 0 and is_heading(texts[0], texts[1], texts[2:])
    raw_table = _build_raw_table(path, rows[1:] if is_below else rows, _read_extras(path, sheet))
    return replace(raw_table, sheet=sheet.title)


def _require_safe_workbook(path: Path) -> None:
    """Refuse a workbook that unpacks to too much, or whose XML declares entities."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        require_bytes(path, sum(part.file_size for part in parts), LIMITS.workbook_bytes, "the unpacked workbook")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as opened:
                    if b"<!DOCTYPE" in opened.read(4096).upper():
                        raise ValueError("its XML declares entities")


def _list_tables(path: Path, book: Any) -> list[Any]:
    """Return the visible sheets that hold a table, of several columns where there are such."""
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    widths = {sheet.title: _measure_table_width(sheet) for sheet in visible}
    tables = [sheet for sheet in visible if widths[sheet.title] > 1] or [s for s in visible if widths[s.title]]
    if tables:
        return tables
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    names = list_offenders([sheet.title for sheet in visible]) or "none"
    not_read = f"; hidden and not read: {list_offenders(hidden)}" if hidden else ""
    raise DataError(
        f"{path}: no visible sheet holds a table with a header and rows below it (sheets: {names}{not_read}).",
        "Put the table on a sheet of its own that is not hidden, or name the sheet with --sheet.",
    )


def _note_other_sheets(path: Path, book: Any, best: Any) -> tuple[Finding, ...]:
    """Return a note where there are other tables or hidden sheets, or where the first sheet is not the one read."""
    others = [
        sheet.title
        for sheet in book.worksheets
        if sheet.title != best.title and sheet.sheet_state == "visible" and _measure_table_width(sheet)
    ]
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    if not others and not hidden and best.title == book.worksheets[0].title:
        return ()
    also = f" Not read: {list_offenders(others)}." if others else ""
    not_read = f" Hidden, so not read: {list_offenders(hidden)}." if hidden else ""
    summary = f"{path.name}: the sheet '{best.title}' was read.{also}{not_read}"
    return (make_finding("sheets", summary, severity="warn" if others else "note"),)


def _measure_table_width(sheet: Any) -> int:
    """Return the number of filled cells of the header, or 0 where no row below it is filled."""
    sheet.reset_dimensions()
    widths = [_count_filled(cells) for cells in islice(sheet.iter_rows(values_only=True), LIMITS.workbook_peek_rows)]
    widths = [width for width in widths if width]
    below = widths[_count_titles(widths) :]
    return below[0] if len(below) > 1 else 0


def _count_titles(widths: Sequence[int]) -> int:
    """Return how many rows are titles: rows of one cell above a header of several, below which rows are as wide.

    Examples
    --------
    >>> _count_titles([1, 2, 2, 2]), _count_titles([1, 1, 1]), _count_titles([2, 1, 2])
    (1, 0, 0)
    """
    n = next((position for position, width in enumerate(widths) if width > 1), 0)
    below = widths[n + 1 :]
    return n if n <= LIMITS.workbook_titles and sum(width > 1 for width in below) > len(below) / 2 else 0


def _count_filled(cells: Sequence[object]) -> int:
    return sum(cell is not None and bool(format_cell(cell).strip()) for cell in cells)


def _is_filled(cells: Sequence[object]) -> bool:
    return any(cell is not None and format_cell(cell).strip() for cell in cells)


def _drop_titles(rows: list[tuple[int, list[object]]]) -> list[tuple[int, list[object]]]:
    """Return rows from the header on."""
    filled = [
        (position, _count_filled(cells))
        for position, (_, cells) in enumerate(rows[: LIMITS.workbook_peek_rows])
        if _is_filled(cells)
    ]
    return rows[filled[_count_titles([width for _, width in filled])][0] :]


def _read_filled_rows(path: Path, sheet: Any) -> list[tuple[int, list[object]]]:
    """Return rows from the header to the last filled one, with their numbers; cells behind the last filled are cut."""
    rows: list[tuple[int, list[object]]] = []
    n_looked_at = n_last = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        n_looked_at += len(cells) + 1
        if n_looked_at > LIMITS.workbook_cells:
            raise DataError(f"{path}: the sheet '{sheet.title}' has too many cells.", "Save the table as CSV.")
        if _is_filled(cells):
            end = max(position for position, cell in enumerate(cells, start=1) if cell is not None)
            rows.append((number, list(cells[:end])))
            n_last = len(rows)
        elif rows and len(rows) < LIMITS.n_rows:
            rows.append((number, []))
    del rows[n_last:]
    rows = _drop_titles(rows)
    require_size(path, len(rows), max((len(cells) for _, cells in rows), default=0))
    return rows


def _read_extras(path: Path, sheet: Any) -> _SheetExtras:
    """Return formulas without values and merged cells of a sheet, from its XML, block by block."""
    n_without_value, remainder = 0, b""
    merged: list[_MergedCells] = []
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as opened:
        while block := opened.read(_CHUNK_BYTES):
            text = remainder + block
            cut = text.rfind(_CELL_END) + len(_CELL_END) if _CELL_END in text else len(text) - 1024
            complete, remainder = text[: max(cut, 0)], text[max(cut, 0) :]
            n_without_value += len(_NO_VALUE.findall(complete))
            merged += _find_merges(complete)
        merged += _find_merges(remainder)
    return _SheetExtras(n_without_value, tuple(dict.fromkeys(merged)))


def _find_merges(xml: bytes) -> Iterator[_MergedCells]:
    for first, top, last, bottom in _MERGED.findall(xml):
        yield _MergedCells(int(top), int(bottom), parse_column_letters(first), parse_column_letters(last))


def parse_column_letters(letters: bytes) -> int:
    """Return the number of a column, from 1.

    Parameters
    ----------
    letters : bytes

    Examples
    --------
    >>> parse_column_letters(b"A"), parse_column_letters(b"AB")
    (1, 28)
    """
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _format_value(value: object) -> str:
    """Write a cell as text; a date without a time is a date."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return format_cell(value)


def _build_raw_table(path: Path, rows: list[tuple[int, list[object]]], extras: _SheetExtras) -> RawTable:
    header = [_format_value(cell) for cell in rows[0][1]]
    while not header[-1].strip():
        header.pop()
    names = make_header_names(header)
    _fill_merged(rows, extras.merged, len(names))
    filled = [(number, cells) for number, cells in rows[1:] if _is_filled(cells[: len(names)])]
    cells = {
        name: make_column([_format_value(row[position]) if position < len(row) else "" for _, row in filled])
        for position, name in enumerate(names)
    }
    filled_numbers = {number for number, _ in filled}
    empty = [number for number, _ in rows[1:] if number not in filled_numbers]
    set_aside = tuple(SetAside(f"{path.name}:{number}", "the row is empty") for number in empty)
    return RawTable(
        name=path.name,
        columns=cells,
        rows=[number for number, _ in filled],
        set_aside=set_aside,
        findings=tuple(_make_findings(path.name, extras)),
        n_lines=rows[-1][0],
        header_row=rows[0][0],
    )


def _fill_merged(rows: list[tuple[int, list[object]]], merged: Sequence[_MergedCells], n_columns: int) -> None:
    """Write the value of merged cells into each row that they cover."""
    place_of = {number: position for position, (number, _) in enumerate(rows)} if merged else {}
    for top, bottom, first, last in merged:
        position = place_of.get(top)
        if position is None or position == 0 or first > len(rows[position][1]):
            continue
        value = rows[position][1][first - 1]
        for number in range(top, min(bottom, rows[-1][0]) + 1):
            if number not in place_of:
                continue
            cells = rows[place_of[number]][1]
            end = min(last, n_columns)
            cells += [None] * (end - len(cells))
            for column_ in range(first, end + 1):
                cells[column_ - 1] = cells[column_ - 1] if cells[column_ - 1] is not None else value


def _make_findings(name: str, extras: _SheetExtras) -> Iterator[Finding]:
    if extras.n_without_value:
        n = extras.n_without_value
        have = "1 cell holds a formula" if n == 1 else f"{n} cells hold formulas"
        summary = f"{name}: {have} without a computed value; they were read as empty."
        yield make_finding("formula-without-value", summary)
    merged = [cells for cells in extras.merged if cells.last_row > cells.first_row]
    if merged:
        are = "1 merged cell was" if len(merged) == 1 else f"{len(merged)} merged cells were"
        summary = f"{name}: {are} read as if each row that it covers held the value."
        yield make_finding("merged-cells", summary)
