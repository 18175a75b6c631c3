"""Codes of answers as teams keep them: what, how certain, by whom, when. A code of a person is never written over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.bundle import Bundle
from headstart.errors import DataError
from headstart.flow.inference.answer_csv import has_decimal_comma, write_answer_csv
from headstart.flow.inference.answer_layout import (
    AnsweredTable,
    AnswerSheet,
    AnswerTable,
    OwnTable,
    name_coder,
    read_number,
    read_own_table,
)
from headstart.flow.inference.answer_workbook import ENDING, write_sheet
from headstart.flow.inference.own_workbook import SheetColumns, add_columns

CODE_COLUMNS = ("code", "certainty", "coded_by", "coded_at")
A_PERSON = "a person"
_BY_MODEL = re.compile(r", Headstart \d\S*$")
_LAST_PART = re.compile(r"[^/]*$")
_GIVEN = "label"
"""The kind of an answer that was given, not withheld."""


@dataclass(frozen=True)
class Code:
    """A code as it stands in four cells; all empty where nobody is sure.

    Parameters
    ----------
    code : str
        A class, several with ";" between them, or a number.
    certainty : str
        Probability of the code, of several the lowest; "" for codes of people and for numbers.
    coded_by : str
        A person, or model and version.
    coded_at : str
        UTC, as in 2026-05-01T10:00:00Z.

    Examples
    --------
    >>> Code("water", "", "Amina").is_of_person, Code("water", "0.91", "needs, Headstart 0.5.0").is_of_person
    (True, False)
    """

    code: str = ""
    certainty: str = ""
    coded_by: str = ""
    coded_at: str = ""

    @property
    def is_of_person(self) -> bool:
        """Whether a person gave it; a code that names nobody is taken for one."""
        return bool(self.code.strip()) and _BY_MODEL.search(self.coded_by) is None


def read_clock() -> str:
    """Return the time now, as codes have it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def make_code(document: Mapping[str, Any], coder: str, at: str) -> Code:
    """Return the code in an answer; an empty one where the model withheld it.

    Parameters
    ----------
    document : mapping
        An answer with the fields of `headstart predict --json`.
    coder, at : str

    Examples
    --------
    >>> make_code({"kind": "label", "answer": "water", "probability": 0.914}, "needs, Headstart 0.5.0", "today")
    Code(code='water', certainty='0.91', coded_by='needs, Headstart 0.5.0', coded_at='today')
    >>> make_code({"kind": "not_sure", "answer": "not sure", "probability": 0.4}, "needs, Headstart 0.5.0", "today")
    Code(code='', certainty='', coded_by='', coded_at='')
    """
    if document["kind"] != _GIVEN or not document["answer"]:
        return Code()
    probability = document.get("probability")
    if document.get("labels") is not None:
        probability = min((document["probabilities"][label] for label in document["labels"]), default=None)
    certainty = "" if probability is None else f"{probability:.2f}"
    return Code(str(document["answer"]), certainty, coder, at)


def make_table_codes(content: AnswerTable, coder: str, at: str) -> list[Code]:
    """Return the codes in a CSV for programs, one a row.

    Parameters
    ----------
    content : AnswerTable
    coder, at : str
    """
    codes = []
    for cells, person in zip(content.rows, content.people or [""] * len(content.rows), strict=True):
        row = dict(zip(content.names, cells, strict=True))
        if row["kind"] != _GIVEN or not row["answer"]:
            codes.append(Code())
        elif person:
            codes.append(Code(row["answer"], "", person, at))
        else:
            codes.append(Code(row["answer"], _find_certainty(row), coder, at))
    return codes


def _find_certainty(row: Mapping[str, str]) -> str:
    """Return the probability of an answer, of several labels the lowest that is known, from the row of a CSV."""
    if "labels" not in row:
        return f"{float(row['probability']):.2f}" if row.get("probability") else ""
    ranked = {row[f"label_{n}"]: row[f"probability_{n}"] for n in (1, 2, 3) if f"label_{n}" in row}
    known = [row.get(f"p({label})") or ranked.get(label) for label in row["labels"].split(";")]
    return f"{min(map(float, known)):.2f}" if known and all(known) else ""  # type: ignore[arg-type]


def keep_person_codes(earlier: Sequence[Code], new: Sequence[Code]) -> list[Code]:
    """Return the new codes, but where a person has coded that person's.

    Parameters
    ----------
    earlier, new : sequence of Code
        Of the same rows.
    """
    return [old if old.is_of_person else code for old, code in zip(earlier, new, strict=True)]


def write_codes(
    content: AnswerTable, out: Path, *, bundle: Bundle, model: str, source: AnsweredTable | None, is_for_excel: bool
) -> None:  # fmt: skip
    """Write a copy of the user's table with the columns code, certainty, coded_by and coded_at.

    Columns of these names that are there already are filled, also behind the name of a group ("feedback/code"). Rows
    that a person has coded, in such a column or in the label column of training, stay as they are.

    Parameters
    ----------
    content : AnswerTable
        What `predict` wrote.
    out : Path
        CSV or workbook, replaced if it is there. A workbook of a workbook is a copy of it.
    bundle : Bundle
    model : str
        Its name, for coded_by.
    source : AnsweredTable or None
        The table that was predicted.
    is_for_excel : bool
        The CSV is written as Excel of this country opens it.

    Raises
    ------
    DataError
        The answers are not about the rows of one table.
    """
    own = read_own_table(source, content, bundle)
    if own is None or source is None:
        raise DataError(
            "Codes are written beside the rows of one table, and this is none.",
            "Name one table with texts, or leave out --layout codes.",
        )
    names = _find_code_columns(own.table.names)
    earlier = _read_codes(own, names, bundle.columns.get("label"))
    new = make_table_codes(content, name_coder(model), read_clock())
    codes = keep_person_codes(earlier, [new[answer] for answer in own.answers])
    n_kept = sum(code.is_of_person for code in earlier)
    if n_kept:
        progress.say(f"{n_kept:,} rows were coded by a person; these codes stay.")
    if not (out.suffix.lower() == ENDING and _fill_own_workbook(own, codes, names, (source.path, out))):
        sheet = _lay_out_codes(own, codes, names)
        if out.suffix.lower() == ENDING:
            write_sheet(sheet, out)
        else:
            write_answer_csv(sheet, out, is_for_excel, is_for_excel and has_decimal_comma())


def _find_code_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the columns of the four cells: those that are there, else new ones; they stand in one group."""
    by_last = {name: [other for other in names if _LAST_PART.search(other)[0] == name] for name in CODE_COLUMNS}  # type: ignore[index]
    group = by_last["code"][0].removesuffix("code") if len(by_last["code"]) == 1 else ""
    return {name: name if name in names else f"{group}{name}" for name in CODE_COLUMNS}


def _read_codes(own: OwnTable, names: Mapping[str, str], label: str | None) -> list[Code]:
    """Return the codes that rows have already."""
    table = own.table
    cells = {role: table.texts(name) for role, name in names.items() if name in table.names}
    people = table.texts(label) if label in table.names and label not in names.values() else None
    codes = []
    for place in own.places:
        code = Code(**{role: texts[place] for role, texts in cells.items()})
        if people is not None and people[place].strip() and not code.is_of_person:
            code = Code(people[place], "", A_PERSON, "")
        codes.append(code)
    return codes


def _fill_own_workbook(
    own: OwnTable, codes: Sequence[Code], names: Mapping[str, str], files: tuple[Path, Path]
) -> bool:
    """Write codes into a copy of the user's workbook (from the first file to the second); False if it cannot be."""
    source, out = files
    if source.suffix.lower() != ENDING or not own.table.sheet:
        return False
    rows = [own.table.rows[place] for place in own.places]
    cells = [(code.code, read_number(code.certainty), code.coded_by, code.coded_at) for code in codes]
    columns = SheetColumns(
        sheet=own.table.sheet,
        header_row=own.table.header_row,
        names=list(names.values()),
        cells=dict(zip(rows, cells, strict=True)),
        fills_existing=True,
    )
    return add_columns(source, out, columns)


def _lay_out_codes(own: OwnTable, codes: Sequence[Code], names: Mapping[str, str]) -> AnswerSheet:
    """Return all rows of the user's table with their codes."""
    table = own.table
    columns = {name: table.texts(name) for name in table.names}
    numbers = {name for name in table.names if table.columns[name].dtype.kind == "f"}
    n_rows = len(table.rows)
    for at, name in enumerate(names.values()):
        column = columns.setdefault(name, [""] * n_rows)
        for place, code in zip(own.places, codes, strict=True):
            column[place] = str(astuple(code)[at])
    return AnswerSheet(columns, frozenset(numbers | {names["certainty"]}))
