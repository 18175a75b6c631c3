"""What one person did at once, so that it can be taken back and made again without limit."""

from __future__ import annotations

import sqlite3

from headstart.projects.store import format_now

IN_FORCE, UNDONE, PAST = 0, 1, 2
"""Of an act: it holds; it can be made again; the person has gone on since, and it cannot."""


def begin_act(connection: sqlite3.Connection, who: str, action: str, details: str = "{}") -> int:
    """Write an act into the journal and return its number; what the person had undone is past now."""
    connection.execute("UPDATE acts SET undone = ? WHERE who = ? AND undone = ?", (PAST, who, UNDONE))
    return _insert_act(connection, who, action, details)


def note_act(connection: sqlite3.Connection, who: str, action: str, act: int) -> None:
    """Write into the journal that an act was undone or redone; this is no act to undo."""
    number = _insert_act(connection, who, action, str(act))
    connection.execute("UPDATE acts SET undone = ? WHERE id = ?", (PAST, number))


def _insert_act(connection: sqlite3.Connection, who: str, action: str, details: str) -> int:
    cursor = connection.execute(
        "INSERT INTO acts (who, at, action, details) VALUES (?, ?, ?, ?)", (who, format_now(), action, details)
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def find_act(connection: sqlite3.Connection, who: str, is_undo: bool) -> sqlite3.Row | None:
    """Return the act that a person takes back next (the newest in force), or makes again (the oldest undone)."""
    state, order = (IN_FORCE, "DESC") if is_undo else (UNDONE, "ASC")
    row: sqlite3.Row | None = connection.execute(
        f"SELECT id, action, details FROM acts WHERE who = ? AND undone = ? ORDER BY id {order} LIMIT 1", (who, state)
    ).fetchone()
    return row
