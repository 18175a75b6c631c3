"""The format of `project.sqlite`, step by step: a released step never changes, a new format is a step more."""

from __future__ import annotations

import sqlite3

from headstart.errors import DataError

APPLICATION_ID = 0x48535052
"""In the header of the file: whose it is."""
_FIRST = (
    """CREATE TABLE about (
        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, created TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0)""",
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE sources (
        id INTEGER PRIMARY KEY, path TEXT NOT NULL, role TEXT NOT NULL, options TEXT NOT NULL, at TEXT NOT NULL)""",
    # A kind that was merged into another is displayed as that one; its labels stay its own, so merging can be undone.
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL, shown INTEGER NOT NULL REFERENCES kinds(id))",
    "CREATE UNIQUE INDEX kinds_by_name ON kinds (name) WHERE shown = id",
    # `event` is the journal's line that holds at present; `kind`, `answer`, `origin` repeat it for the indexes.
    """CREATE TABLE examples (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, content_hash TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'in', reason TEXT NOT NULL DEFAULT '', split TEXT NOT NULL DEFAULT '',
        kind INTEGER REFERENCES kinds(id), answer TEXT NOT NULL DEFAULT '', origin TEXT NOT NULL DEFAULT '',
        event INTEGER, draw INTEGER NOT NULL, source INTEGER REFERENCES sources(id),
        path TEXT, n_channels INTEGER, metadata TEXT NOT NULL DEFAULT '{}', text TEXT, series BLOB)""",
    "CREATE UNIQUE INDEX examples_by_content ON examples (content_hash, name)",
    "CREATE INDEX examples_by_name ON examples (name)",
    "CREATE INDEX examples_by_answer ON examples (state, answer, origin)",
    "CREATE INDEX examples_by_kind ON examples (kind, state, split)",
    "CREATE INDEX examples_by_split ON examples (state, split)",
    "CREATE INDEX examples_by_event ON examples (state, answer, event)",
    "CREATE INDEX examples_by_source ON examples (source)",
    "CREATE INDEX examples_by_draw ON examples (state, answer, draw)",
    # An act is what one person did at once and can take back: 0 in force, 1 undone, 2 undone and behind a newer act.
    """CREATE TABLE acts (
        id INTEGER PRIMARY KEY, who TEXT NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL,
        details TEXT NOT NULL DEFAULT '{}', undone INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX acts_by_person ON acts (who, undone, id)",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY, act INTEGER NOT NULL REFERENCES acts(id), example INTEGER NOT NULL,
        rank INTEGER NOT NULL, answer TEXT NOT NULL, kind INTEGER REFERENCES kinds(id), origin TEXT NOT NULL,
        round INTEGER NOT NULL, chosen TEXT NOT NULL, purpose TEXT NOT NULL)""",
    "CREATE INDEX events_by_example ON events (example, id)",
    "CREATE INDEX events_by_act ON events (act)",
    """CREATE TABLE models (
        n INTEGER PRIMARY KEY, folder TEXT NOT NULL, command TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL,
        is_current INTEGER NOT NULL DEFAULT 0, facts TEXT NOT NULL DEFAULT '{}')""",
    """CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, argv TEXT NOT NULL, state TEXT NOT NULL, pid INTEGER,
        at TEXT NOT NULL, began TEXT NOT NULL DEFAULT '', ended TEXT NOT NULL DEFAULT '',
        facts TEXT NOT NULL DEFAULT '{}')""",
    "CREATE INDEX jobs_by_state ON jobs (state, id)",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""Statements of each step; the file's `user_version` is the number of steps that were made."""


def read_version(connection: sqlite3.Connection) -> int:
    """Return the number of the format in which a file is; 0 for a new one.

    Raises
    ------
    DataError
        It is no project, or was written by a newer version.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    n_tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if owner != APPLICATION_ID and (owner or version or n_tables):
        raise DataError("project.sqlite is a database of another program.", "Name the folder of a Headstart project.")
    if version > len(MIGRATIONS):
        raise DataError(
            f"The project was written by a newer Headstart (format {version}; this one reads up to {len(MIGRATIONS)}).",
            "Update Headstart: pip install -U headstart. labels.csv beside it can be read by anything.",
        )
    return version


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest format, inside the transaction that is open."""
    for step in MIGRATIONS[read_version(connection) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
