"""Rows in folders of corrections that a server kept (`serve --feedback`)."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.csv_files import format_csv, read_csv_rows
from headstart.data.reading.content import hash_text
from headstart.errors import DataError
from headstart.file_locks import lock_file
from headstart.flow.forgetting.person_rows import KEY_CHARACTERS, PersonRows
from headstart.home import write_text

JOURNAL, LOCK, LOCK_SECONDS = ".journal.jsonl", ".lock", 10.0
TABLES = ("corrections.csv", "metadata.csv")


def forget_corrections(folder: Path, person: PersonRows, apply: bool) -> int:
    """Remove corrections of rows: their lines, their photos and the journal of changes.

    Parameters
    ----------
    folder : Path
        Where a server keeps the corrections of one model.
    person : PersonRows
    apply : bool
        False: only count.

    Returns
    -------
    int
        Corrections that are there (or were).

    Raises
    ------
    DataError
        A server is writing there, or was killed while it did.
    """
    with lock_file(folder / LOCK, LOCK_SECONDS) as is_held:
        if not is_held:
            raise DataError(f"A server is writing into {folder}.", "Stop it, or try again.")
        return sum(_clean_table(folder / name, person, apply) for name in TABLES if (folder / name).is_file())


def _clean_table(path: Path, person: PersonRows, apply: bool) -> int:
    with path.open(encoding="utf-8", newline="") as handle:
        rows = read_csv_rows(handle)
    gone = [row for row in rows[1:] if row and _is_of_person(row[0], person)]
    if not gone or not apply:
        return len(gone)
    _require_quiet(path.parent / JOURNAL)
    write_text(path, format_csv([row for row in rows if row not in gone]))
    write_text(path.parent / JOURNAL, json.dumps({"done": True}) + "\n")
    for row in gone:
        photo = path.parent / Path(row[0]).name
        if path.name == TABLES[1] and photo.is_file():
            photo.unlink()
    return len(gone)


def _is_of_person(cell: str, person: PersonRows) -> bool:
    """Return whether the first cell of a line is a person row: a text, or the name of a photo, made of its hash."""
    keys = {cell[:KEY_CHARACTERS], hash_text(cell)[:KEY_CHARACTERS]}
    return cell in person.ids or bool(keys & person.keys)


def _require_quiet(journal: Path) -> None:
    """Refuse where the last change is not in the table yet."""
    lines = journal.read_bytes().splitlines() if journal.is_file() else []
    if lines and lines[-1] != b'{"done": true}':
        raise DataError(
            f"The last correction in {journal.parent} is not in its table yet.", "Start the server there once."
        )
