"""A table as it was read: columns of text, the lines they stand on, and findings on the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import format_cell, parse_number, parse_numbers
from headstart.data.columns.precision import is_too_fine, make_precision_error, to_single_precision
from headstart.data.reading.text_tables import SPREADSHEET_ERROR
from headstart.errors import DataError, list_offenders
from headstart.records import Column, Finding, SetAside, make_column
from headstart.results.findings import make_finding


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A table as it was read.

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
    sheet : str
        Of a workbook: the sheet that was read.
    header_row : int
        The line of the header.
    """

    name: str
    columns: dict[str, NDArray[Any]]
    rows: list[int]
    decimal_comma: bool = False
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    headerless: bool = False
    n_lines: int = 0
    sheet: str = ""
    header_row: int = 1
    _numbers: dict[str, NDArray[np.float32] | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Columns read as numbers once already."""
    _too_fine: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Those of them whose numbers differ by less than single precision holds."""

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return list(self.columns)

    def texts(self, name: str) -> list[str]:
        """Return a column as strings."""
        values = self.columns[name]
        if values.dtype.kind == "S":
            return list(np.char.decode(values, "ascii").tolist())
        return list(values) if values.dtype == object else [format_cell(value) for value in values.tolist()]

    def column(self, name: str) -> Column:
        """Return a column as strings, in an array of objects."""
        return make_column(self.texts(name))

    def numbers(self, name: str) -> NDArray[np.float32] | None:
        """Return a column as numbers (NaN = missing), or None if it holds anything else."""
        if name not in self._numbers:
            self._numbers[name] = self._parse_numbers(name)
        return self._numbers[name]

    def _parse_numbers(self, name: str) -> NDArray[np.float32] | None:
        values = self.columns[name]
        try:
            exact = values if values.dtype.kind == "f" else parse_numbers(self.texts(name), self.decimal_comma)
        except ValueError:
            return None
        if is_too_fine(exact):
            self._too_fine.add(name)
        return to_single_precision(exact)

    def require_fine(self, names: Sequence[str]) -> None:
        """Refuse columns whose numbers differ by less than single precision holds.

        Raises
        ------
        DataError
            Most of these columns are such.
        """
        fine = [name for name in names if self.numbers(name) is not None and name in self._too_fine]
        if 2 * len(fine) > len(names):
            raise make_precision_error(f"{self.name}, column {fine[0]}", self.texts(fine[0])[:2])

    def require_numbers(self, name: str) -> NDArray[np.float32]:
        """Return a column that has to be numbers.

        Raises
        ------
        DataError
            A cell is none; names the cells.
        """
        numbers = self.numbers(name)
        if numbers is None:
            cells = [f"row {row}: {cell[:20]!r}" for row, cell in self.find_bad_cells(name)]
            raise DataError(
                f"{self.name}: {len(cells)} cells of the column {name} are not numbers ({list_offenders(cells)}).",
                "Correct or empty these cells.",
            )
        return numbers

    def has_numbers(self, name: str) -> bool:
        """Return whether a column holds numbers and nothing else, and at least one."""
        numbers = self.numbers(name)
        return numbers is not None and bool(np.isfinite(numbers).any())

    def is_mostly_numbers(self, name: str) -> bool:
        """Return whether most cells of a column are numbers or missing."""
        return self.numbers(name) is not None or 2 * len(self.find_bad_cells(name)) < len(self.rows)

    def find_bad_cells(self, name: str) -> list[tuple[int, str]]:
        """Return row and text of the cells of a column that are no numbers."""
        bad_cells = []
        for row, text in zip(self.rows, self.texts(name), strict=True):
            try:
                parse_number(text, self.decimal_comma)
            except ValueError:
                bad_cells.append((row, text))
        return bad_cells

    def set_rows_aside(self, reasons: Mapping[int, str]) -> RawTable:
        """Return the table with some rows set aside; `reasons` are by row number."""
        if not reasons:
            return self
        is_retained = np.array([row not in reasons for row in self.rows], dtype=bool)
        set_aside = tuple(SetAside(f"{self.name}:{row}", reason) for row, reason in sorted(reasons.items()))
        columns = {name: values[is_retained] for name, values in self.columns.items()}
        rows = [row for row in self.rows if row not in reasons]
        return replace(self, columns=columns, rows=rows, set_aside=(*self.set_aside, *set_aside))

    def rename_columns(self, names: Sequence[str]) -> RawTable:
        """Return the table with other names for its columns."""
        return replace(self, columns=dict(zip(names, self.columns.values(), strict=True)))


def clear_spreadsheet_errors(raw_table: RawTable) -> RawTable:
    """Return a table in which errors of a spreadsheet, such as #N/A, are missing values; they are counted.

    Parameters
    ----------
    raw_table : RawTable
    """
    columns, counts = dict(raw_table.columns), {}
    lines: set[int] = set()
    for name, values in raw_table.columns.items():
        error_rows = _find_error_rows(values)
        if not error_rows:
            continue
        columns[name] = values.copy()
        columns[name][error_rows] = b"" if values.dtype.kind == "S" else ""
        counts[name] = len(error_rows)
        lines.update(raw_table.rows[position] for position in error_rows)
    if not counts:
        return raw_table
    first = next(iter(counts))
    example = raw_table.texts(first)[_find_error_rows(raw_table.columns[first])[0]].strip()
    total = sum(counts.values())
    are = "1 cell holds" if total == 1 else f"{total} cells hold"
    where = list_offenders([f"{name}: {n}" for name, n in counts.items()])
    summary = f"{are} an error of the spreadsheet, such as {example}, and count as missing ({where})."
    rows = tuple(f"{raw_table.name}:{line}" for line in sorted(lines))
    note = make_finding("spreadsheet-errors", summary, rows)
    return replace(raw_table, columns=columns, findings=(*raw_table.findings, note))


def _find_error_rows(values: NDArray[Any]) -> list[int]:
    if values.dtype.kind == "f":
        return []
    if values.dtype.kind == "S":
        candidates = np.flatnonzero(
            (np.char.find(values, b"#") >= 0) | (np.char.find(np.char.lower(values), b"err:") >= 0)
        )
        return [
            int(position) for position in candidates if SPREADSHEET_ERROR.fullmatch(values[position].decode("ascii"))
        ]
    return [position for position, text in enumerate(values) if len(text) < 24 and SPREADSHEET_ERROR.fullmatch(text)]
