"""Sheets and columns as they are shown: first rows, the marked header, what each column may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.label_candidates import looks_like_labels
from headstart.data.columns.text_columns import is_free_text
from headstart.data.grouping.columns import ColumnsToCompare
from headstart.data.grouping.personal import is_personal
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.sheet_previews import PreviewRow, SheetPreview
from headstart.data.reading.table_files import is_workbook
from headstart.data.reading.workbook import preview_sheets
from headstart.flow.inspection.records import ColumnView, SheetView
from headstart.flow.inspection.settings import SETTINGS


def show_sheets(path: Path, raw_table: RawTable | None) -> tuple[SheetView, ...]:
    """Return the sheets of a file; of a file that is no workbook the one table, if it could be read.

    Parameters
    ----------
    path : Path
    raw_table : RawTable or None
        As it was read.
    """
    if is_workbook(path):
        return tuple(
            _cut(sheet, raw_table is not None and sheet.name == raw_table.sheet) for sheet in preview_sheets(path)
        )
    return () if raw_table is None else (_cut(_preview_table(raw_table), True),)


def _preview_table(raw_table: RawTable) -> SheetPreview:
    n = SETTINGS.shown_rows
    columns = [list(islice(_read_cells(raw_table, name, n), n)) for name in raw_table.names]
    first = raw_table.rows[0] if raw_table.rows else 2
    header = [] if raw_table.headerless else [PreviewRow(max(first - 1, 1), tuple(raw_table.names))]
    rows = [
        PreviewRow(number, tuple(column[position] for column in columns))
        for position, number in enumerate(raw_table.rows[:n])
    ]
    return SheetPreview(name="", rows=(*header, *rows), header=header[0].number if header else 0)


def _read_cells(raw_table: RawTable, name: str, n: int) -> Sequence[str]:
    """Return the first cells of a column without reading the others as text."""
    head = RawTable(name=raw_table.name, columns={name: raw_table.columns[name][:n]}, rows=raw_table.rows[:n])
    return head.texts(name)


def _cut(sheet: SheetPreview, is_read: bool) -> SheetView:
    start = max(
        0, next((at for at, row in enumerate(sheet.rows) if row.number == sheet.header), 0) - SETTINGS.shown_rows // 2
    )
    rows = sheet.rows[start : start + SETTINGS.shown_rows]
    n_columns = max((len(row.cells) for row in rows), default=0)
    return SheetView(
        name=sheet.name, is_read=is_read, is_hidden=sheet.is_hidden, header=sheet.header, n_columns=n_columns,
        rows=tuple((row.number, _cut_cells(row.cells)) for row in rows),
    )  # fmt: skip


def _cut_cells(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        cell if len(cell) <= SETTINGS.shown_characters else cell[: SETTINGS.shown_characters - 1] + "…"
        for cell in cells[: SETTINGS.shown_columns]
    )


def show_columns(raw_table: RawTable, roles: Mapping[str, str], compared: ColumnsToCompare) -> tuple[ColumnView, ...]:
    """Return the columns of a table with what each is taken for.

    Parameters
    ----------
    raw_table : RawTable
    roles : mapping of str to str
        Role by column, of those that have one.
    compared : ColumnsToCompare
        Of the columns that have none.
    """
    names = {column.name for column in compared.columns}
    return tuple(
        _show_column(raw_table, name, roles.get(name, "") or ("compare" if name in names else ""), compared)
        for name in raw_table.names[: SETTINGS.shown_columns]
    )


def _show_column(raw_table: RawTable, name: str, role: str, compared: ColumnsToCompare) -> ColumnView:
    texts = [text.strip() for text in raw_table.texts(name)]
    filled = [text for text in texts if text]
    counts = Counter(filled)
    sample = [filled[at] for at in _spread(len(filled), SETTINGS.language_rows)]
    is_private = role in {"", "compare"} and is_personal(name, sample)
    is_choice = not is_private and 1 < len(counts) <= SETTINGS.most_kinds and _are_short(counts)
    return ColumnView(
        name=name,
        role="personal" if is_private else role,
        reason=compared.left_alone.get(name, ""),
        n_filled=len(filled),
        n_values=len(counts),
        values=dict(counts.most_common()) if is_choice else {},
        can_be_text=role == "text" or (not is_private and is_free_text(sample)),
        can_be_label=role == "label" or (is_choice and (looks_like_labels(filled) or _repeats(counts))),
    )  # fmt: skip


def _are_short(values: Iterable[str]) -> bool:
    return max(map(len, values)) <= COLUMN_RULES.max_label_characters


def _repeats(counts: Mapping[str, int]) -> bool:
    """Return whether values stand in several rows each, such as grades 1 to 5, which look like numbers."""
    return sum(counts.values()) >= 3 * len(counts)


def _spread(n: int, most: int) -> list[int]:
    return np.linspace(0, n - 1, min(n, most)).astype(int).tolist() if n else []
