"""The part of `predict.py` that reads tables of texts and of series: CSV and its kin."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from headstart.bundle.standalone.refusing import Refused
from headstart.data.reading.plain_text import TextProblem, detect_certain_encoding, read_text
from headstart.data.reading.text_tables import SPREADSHEET_ERROR, TextTable

# --- code ---


IDS = ("id", "rowid", "sampleid", "uid", "uuid")
TABLES = (".csv", ".tsv", ".tab")


def table_of(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, Any]], bool]:
    """Return the columns of a table of text, name and cells of each row, and whether a comma may be a decimal sign.

    Rows that cannot be used come last, with the reason in place of cells.
    """
    rows: list[tuple[str, Any]] = []
    odd: list[tuple[str, Any]] = []
    try:
        if not path.stat().st_size:
            raise Refused(f"{path} is empty.")
        table = TextTable.open(path, encoding_of(path), "replace")
        names = [unicodedata.normalize("NFC", name.strip().lstrip("\ufeff")) for name in table.header]
        while names and not names[-1]:
            names.pop()
        for line, cells in table.read_rows(len(names)):
            name = f"{path.name}:{line}"
            if isinstance(cells, str):
                odd.append((name, ValueError(cells)))
            else:
                rows.append((name, ["" if SPREADSHEET_ERROR.fullmatch(cell) else cell for cell in cells]))
    except (OSError, TextProblem) as error:
        raise Refused(f"{path} cannot be read: {error}") from error
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        found = [cells[at] for _, cells in rows]
        if all(found) and len(set(found)) == len(found):
            rows = [(cells[at], cells) for _, cells in rows]
            break
    return names, [*rows, *odd], table.text_format.decimal_comma


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file; one that is not Unicode is refused, never guessed."""
    certain = detect_certain_encoding(path)
    if certain is None:
        raise Refused(f"{path} is not in UTF-8: save it as UTF-8, or use headstart predict --encoding NAME.")
    return certain[0]


def text_of(path: Path) -> str:
    """Return the text of a file."""
    try:
        return read_text(path, encoding_of(path), "replace")
    except (OSError, TextProblem) as error:
        raise Refused(f"{path} cannot be read: {error}") from error
