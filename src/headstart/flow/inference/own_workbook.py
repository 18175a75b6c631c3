"""Answers written beside their rows into a copy of the user's own workbook.

Only the XML of one sheet is changed; every other part of the file (sheets, formats, charts, macros) is copied as it is.
A library that reads and writes whole workbooks would lose what it does not know.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape

from headstart.data.columns.cells import format_cell
from headstart.data.reading.optional import import_optional
from headstart.data.reading.workbook import parse_column_letters
from headstart.home import write_whole

Cell = str | float
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Signs that no workbook may hold."""
LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds."""
_ROW = re.compile(r"<((?:\w+:)?)row((?:\s[^>]*?)?)(?:/>|>(.*?)</\1row>)", re.DOTALL)
_CELL = re.compile(r"<((?:\w+:)?)c((?:\s[^>]*?)?)(?:/>|>(.*?)</\1c>)", re.DOTALL)
_NUMBER = re.compile(r'\br="(\d+)"')
_LETTERS = re.compile(r'\br="([A-Z]+)\d+"')
_STYLE = re.compile(r'\bs="\d+"')
_SPANS = re.compile(r'\sspans="[^"]*"')
_DIMENSION = re.compile(r'(<(?:\w+:)?dimension\s+ref="[A-Z]+\d+:)([A-Z]+)(\d+")')
_WIDTHS = re.compile(r"<((?:\w+:)?)cols>(.*?)</\1cols>", re.DOTALL)
_LAST_WIDTH = re.compile(r'\bmax="(\d+)"')
_COLUMN_WIDTH = 18


@dataclass(frozen=True, kw_only=True)
class SheetColumns:
    """Columns to add to a sheet.

    Parameters
    ----------
    sheet : str
        Its name.
    header_row : int
        From 1.
    names : sequence of str
        Headings of the columns.
    cells : mapping of int to sequence
        By row of the sheet, one value a column; texts are never formulas.
    fills_existing : bool
        A column whose heading stands in the header row already is written over, cell by cell; else all are new.
    """

    sheet: str
    header_row: int
    names: Sequence[str]
    cells: Mapping[int, Sequence[Cell]]
    fills_existing: bool = False


class _NotEditable(ValueError):
    """The sheet is written in a way that is not known here."""


def add_columns(source: Path, out: Path, columns: SheetColumns) -> bool:
    """Write a copy of a workbook with columns behind those of one sheet, whole or not at all.

    Parameters
    ----------
    source : Path
        The .xlsx file; `out` may be the same one.
    out : Path
        Replaced if it is there.
    columns : SheetColumns

    Returns
    -------
    bool
        False where the sheet is written in a way that cannot be added to; nothing is written then.
    """
    part, headings = _find_part(source, columns)
    if part is None:
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            edited = edit_sheet(archive.read(part).decode("utf-8-sig"), columns, headings).encode()
        ParserCreate().Parse(edited, True)
    except (UnicodeDecodeError, ExpatError, _NotEditable):
        return False
    with (
        write_whole(out) as partial,
        zipfile.ZipFile(source) as archive,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in archive.infolist():
            target.writestr(item, edited if item.filename == part else archive.read(item))
    return True


def _find_part(source: Path, columns: SheetColumns) -> tuple[str | None, dict[str, int]]:
    """Return the name of the file in the workbook that holds a sheet, and the columns of the headings to fill."""
    openpyxl = import_optional("openpyxl", "Excel")
    with source.open("rb") as handle:
        book = openpyxl.load_workbook(handle, read_only=True, data_only=True)
        try:
            sheet = next((one for one in book.worksheets if one.title == columns.sheet), None)
            if sheet is None:
                return None, {}
            sheet.reset_dimensions()
            row = columns.header_row
            cells = next(iter(sheet.iter_rows(row, row, values_only=True)), ()) if columns.fills_existing else ()
            known = {format_cell(cell): number for number, cell in enumerate(cells, start=1)}
            return str(sheet._worksheet_path), {name: known[name] for name in columns.names if name in known}
        finally:
            book.close()


def edit_sheet(text: str, columns: SheetColumns, headings: Mapping[str, int] | None = None) -> str:
    """Return the XML of a sheet with columns behind the last one that holds anything.

    Parameters
    ----------
    text : str
    columns : SheetColumns
    headings : mapping of str to int, optional
        Columns that stand in the sheet already, counted from 1; their cells are written over.

    Raises
    ------
    ValueError
        A row that is to be answered is not where it was read.
    """
    standing = headings or {}
    first = 1 + max((_find_last_column(row[3] or "") for row in _ROW.finditer(text)), default=0)
    new = [name for name in columns.names if name not in standing]
    places = [standing[name] if name in standing else first + new.index(name) for name in columns.names]
    wanting = {columns.header_row: columns.names, **columns.cells}
    written: set[int] = set()
    number = 0

    def edit(row: re.Match[str]) -> str:
        nonlocal number
        named = _NUMBER.search(row[2])
        number = int(named[1]) if named else number + 1
        if number not in wanting:
            return row[0]
        written.add(number)
        prefix, attributes = row[1], _SPANS.sub("", row[2])
        content = _put_cells(row[3] or "", prefix, number, dict(zip(places, wanting[number], strict=True)))
        return f"<{prefix}row{attributes}>{content}</{prefix}row>"

    edited = _ROW.sub(edit, text)
    if written != set(wanting):
        raise _NotEditable
    last = first + len(new) - 1
    return _widen(_DIMENSION.sub(lambda dimension: _extend(dimension, last), edited, count=1), first, last)


def _put_cells(content: str, prefix: str, number: int, values: Mapping[int, Cell]) -> str:
    """Put cells into a row in the order of the columns; a cell that stands at such a place gives way."""
    parts, end, position, style = [], 0, 0, ""
    waiting = sorted(values.items())

    def write(column: int, value: Cell) -> str:
        return _write_cell(prefix, f"{write_column_letters(column)}{number}", f" {style}" if style else "", value)

    for cell in _CELL.finditer(content):
        position = _read_column(cell[2], position)
        while waiting and waiting[0][0] < position:
            if not _LETTERS.search(cell[2]):
                raise _NotEditable  # It would move: it names no column of its own.
            parts.append(write(*waiting.pop(0)))
        parts.append(content[end : cell.start()])
        end = cell.end()
        if cell[3]:  # An empty cell says nothing of how the next one should look.
            style = "".join(_STYLE.findall(cell[2])[:1])
        parts.append(write(*waiting.pop(0)) if waiting and waiting[0][0] == position else cell[0])
    return "".join([*parts, *(write(*one) for one in waiting), content[end:]])


def _write_cell(prefix: str, name: str, mark: str, value: Cell) -> str:
    if isinstance(value, float | int):
        return f'<{prefix}c r="{name}"{mark}><{prefix}v>{value!r}</{prefix}v></{prefix}c>'
    if not value:
        return ""
    text = escape(FORBIDDEN.sub("", value)[:LONGEST_CELL])
    inner = f'<{prefix}is><{prefix}t xml:space="preserve">{text}</{prefix}t></{prefix}is>'
    return f'<{prefix}c r="{name}"{mark} t="inlineStr">{inner}</{prefix}c>'


def _find_last_column(content: str) -> int:
    """Return the last column of a row that holds anything; 0 for none."""
    last = position = 0
    for cell in _CELL.finditer(content):
        position = _read_column(cell[2], position)
        last = position if cell[3] else last
    return last


def _read_column(attributes: str, before: int) -> int:
    """Return the column of a cell, from 1; one that names none stands behind the one before."""
    letters = _LETTERS.search(attributes)
    return parse_column_letters(letters[1].encode()) if letters else before + 1


def write_column_letters(number: int) -> str:
    """Return the letters of a column, counted from 1.

    Examples
    --------
    >>> write_column_letters(1), write_column_letters(26), write_column_letters(28)
    ('A', 'Z', 'AB')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _extend(dimension: re.Match[str], last: int) -> str:
    end = max(last, parse_column_letters(dimension[2].encode()))
    return f"{dimension[1]}{write_column_letters(end)}{dimension[3]}"


def _widen(text: str, first: int, last: int) -> str:
    """Give the new columns a width, where the sheet's own widths leave room for them."""
    if last < first:
        return text
    widths = _WIDTHS.search(text)
    if widths is None:
        start = re.search(r"<((?:\w+:)?)sheetData[\s/>]", text)
        if start is None:
            return text
        width = _write_width(start[1], first, last)
        return f"{text[: start.start()]}<{start[1]}cols>{width}</{start[1]}cols>{text[start.start() :]}"
    end = max((int(value) for value in _LAST_WIDTH.findall(widths[2])), default=0)
    if end >= last:
        return text
    width = _write_width(widths[1], max(first, end + 1), last)
    return f"{text[: widths.end(2)]}{width}{text[widths.end(2) :]}"


def _write_width(prefix: str, first: int, last: int) -> str:
    return f'<{prefix}col min="{first}" max="{last}" width="{_COLUMN_WIDTH}" customWidth="1"/>'
