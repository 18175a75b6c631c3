"""What a project remembers beside its examples: settings, sources and models."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import OptionError, UnknownName
from headstart.projects.places import MODELS
from headstart.projects.records import MODEL_STATES, ProjectModel, Source
from headstart.projects.store import ProjectStore, format_now


def get_setting(store: ProjectStore, key: str, default: Any) -> Any:
    """Return a setting."""
    with store.read() as connection:
        row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return default if row is None else json.loads(row[0])


def set_setting(store: ProjectStore, key: str, value: Any) -> None:
    """Keep a setting; None removes it."""
    with store.write() as connection:
        if value is None:
            connection.execute("DELETE FROM settings WHERE key = ?", (key,))
        else:
            document = json.dumps(value, ensure_ascii=False)
            connection.execute("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (key, document))


def add_source(store: ProjectStore, path: str, role: str, options: Mapping[str, Any]) -> int:
    """Note where examples come from; return its number."""
    with store.write() as connection:
        cursor = connection.execute(
            "INSERT INTO sources (path, role, options, at) VALUES (?, ?, ?, ?)",
            (path, role, json.dumps(dict(options), ensure_ascii=False, default=str), format_now()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def finish_source(store: ProjectStore, number: int) -> None:
    """Note that all of a source has been read."""
    with store.write() as connection:
        connection.execute("UPDATE sources SET options = json_set(options, '$.finished', 1) WHERE id = ?", (number,))


def list_sources(store: ProjectStore) -> list[Source]:
    """Return the sources in the order in which they were added."""
    with store.read() as connection:
        rows = connection.execute("SELECT id, path, role, options, at FROM sources ORDER BY id").fetchall()
    return [Source(**{**dict(row), "options": json.loads(row["options"])}) for row in rows]


def add_model(store: ProjectStore, folder: Path | None, command: str, state: str) -> int:
    """Register a model and return its number; without a folder it gets models/n, which is not made here."""
    _check_state(state)
    root = store.path.parent.absolute()
    with store.write() as connection:
        highest = int(connection.execute("SELECT coalesce(max(n), 0) FROM models").fetchone()[0])
        number = highest + 1
        while folder is None and (root / MODELS / str(number)).exists():
            number += 1  # Somebody put a folder there.
        place = root / MODELS / str(number) if folder is None else folder.absolute()
        text = place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)
        connection.execute(
            "INSERT INTO models (n, folder, command, state, at) VALUES (?, ?, ?, ?, ?)",
            (number, text, command, state, format_now()),
        )
    return number


def update_model(store: ProjectStore, number: int, state: str | None, facts: Mapping[str, Any] | None) -> None:
    """Note how far a model is, and facts about it; facts that it had stay."""
    if state is not None:
        _check_state(state)
    model = get_model(store, number)
    with store.write() as connection:
        connection.execute(
            "UPDATE models SET state = ?, facts = ? WHERE n = ?",
            (state or model.state, json.dumps({**model.facts, **(facts or {})}, ensure_ascii=False), number),
        )


def _check_state(state: str) -> None:
    if state not in MODEL_STATES:
        raise OptionError(f"'{state}' is none of {', '.join(MODEL_STATES)}.", "Give one of these.")


def _make_model(row: sqlite3.Row, root: Path) -> ProjectModel:
    return ProjectModel(
        n=row["n"],
        folder=root.absolute() / row["folder"],
        command=row["command"],
        state=row["state"],
        at=row["at"],
        is_current=bool(row["is_current"]),
        facts=json.loads(row["facts"]),
    )


def list_models(store: ProjectStore) -> list[ProjectModel]:
    """Return all models, the oldest first."""
    with store.read() as connection:
        rows = connection.execute("SELECT * FROM models ORDER BY n").fetchall()
    return [_make_model(row, store.path.parent) for row in rows]


def get_model(store: ProjectStore, number: int) -> ProjectModel:
    """Return a model.

    Raises
    ------
    UnknownName
    """
    with store.read() as connection:
        row = connection.execute("SELECT * FROM models WHERE n = ?", (number,)).fetchone()
    if row is None:
        raise UnknownName(f"The project has no model {number}.", "headstart project show lists its models.")
    return _make_model(row, store.path.parent)


def get_current_model(store: ProjectStore) -> ProjectModel | None:
    """Return the model in use; None where none is."""
    with store.read() as connection:
        row = connection.execute("SELECT * FROM models WHERE is_current = 1").fetchone()
    return None if row is None else _make_model(row, store.path.parent)


def set_current_model(store: ProjectStore, number: int) -> None:
    """Take a model into use.

    Raises
    ------
    UnknownName
    """
    get_model(store, number)
    with store.write() as connection:
        connection.execute("UPDATE models SET is_current = (n = ?)", (number,))
