"""Answers as a real workbook: the user's own columns first, then what the model says in words that people use.

It is made from the finished CSV of the same answers, so a killed run is continued there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.bundle import Bundle, list_versions
from headstart.csv_files import read_csv_rows
from headstart.data.reading.optional import import_optional
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_files import is_table, read_raw_table
from headstart.errors import DataError
from headstart.home import write_whole
from headstart.task_types import TASK_TYPES

ENDING = ".xlsx"
MOST_ROWS, LONGEST_CELL = 1_048_575, 32_767
"""What a sheet of Excel holds, its header line not counted."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADINGS: Mapping[str, str] = {
    "label": "best guess",
    "labels": "best guess",
    "label_2": "second guess",
    "probability_2": "probability of the second",
    "label_3": "third guess",
    "probability_3": "probability of the third",
    "set": "likely answers",
}
"""What the columns of the CSV are called in a workbook; the others keep their names."""
_FIRST = ("answer", "label", "labels", "probability")
_TEXTS = ("answer", "set", "reason", "nearest")
_LABEL = re.compile(r"labels?(_\d+)?")
"""Columns with names of classes and rows, which may look like numbers ("01")."""


Cells = Sequence[str] | Sequence[float | str]


@dataclass(frozen=True)
class _AnswerTable:
    """The content of the CSV."""

    names: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]


@dataclass(frozen=True)
class AnsweredTable:
    """The one table that was predicted, and its encoding where the user named it."""

    path: Path
    encoding: str | None = None


def require_rows_fit(n_rows: int, out: Path) -> None:
    """Refuse a workbook of more rows than a sheet holds, best before they are predicted.

    Parameters
    ----------
    n_rows : int
    out : Path
    """
    if n_rows > MOST_ROWS:
        raise DataError(
            f"{out} would have {n_rows:,} rows; a sheet of Excel holds {MOST_ROWS:,}.",
            "Name a file that ends in .csv with -o.",
        )


def write_answer_workbook(
    answers: Path, out: Path, *, bundle: Bundle, model: str, source: AnsweredTable | None
) -> None:
    """Write the answers of a CSV as an .xlsx file, whole or not at all.

    Parameters
    ----------
    answers : Path
        What `predict` wrote.
    out : Path
        Replaced if it is there.
    bundle : Bundle
        That gave the answers.
    model : str
        Its name, for the column `answered by`.
    source : AnsweredTable or None
        Its columns come first, where its rows can be told apart.

    Raises
    ------
    MissingExtra
        Without openpyxl.
    DataError
        If there are more rows than a sheet holds.
    """
    openpyxl = import_optional("openpyxl", "Excel")
    content = _read_answers(answers)
    require_rows_fit(len(content.rows), out)
    answer_columns = _name_answers(content, bundle, model)
    columns = {**_take_own_columns(source, content, bundle, answer_columns), **answer_columns}
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.freeze_panes = "A2"
    cell_type = openpyxl.cell.WriteOnlyCell
    sheet.append([_make_cell(cell_type, sheet, name) for name in columns])
    for row in zip(*columns.values(), strict=True):
        sheet.append([_make_cell(cell_type, sheet, value) for value in row])
    with write_whole(out) as partial:
        book.save(partial)


def _read_answers(path: Path) -> _AnswerTable:
    with path.open(encoding="utf-8", newline="") as opened:
        names, *rows = read_csv_rows(opened)
    return _AnswerTable(names, rows)


def _name_answers(content: _AnswerTable, bundle: Bundle, model: str) -> dict[str, Cells]:
    """Return the columns of the answers, in the order in which people read them."""
    order = [name for name in _FIRST if name in content.names]
    order += [name for name in content.names if name not in (*order, "input", "kind")]
    is_number = TASK_TYPES[bundle.task].is_number
    headings = {} if is_number else _HEADINGS
    columns: dict[str, Cells] = {}
    for name in order:
        cells = content.column(name)
        is_text = name in _TEXTS or (not is_number and _LABEL.fullmatch(name) is not None)
        columns[headings.get(name, name)] = cells if is_text else _read_numbers(cells)
    columns["answered by"] = [f"{model}, Headstart {list_versions()['headstart']}"] * len(content.rows)
    return columns


def _read_numbers(cells: Sequence[str]) -> list[float | str]:
    return [_read_number(cell) for cell in cells]


def _read_number(cell: str) -> float | str:
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if math.isfinite(number) else cell


def _take_own_columns(
    source: AnsweredTable | None, content: _AnswerTable, bundle: Bundle, answer_columns: Collection[str]
) -> dict[str, Cells]:
    """Return the columns of the user's table in the order of the answers, else the names of the inputs."""
    ids = content.column("input")
    plain: dict[str, Cells] = {"input": list(ids)}
    if source is None or not is_table(source.path):
        return plain
    try:
        table = read_raw_table(source.path, source.encoding)
    except DataError:  # A file that is one text may have the ending of a table.
        return plain
    places = _place_rows(table, ids)
    if places is None:
        return plain
    taken = {
        name for step in (bundle.known_input_columns.values if bundle.known_input_columns else ()) for name in step
    }
    own = [name for name in table.names if name not in taken]
    columns: dict[str, Cells] = {} if own else plain
    for name in own:
        texts = table.texts(name)
        cells = [texts[place] for place in places]
        heading = name
        while heading in answer_columns or (heading != name and heading in table.columns):
            heading += " (yours)"
        columns[heading] = _read_numbers(cells) if table.columns[name].dtype.kind == "f" else cells
    return columns


def _place_rows(table: RawTable, ids: Sequence[str]) -> list[int] | None:
    """Return which row of the table each answer belongs to: by line, by a column of names, or none."""
    lines = {f"{table.name}:{row}": place for place, row in enumerate(table.rows)}
    if all(name in lines for name in ids):
        return [lines[name] for name in ids]
    for column in table.names:
        texts = table.texts(column)
        places = {text: place for place, text in enumerate(texts)}
        if len(places) == len(texts) and all(name in places for name in ids):
            return [places[name] for name in ids]
    return None


def _make_cell(cell_type: type, sheet: object, value: object) -> object:
    """Return a cell; a text is never a formula, and loses what no workbook may hold."""
    if not isinstance(value, str):
        return value
    cell = cell_type(sheet, value=_FORBIDDEN.sub("", value)[:LONGEST_CELL])
    cell.data_type = "s"  # Also where it begins with "=".
    return cell
