"""Tables as real workbooks of Excel: the answers of `predict`, and rows that wait for a label."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from headstart.bundle import Bundle
from headstart.data.reading.optional import import_optional
from headstart.errors import DataError
from headstart.flow.inference.answer_layout import (
    AnsweredTable,
    AnswerSheet,
    AnswerTable,
    lay_out_answers,
    name_answers,
    read_number,
    read_own_table,
)
from headstart.flow.inference.own_workbook import FORBIDDEN, LONGEST_CELL, SheetColumns, add_columns
from headstart.home import write_whole

ENDING = ".xlsx"
MOST_ROWS = 1_048_575
"""What a sheet of Excel holds, its header line not counted."""


def is_workbook(out: Path) -> bool:
    """Return whether a file to write is to be a workbook; openpyxl is there then.

    Parameters
    ----------
    out : Path

    Raises
    ------
    MissingExtra
        Without openpyxl.
    """
    if out.suffix.lower() != ENDING:
        return False
    import_optional("openpyxl", "Excel")
    return True


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
    content: AnswerTable, out: Path, *, bundle: Bundle, model: str, source: AnsweredTable | None
) -> None:
    """Write answers as an .xlsx file, whole or not at all.

    Answers about the rows of a workbook are written beside them, into a copy of it; other answers get a workbook of
    their own.

    Parameters
    ----------
    content : AnswerTable
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
    require_rows_fit(len(content.rows), out)
    if (
        source is None
        or source.path.suffix.lower() != ENDING
        or not _add_to_own(content, out, source, bundle=bundle, model=model)
    ):
        write_sheet(lay_out_answers(content, bundle, model, source), out)


def _add_to_own(content: AnswerTable, out: Path, source: AnsweredTable, *, bundle: Bundle, model: str) -> bool:
    """Write the answers beside their rows into a copy of the user's workbook; False where that cannot be."""
    own = read_own_table(source, content, bundle)
    if own is None or not own.table.sheet:
        return False
    answers = name_answers(content, bundle, model)
    values = [
        [read_number(cells[place]) if name in answers.numbers else cells[place] for place in own.answers]
        for name, cells in answers.columns.items()
    ]
    rows = [own.table.rows[place] for place in own.places]
    columns = SheetColumns(
        sheet=own.table.sheet,
        header_row=own.table.header_row,
        names=[_rename_taken(name, own.table.names) for name in answers.columns],
        cells=dict(zip(rows, zip(*values, strict=True), strict=True)),
    )
    return add_columns(source.path, out, columns)


def _rename_taken(name: str, own_names: Sequence[str]) -> str:
    """Return a heading that is none of the user's."""
    while name in own_names:
        name += " (Headstart)"
    return name


def write_sheet(answers: AnswerSheet, out: Path) -> None:
    """Write laid out answers as an .xlsx file.

    Parameters
    ----------
    answers : AnswerSheet
    out : Path
    """
    write_workbook(list(answers.columns), answers.rows, out, numbers=answers.numbers, title="answers")


def write_workbook(
    names: Sequence[str], rows: Iterable[Sequence[str]], out: Path, *, numbers: Collection[str], title: str
) -> None:  # fmt: skip
    """Write a table as an .xlsx file with one sheet, whole or not at all; no cell is a formula.

    Parameters
    ----------
    names : sequence of str
        The header line.
    rows : iterable of sequence of str
    out : Path
        Replaced if it is there.
    numbers : collection of str
        Columns whose cells are written as numbers where they are some.
    title : str
        Of the sheet.

    Raises
    ------
    MissingExtra
        Without openpyxl.
    """
    openpyxl = import_optional("openpyxl", "Excel")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    cell_type = openpyxl.cell.WriteOnlyCell
    sheet.append([_make_cell(cell_type, sheet, name) for name in names])
    is_number = [name in numbers for name in names]
    for row in rows:
        values = [read_number(cell) if number else cell for cell, number in zip(row, is_number, strict=True)]
        sheet.append([_make_cell(cell_type, sheet, value) for value in values])
    with write_whole(out) as partial:
        book.save(partial)


def _make_cell(cell_type: type, sheet: object, value: object) -> object:
    """Return a cell; a text is never a formula, and loses what no workbook may hold."""
    if not isinstance(value, str):
        return value
    cell = cell_type(sheet, value=FORBIDDEN.sub("", value)[:LONGEST_CELL])
    cell.data_type = "s"  # Also where it begins with "=".
    return cell
