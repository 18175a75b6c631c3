"""Answers of people, which stand in the place of the model's in every file that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.csv_files import read_csv_rows
from headstart.errors import DataError
from headstart.flow.inference.answer_layout import ANSWERED_BY, AnswerTable

COLUMNS = ("input", "answer", ANSWERED_BY)


@dataclass(frozen=True)
class PersonAnswer:
    """What a person answered, and who it was."""

    answer: str
    person: str


def read_reviewed(path: Path) -> dict[str, PersonAnswer]:
    """Return the answers of people by name of the input.

    Parameters
    ----------
    path : Path
        A CSV with the columns input, answer and "answered by"; of several rows of an input the last one counts.

    Raises
    ------
    DataError
        It lacks a column or cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            names, *rows = read_csv_rows(opened) or [[]]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read.", "Name a CSV in UTF-8 with --reviewed.") from error
    absent = [name for name in COLUMNS if name not in names]
    if absent:
        raise DataError(f"{path} has no column {absent[0]}.", f"Its columns have to be: {', '.join(COLUMNS)}.")
    at = [names.index(name) for name in COLUMNS]
    cells = [[row[place] if place < len(row) else "" for place in at] for row in rows]
    return {name: PersonAnswer(answer, person) for name, answer, person in cells if name and answer}


def put_in_reviewed(content: AnswerTable, reviewed: Mapping[str, PersonAnswer]) -> AnswerTable:
    """Return answers in which those of people replace the model's.

    Parameters
    ----------
    content : AnswerTable
    reviewed : mapping of str to PersonAnswer
        By name of the input.
    """
    answer, reason, kind = (content.names.index(name) for name in ("answer", "reason", "kind"))
    rows, people = [], []
    for name, row in zip(content.column("input"), content.rows, strict=True):
        one = reviewed.get(name)
        people.append(one.person or "a person" if one else "")
        cells = {answer: one.answer, reason: "", kind: "label"} if one else {}
        rows.append([cells.get(place, cell) for place, cell in enumerate(row)])
    return replace(content, rows=rows, people=tuple(people))
