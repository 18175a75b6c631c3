"""The part of `predict.py` that reads CSV files, of texts and of series."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headstart.bundle.standalone.refusing import Refused

# --- code ---


IDS = ("id", "rowid", "sampleid", "uid", "uuid")
TABLES = (".csv", ".tsv", ".tab")


def table_of(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, Any]], bool]:
    """Give the columns of a CSV file (UTF-8, or UTF-16 as Excel writes it), name and cells of each row, and whether
    a comma may be a decimal sign.

    Short rows are filled up; rows with too many cells come last, with the reason in place of cells.
    """
    try:
        raw = path.read_bytes()
        whole = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: save it as CSV in UTF-8, or use headstart predict.") from error
    lines = list(io.StringIO(whole.replace("\0", ""), newline=""))
    first = next((line for line in lines if line.strip()), "")
    mark = max(",;\t|", key=first.count)
    records = enumerate(_records(lines, mark, path), start=1)
    filled = [(number, cells) for number, cells in records if any(map(str.strip, cells))]
    if not filled:
        raise Refused(f"{path} is empty.")
    names = [name.strip() for name in filled[0][1]]
    rows, odd = [], []
    for number, cells in filled[1:]:
        if any(map(str.strip, cells[len(names) :])):
            reason = ValueError(f"the row has {len(cells)} cells, the header has {len(names)}")
            odd.append((f"{path.name}:{number}", reason))
        else:
            rows.append((f"{path.name}:{number}", cells + [""] * (len(names) - len(cells))))
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        found = [cells[at] for _, cells in rows]
        if all(found) and len(set(found)) == len(found):
            rows = [(cells[at], cells) for _, cells in rows]
            break
    return names, [*rows, *odd], mark != ","


def _records(lines: list[str], mark: str, path: Path) -> Iterator[list[str]]:
    """Give the rows; in a table with tabs, quotation marks are letters where every line is a full row without them."""
    csv.field_size_limit(2**31 - 1)
    tabs = {line.count("\t") for line in lines if line.strip()}
    letters = mark == "\t" and len(tabs) == 1 and any(line.count('"') % 2 for line in lines)
    reader = csv.reader(lines, delimiter=mark, quoting=csv.QUOTE_NONE if letters else csv.QUOTE_MINIMAL)
    before = 0
    for number, record in enumerate(reader, start=1):
        taken, before = lines[before : reader.line_num], reader.line_num
        if before == len(lines) and len(taken) > 1 and sum(line.count('"') for line in taken) % 2:
            raise Refused(f"{path}: a quotation mark that is opened in row {number} is never closed.")
        yield record
