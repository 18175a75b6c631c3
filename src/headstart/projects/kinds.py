"""Kinds: their names, their counts, renaming and merging."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from headstart.errors import OptionError, make_unknown_name
from headstart.projects.acts import begin_act
from headstart.projects.records import Kind
from headstart.projects.store import ProjectStore, make_marks

_LONGEST_NAME = 200


def list_kinds(store: ProjectStore) -> list[Kind]:
    """Return the kinds in the order in which they were made, with their counts."""
    with store.read() as connection:
        counts: dict[int, list[int]] = {}
        for kind, state, split, n in connection.execute(  # In the order of the index: nothing is sorted.
            "SELECT kind, state, split, count(*) FROM examples WHERE kind IS NOT NULL GROUP BY kind, state, split"
        ):
            if state != "in":
                continue
            of_kind = counts.setdefault(kind, [0, 0, 0])
            of_kind[2] += n
            if split:
                of_kind[split == "test"] += n
        rows = connection.execute("SELECT id, name, shown FROM kinds ORDER BY id").fetchall()
    totals = {number: [0, 0, 0] for number, _, display in rows if display == number}
    for number, _, display in rows:
        totals[display] = [sum(pair) for pair in zip(totals[display], counts.get(number, [0, 0, 0]), strict=True)]
    return [Kind(name, *totals[number]) for number, name, display in rows if display == number]


def add_kind(store: ProjectStore, name: str) -> None:
    """Add a kind, unless there is one of this name."""
    with store.write() as connection:
        number_kinds(connection, [tidy_name(name)])


def tidy_name(name: str) -> str:
    """Return the name of a kind without spaces around it.

    Raises
    ------
    OptionError
        It is empty or too long.
    """
    text = name.strip()
    if not text or len(text) > _LONGEST_NAME:
        problem = f"The name of a kind has {len(text)} characters."
        raise OptionError(problem, f"Give one of 1 to {_LONGEST_NAME} characters.")
    return text


def number_kinds(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each kind by its name; new ones are added."""
    numbers = {}
    for name in dict.fromkeys(names):
        number = _find_kind(connection, name)
        if number is None:
            number = int(connection.execute("SELECT coalesce(max(id), 0) + 1 FROM kinds").fetchone()[0])
            connection.execute("INSERT INTO kinds (id, name, shown) VALUES (?, ?, ?)", (number, name, number))
        numbers[name] = number
    return numbers


def _find_kind(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT id FROM kinds WHERE name = ? AND shown = id", (name,)).fetchone()
    return None if row is None else int(row[0])


def require_kind(connection: sqlite3.Connection, name: str) -> int:
    """Return the number of a kind.

    Raises
    ------
    UnknownName
    """
    number = _find_kind(connection, name)
    if number is None:
        known = [other[0] for other in connection.execute("SELECT name FROM kinds WHERE shown = id ORDER BY id")]
        raise make_unknown_name("kind", name, known)
    return number


def remove_kind(store: ProjectStore, name: str) -> None:
    """Remove a kind that the journal does not know.

    Raises
    ------
    UnknownName, OptionError
    """
    with store.write() as connection:
        number = require_kind(connection, name)
        n_used = connection.execute("SELECT count(*) FROM events WHERE kind = ?", (number,)).fetchone()[0]
        n_shown = connection.execute("SELECT count(*) FROM kinds WHERE shown = ?", (number,)).fetchone()[0]
        if n_used or n_shown > 1:
            raise OptionError(
                f"The kind '{name}' has or had labels.", "Rename it to another kind: its labels move there."
            )
        connection.execute("DELETE FROM kinds WHERE id = ?", (number,))


def rename_kind(store: ProjectStore, old: str, new: str, who: str) -> None:
    """Rename a kind; where another has the new name, the two become one. `undo` takes it back.

    Raises
    ------
    UnknownName, OptionError
    """
    new = tidy_name(new)
    with store.write() as connection:
        number = require_kind(connection, old)
        if new == old:
            return
        merged = [row[0] for row in connection.execute("SELECT id FROM kinds WHERE shown = ? ORDER BY id", (number,))]
        is_merge = _find_kind(connection, new) is not None
        details = {"kind": number, "old": old, "new": new, "is_merge": is_merge, "members": merged}
        begin_act(connection, who, "rename", json.dumps(details))
        _name(connection, number, new, merged)


def apply_rename(connection: sqlite3.Connection, details: str, is_undo: bool) -> list[int]:
    """Take a renaming back or make it again; return the ids of the examples concerned.

    Where somebody has given the kind another name since, that name stays.
    """
    change = json.loads(details)
    number, members = change["kind"], change["members"]
    before, after = (change["new"], change["old"]) if is_undo else (change["old"], change["new"])
    name, display = connection.execute("SELECT name, shown FROM kinds WHERE id = ?", (number,)).fetchone()
    if change["is_merge"] or (name == before and display == number):
        _name(connection, number, after, members)
    marks = make_marks(members)
    return [row[0] for row in connection.execute(f"SELECT id FROM examples WHERE kind IN ({marks})", members)]


def _name(connection: sqlite3.Connection, number: int, name: str, members: Sequence[int]) -> None:
    """Let the members of a kind be displayed under a name: that of another kind, or one of their own."""
    other = _find_kind(connection, name)
    if other is None:
        connection.execute("UPDATE kinds SET name = ? WHERE id = ?", (name, number))
    display = number if other is None else other
    connection.execute(f"UPDATE kinds SET shown = ? WHERE id IN ({make_marks(members)})", (display, *members))
