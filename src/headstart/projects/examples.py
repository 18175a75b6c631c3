"""Examples: adding, finding and counting them. No page reads all: conditions go to the database's indexes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError, OptionError, make_unknown_name
from headstart.projects.acts import begin_act
from headstart.projects.journal import require_examples, settle_labels, write_events
from headstart.projects.records import STATES, Example, ExampleFilter, NewExample, NewLabel
from headstart.projects.store import ProjectStore, make_marks, split_chunks

SPLITS = ("", "train", "test")
ORDERS = {
    "id": "x.id",
    "newest": "x.id DESC",
    "name": "x.name, x.id",
    "random": "x.draw, x.id",
    "answered": "x.event DESC",
    "kind": "x.kind, x.id",
}
"""Orders of a list by name; "random" is the same for ever, and has nothing to do with the order of the data."""
_COLUMNS = """x.*, s.name AS label, a.who AS label_by, a.at AS label_at, e.round AS round,
    e.chosen AS chosen"""
_JOINS = """LEFT JOIN kinds k ON k.id = x.kind LEFT JOIN kinds s ON s.id = k.shown
    LEFT JOIN events e ON e.id = x.event LEFT JOIN acts a ON a.id = e.act"""


def add_examples(store: ProjectStore, examples: Sequence[NewExample], who: str) -> list[int]:
    """Add examples; one of the same content and name as another of the project is skipped.

    Returns
    -------
    list of int
        Ids of those that were added, in order.
    """
    for example in examples:
        if example.split not in SPLITS or example.state not in STATES:
            raise OptionError(f"{example.name}: the split or the state is unknown.", f"Give one of {SPLITS}, {STATES}.")
    with store.write() as connection:
        known = _find_known(connection, examples)
        number = int(connection.execute("SELECT coalesce(max(id), 0) FROM examples").fetchone()[0])
        ids, labels, rows = [], [], []
        for example in examples:
            if (example.content_hash, example.name) in known:
                continue
            known.add((example.content_hash, example.name))
            number += 1
            ids.append(number)
            rows.append(_make_row(number, example, store.path.parent))
            if example.label:
                labels.append(NewLabel(example=number, label=example.label, who=who, origin="import"))
        connection.executemany(
            "INSERT INTO examples (id, name, content_hash, state, reason, split, draw, source, path, n_channels, "
            "metadata, text, series) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        if labels:
            write_events(connection, labels, begin_act(connection, who, "label"))
            settle_labels(connection, [label.example for label in labels])
    return ids


def _find_known(connection: sqlite3.Connection, examples: Sequence[NewExample]) -> set[tuple[str, str]]:
    known: set[tuple[str, str]] = set()
    for chunk in split_chunks(list({example.content_hash for example in examples})):
        marks = make_marks(chunk)
        rows = connection.execute(f"SELECT content_hash, name FROM examples WHERE content_hash IN ({marks})", chunk)
        known.update((row[0], row[1]) for row in rows)
    return known


def _make_row(number: int, example: NewExample, folder: Path) -> tuple[Any, ...]:
    seed = f"{example.content_hash}/{example.name}".encode("utf-8", "surrogatepass")
    draw = int.from_bytes(hashlib.sha256(seed).digest()[:7], "big")
    series = None if example.series is None else np.ascontiguousarray(example.series, dtype="<f4")
    return (
        number,
        example.name,
        example.content_hash,
        example.state,
        example.reason,
        example.split,
        draw,
        example.source,
        None if example.path is None else _store_path(example.path, folder),
        None if series is None else series.shape[0],
        json.dumps(dict(example.metadata), ensure_ascii=False, default=str),
        example.text,
        None if series is None else series.tobytes(),
    )


def _store_path(path: Path, folder: Path) -> str:
    """Return a path below the project's folder as a relative one, so that the folder can be moved."""
    root = folder.absolute()
    full = path if path.is_absolute() else root / path
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def make_example(row: sqlite3.Row, folder: Path) -> Example:
    """Return a row of the database as a record."""
    return Example(
        id=row["id"],
        name=row["name"],
        content_hash=row["content_hash"],
        path=None if row["path"] is None else folder.absolute() / row["path"],
        text=row["text"],
        series=None if row["series"] is None else read_series(row["series"], row["n_channels"]),
        metadata=json.loads(row["metadata"]),
        state=row["state"],
        reason=row["reason"],
        label=row["label"],
        answer=row["answer"],
        label_by=row["label_by"] or "",
        label_at=row["label_at"] or "",
        label_origin=row["origin"],
        round=row["round"] or 0,
        chosen=row["chosen"] or "",
        entry=row["event"] or 0,
        split=row["split"],
        source=row["source"],
    )


def read_series(content: bytes, n_channels: int) -> NDArray[np.float32]:
    """Return a series (n_channels, n_steps) as it was stored."""
    values = np.frombuffer(content, dtype="<f4").astype(np.float32)
    return values.reshape(n_channels, -1)


def get_example(store: ProjectStore, number: int) -> Example:
    """Return an example.

    Raises
    ------
    DataError
        There is none of this id.
    """
    with store.read() as connection:
        row = connection.execute(f"SELECT {_COLUMNS} FROM examples x {_JOINS} WHERE x.id = ?", (number,)).fetchone()
    if row is None:
        raise DataError(f"The project has no example {number}.", "Give an id that it lists.")
    return make_example(row, store.path.parent)


def make_condition(chosen: ExampleFilter) -> tuple[str, list[Any]]:
    """Return the condition of a filter, and its values."""
    parts: list[str] = []
    values: list[Any] = []
    plain = {"state": chosen.state, "answer": chosen.answer, "split": chosen.split, "origin": chosen.origin}
    for column, value in {**plain, "source": chosen.source}.items():
        if value is not None:
            parts.append(f"x.{column} = ?")
            values.append(value)
    if chosen.kind is not None:
        parts.append("x.kind IN (SELECT m.id FROM kinds m JOIN kinds k ON k.id = m.shown WHERE k.name = ?)")
        values.append(chosen.kind)
    if chosen.labelled is not None:
        parts.append("x.answer = 'label'" if chosen.labelled else "x.answer <> 'label'")
    if chosen.group is not None:
        expression, place = _make_group_value(chosen.group[0])
        parts.append(f"coalesce({expression}, '') = ?")
        values += [place, chosen.group[1]]
    if chosen.text_contains:
        part, value = _make_text_condition(chosen.text_contains)
        parts.append(part)
        values += [value, value]
    if chosen.after_id is not None:
        parts.append("x.id > ?")
        values.append(chosen.after_id)
    if chosen.ids is not None:
        parts.append("x.id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps([int(number) for number in chosen.ids]))
    return " AND ".join(parts) or "1", values


def _make_text_condition(text: str) -> tuple[str, str]:
    """Return the condition that text or name contain something; SQLite itself knows upper and lower case of ASCII."""
    if text.isascii():
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return "(x.text LIKE ? ESCAPE '\\' OR x.name LIKE ? ESCAPE '\\')", f"%{escaped}%"
    return "(instr(casefold(x.text), ?) OR instr(casefold(x.name), ?))", text.casefold()


def _make_group_value(column: str) -> tuple[str, str]:
    """Return the expression of a metadata value, and what stands for its question mark."""
    if '"' in column or "\\" in column:  # Paths of JSON have no way to write these.
        return "(SELECT CAST(value AS TEXT) FROM json_each(x.metadata) WHERE key = ?)", column
    return "CAST(json_extract(x.metadata, ?) AS TEXT)", f'$."{column}"'


def list_ids(
    store: ProjectStore, chosen: ExampleFilter, order: str, limit: int | None = None, offset: int = 0
) -> list[int]:
    """Return ids of examples, without reading what they hold."""
    if order not in ORDERS:
        raise make_unknown_name("order", order, ORDERS)
    condition, values = make_condition(chosen)
    with store.read() as connection:
        rows = connection.execute(
            f"SELECT x.id FROM examples x WHERE {condition} ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?",
            (*values, -1 if limit is None else limit, offset),
        )
        return [row[0] for row in rows]


def read_examples(store: ProjectStore, ids: Sequence[int]) -> Iterator[Example]:
    """Yield examples by their ids, in that order; ids that are not there are left out."""
    folder = store.path.parent
    for chunk in split_chunks(ids):
        with store.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM examples x {_JOINS} WHERE x.id IN ({make_marks(chunk)})", chunk
            ).fetchall()
        by_id = {row["id"]: row for row in rows}
        yield from (make_example(by_id[number], folder) for number in chunk if number in by_id)


def iterate_examples(store: ProjectStore, chosen: ExampleFilter) -> Iterator[Example]:
    """Yield all examples that fit, as they are at this moment, whatever is written meanwhile; the oldest first."""
    condition, values = make_condition(chosen)
    query = f"SELECT {_COLUMNS} FROM examples x {_JOINS} WHERE {condition} ORDER BY x.id"
    with store.read() as connection:
        for row in connection.execute(query, values):
            yield make_example(row, store.path.parent)


def count_examples(store: ProjectStore, chosen: ExampleFilter) -> int:
    """Count examples without reading them."""
    condition, values = make_condition(chosen)
    with store.read() as connection:
        return int(connection.execute(f"SELECT count(*) FROM examples x WHERE {condition}", values).fetchone()[0])


def count_groups(store: ProjectStore, column: str, chosen: ExampleFilter) -> dict[str, int]:
    """Count examples by their value in a metadata column, the most frequent first; "" where they have none."""
    condition, values = make_condition(chosen)
    expression, place = _make_group_value(column)
    with store.read() as connection:
        rows = connection.execute(
            f"SELECT coalesce({expression}, '') AS value, count(*) AS n FROM examples x WHERE {condition} "
            "GROUP BY 1 ORDER BY n DESC, value",
            (place, *values),
        )
        return {str(row[0]): row[1] for row in rows}


def find_names(store: ProjectStore, names: Iterable[str]) -> dict[str, list[int]]:
    """Return the ids of the examples that have these names."""
    ids: dict[str, list[int]] = {}
    with store.read() as connection:
        for chunk in split_chunks(list(dict.fromkeys(names))):
            query = f"SELECT name, id FROM examples WHERE name IN ({make_marks(chunk)}) ORDER BY id"
            for name, number in connection.execute(query, chunk):
                ids.setdefault(name, []).append(number)
    return ids


def find_ids_of_hashes(store: ProjectStore, hashes: Iterable[str], other_than: int | None = None) -> dict[int, str]:
    """Return the content of each example that has one of these contents, by id; not those of one source."""
    contents: dict[int, str] = {}
    with store.read() as connection:
        for chunk in split_chunks(list(dict.fromkeys(hashes))):
            rows = connection.execute(
                f"SELECT id, content_hash FROM examples WHERE content_hash IN ({make_marks(chunk)}) "
                "AND coalesce(source, 0) <> ?",
                (*chunk, other_than or -1),
            )
            contents.update((row[0], row[1]) for row in rows)
    return contents


def set_splits(store: ProjectStore, splits: Mapping[int, str]) -> None:
    """Set on which side of the check examples stand.

    Raises
    ------
    OptionError, DataError
    """
    for split in set(splits.values()):
        if split not in SPLITS:
            raise OptionError(f"'{split}' is no split.", "Give train, test, or nothing.")
    with store.write() as connection:
        require_examples(connection, splits)
        rows = ((split, number) for number, split in splits.items())
        connection.executemany("UPDATE examples SET split = ? WHERE id = ?", rows)
