"""Tables of text: CSV and its kin. No row vanishes: what cannot be used is set aside, and named by its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from headstart.data.columns.cells import compact_cells, join_cell_parts, make_header_names
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.reading.decoding import as_data_errors, find_encoding
from headstart.data.reading.headerless import name_columns, require_label_first
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_limits import LIMITS, require_size
from headstart.data.reading.text_tables import BLANK_SEPARATOR, TextTable
from headstart.errors import DataError, list_offenders
from headstart.records import Finding, SetAside
from headstart.results.findings import make_finding

_CHUNK_ROWS = 4096
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", BLANK_SEPARATOR: "blank"}


def read_delimited(path: Path, encoding: str | None) -> RawTable:
    """Read a table of text.

    Parameters
    ----------
    path : Path
    encoding : str, optional

    Raises
    ------
    DataError
        The encoding cannot be known, a quotation mark is never closed, or most rows have more or fewer cells than the
        header.
    """
    decoding = find_encoding(path, encoding)
    with as_data_errors():
        table = TextTable.open(path, decoding.encoding, decoding.errors)
        header = list(table.header)
        generated_names = name_columns(header, read_first_rows(table), table.text_format.decimal_comma)
        headerless = generated_names is not None
        names = generated_names or _name_header_columns(header)
        require_size(path, 0, len(names))
        rows = _read_rows(table, names, headerless)
    _refuse_ragged(table, len(names), len(rows.lines))
    if headerless and names[0] == "label":
        require_label_first(path.name, list(rows.columns.values()))
    return RawTable(
        name=path.name,
        columns=rows.columns,
        rows=rows.lines,
        decimal_comma=table.text_format.decimal_comma,
        set_aside=rows.set_aside,
        findings=(*decoding.findings, *_make_findings(table)),
        headerless=headerless,
        n_lines=table.n_lines,
    )


def read_first_rows(table: TextTable) -> list[list[str]]:
    """Return a few rows below the first."""
    copy = TextTable(table.path, table.text_format, table.header, table.first_line)
    rows = islice(copy.read_rows(len(table.header)), COLUMN_RULES.header_sample_rows)
    return [cells for _, cells in rows if not isinstance(cells, str)]


def _name_header_columns(header: list[str]) -> list[str]:
    while header and not header[-1].strip():
        header.pop()
    return make_header_names(header)


@dataclass(frozen=True)
class _DelimitedRows:
    """All rows of a table of text: the line of each, the columns, and the rows set aside."""

    lines: list[int]
    columns: dict[str, NDArray[Any]]
    set_aside: tuple[SetAside, ...]


def _read_rows(table: TextTable, names: Sequence[str], headerless: bool) -> _DelimitedRows:
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    lines: list[int] = []
    set_aside: list[SetAside] = []
    chunk: list[list[str]] = []

    def flush() -> None:
        for position, part in enumerate(parts):
            part.append(compact_cells([cells[position] for cells in chunk]))
        chunk.clear()
        require_size(table.path, len(lines), len(names), LIMITS)

    for line, cells in table.read_rows(len(names), headerless):
        if isinstance(cells, str):
            set_aside.append(SetAside(f"{table.path.name}:{line}", cells))
            continue
        chunk.append(cells)
        lines.append(line)
        if len(chunk) == _CHUNK_ROWS:
            flush()
    if chunk:
        flush()
    columns = {name: join_cell_parts(part) for name, part in zip(names, parts, strict=True)}
    return _DelimitedRows(lines, columns, tuple(set_aside))


def _refuse_ragged(table: TextTable, n_columns: int, n_rows: int) -> None:
    """Refuse a table most of whose rows do not have as many cells as its header.

    Raises
    ------
    DataError
        Naming the likely reason.
    """
    n_long, n_short = len(table.too_long_lines), len(table.too_short_lines)
    if n_long + n_short <= LIMITS.ragged_share * (n_rows + n_long + n_short):
        return
    separator_name = _SEPARATORS.get(table.text_format.separator, "separator")
    lines, comparison = (table.too_long_lines, "more") if n_long >= n_short else (table.too_short_lines, "fewer")
    where = list_offenders([f"line {line}" for line in lines])
    problem = (
        f"{table.path}: {len(lines)} of {n_rows + n_long + n_short} rows have {comparison} cells than the header, "
        f"which has {n_columns} ({where})."
    )
    if comparison == "more":
        hint = (
            f"A {separator_name} inside a text parts it in two: put the texts in quotation marks, or save the table as "
            "XLSX."
        )
    else:
        hint = (
            f"Write a {separator_name} for each cell, empty ones too, and quotation marks around texts of several "
            "lines."
        )
    raise DataError(problem, hint)


def _make_findings(table: TextTable) -> list[Finding]:
    findings = []

    def add_finding(code: str, summary: str, lines: Iterable[int], advice: str = "") -> None:
        rows = tuple(f"{table.path.name}:{line}" for line in lines)
        findings.append(make_finding(code, summary, rows, advice=advice))

    if table.stray_spans:
        n_lines = sum(last - first + 1 for first, last in table.stray_spans)
        summary = (
            "A quotation mark that does not belong there would make one row of several lines "
            f"({_format_spans(table.stray_spans)}); these {n_lines} lines were read as rows by themselves."
        )
        add_finding("stray-quotes", summary, (first for first, _ in table.stray_spans))
    if table.long_spans:
        summary = f"A cell runs over many lines, or over lines that look like rows ({_format_spans(table.long_spans)})."
        add_finding("cell-of-many-lines", summary, (first for first, _ in table.long_spans))
    for lines, comparison in ((table.too_long_lines, "more"), (table.too_short_lines, "fewer")):
        if lines:
            have = "1 row has" if len(lines) == 1 else f"{len(lines)} rows have"
            summary = f"{have} {comparison} cells than the header and are set aside ({_format_lines(lines)})."
            add_finding("ragged-rows", summary, lines, advice=comparison)
    if table.filled_lines:
        have = "1 row ends" if len(table.filled_lines) == 1 else f"{len(table.filled_lines)} rows end"
        where = _format_lines(table.filled_lines)
        summary = f"{have} before the last column; the missing cells were read as empty ({where})."
        add_finding("rows-cut-short", summary, table.filled_lines, advice="nothing-if-right")
    return findings


def _format_spans(spans: Sequence[tuple[int, int]]) -> str:
    return list_offenders([f"lines {first} to {last}" for first, last in spans])


def _format_lines(lines: Sequence[int]) -> str:
    return list_offenders([f"line {line}" for line in lines])
