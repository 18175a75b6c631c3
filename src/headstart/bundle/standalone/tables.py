"""The part of `predict.py` that reads CSV files, of texts and of series."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from headstart.bundle.standalone.refusing import Refused

# --- code ---


IDS = ("id", "rowid", "sampleid", "uid", "uuid")
TABLES = (".csv", ".tsv", ".tab")


def table_of(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Give the columns of a CSV file (UTF-8, or UTF-16 as Excel writes it), and name and cells of each row.

    Short rows are filled up.
    """
    try:
        raw = path.read_bytes()
        whole = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: save it as CSV in UTF-8, or use headstart predict.") from error
    first = whole.partition("\n")[0]
    csv.field_size_limit(2**31 - 1)
    records = csv.reader(io.StringIO(whole, newline=""), delimiter=max(",;\t|", key=first.count))
    names = [name.strip() for name in next(records, [])]
    if not names:
        raise Refused(f"{path} is empty.")
    kept = [(number, cells) for number, cells in enumerate(records, start=2) if any(map(str.strip, cells))]
    rows = [(f"{path.name}:{number}", cells + [""] * (len(names) - len(cells))) for number, cells in kept]
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        found = [cells[at] for _, cells in rows]
        if all(found) and len(set(found)) == len(found):
            return names, [(cells[at], cells) for _, cells in rows]
    return names, rows
