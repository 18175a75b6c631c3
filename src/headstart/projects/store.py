"""The database of a project: a connection for each thread, one writer at a time, errors in our words."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from headstart.disk_errors import explain_disk_error
from headstart.errors import DataError, HeadstartError, OptionError
from headstart.projects.migrations import MIGRATIONS, migrate, read_version
from headstart.projects.settings import SETTINGS

DATABASE = "project.sqlite"
Item = TypeVar("Item")


def format_now() -> str:
    """Return the time in UTC, to the millisecond, such that texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def split_chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in parts that fit into one statement."""
    for start in range(0, len(items), SETTINGS.chunk_rows):
        yield items[start : start + SETTINGS.chunk_rows]


def make_marks(items: Sequence[Any]) -> str:
    """Return a question mark for each value of a statement."""
    return ",".join("?" * len(items))


class ProjectStore:
    """The database of one project; may be used by many threads, and by many processes at once.

    Parameters
    ----------
    folder : Path
        Of the project.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / DATABASE
        self._file = _identify_file(self.path)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._finalizer = weakref.finalize(self, _close_all, self._connections)
        self.on_write: Callable[[], None] | None = None
        """Called after every transaction that changed what the project holds."""

    def is_replaced(self) -> bool:
        """Return whether the file was removed since, or another one lies in its place."""
        return _identify_file(self.path) != self._file

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection for reading."""
        with explain_errors(self.path):
            yield self._connect()

    @contextmanager
    def write(self, counts: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection in a transaction: all of the block is kept, or nothing.

        Within another such block of the same thread it is a part of that one, and undone with it.

        Parameters
        ----------
        counts : bool
            Whether the revision grows: everything but the progress of jobs.
        """
        connection = self._connect_or_explain()
        if connection.in_transaction:
            with explain_errors(self.path), _mark_savepoint(connection):
                yield connection
            return
        with explain_errors(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                if counts:
                    connection.execute("UPDATE about SET revision = revision + 1")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        if counts and self.on_write is not None:
            self.on_write()

    def _connect_or_explain(self) -> sqlite3.Connection:
        with explain_errors(self.path):
            return self._connect()

    def close(self) -> None:
        """Close the connections of all threads."""
        _close_all(self._connections)
        self._local = threading.local()

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.pid != os.getpid():  # A connection does not survive a fork.
            connection = connect(self.path)
            self._local.connection, self._local.pid = connection, os.getpid()
            self._connections.append(connection)
            weakref.finalize(threading.current_thread(), _close_one, connection, self._connections)
        return connection


def _identify_file(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _mark_savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Take back what the block wrote if it fails, and nothing that was written before it."""
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _close_one(connection: sqlite3.Connection, connections: list[sqlite3.Connection]) -> None:
    connection.close()
    if connection in connections:
        connections.remove(connection)


def connect(path: Path) -> sqlite3.Connection:
    """Open the database of a project; for reading only where it cannot be written to."""
    address = path.absolute().as_uri()
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return _connect_for_reading(path, address)
    connection = _open(f"{address}?mode=rw")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # A label that was confirmed survives a power cut.
    return connection


def _connect_for_reading(path: Path, address: str) -> sqlite3.Connection:
    connection = _open(f"{address}?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # Its log cannot be made beside it; nobody can be writing, then.
        connection.close()
        connection = _open(f"{address}?mode=ro&immutable=1")
    return connection


def _open(address: str) -> sqlite3.Connection:
    # Python calls into SQLite from one thread at a time here; only closing happens in another.
    connection = sqlite3.connect(
        address, uri=True, timeout=SETTINGS.busy_seconds, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA trusted_schema = OFF")  # The file may come from somebody else.
    connection.create_function("casefold", 1, lambda text: text.casefold() if text else "", deterministic=True)
    return connection


def create_database(folder: Path, name: str) -> None:
    """Make the database of a new project, whole or not at all.

    Raises
    ------
    OptionError
        There is one already, or the folder cannot be made.
    """
    path = folder / DATABASE
    with explain_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
        _initialise(path, name, is_new=True)


def open_database(folder: Path) -> None:
    """Check the database of a project, and bring it to the newest format.

    Raises
    ------
    DataError
        There is none, it is damaged, or of a newer format.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise DataError(f"{folder} is no project: it holds no {DATABASE}.", "Make one with headstart project new.")
    with explain_errors(path):
        with closing(connect(path)) as connection:
            version = read_version(connection)
            if version:
                connection.execute("SELECT name, created, revision FROM about").fetchone()
        if version < len(MIGRATIONS):
            _initialise(path, folder.resolve().name, is_new=False)


def _initialise(path: Path, name: str, is_new: bool) -> None:
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            before = read_version(connection)
            if before and is_new:
                raise OptionError(f"There is a project in {path.parent} already.", "Open it, or name another folder.")
            migrate(connection)
            if not before:
                connection.execute("INSERT INTO about (id, name, created) VALUES (1, ?, ?)", (name, format_now()))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


@contextmanager
def explain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk report inside the block into errors with a hint."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _explain(error, path) from error
    except OSError as error:
        explained = explain_disk_error(error, [path.parent])
        if explained is None:
            raise
        raise explained from error


def _explain(error: sqlite3.DatabaseError, path: Path) -> HeadstartError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        problem = f"Another program has been writing into {path.parent} for {SETTINGS.busy_seconds:g} seconds."
        return OptionError(problem, "Wait until it is done, then try again. Nothing was lost.")
    if code == sqlite3.SQLITE_FULL:
        full = explain_disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)))
        assert full is not None
        return full
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        hint = "Give yourself the permission, or copy the folder to a place where you may write."
        return OptionError(f"The project in {path.parent} cannot be written to ({error}).", hint)
    if code == sqlite3.SQLITE_IOERR:
        hint = "Look whether the disk is connected and has free space, then try again."
        return DataError(f"{path} cannot be read or written ({error}).", hint)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or not isinstance(error, sqlite3.IntegrityError):
        labels = path.with_name("labels.csv")
        rescue = f"{labels} still holds the labels" if labels.is_file() else "Take the newest copy of the folder"
        hint = f"{rescue}: make a new project, add the data again, then headstart project import-labels."
        return DataError(f"{path} is damaged ({error}).", hint)
    raise error
