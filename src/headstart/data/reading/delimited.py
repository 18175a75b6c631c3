"""Tables of text: CSV and its kin. No row vanishes: what cannot be used is set aside, and named by its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from headstart.data.columns.cells import compact, header_names, joined
from headstart.data.reading.decoding import as_data_errors, find_encoding
from headstart.data.reading.headerless import LOOKED_AT, name_columns, require_label_first
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_limits import LIMITS, require_size
from headstart.data.reading.text_tables import BLANK, TextTable
from headstart.errors import DataError, offenders
from headstart.records import Finding, SetAside

_CHUNK_ROWS = 4096
_RAGGED_SHARE = 0.5
"""With a larger share of rows of another number of cells than the header the table is refused."""
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", BLANK: "blank"}


def read_delimited(path: Path, encoding: str | None) -> RawTable:
    """Read a table of text.

    Raises
    ------
    DataError
        The encoding cannot be told, a quotation mark is never closed, or most rows have more or fewer cells than the
        header.
    """
    decoding = find_encoding(path, encoding)
    with as_data_errors():
        table = TextTable.open(path, decoding.encoding, decoding.errors)
        header = list(table.header)
        made_up = name_columns(header, _first_rows(table), table.form.decimal_comma)
        headerless = made_up is not None
        names = made_up or _names_of(header)
        require_size(path, 0, len(names))
        rows, columns, set_aside = _gather(table, names, headerless)
    _refuse_ragged(table, len(names), len(rows))
    if headerless and names[0] == "label":
        require_label_first(path.name, list(columns.values()))
    return RawTable(
        name=path.name,
        columns=columns,
        rows=rows,
        decimal_comma=table.form.decimal_comma,
        set_aside=tuple(SetAside(f"{path.name}:{line}", reason) for line, reason in set_aside),
        findings=(*decoding.findings, *_findings(table)),
        headerless=headerless,
        n_lines=table.n_lines,
    )


def _first_rows(table: TextTable) -> list[list[str]]:
    """Return a few rows below the first."""
    copy = TextTable(table.path, table.form, table.header, table.first_line)
    rows = islice(copy.rows(len(table.header)), LOOKED_AT)
    return [cells for _, cells in rows if not isinstance(cells, str)]


def _names_of(header: list[str]) -> list[str]:
    while header and not header[-1].strip():
        header.pop()
    return header_names(header)


def _gather(
    table: TextTable, names: Sequence[str], headerless: bool
) -> tuple[list[int], dict[str, NDArray[Any]], list[tuple[int, str]]]:
    """Read all rows: the line of each, the columns, and what was set aside."""
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    lines: list[int] = []
    set_aside: list[tuple[int, str]] = []
    chunk: list[list[str]] = []

    def flush() -> None:
        for position, part in enumerate(parts):
            part.append(compact([cells[position] for cells in chunk]))
        chunk.clear()
        require_size(table.path, len(lines), len(names), LIMITS)

    for line, cells in table.rows(len(names), headerless):
        if isinstance(cells, str):
            set_aside.append((line, cells))
            continue
        chunk.append(cells)
        lines.append(line)
        if len(chunk) == _CHUNK_ROWS:
            flush()
    if chunk:
        flush()
    return lines, {name: joined(part) for name, part in zip(names, parts, strict=True)}, set_aside


def _refuse_ragged(table: TextTable, n_columns: int, n_rows: int) -> None:
    """Refuse a table most of whose rows do not have as many cells as its header.

    Raises
    ------
    DataError
        Naming the likely reason.
    """
    n_long, n_short = len(table.too_long), len(table.too_short)
    if n_long + n_short <= _RAGGED_SHARE * (n_rows + n_long + n_short):
        return
    mark = _SEPARATORS.get(table.form.separator, "separator")
    lines, more = (table.too_long, "more") if n_long >= n_short else (table.too_short, "fewer")
    where = offenders([f"line {line}" for line in lines])
    problem = (
        f"{table.path}: {len(lines)} of {n_rows + n_long + n_short} rows have {more} cells than the header, which has "
        f"{n_columns} ({where})."
    )
    if more == "more":
        hint = f"A {mark} inside a text parts it in two: put the texts in quotation marks, or save the table as XLSX."
    else:
        hint = f"Write a {mark} for each cell, empty ones too, and quotation marks around texts of several lines."
    raise DataError(problem, hint)


def _findings(table: TextTable) -> list[Finding]:
    name = table.path.name
    findings = []
    if table.stray:
        n_lines = sum(last - first + 1 for first, last in table.stray)
        summary = (
            f"A quotation mark that does not belong there would make one row of several lines ({_spans(table.stray)}); "
            f"these {n_lines} lines were read as rows by themselves."
        )
        findings.append(
            _at_lines("stray-quotes", name, (first for first, _ in table.stray), summary=summary, advice=_CLOSE)
        )
    if table.long:
        summary = f"A cell runs over many lines, or over lines that look like rows ({_spans(table.long)})."
        advice = f"Look at these lines. {_CLOSE}"
        findings.append(
            _at_lines("cell-of-many-lines", name, (first for first, _ in table.long), summary=summary, advice=advice)
        )
    for lines, what, hint in (
        (table.too_long, "more", "Put texts that hold the separator in quotation marks."),
        (table.too_short, "fewer", "Write a separator for each cell, empty ones too."),
    ):
        if lines:
            have = "1 row has" if len(lines) == 1 else f"{len(lines)} rows have"
            summary = f"{have} {what} cells than the header and are set aside ({_lines(lines)})."
            findings.append(_at_lines("ragged-rows", name, lines, summary=summary, advice=hint))
    if table.filled:
        have = "1 row ends" if len(table.filled) == 1 else f"{len(table.filled)} rows end"
        summary = f"{have} before the last column; the missing cells were read as empty ({_lines(table.filled)})."
        findings.append(
            _at_lines("rows-cut-short", name, table.filled, summary=summary, advice="Nothing to do if that is right.")
        )
    return findings


_CLOSE = "Close or remove the quotation mark if it is a mistake; a mark within a text is written twice."


def _at_lines(kind: str, name: str, lines: Iterable[int], summary: str, advice: str) -> Finding:
    severity = "note" if kind == "rows-cut-short" else "warn"
    return Finding(
        kind=kind, severity=severity, rows=tuple(f"{name}:{line}" for line in lines), summary=summary, advice=advice
    )


def _spans(spans: Sequence[tuple[int, int]]) -> str:
    return offenders([f"lines {first} to {last}" for first, last in spans])


def _lines(lines: Sequence[int]) -> str:
    return offenders([f"line {line}" for line in lines])
