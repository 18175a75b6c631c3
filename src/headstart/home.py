"""Where Headstart keeps what it may throw away, and how it writes files: whole or not at all.

`HEADSTART_HOME` moves everything. Nothing is ever written into the user's own folders.
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from headstart import progress
from headstart.errors import OptionError

IS_WINDOWS = os.name == "nt"
WINDOWS_WAIT_SECONDS, WINDOWS_POLL_SECONDS = 3.0, 0.05
NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
MOST_JSON_BYTES = 200_000_000
"""Of a JSON file in the home or in an output folder; the largest that is written is a few MB."""
LEFTOVER_SECONDS = 6 * 3600.0
"""A partial file that nobody wrote to for so long was left by a process that was killed."""


def find_home() -> Path:
    """Return the folder of everything that Headstart keeps; it is made on first use.

    Where it cannot be made for lack of permission it holds nothing, and what is only kept to save time is not kept.

    Raises
    ------
    OptionError
        If it cannot be made for another reason, or is a file.
    """
    folder = Path(os.environ.get("HEADSTART_HOME") or user_cache_dir("headstart", appauthor=False)).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in NO_PERMISSION:
            return folder
        raise OptionError(
            f"Headstart cannot write its files to {folder} ({error.strerror}).",
            "Set the environment variable HEADSTART_HOME to a folder that you may write to.",
        ) from error
    return folder


def make_writable_folder(*parts: str) -> Path:
    """Return a folder below `home()`, made if need be.

    For files that must lie somewhere while this process runs, such as a tokenizer that a library opens by its path:
    where the home cannot be written to, the folder is a temporary one that goes away with this process.
    """
    folder = find_home().joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
        reason = os.strerror(errno.EACCES)
    except OSError as error:
        if error.errno not in NO_PERMISSION:
            raise
        reason = error.strerror or os.strerror(errno.EACCES)
    _warn_not_kept(find_home(), reason)
    folder = _make_temporary_home().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lock_path(folder: Path) -> Path:
    """Return the path of a lock for a folder that must hold nothing else of ours.

    Parameters
    ----------
    folder : Path
    """
    name = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return make_writable_folder("locks") / name[:32]


@cache
def _make_temporary_home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="headstart-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def allow_failed_write() -> Iterator[None]:
    """Write something that only saves time later; where disk or permission forbid it, warn once and go on without."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_PERMISSION | NO_SPACE:
            raise
        _warn_not_kept(find_home(), error.strerror or str(error))


@cache
def _warn_not_kept(folder: Path, reason: str) -> None:
    progress.warn(
        f"The cache folder {folder} cannot be written to ({reason}): the next run computes everything again. "
        "Free some space there, or set HEADSTART_HOME to a folder that you may write to."
    )


def remove_leftovers(folder: Path, pattern: str, idle_seconds: float = LEFTOVER_SECONDS) -> None:
    """Remove hidden files and folders that killed processes left half-written.

    Parameters
    ----------
    folder : Path
        Only what lies directly in it.
    pattern : str
        Such as ".*.partial".
    idle_seconds : float
        What was written to more recently stays: its process may still be at work. 0 where no other can be.
    """
    for path in folder.glob(pattern):
        with suppress(OSError):
            if time.time() - _find_last_write(path) < idle_seconds:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _find_last_write(path: Path) -> float:
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
    return float(max(item.lstat().st_mtime for item in (path, *inside)))


def require_place(out: Path) -> None:
    """Refuse a folder that cannot be made or written to, before long work begins; makes nothing.

    Parameters
    ----------
    out : Path

    Raises
    ------
    OptionError
    """
    for _ in range(3):  # Looked at again where another process may just be replacing it.
        existing = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
        if existing.is_dir() and os.access(existing, os.W_OK):
            return
    raise OptionError(
        f"{out} cannot be made: {existing} is not a folder that can be written to.", "Name another folder with -o."
    )


def clear_place(path: Path) -> None:
    """Remove anything but a plain file in the place of a file of the home: a folder, or a link to somewhere else.

    Parameters
    ----------
    path : Path
    """
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def move_into_place(source: Path, target: Path) -> None:
    """Rename a finished file or folder; a file that is there is replaced, a folder with content is not.

    Windows refuses this while another program, such as a virus scanner, has one of them open: it is tried again for
    `WINDOWS_WAIT_SECONDS`.

    Parameters
    ----------
    source, target : Path
        On one file system.

    Raises
    ------
    OSError
        What the file system answers; on Windows PermissionError only after waiting.
    """
    deadline = time.monotonic() + WINDOWS_WAIT_SECONDS
    move = source.rename if source.is_dir() else source.replace  # Windows replaces no folder, and says so by rename.
    while True:
        try:
            move(target)
        except PermissionError:
            if not IS_WINDOWS or time.monotonic() > deadline:
                raise
            time.sleep(WINDOWS_POLL_SECONDS)
        else:
            return


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; it takes the final name only if the block ends well.

    A kill leaves at most a hidden `.partial` file, never half a file under the final name.

    Parameters
    ----------
    path : Path
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.touch(exist_ok=False)
    mode = partial.stat().st_mode
    try:
        yield partial
        partial.chmod(mode)  # Some libraries make files that only their owner may read.
        with partial.open("rb+") as handle:
            os.fsync(handle.fileno())
        move_into_place(partial, path)
    except OSError as error:
        if error.filename is None and error.errno is not None:  # Writing to an open file does not say which.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all (UTF-8, line ends as given).

    Parameters
    ----------
    path : Path
    text : str
    """
    with write_whole(path) as partial:
        partial.write_bytes(text.encode("utf-8"))


def read_json(path: Path) -> Any:
    """Return what a JSON file of the home or of an output folder holds.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        It cannot be read, or is no plain file: reading a pipe would never end.
    ValueError
        It is too large, no JSON in UTF-8, or nested without end.
    """
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if path.stat().st_size > MOST_JSON_BYTES:
        raise ValueError(f"{path} is too large ({path.stat().st_size / 1e6:,.0f} MB)")
    try:
        return json.loads(path.read_text("utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path} is nested without end") from error


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file whole or not at all.

    Parameters
    ----------
    path : Path
    document : anything
        JSON-able.
    """
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
