"""The workbook `to_judge.xlsx`: examples with an empty cell for the answer, and the same workbook read back."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headstart.data.reading.optional import import_optional
from headstart.data.reading.table_files import read_raw_table
from headstart.errors import DataError, list_offenders
from headstart.flow.inference.own_workbook import FORBIDDEN, LONGEST_CELL
from headstart.flow.labelling.coding_frames import KindDescription
from headstart.flow.labelling.settings import SETTINGS
from headstart.home import write_whole
from headstart.modalities.previews import make_thumbnail
from headstart.projects import Example

EXAMPLE, CONTENT, ANSWER = "example", "what it is", "answer"
"""Columns: the id, the text or the file, and the cell to fill in."""
WORDS = {"not sure": "not_sure", "?": "not_sure", "none of these": "none", "none": "none", "skip": "skip"}
"""Answers that are no kind."""
_WIDTHS = {"A": 10, "B": 90, "C": 26}
_POINTS_A_PIXEL, _MARGIN = 0.75, 6
"""Of the height of a line."""


@dataclass(frozen=True)
class JudgedRow:
    """An answer of the workbook: a kind, or one of the other answers of a project."""

    example: int
    answer: str
    kind: str | None = None


def write_judging_file(path: Path, examples: Sequence[Example], kinds: Sequence[KindDescription]) -> None:
    """Write a workbook of examples to judge; guesses are not in it, so that nobody leans on them.

    Parameters
    ----------
    path : Path
        Replaced if it is there.
    examples : sequence of Example
    kinds : sequence of KindDescription
        A second sheet explains them; the cells for answers offer them.

    Raises
    ------
    MissingExtra
        Without openpyxl.
    """
    openpyxl = import_optional("openpyxl", "Excel")
    book = openpyxl.Workbook()
    sheet, frame = book.active, book.create_sheet("kinds")
    sheet.title, sheet.freeze_panes = "to judge", "A2"
    _write_rows(sheet, [(EXAMPLE, CONTENT, ANSWER), *((one.id, describe_content(one), "") for one in examples)])
    explained = [(kind.name, kind.description) for kind in kinds]
    others = [
        ("not sure", "You cannot tell."),
        ("none of these", "It is of no kind above."),
        ("skip", "Ask again later."),
    ]
    _write_rows(frame, [("answer", "what it means"), *explained, *others])
    _add_pictures(openpyxl, sheet, examples)
    _offer_answers(openpyxl, sheet, n_examples=len(examples), n_answers=len(explained) + len(others))
    for page in (sheet, frame):
        for column, width in _WIDTHS.items():
            page.column_dimensions[column].width = width
        for cell in page[1]:
            cell.font = openpyxl.styles.Font(bold=True)
    for (cell,) in sheet.iter_rows(min_row=2, min_col=2, max_col=2):
        cell.alignment = openpyxl.styles.Alignment(wrap_text=True, vertical="top")
    with write_whole(path) as partial:
        book.save(partial)


def _write_rows(sheet: Any, rows: Sequence[Sequence[str | int]]) -> None:
    """Write cells; a text is never a formula."""
    for line, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(
                line, column, FORBIDDEN.sub("", value)[:LONGEST_CELL] if isinstance(value, str) else value
            )
            if isinstance(value, str):
                cell.data_type = "s"


def _add_pictures(openpyxl: Any, sheet: Any, examples: Sequence[Example]) -> None:
    """Lay a small copy of each photo beside its cell, whose link opens the photo itself."""
    for line, example in enumerate(examples, 2):
        if example.path is None:
            continue
        sheet.cell(line, 2).hyperlink = example.path.as_uri()
        small = make_thumbnail(example.path, SETTINGS.picture_pixels, SETTINGS.picture_quality)
        if small is not None:
            picture = openpyxl.drawing.image.Image(io.BytesIO(base64.b64decode(small.jpeg)))
            sheet.add_image(picture, f"D{line}")
            sheet.row_dimensions[line].height = small.height * _POINTS_A_PIXEL + _MARGIN


def _offer_answers(openpyxl: Any, sheet: Any, n_examples: int, n_answers: int) -> None:
    """Let the cells for answers offer the kinds; other words may be written and are looked at when they come back."""
    choice = openpyxl.worksheet.datavalidation.DataValidation(
        type="list", formula1=f"=kinds!$A$2:$A${n_answers + 1}", allow_blank=True, showErrorMessage=False
    )
    sheet.add_data_validation(choice)
    choice.add(f"C2:C{n_examples + 1}")


def describe_content(example: Example) -> str:
    """Return what a person sees of an example in a cell: its text, its file, or its name.

    Parameters
    ----------
    example : Example
    """
    return example.text or (str(example.path) if example.path is not None else example.name)


def read_judging_file(path: Path, kinds: Sequence[str]) -> list[JudgedRow]:
    """Read a workbook back; rows without an answer are left out.

    Parameters
    ----------
    path : Path
    kinds : sequence of str

    Raises
    ------
    DataError
        A column is missing, or an answer is neither a kind nor one of the other words.
    """
    raw_table = read_raw_table(path)
    columns = {name.strip().lower(): name for name in raw_table.names}
    missing = [name for name in (EXAMPLE, ANSWER) if name not in columns]
    if missing:
        raise DataError(
            f"{path} has no column '{missing[0]}'.",
            "Leave its columns as they were; or delete it, and the same command writes a new one.",
        )
    by_name = {_fold(kind): kind for kind in kinds}
    rows, unknown = [], []
    cells = zip(raw_table.rows, raw_table.texts(columns[EXAMPLE]), raw_table.texts(columns[ANSWER]), strict=True)
    for line, number, cell in cells:
        answer = _fold(cell)
        if not answer:
            continue
        if not number.strip().removesuffix(".0").isdecimal() or (answer not in by_name and answer not in WORDS):
            unknown.append(f"'{cell.strip()}' in row {line}")
            continue
        example = int(number.strip().removesuffix(".0"))
        is_kind = answer in by_name
        rows.append(JudgedRow(example, "label" if is_kind else WORDS[answer], by_name.get(answer)))
    if unknown:
        near = get_close_matches(unknown[0].split("'")[1], kinds, n=1)
        guess = f"Did you mean '{near[0]}'? " if near else ""
        raise DataError(
            f"{path}: {len(unknown)} {'answers are' if len(unknown) > 1 else 'answer is'} no kind "
            f"({list_offenders(unknown)}).",
            f"{guess}Correct that, or add the kind with --classes. Nothing is lost: no answer was read yet.",
        )
    return rows


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
