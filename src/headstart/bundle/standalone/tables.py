"""The part of `predict.py` that reads tables of texts and of series: CSV and its kin."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from headstart.bundle.standalone.refusing import RefusedInput
from headstart.data.reading.plain_text import TextProblem, detect_certain_encoding, read_text
from headstart.data.reading.text_tables import SPREADSHEET_ERROR, TextTable

# --- code ---


IDS = ("id", "rowid", "sampleid", "uid", "uuid")
TABLES = (".csv", ".tsv", ".tab")


def read_table(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, Any]], bool]:
    """Return the columns of a table of text, name and cells of each row, and whether a comma may be a decimal sign.

    Rows that cannot be used come last, with the reason in place of cells.
    """
    rows: list[tuple[str, Any]] = []
    unusable: list[tuple[str, Any]] = []
    try:
        if not path.stat().st_size:
            raise RefusedInput(f"{path} is empty.")
        table = TextTable.open(path, find_encoding(path), "replace")
        names = [unicodedata.normalize("NFC", name.strip().lstrip("\ufeff")) for name in table.header]
        while names and not names[-1]:
            names.pop()
        for line, cells in table.read_rows(len(names)):
            name = f"{path.name}:{line}"
            if isinstance(cells, str):
                unusable.append((name, ValueError(cells)))
            else:
                rows.append((name, ["" if SPREADSHEET_ERROR.fullmatch(cell) else cell for cell in cells]))
    except (OSError, TextProblem) as error:
        raise RefusedInput(f"{path} cannot be read: {error}") from error
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        ids = [cells[at] for _, cells in rows]
        if all(ids) and len(set(ids)) == len(ids):
            rows = [(cells[at], cells) for _, cells in rows]
            break
    return names, [*rows, *unusable], table.text_format.decimal_comma


def find_encoding(path: Path) -> str:
    """Return the encoding of a text file; one that is not Unicode is refused, never guessed."""
    certain = detect_certain_encoding(path)
    if certain is None:
        raise RefusedInput(f"{path} is not in UTF-8: save it as UTF-8, or use headstart predict --encoding NAME.")
    return certain.name


def read_text_file(path: Path) -> str:
    """Return the text of a file."""
    try:
        return read_text(path, find_encoding(path), "replace")
    except (OSError, TextProblem) as error:
        raise RefusedInput(f"{path} cannot be read: {error}") from error
