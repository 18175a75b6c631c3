"""One table as it was read: columns of text, the lines they stand on, and what a person should know of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.cells import as_text, parse_number, parse_numbers
from headstart.data.reading.text_tables import SPREADSHEET_ERROR
from headstart.errors import offenders
from headstart.records import Column, Finding, SetAside, column


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
        The line of the file on which each row begins (of formats without lines: its number); the header is line 1.
    decimal_comma : bool
        Whether "1,5" is a number.
    n_lines : int
        Lines of the file, the header and empty ones included; 0 where the format has none.
    """

    name: str
    columns: dict[str, NDArray[Any]]
    rows: list[int]
    decimal_comma: bool = False
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    headerless: bool = False
    n_lines: int = 0

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
        values = self.columns[name]
        if values.dtype.kind == "f":
            return values.astype(np.float32)
        try:
            return parse_numbers(self.texts(name), self.decimal_comma)
        except ValueError:
            return None

    def bad_numbers(self, name: str) -> list[str]:
        """Name the cells of a column that are no numbers, with row and column."""
        bad = []
        for row, text in zip(self.rows, self.texts(name), strict=True):
            try:
                parse_number(text, self.decimal_comma)
            except ValueError:
                bad.append(f"row {row}, column {name}: {text[:20]!r}")
        return bad


def without_errors(sheet: Sheet) -> Sheet:
    """Return a sheet in which what a spreadsheet says of a cell, such as #N/A, is a missing value; it is counted."""
    columns, counts = dict(sheet.columns), {}
    lines: set[int] = set()
    for name, values in sheet.columns.items():
        places = _error_places(values)
        if not places:
            continue
        columns[name] = values.copy()
        columns[name][places] = b"" if values.dtype.kind == "S" else ""
        counts[name] = len(places)
        lines.update(sheet.rows[place] for place in places)
    if not counts:
        return sheet
    first = next(iter(counts))
    shown = sheet.texts(first)[_error_places(sheet.columns[first])[0]].strip()
    total = sum(counts.values())
    are = "1 cell holds" if total == 1 else f"{total} cells hold"
    where = offenders([f"{name}: {n}" for name, n in counts.items()])
    summary = f"{are} an error of the spreadsheet, such as {shown}, and count as missing ({where})."
    rows = tuple(f"{sheet.name}:{line}" for line in sorted(lines))
    advice = "Correct the formula or the look-up in these rows, or leave them out."
    note = Finding("spreadsheet-errors", "warn", rows, summary, advice)
    return replace(sheet, columns=columns, findings=(*sheet.findings, note))


def _error_places(values: NDArray[Any]) -> list[int]:
    if values.dtype.kind == "f":
        return []
    if values.dtype.kind == "S":
        likely = np.flatnonzero((np.char.find(values, b"#") >= 0) | (np.char.find(np.char.lower(values), b"err:") >= 0))
        return [int(place) for place in likely if SPREADSHEET_ERROR.fullmatch(values[place].decode("ascii"))]
    return [place for place, text in enumerate(values) if len(text) < 24 and SPREADSHEET_ERROR.fullmatch(text)]
