"""Answers laid out for people: their own columns first, then what the model says in words that people use.

It is made from the finished CSV of the same answers in the layout for programs, so a killed run is continued there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart import data
from headstart.bundle import Bundle, list_versions
from headstart.csv_files import read_csv_rows
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_files import is_table
from headstart.errors import DataError
from headstart.options import ColumnOptions
from headstart.task_types import TASK_TYPES

_HEADINGS: Mapping[str, str] = {
    "label": "best guess",
    "labels": "best guess",
    "label_2": "second guess",
    "probability_2": "probability of the second",
    "label_3": "third guess",
    "probability_3": "probability of the third",
    "sure": "sure labels",
    "set": "likely answers",
}
"""What the columns of the CSV for programs are called for people; the others keep their names."""
_FIRST = ("answer", "label", "labels", "probability")
_TEXTS = ("answer", "sure", "set", "reason", "nearest")
_LABEL = re.compile(r"labels?(_\d+)?")
"""Columns with names of classes and rows, which may look like numbers ("01")."""


ANSWERED_BY = "answered by"


@dataclass(frozen=True)
class AnswerTable:
    """The content of the CSV for programs; `people` has for each row who answered it, "" for the model."""

    names: list[str]
    rows: list[list[str]]
    people: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]


@dataclass(frozen=True)
class AnsweredTable:
    """The one table that was predicted, and how it was read."""

    path: Path
    options: ColumnOptions


@dataclass(frozen=True)
class OwnTable:
    """The user's table, and which of its rows each answer belongs to.

    Parameters
    ----------
    table : RawTable
    places : list of int
        A row of the table for each answer of `answers`.
    answers : list of int
        The answers, without those about empty rows.
    """

    table: RawTable
    places: list[int]
    answers: list[int]


@dataclass(frozen=True)
class AnswerSheet:
    """Columns in the order in which people read them.

    Parameters
    ----------
    columns : dict of str to list of str
        Cells by heading, equally many.
    numbers : frozenset of str
        Headings of columns whose cells are numbers where they look like numbers.
    """

    columns: dict[str, list[str]]
    numbers: frozenset[str]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells of each row."""
        return list(zip(*self.columns.values(), strict=True))


def read_answers(path: Path) -> AnswerTable:
    """Return the content of a CSV that `predict` wrote in the layout for programs.

    Parameters
    ----------
    path : Path
    """
    with path.open(encoding="utf-8", newline="") as opened:
        names, *rows = read_csv_rows(opened)
    return AnswerTable(names, rows)


def lay_out_answers(content: AnswerTable, bundle: Bundle, model: str, source: AnsweredTable | None) -> AnswerSheet:
    """Return answers as people read them.

    Parameters
    ----------
    content : AnswerTable
    bundle : Bundle
        That gave the answers.
    model : str
        Its name, for the column `answered by`.
    source : AnsweredTable or None
        Its columns come first, where its rows can be told apart.
    """
    answers = name_answers(content, bundle, model)
    own = _take_own_columns(read_own_table(source, content, bundle), content, bundle, answers.columns)
    return AnswerSheet({**own.columns, **answers.columns}, own.numbers | answers.numbers)


def name_answers(content: AnswerTable, bundle: Bundle, model: str) -> AnswerSheet:
    """Return the columns of the answers as people call them, without the users' own.

    Parameters
    ----------
    content : AnswerTable
    bundle : Bundle
        That gave the answers.
    model : str
        Its name, for the column `answered by`.
    """
    order = [name for name in _FIRST if name in content.names]
    order += [name for name in content.names if name not in (*order, "input", "kind")]
    is_number = TASK_TYPES[bundle.task].is_number
    headings = {} if is_number else _HEADINGS
    columns: dict[str, list[str]] = {}
    numbers = set()
    for name in order:
        heading = headings.get(name, name)
        columns[heading] = content.column(name)
        if not (name in _TEXTS or (not is_number and _LABEL.fullmatch(name) is not None)):
            numbers.add(heading)
    by_model = name_coder(model)
    columns[ANSWERED_BY] = [by_person or by_model for by_person in content.people or [""] * len(content.rows)]
    return AnswerSheet(columns, frozenset(numbers))


def name_coder(model: str) -> str:
    """Return how a model signs its answers and codes.

    Parameters
    ----------
    model : str
        Its name.
    """
    return f"{model}, Headstart {list_versions()['headstart']}"


def read_own_table(source: AnsweredTable | None, content: AnswerTable, bundle: Bundle) -> OwnTable | None:
    """Return the user's table with the row of each answer; None where the answers are of no one table.

    Parameters
    ----------
    source : AnsweredTable or None
    content : AnswerTable
    bundle : Bundle
        That gave the answers.
    """
    if source is None or not is_table(source.path):
        return None
    try:
        table = data.read_input_columns(
            source.path, bundle.modality, bundle.columns, inputs=bundle.known_input_columns, options=source.options
        )
    except DataError:  # A file that is one text may have the ending of a table.
        return None
    empty = {item.id for item in table.set_aside}
    filled = [place for place, name in enumerate(content.column("input")) if name not in empty]
    names = content.column("input")
    places = _place_rows(table, [names[place] for place in filled])
    return None if places is None else OwnTable(table, places, filled)


def _take_own_columns(
    source: OwnTable | None, content: AnswerTable, bundle: Bundle, answer_columns: Collection[str]
) -> AnswerSheet:
    """Return the columns of the user's table in the order of the answers, else the names of the inputs."""
    plain = AnswerSheet({"input": content.column("input")}, frozenset())
    if source is None or len(source.answers) < len(content.rows):
        return plain
    table, places = source.table, source.places
    taken = {
        name for step in (bundle.known_input_columns.values if bundle.known_input_columns else ()) for name in step
    }
    own = [name for name in table.names if name not in taken]
    columns: dict[str, list[str]] = {} if own else plain.columns
    numbers = set()
    for name in own:
        texts = table.texts(name)
        heading = name
        while heading in answer_columns or (heading != name and heading in table.columns):
            heading += " (yours)"
        columns[heading] = [texts[place] for place in places]
        if table.columns[name].dtype.kind == "f":
            numbers.add(heading)
    return AnswerSheet(columns, frozenset(numbers))


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


def read_number(cell: str) -> float | str:
    """Return a cell as a number where it is a finite one, else as it is.

    Examples
    --------
    >>> read_number("0.5"), read_number("not sure"), read_number("nan")
    (0.5, 'not sure', 'nan')
    """
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if math.isfinite(number) else cell
