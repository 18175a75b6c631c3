"""The database of a project on its way to another folder: copied while it is in use, and made safe where it came from
somebody else.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath, PureWindowsPath

from headstart.errors import DataError
from headstart.projects.jobs import OPEN_STATES
from headstart.projects.migrations import read_version
from headstart.projects.store import DATABASE, explain_errors, make_marks


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
    """Take back every job that waits or runs: it belongs to the folder that was copied.

    Parameters
    ----------
    connection : Connection
    """
    marks = make_marks(OPEN_STATES)
    connection.execute(f"UPDATE jobs SET state = 'cancelled' WHERE state IN ({marks})", OPEN_STATES)
    connection.execute("UPDATE models SET state = 'stopped' WHERE state = 'running'")
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
        read_version(connection)
        odd = connection.execute("SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')").fetchone()[
            0
        ]
        check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if odd or check != "ok":
            raise DataError("The project in this file is damaged.", "Ask for another copy of it.")
        close_jobs(connection)
        rows = connection.execute("SELECT id, path FROM examples WHERE path IS NOT NULL").fetchall()
        lost = [(f"originals/lost-{number}", number) for number, place in rows if not is_inside(place)]
        connection.executemany("UPDATE examples SET path = ? WHERE id = ?", lost)
        models = connection.execute("SELECT n, folder FROM models").fetchall()
        connection.executemany(
            "DELETE FROM models WHERE n = ?", [(number,) for number, place in models if not is_inside(place)]
        )
        connection.commit()


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
