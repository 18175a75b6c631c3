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

from headstart.csv_files import unguarded
from headstart.data.reading.plain_text import TextForm, TextProblem, lines_of

# --- code ---

SEPARATORS = ",;\t|"
NO_SEPARATOR = "\x1f"
"""Stands between the cells of a table of one column: a character that no text has."""
BLANK = " "
"""Parts columns of numbers only, one blank or several, as the older files of the UCR archive have it."""
SAMPLE_CHARACTERS, SAMPLE_ROWS = 1 << 18, 100
FEWEST_STEPS, MOST_TITLES, LONGEST_NAME = 8, 5, 60
SPREADSHEET_ERROR = re.compile(
    r"\s*(#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!"
    r"|GETTING_DATA)|Err:\d{3})\s*",
    re.IGNORECASE,
)
"""What a spreadsheet writes into a cell that it cannot compute."""
MOSTLY, MANY_LINES = 0.9, 10
"""Share of lines that are rows by themselves; lines of one row, and times the usual length, that are odd."""
csv.field_size_limit(2**31 - 1)


def form_of(path: Path, encoding: str, errors: str = "strict") -> TextForm:
    """Find separator and quoting of a table by looking at its beginning."""
    taken, size = [], 0
    for line in lines_of(path, TextForm(encoding, errors)):
        taken.append(line.replace("\0", ""))
        size += len(line)
        if size > SAMPLE_CHARACTERS:
            taken.pop()  # It need not be whole, and its cells would count.
            break
    named = re.fullmatch(r"sep=(.)\r?\n?", taken[0]) if taken else None
    lines = taken[1:] if named else taken
    separator = named[1] if named else find_separator(lines)
    form = TextForm(encoding, errors, separator, n_skipped=1 if named else 0)
    if separator == "\t" and has_literal_quotes(path, form):
        return TextForm(encoding, errors, separator, True, form.n_skipped)
    return form


def find_separator(lines: list[str]) -> str:
    """Return the separator with which most rows have as many cells as the first; none where it parts no header."""
    regular = {mark: regularity(lines, mark) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: regular[mark])
    if regular[best][1] > 1:
        return best
    rows = [cells for line in lines[:SAMPLE_ROWS] if (cells := line.split())]
    widths = {len(cells) for cells in rows}
    is_blank = len(widths) == 1 and min(widths) > FEWEST_STEPS and all(is_number(cell) for row in rows for cell in row)
    return BLANK if is_blank else NO_SEPARATOR


def regularity(lines: list[str], separator: str) -> tuple[float, int]:
    """Return the share of rows with as many cells as the first row, and that number; (0, 0) if it never separates."""
    rows = islice((row for row in csv.reader(lines, delimiter=separator) if row), SAMPLE_ROWS)
    counts = [len(row) for row in rows]
    if not counts or counts[0] < 2:
        return 0.0, 0
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def has_literal_quotes(path: Path, form: TextForm) -> bool:
    """Return whether a tab-separated file uses quotation marks as letters: every line is a full row, some are odd."""
    odd, n_tabs = False, 0
    for line in islice(lines_of(path, form), form.n_skipped, None):
        if not line.strip():
            continue
        n_tabs = n_tabs or line.count("\t")
        if line.count("\t") != n_tabs:
            return False
        odd = odd or line.count('"') % 2 == 1
    return odd


def split_line(line: str, separator: str) -> list[str]:
    """Cut one line into cells; quotation marks that do not fit are letters.

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


class Habits(NamedTuple):
    """What the rows at the beginning of a table have in common.

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

    def fits(self, rows: list[list[str]]) -> bool:
        """Return whether lines are rows by some column: values of other rows, or numbers where others have such."""
        for place, (values, numeric) in enumerate(zip(self.repeated, self.numeric, strict=True)):
            cells = [row[place] for row in rows]
            if all(cell in values for cell in cells) or (numeric and all(map(is_number, cells))):
                return True
        return False


def habits_of(lines: Iterable[str], form: TextForm, n_columns: int) -> Habits:
    """Look at the first rows of a table, one line a row."""
    whole: list[list[str]] = []
    lengths, size, filled = [], 0, []
    for line in lines:
        size += len(line)
        if size > SAMPLE_CHARACTERS or len(whole) >= 2_000:
            break
        cells = split_line(line, form.separator)
        filled.append(bool(line.strip()))
        lengths.append(len(line))
        if len(cells) == n_columns:
            whole.append(cells)
    columns = list(zip(*whole, strict=True)) if whole else [() for _ in range(n_columns)]
    return Habits(
        [{cell for cell, n in Counter(column).items() if n > 1 and cell.strip()} for column in columns],
        [bool(column) and all(is_number(cell) for cell in column) for column in columns],
        [any(not cell.strip() for cell in column) for column in columns],
        float(sorted(lengths)[len(lengths) // 2]) if lengths else 0.0,
        sum(filled) >= FEWEST_STEPS and not any(one == other for one, other in pairwise(filled)),
    )


def is_heading(cells: list[str], names: list[str], rows: list[list[str]]) -> bool:
    """Return whether a row stands above the header, such as the merged cells of a form: it has gaps, the next has none.

    Examples
    --------
    >>> is_heading(["Who", "", "Answer"], ["id", "age", "text"], [["1", "20", "no water"]])
    True
    >>> is_heading(["text", "", "label"], ["no water", "pump", "a"], [["no seeds", "seed", "a"]])
    False
    """
    gaps = [place for place, cell in enumerate(cells) if not cell.strip()]
    inside = [place for place in gaps if any(map(str.strip, cells[:place])) and any(map(str.strip, cells[place:]))]
    if not inside or len(names) < len(cells) or len({*map(str.strip, names)} - {""}) < len(names):
        return False
    if any(is_number(name) or len(name) > LONGEST_NAME for name in names):
        return False
    return bool(rows) and not any(cell == name for row in rows for cell, name in zip(row, names, strict=False))


def cells_reason(n_cells: int, n_columns: int) -> str:
    """Return why a row cannot be used."""
    return f"the row has {n_cells} cell{'s' if n_cells > 1 else ''}, the header has {n_columns}"


class TextTable:
    """A table in a text file; reading its rows fills in what was noticed.

    Parameters
    ----------
    path : Path
    form : TextForm
    header : list of str
        The row that names the columns; `first_line` is its line, from 1.

    Attributes
    ----------
    n_lines : int
        Lines of the file, the header included, once all rows were read.
    n_blank : int
        Lines without a character, and rows without a filled cell at the end of the file.
    stray : list of (int, int)
        First and last line of what a stray quotation mark would have made one row; it was read line by line.
    long : list of (int, int)
        First and last line of rows that are far longer than the others, or whose lines look like rows.
    filled : list of int
        Lines whose missing last cells were taken for empty.
    too_long, too_short : list of int
        Lines with more, and with fewer cells than the header.
    """

    def __init__(self, path: Path, form: TextForm, header: list[str], first_line: int) -> None:
        self.path, self.form, self.header, self.first_line = path, form, header, first_line
        self.n_lines = self.n_blank = 0
        self.stray: list[tuple[int, int]] = []
        self.long: list[tuple[int, int]] = []
        self.filled: list[int] = []
        self.too_long: list[int] = []
        self.too_short: list[int] = []
        self.at_end = False

    @classmethod
    def open(cls, path: Path, encoding: str, errors: str = "strict") -> TextTable:
        """Read the header of a table."""
        table = cls(path, form_of(path, encoding, errors), [], 1)
        filled = ((line, cells) for line, _, cells in table._records() if any(map(str.strip, cells)))
        top = list(islice(filled, MOST_TITLES + SAMPLE_ROWS))
        above = top[: MOST_TITLES + 1] or [(1, [])]
        widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in above]
        n_titles = next((place for place, width in enumerate(widths) if width > 1), 0)
        n_titles = n_titles if len(above[0][1]) > 1 else 0  # Titles are rows of one filled cell and empty ones.
        below = [cells for _, cells in top[n_titles + 1 :]]
        n_titles += bool(below) and is_heading(top[n_titles][1], below[0], below[1:])
        first = (top or above)[n_titles]
        table.first_line, table.header = first[0], [unguarded(cell) for cell in first[1]]
        table.n_lines, table.at_end = 0, False
        return table

    def rows(self, n_columns: int, with_first: bool = False) -> Iterator[tuple[int, list[str] | str]]:
        """Yield the line and the cells of each row below the header; in place of cells, why a row cannot be used.

        Parameters
        ----------
        n_columns : int
            Columns that are named.
        with_first : bool
            The first row is no header but data.
        """
        habits = habits_of(islice(self._lines(), self.first_line, None), self.form, n_columns)
        empty: list[int] = []
        blank_counts = n_columns == 1 and not habits.numeric[0] and not habits.doubled
        for line, taken, cells in self._records():
            if line < self.first_line or (line == self.first_line and not with_first):
                continue
            for number, record in self._resolved(line, taken, cells, (n_columns, habits)):
                if not any(map(str.strip, record)):
                    if record or blank_counts:
                        empty.append(number)  # Counts as a row where another follows; at the end it is no row.
                    else:
                        self.n_blank += 1
                    continue
                yield from ((place, "the row is empty" if n_columns > 1 else [""]) for place in empty)
                empty = []
                yield number, self._fitted(number, record, n_columns, habits)
        self.n_blank += len(empty)

    def _fitted(self, line: int, record: list[str], n_columns: int, habits: Habits) -> list[str] | str:
        """Return as many cells as there are columns, or why that cannot be."""
        if any(map(str.strip, record[n_columns:])):
            self.too_long.append(line)
            return cells_reason(len(record), n_columns)
        if len(record) < n_columns:
            missing = habits.blank[len(record) :]
            if not all(missing) and not (n_columns >= FEWEST_STEPS and is_number(record[-1])):
                self.too_short.append(line)
                return cells_reason(len(record), n_columns)
            self.filled.append(line)
        return [unguarded(cell) for cell in (record + [""] * (n_columns - len(record)))[:n_columns]]

    def _lines(self) -> Iterator[str]:
        for line in lines_of(self.path, self.form):
            plain = line.replace("\0", "")
            yield plain if self.form.separator != BLANK else f"{BLANK.join(plain.split())}\n"

    def _records(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Yield the first line, the raw lines and the cells of each record, empty ones too."""
        taken: list[str] = []

        def remember() -> Iterator[str]:
            for line in islice(self._lines(), self.form.n_skipped, None):
                taken.append(line)
                yield line
            self.at_end = True

        mark, lines = self.form.separator, remember()
        literal = csv.reader(lines, delimiter=mark, quoting=csv.QUOTE_NONE)
        line = 1 + self.form.n_skipped
        for cells in literal if self.form.literal_quotes else csv.reader(lines, delimiter=mark):
            yield line, list(taken), cells
            line += len(taken)
            taken.clear()
            self.n_lines = line - 1

    def _resolved(
        self, line: int, taken: list[str], cells: list[str], shape: tuple[int, Habits]
    ) -> list[tuple[int, list[str]]]:
        """Return the rows of a record: itself, or its lines where a stray quotation mark made them one.

        Raises
        ------
        TextProblem
            A quotation mark is never closed, and the lines below it are no rows.
        """
        if len(taken) < 2 or self.form.literal_quotes:
            return [(line, cells)]
        n_columns, habits = shape
        apart = [split_line(one, self.form.separator) for one in taken]
        whole = [row for row in apart if len(row) == n_columns]
        n_filled = sum(bool(one.strip()) for one in taken)
        alike = self.at_end or not self._is_proper(taken) if n_columns == 1 else habits.fits(whole)
        last = line + len(taken) - 1
        if len(whole) >= MOSTLY * n_filled and (alike or self.at_end):
            self.stray.append((line, last))
            return list(enumerate(apart, start=line))
        if self.at_end:  # The mark has swallowed every row to the end of the file.
            raise TextProblem(
                f"{self.path}: a quotation mark that is opened in line {line} is never closed.",
                "Close or remove it, or save the table as XLSX.",
            )
        much = len(taken) >= MANY_LINES and sum(map(len, taken)) > MANY_LINES * habits.length
        if much or (n_columns > 1 and len(whole) >= max(2, n_filled / 2)):
            self.long.append((line, last))
        return [(line, cells)]

    def _is_proper(self, taken: list[str]) -> bool:
        """Return whether quotation marks open at the beginning and close at the end of cells."""
        try:
            return len(list(csv.reader(taken, delimiter=self.form.separator, strict=True))) > 0
        except csv.Error:
            return False
