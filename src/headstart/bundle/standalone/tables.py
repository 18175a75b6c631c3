"""The part of `predict.py` that reads CSV files, of texts and of series."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

# --- code ---


IDS = ("id", "rowid", "sampleid", "uid", "uuid")


def table_of(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Give the columns of a CSV file (UTF-8), and name and cells of each row; short rows are filled up."""
    try:
        whole = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} cannot be read: save it as CSV in UTF-8.") from error
    first = whole.partition("\n")[0]
    records = csv.reader(io.StringIO(whole, newline=""), delimiter=max(",;\t|", key=first.count))
    names = [name.strip() for name in next(records, [])]
    if not names:
        raise SystemExit(f"{path} is empty.")
    kept = [(number, cells) for number, cells in enumerate(records, start=2) if any(map(str.strip, cells))]
    rows = [(f"{path.name}:{number}", cells + [""] * (len(names) - len(cells))) for number, cells in kept]
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        found = [cells[at] for _, cells in rows]
        if all(found) and len(set(found)) == len(found):
            return names, [(cells[at], cells) for _, cells in rows]
    return names, rows
