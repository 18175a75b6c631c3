"""The one writer of CSV files: no cell that it writes is run as a formula by a spreadsheet.

A text that begins like a formula gets an apostrophe before it, and our readers take it off again. Numbers stay numbers.
`predict.py` carries this very code along; it needs the standard library only.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

# --- code ---

FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""Beginnings that spreadsheets take for a formula; with apostrophes before them, so that the guard can be taken off."""


def guard_cell(cell: object) -> object:
    """Return a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe.

    Parameters
    ----------
    cell : Texts that begin like a formula are guarded
        numbers and other values are not.

    Examples
    --------
    >>> [guard_cell(cell) for cell in ("=1+1", "-0.5", "- none", "'=1", "water", -2.5)]
    ["'=1+1", '-0.5', "'- none", "''=1", 'water', -2.5]
    """
    if not isinstance(cell, str) or not FORMULA.match(cell) or is_finite_number(cell):
        return cell
    return f"'{cell}"


def unguard_cell(cell: str) -> str:
    """Return what a cell was before `guard_cell`.

    Parameters
    ----------
    cell : str
        As read from a file.

    Examples
    --------
    >>> [unguard_cell(cell) for cell in ("'=1+1", "''=1", "'tis", "-0.5")]
    ['=1+1', "'=1", "'tis", '-0.5']
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def is_finite_number(cell: str) -> bool:
    """Return whether a cell is a number, such as "-0.5".

    Parameters
    ----------
    cell : str
    """
    try:
        return math.isfinite(float(cell)) and cell == cell.strip()
    except ValueError:
        return False


def write_csv_rows(
    handle: TextIO, rows: Iterable[Sequence[object]], delimiter: str = ",", line_end: str = "\n"
) -> None:
    """Write rows as lines of a CSV file, every cell guarded.

    Parameters
    ----------
    handle : TextIO
        Opened for writing with newline="".
    rows : iterable of sequence of object
    delimiter, line_end : str
        Between cells, and behind each line.
    """
    csv.writer(handle, delimiter=delimiter, lineterminator=line_end).writerows(
        [guard_cell(cell) for cell in row] for row in rows
    )


def read_csv_rows(handle: TextIO) -> list[list[str]]:
    """Read the rows of a CSV file that `write_csv_rows` wrote, without guards.

    Parameters
    ----------
    handle : TextIO
        Opened with newline="".
    """
    return [[unguard_cell(cell) for cell in row] for row in csv.reader(handle)]


def format_csv(rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as the text of a CSV file.

    Parameters
    ----------
    rows : iterable of sequence of object

    Examples
    --------
    >>> format_csv([["text", "label"], ["=1+1", "a,b"]])
    'text,label\n\'=1+1,"a,b"\n'
    """
    text = io.StringIO()
    write_csv_rows(text, rows)
    return text.getvalue()
