"""`labels.csv`: every example with its label, for people and spreadsheets; edits in it come back.

The column `entry` is the number of the journal's line that the row shows. It tells an edit of the file from a change
of the project after the file was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from headstart.csv_files import unguard_cell, write_csv_rows
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_files import read_raw_table
from headstart.errors import DataError, OptionError
from headstart.home import write_whole
from headstart.projects.examples import iterate_examples, read_examples
from headstart.projects.journal import add_labels
from headstart.projects.kinds import list_kinds
from headstart.projects.records import (
    ALL_EXAMPLES,
    ANSWERS,
    Example,
    ImportedLabels,
    LabelConflict,
    NewLabel,
)
from headstart.projects.store import ProjectStore, explain_errors, make_marks, split_chunks

LABEL_FILE = "labels.csv"
_INPUT_NAMES = ("text", "file")
_HEAD = ("id", "name", "input", "label", "answer", "who", "when", "origin", "split", "state", "reason")
_ENTRY = "entry"


def export_labels(store: ProjectStore, path: Path) -> None:
    """Write all examples and their labels, whole or not at all; spreadsheets open it as UTF-8 and run no cell."""
    columns = list_metadata_columns(store)
    has_text = any(True for example in islice(iterate_examples(store, ALL_EXAMPLES), 1) if example.text is not None)
    head = [_INPUT_NAMES[not has_text] if name == "input" else name for name in _HEAD]
    names = [f"{name} (data)" if name in {*_HEAD, *_INPUT_NAMES, _ENTRY} else name for name in columns]
    with (
        explain_errors(store.path),
        write_whole(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as handle,
    ):
        write_csv_rows(handle, [[*head, *names, _ENTRY]], line_end="\r\n")
        write_csv_rows(handle, _iterate_rows(store, columns), line_end="\r\n")


def _iterate_rows(store: ProjectStore, columns: list[str]) -> Iterator[list[object]]:
    for example in iterate_examples(store, ALL_EXAMPLES):
        place = example.text if example.text is not None else str(example.path or "")
        yield [
            example.id,
            example.name,
            place,
            example.label or "",
            example.answer,
            example.label_by,
            example.label_at,
            example.label_origin,
            example.split,
            example.state,
            example.reason,
            *(example.metadata.get(name, "") for name in columns),
            example.entry or "",
        ]


def list_metadata_columns(store: ProjectStore) -> list[str]:
    """Return the names of all metadata columns, in the order in which they came."""
    with store.read() as connection:
        # One example of each source has all the columns of its table.
        rows = connection.execute(
            "SELECT DISTINCT j.key FROM examples x, json_each(x.metadata) j WHERE x.id IN "
            "(SELECT min(id) FROM examples GROUP BY source UNION SELECT max(id) FROM examples GROUP BY source)"
        )
        return [row[0] for row in rows]


@dataclass(kw_only=True)
class _Edits:
    """What an edited file asks for, row by row."""

    labels: list[NewLabel] = field(default_factory=list)
    conflicts: list[LabelConflict] = field(default_factory=list)
    unknown_rows: list[str] = field(default_factory=list)
    unknown_kinds: dict[str, int] = field(default_factory=dict)
    emptied: list[str] = field(default_factory=list)
    n_unchanged: int = 0


def import_labels(store: ProjectStore, path: Path, who: str, *, adds_kinds: bool, replaces: bool) -> ImportedLabels:
    """Bring back the labels that somebody changed in a `labels.csv`, under that person's name; one act to undo.

    Parameters
    ----------
    store : ProjectStore
    path : Path
        CSV (of any spreadsheet's dialect) or workbook with the columns `id` or `name`, and `label`.
    who : str
    adds_kinds : bool
        Whether labels that are no kinds of the project become kinds; otherwise they are named and change nothing.
    replaces : bool
        Whether the file also replaces answers that are newer than itself.

    Raises
    ------
    DataError, OptionError
    """
    if not who.strip():
        raise OptionError("Nobody is named for these labels.", "Say whose they are, such as --who Amina.")
    table = read_raw_table(path)
    if "label" not in table.names or not {"id", "name"} & set(table.names):
        raise DataError(
            f"{path.name} has the columns {', '.join(table.names[:10])}; label, and id or name, are needed.",
            "Edit a labels.csv that headstart project labels wrote, and keep its columns.",
        )
    kinds = {kind.name for kind in list_kinds(store)}
    edits = _Edits()
    for row in _match_rows(store, table, edits):
        _compare(row, edits, kinds=None if adds_kinds else kinds, replaces=replaces, who=who.strip())
    add_labels(store, edits.labels)
    return ImportedLabels(
        n_rows=len(table.rows),
        n_changed=len(edits.labels),
        n_unchanged=edits.n_unchanged,
        conflicts=tuple(edits.conflicts),
        unknown_rows=tuple(edits.unknown_rows),
        unknown_kinds=edits.unknown_kinds,
        emptied=tuple(edits.emptied),
    )


@dataclass(frozen=True, kw_only=True)
class _EditedRow:
    """A row of the file beside its example; `exported` is the label and answer of its `entry`, as the file had them."""

    example: Example
    label: str
    answer: str
    entry: int
    exported: tuple[str, str] | None


def _match_rows(store: ProjectStore, table: RawTable, edits: _Edits) -> Iterator[_EditedRow]:
    used = [name for name in ("id", "name", "label", "answer", _ENTRY) if name in table.names]
    columns = {name: [unguard_cell(cell) for cell in table.texts(name)] for name in used}
    blank = [""] * len(columns["label"])
    names = [name.strip() for name in columns.get("name", blank)]
    numbers = [_parse_number(cell) for cell in columns.get("id", blank)]
    by_name = _find_by_name(store, columns["name"]) if "name" in columns else [None] * len(blank)
    known_ids = sorted({number for number in (*numbers, *by_name) if number is not None})
    by_id = {example.id: example for example in read_examples(store, known_ids)}
    entries = [_parse_number(cell) or 0 for cell in columns.get(_ENTRY, blank)]
    exported = _read_answers(store, [entry for entry in entries if entry])
    for row, number in enumerate(numbers):
        example = by_id.get(number) if number is not None else None
        if example is None or (names[row] and names[row] != example.name.strip()):  # Of another project, perhaps.
            example = by_id.get(by_name[row] or 0)
        if example is None:
            edits.unknown_rows.append(names[row] or columns["id"][row])
            continue
        yield _EditedRow(
            example=example,
            label=columns["label"][row].strip(),
            answer=columns.get("answer", blank)[row].strip().lower().replace(" ", "_"),
            entry=entries[row],
            exported=exported.get((example.id, entries[row])) if entries[row] else ("", ""),
        )


def _compare(row: _EditedRow, edits: _Edits, *, kinds: set[str] | None, replaces: bool, who: str) -> None:
    """Decide what a row changes."""
    example, now = row.example, (row.example.label or "", row.example.answer)
    is_empty = not row.label and row.answer not in set(ANSWERS) - {"label"}
    in_file = (row.label, "label") if row.label else ("", "" if is_empty else row.answer)
    if in_file == now:
        edits.n_unchanged += 1
    elif in_file == row.exported and row.entry != example.entry:
        edits.n_unchanged += 1  # Not edited: the project went on after the file was written.
    elif is_empty:
        if now[0]:
            edits.emptied.append(example.name)
        else:
            edits.n_unchanged += 1
    elif row.label and kinds is not None and row.label not in kinds:
        edits.unknown_kinds[row.label] = edits.unknown_kinds.get(row.label, 0) + 1
    elif row.entry != example.entry and not replaces:
        edits.conflicts.append(
            LabelConflict(example.id, example.name, row.label or row.answer, example.label or example.answer)
        )
    else:
        answer = "label" if row.label else row.answer
        edits.labels.append(NewLabel(example=example.id, label=row.label or None, answer=answer, who=who))


def _parse_number(cell: str) -> int | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _find_by_name(store: ProjectStore, names: list[str]) -> list[int | None]:
    """Return the id of each name that one example has, and None for others."""
    ids: dict[str, list[int]] = {}
    for chunk in split_chunks(list(dict.fromkeys(names))):
        with store.read() as connection:
            marks = make_marks(chunk)
            for name, number in connection.execute(f"SELECT name, id FROM examples WHERE name IN ({marks})", chunk):
                ids.setdefault(name, []).append(number)
    return [ids[name][0] if len(ids.get(name, ())) == 1 else None for name in names]


def _read_answers(store: ProjectStore, entries: list[int]) -> Mapping[tuple[int, int], tuple[str, str]]:
    """Return the label and the answer of lines of the journal, by example and line."""
    answers: dict[tuple[int, int], tuple[str, str]] = {}
    for chunk in split_chunks(entries):
        with store.read() as connection:
            rows: Any = connection.execute(
                f"""SELECT e.example, e.id, coalesce(k.name, ''), e.answer FROM events e
                    LEFT JOIN kinds own ON own.id = e.kind LEFT JOIN kinds k ON k.id = own.shown
                    WHERE e.id IN ({make_marks(chunk)})""",
                chunk,
            )
            answers.update({(row[0], row[1]): (row[2], row[3]) for row in rows})
    return answers
