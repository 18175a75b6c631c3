"""The database of a project on its way to another folder: copied while it is in use, and made safe where it came from
somebody else.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath, PureWindowsPath

from headstart.errors import DataError
from headstart.projects.migrations import MIGRATIONS, read_version
from headstart.projects.places import ORIGINALS
from headstart.projects.records import OPEN_STATES
from headstart.projects.store import DATABASE, explain_errors, make_marks

PENDING_SOURCE = "pending_source"
"""Setting: what came to the project and was not added yet, by its path on this machine."""


def copy_database(source: Path, target: Path) -> None:
    """Copy the database of a project as it is at one moment, whoever writes into it; its open jobs are no longer open.

    Parameters
    ----------
    source, target : Path
        Folders of projects; the target has no database yet.
    """
    path = target / DATABASE
    address = (source / DATABASE).absolute().as_uri()
    with (
        explain_errors(path),
        closing(sqlite3.connect(address, uri=True)) as old,
        closing(sqlite3.connect(path)) as new,
    ):
        old.backup(new)
        close_jobs(new)


def close_jobs(connection: sqlite3.Connection) -> None:
    """Take back every job that waits or runs, and what came and was not added: they belong to the other folder.

    Parameters
    ----------
    connection : Connection
    """
    marks = make_marks(OPEN_STATES)
    connection.execute(f"UPDATE jobs SET state = 'cancelled' WHERE state IN ({marks})", OPEN_STATES)
    connection.execute("UPDATE models SET state = 'stopped' WHERE state = 'running'")
    connection.execute("DELETE FROM settings WHERE key = ?", (PENDING_SOURCE,))
    connection.commit()


def list_outside_files(source: Path) -> dict[int, Path]:
    """Return the files of examples that lie outside the folder of their project, by id.

    Parameters
    ----------
    source : Path
        Folder of the project.
    """
    with closing(sqlite3.connect((source / DATABASE).absolute().as_uri(), uri=True)) as connection:
        rows = connection.execute("SELECT id, path FROM examples WHERE path IS NOT NULL").fetchall()
    return {number: source / path for number, path in rows if not is_inside(path)}


def set_paths(folder: Path, paths: dict[int, str]) -> None:
    """Note where the files of examples lie.

    Parameters
    ----------
    folder : Path
        Of the project.
    paths : dict of int to str
        Relative paths below the folder, by id.
    """
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.executemany("UPDATE examples SET path = ? WHERE id = ?", [(path, n) for n, path in paths.items()])
        connection.commit()


def secure_database(folder: Path) -> None:
    """Make the database of a project that came from elsewhere safe to open: it starts no job and names no file outside.

    Parameters
    ----------
    folder : Path
        Of the project, before it is opened.

    Raises
    ------
    DataError
        It is no database of a project, is damaged, or holds what ours never hold.
    """
    path = folder / DATABASE
    with explain_errors(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        is_ours = _read_schema(connection) == _make_schema(read_version(connection))
        if (
            not is_ours
            or connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
            or _has_odd_rows(connection)
        ):
            raise DataError("The project in this file is damaged.", "Ask for another copy of it.")
        close_jobs(connection)
        rows = connection.execute("SELECT id, path FROM examples WHERE path IS NOT NULL").fetchall()
        lost = [(f"{ORIGINALS}/lost-{number}", number) for number, place in rows if not is_inside(place)]
        connection.executemany("UPDATE examples SET path = ? WHERE id = ?", lost)
        models = connection.execute("SELECT n, folder FROM models").fetchall()
        connection.executemany(
            "DELETE FROM models WHERE n = ?", [(number,) for number, place in models if not is_inside(place)]
        )
        connection.commit()


def _read_schema(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    """Return all that a database declares: its own views, triggers, computed columns or checks would run."""
    query = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
    rows = connection.execute(query)
    return sorted(tuple(row) for row in rows)


def _make_schema(version: int) -> list[tuple[str, ...]]:
    """Return what a database of ours declares."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in MIGRATIONS[:version]:
            for statement in step:
                connection.execute(statement)
        return _read_schema(connection)


def _has_odd_rows(connection: sqlite3.Connection) -> bool:
    """Return whether an example has metadata that cannot be read."""
    query = "SELECT 1 FROM examples WHERE NOT json_valid(metadata) OR json_type(metadata) <> 'object'"
    return connection.execute(query).fetchone() is not None


def is_inside(path: str) -> bool:
    r"""Return whether a stored path stays below the folder that it is relative to, on every system.

    Parameters
    ----------
    path : str

    Examples
    --------
    >>> [is_inside(path) for path in ("originals/a.jpg", "/etc/passwd", "../a", "C:\\a", "a\\..\\..\\b")]
    [True, False, False, False, False]
    """
    forms = (PurePosixPath(path), PureWindowsPath(path))
    return not any(form.is_absolute() or form.drive or form.root or ".." in form.parts for form in forms)
