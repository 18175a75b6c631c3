"""The first rows of a sheet as people see them: values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class PreviewRow(NamedTuple):
    """A row with its number in the sheet, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SheetPreview:
    """The first rows of a sheet, or of a table that has none.

    Parameters
    ----------
    name : str
        "" for files that are one table.
    rows : tuple of PreviewRow
        Titles above the header and empty rows included.
    header : int
        Number of the row that names the columns; 0 where the sheet holds no table.
    is_hidden : bool
    """

    name: str
    rows: tuple[PreviewRow, ...]
    header: int = 0
    is_hidden: bool = False
