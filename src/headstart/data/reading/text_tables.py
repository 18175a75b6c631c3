"""Tables in text files, read with the standard library alone: `predict.py` carries this very code along.

No row vanishes: each line below the header belongs to a row, is empty, or has a reason.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from headstart.csv_files import unguard_cell
from headstart.data.reading.plain_text import TextFormat, TextProblem, read_lines

# --- code ---

SEPARATORS = ",;\t|"
NO_SEPARATOR = "\x1f"
"""Stands between the cells of a table of one column: a character that no text has."""
BLANK_SEPARATOR = " "
"""Parts columns of numbers only, one blank or several, as the older files of the UCR archive have it."""
SAMPLE_CHARACTERS, SAMPLE_ROWS = 1 << 18, 100
FEWEST_STEPS, MOST_TITLES, LONGEST_NAME = 8, 5, 60
SPREADSHEET_ERROR = re.compile(
    r"\s*(#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!"
    r"|GETTING_DATA)|Err:\d{3})\s*",
    re.IGNORECASE,
)
"""What a spreadsheet writes into a cell that it cannot compute."""
MOSTLY_SHARE, MANY_LINES = 0.9, 10
"""Share of lines that are rows by themselves; lines of one row, and times the usual length, that are odd."""
csv.field_size_limit(2**31 - 1)


def detect_text_format(path: Path, encoding: str, errors: str = "strict") -> TextFormat:
    """Find separator and quoting of a table by looking at its beginning."""
    lines, size = [], 0
    for line in read_lines(path, TextFormat(encoding, errors)):
        lines.append(line.replace("\0", ""))
        size += len(line)
        if size > SAMPLE_CHARACTERS:
            lines.pop()  # It need not be whole, and its cells would count.
            break
    separator_line = re.fullmatch(r"sep=(.)\r?\n?", lines[0]) if lines else None
    table_lines = lines[1:] if separator_line else lines
    separator = separator_line[1] if separator_line else find_separator(table_lines)
    text_format = TextFormat(encoding, errors, separator, n_skipped=1 if separator_line else 0)
    if separator == "\t" and has_literal_quotes(path, text_format):
        return text_format._replace(literal_quotes=True)
    return text_format


def find_separator(lines: list[str]) -> str:
    """Return the separator with which most rows have as many cells as the first; none where it parts no header."""
    regularities = {separator: measure_regularity(lines, separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: regularities[separator])
    if regularities[best][1] > 1:
        return best
    rows = [cells for line in lines[:SAMPLE_ROWS] if (cells := line.split())]
    widths = {len(cells) for cells in rows}
    is_blank = len(widths) == 1 and min(widths) > FEWEST_STEPS and all(is_number(cell) for row in rows for cell in row)
    return BLANK_SEPARATOR if is_blank else NO_SEPARATOR


def measure_regularity(lines: list[str], separator: str) -> tuple[float, int]:
    """Return the share of rows with as many cells as the first row, and that number; (0, 0) if it never separates."""
    rows = islice((row for row in csv.reader(lines, delimiter=separator) if row), SAMPLE_ROWS)
    counts = [len(row) for row in rows]
    if not counts or counts[0] < 2:
        return 0.0, 0
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def has_literal_quotes(path: Path, text_format: TextFormat) -> bool:
    """Return whether a tab-separated file uses quotation marks as letters: every line is a full row, some are odd."""
    has_odd_quotes, n_tabs = False, 0
    for line in islice(read_lines(path, text_format), text_format.n_skipped, None):
        if not line.strip():
            continue
        n_tabs = n_tabs or line.count("\t")
        if line.count("\t") != n_tabs:
            return False
        has_odd_quotes = has_odd_quotes or line.count('"') % 2 == 1
    return has_odd_quotes


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of one line; quotation marks that do not fit are letters.

    Examples
    --------
    >>> split_line('"a, b",x', ","), split_line('"a b,x', ",")
    (['a, b', 'x'], ['"a b', 'x'])
    """
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return next(csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE), [])


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return True


class RowHabits(NamedTuple):
    """Common properties of the rows at the beginning of a table.

    Parameters
    ----------
    repeated : list of set of str
        For each column the values that occur more than once.
    numeric : list of bool
        Whether a column holds numbers.
    blank : list of bool
        Whether a column is empty in some row.
    length : float
        Median length of a line.
    doubled : bool
        Every other line is empty, as where line ends were written twice.
    """

    repeated: list[set[str]]
    numeric: list[bool]
    blank: list[bool]
    length: float
    doubled: bool

    def match_rows(self, rows: list[list[str]]) -> bool:
        """Return whether lines are rows by some column: values of other rows, or numbers where others have such."""
        for position, (values, numeric) in enumerate(zip(self.repeated, self.numeric, strict=True)):
            cells = [row[position] for row in rows]
            if all(cell in values for cell in cells) or (numeric and all(map(is_number, cells))):
                return True
        return False


def summarise_rows(lines: Iterable[str], text_format: TextFormat, n_columns: int) -> RowHabits:
    """Return what the first rows of a table have in common, one line a row."""
    full_rows: list[list[str]] = []
    lengths, n_characters, filled = [], 0, []
    for line in lines:
        n_characters += len(line)
        if n_characters > SAMPLE_CHARACTERS or len(full_rows) >= 2_000:
            break
        cells = split_line(line, text_format.separator)
        filled.append(bool(line.strip()))
        lengths.append(len(line))
        if len(cells) == n_columns:
            full_rows.append(cells)
    columns = list(zip(*full_rows, strict=True)) if full_rows else [() for _ in range(n_columns)]
    return RowHabits(
        repeated=[{cell for cell, n in Counter(column).items() if n > 1 and cell.strip()} for column in columns],
        numeric=[bool(column) and all(is_number(cell) for cell in column) for column in columns],
        blank=[any(not cell.strip() for cell in column) for column in columns],
        length=float(sorted(lengths)[len(lengths) // 2]) if lengths else 0.0,
        doubled=sum(filled) >= FEWEST_STEPS and not any(first == second for first, second in pairwise(filled)),
    )


def is_heading(cells: list[str], names: list[str], rows: list[list[str]]) -> bool:
    """Return whether a row stands above the header, such as the merged cells of a form: it has gaps, the next has none.

    Parameters
    ----------
    cells : list of str
        Cells of the first row.
    names : list of str
        Cells of the second row.
    rows : list of list of str
        Some rows below.

    Examples
    --------
    >>> is_heading(["Who", "", "Answer"], ["id", "age", "text"], [["1", "20", "no water"]])
    True
    >>> is_heading(["text", "", "label"], ["no water", "pump", "a"], [["no seeds", "seed", "a"]])
    False
    """
    gaps = [position for position, cell in enumerate(cells) if not cell.strip()]
    inside = [
        position for position in gaps if any(map(str.strip, cells[:position])) and any(map(str.strip, cells[position:]))
    ]
    if not inside or len(names) < len(cells) or len({*map(str.strip, names)} - {""}) < len(names):
        return False
    if any(is_number(name) or len(name) > LONGEST_NAME for name in names):
        return False
    return bool(rows) and not any(cell == name for row in rows for cell, name in zip(row, names, strict=False))


def explain_cell_count(n_cells: int, n_columns: int) -> str:
    """Return why a row cannot be used."""
    return f"the row has {n_cells} cell{'s' if n_cells > 1 else ''}, the header has {n_columns}"


class TextTable:
    """A table in a text file; reading its rows fills in what was noticed.

    Parameters
    ----------
    path : Path
    text_format : TextFormat
    header : list of str
        The row that names the columns; `first_line` is its line, from 1.

    Attributes
    ----------
    n_lines : int
        Lines of the file, the header included, once all rows were read.
    n_blank : int
        Lines without a character, and rows without a filled cell at the end of the file.
    stray_spans : list of (int, int)
        First and last line of what a stray quotation mark would have made one row; it was read line by line.
    long_spans : list of (int, int)
        First and last line of rows that are far longer than the others, or whose lines look like rows.
    filled_lines : list of int
        Lines whose missing last cells were taken for empty.
    too_long_lines, too_short_lines : list of int
        Lines with more, and with fewer cells than the header.
    """

    def __init__(self, path: Path, text_format: TextFormat, header: list[str], first_line: int) -> None:
        self.path, self.text_format, self.header, self.first_line = path, text_format, header, first_line
        self.n_lines = self.n_blank = 0
        self.stray_spans: list[tuple[int, int]] = []
        self.long_spans: list[tuple[int, int]] = []
        self.filled_lines: list[int] = []
        self.too_long_lines: list[int] = []
        self.too_short_lines: list[int] = []
        self.is_at_end = False

    @classmethod
    def open(cls, path: Path, encoding: str, errors: str = "strict") -> TextTable:
        """Read the header of a table."""
        table = cls(path, detect_text_format(path, encoding, errors), [], 1)
        filled = ((line, cells) for line, _, cells in table._read_records() if any(map(str.strip, cells)))
        top = list(islice(filled, MOST_TITLES + SAMPLE_ROWS))
        above = top[: MOST_TITLES + 1] or [(1, [])]
        widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in above]
        n_titles = next((position for position, width in enumerate(widths) if width > 1), 0)
        n_titles = n_titles if len(above[0][1]) > 1 else 0  # Titles are rows of one filled cell and empty ones.
        below = [cells for _, cells in top[n_titles + 1 :]]
        n_titles += bool(below) and is_heading(top[n_titles][1], below[0], below[1:])
        first = (top or above)[n_titles]
        table.first_line, table.header = first[0], [unguard_cell(cell) for cell in first[1]]
        table.n_lines, table.is_at_end = 0, False
        return table

    def read_rows(self, n_columns: int, with_first: bool = False) -> Iterator[tuple[int, list[str] | str]]:
        """Yield the line and the cells of each row below the header; in place of cells, why a row cannot be used.

        Parameters
        ----------
        n_columns : int
            Columns that are named.
        with_first : bool
            The first row is no header but data.
        """
        habits = summarise_rows(islice(self._read_lines(), self.first_line, None), self.text_format, n_columns)
        empty: list[int] = []
        blank_counts = n_columns == 1 and not habits.numeric[0] and not habits.doubled
        for line, raw_lines, cells in self._read_records():
            if line < self.first_line or (line == self.first_line and not with_first):
                continue
            for number, record in self._resolve_record(line, raw_lines, cells, n_columns=n_columns, habits=habits):
                if not any(map(str.strip, record)):
                    if record or blank_counts:
                        empty.append(number)  # Counts as a row where another follows; at the end it is no row.
                    else:
                        self.n_blank += 1
                    continue
                yield from ((position, "the row is empty" if n_columns > 1 else [""]) for position in empty)
                empty = []
                yield number, self._fit_cells(number, record, n_columns, habits)
        self.n_blank += len(empty)

    def _fit_cells(self, line: int, record: list[str], n_columns: int, habits: RowHabits) -> list[str] | str:
        """Return as many cells as there are columns, or why that cannot be."""
        if any(map(str.strip, record[n_columns:])):
            self.too_long_lines.append(line)
            return explain_cell_count(len(record), n_columns)
        if len(record) < n_columns:
            missing = habits.blank[len(record) :]
            if not all(missing) and not (n_columns >= FEWEST_STEPS and is_number(record[-1])):
                self.too_short_lines.append(line)
                return explain_cell_count(len(record), n_columns)
            self.filled_lines.append(line)
        return [unguard_cell(cell) for cell in (record + [""] * (n_columns - len(record)))[:n_columns]]

    def _read_lines(self) -> Iterator[str]:
        for line in read_lines(self.path, self.text_format):
            plain = line.replace("\0", "")
            yield plain if self.text_format.separator != BLANK_SEPARATOR else f"{BLANK_SEPARATOR.join(plain.split())}\n"

    def _read_records(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Yield the first line, the raw lines and the cells of each record, empty ones too."""
        raw_lines: list[str] = []

        def remember() -> Iterator[str]:
            for line in islice(self._read_lines(), self.text_format.n_skipped, None):
                raw_lines.append(line)
                yield line
            self.is_at_end = True

        separator, lines = self.text_format.separator, remember()
        literal = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
        line = 1 + self.text_format.n_skipped
        for cells in literal if self.text_format.literal_quotes else csv.reader(lines, delimiter=separator):
            yield line, list(raw_lines), cells
            line += len(raw_lines)
            raw_lines.clear()
            self.n_lines = line - 1

    def _resolve_record(
        self, line: int, raw_lines: list[str], cells: list[str], n_columns: int, habits: RowHabits
    ) -> list[tuple[int, list[str]]]:
        """Return the rows of a record: itself, or its lines where a stray quotation mark made them one.

        Raises
        ------
        TextProblem
            A quotation mark is never closed, and the lines below it are no rows.
        """
        if len(raw_lines) < 2 or self.text_format.literal_quotes:
            return [(line, cells)]
        split_lines = [split_line(line_text, self.text_format.separator) for line_text in raw_lines]
        full_rows = [row for row in split_lines if len(row) == n_columns]
        n_filled = sum(bool(line_text.strip()) for line_text in raw_lines)
        looks_like_rows = (
            self.is_at_end or not self._has_proper_quotes(raw_lines) if n_columns == 1 else habits.match_rows(full_rows)
        )
        last = line + len(raw_lines) - 1
        if len(full_rows) >= MOSTLY_SHARE * n_filled and (looks_like_rows or self.is_at_end):
            self.stray_spans.append((line, last))
            return list(enumerate(split_lines, start=line))
        if self.is_at_end:  # The mark has swallowed every row to the end of the file.
            raise TextProblem(
                f"{self.path}: a quotation mark that is opened in line {line} is never closed.",
                "Close or remove it, or save the table as XLSX.",
            )
        is_far_longer = len(raw_lines) >= MANY_LINES and sum(map(len, raw_lines)) > MANY_LINES * habits.length
        if is_far_longer or (n_columns > 1 and len(full_rows) >= max(2, n_filled / 2)):
            self.long_spans.append((line, last))
        return [(line, cells)]

    def _has_proper_quotes(self, raw_lines: list[str]) -> bool:
        """Return whether quotation marks open at the beginning and close at the end of cells."""
        try:
            return len(list(csv.reader(raw_lines, delimiter=self.text_format.separator, strict=True))) > 0
        except csv.Error:
            return False
