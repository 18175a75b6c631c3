"""Exclusive use of a file by one process at a time.

The operating system releases a lock when the process that holds it ends or is killed, so none is ever left behind.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from headstart.errors import OptionError

IS_WINDOWS = os.name == "nt"
POLL_SECONDS = 0.05
_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What a file system without locks answers, such as some network drives: the lock then counts as acquired."""


@contextmanager
def lock_file(path: Path, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold an exclusive lock on a file while the block runs.

    Parameters
    ----------
    path : Path
        Made if need be, and left behind empty: removing it would let two processes hold two locks of one name.
    wait_seconds : float
        How long to wait while another process (or another block of this one) holds it.

    Yields
    ------
    bool
        Whether the lock is held; the block runs in any case and decides.

    Raises
    ------
    OSError
        The file cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "lock")
    >>> with lock_file(path) as first, lock_file(path) as second:
    ...     first, second
    (True, False)
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait_seconds
        acquired = _try_lock(handle)
        while not acquired and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            acquired = _try_lock(handle)
        yield acquired
    finally:
        os.close(handle)


@contextmanager
def hold_output_folder(folder: Path, lock: Path) -> Iterator[None]:
    """Keep every other run out of an output folder while the block runs.

    Parameters
    ----------
    folder : Path
    lock : Path
        The file to lock; the same for every run into this folder.

    Raises
    ------
    OptionError
        Another run is writing into it.
    """
    with lock_file(lock) as acquired:
        if not acquired:
            raise OptionError(
                f"Another run is writing into {folder} at this moment.",
                "Wait until it is done, or name another output folder with -o.",
            )
        yield


def _try_lock(handle: int) -> bool:
    try:
        if IS_WINDOWS:
            windows = import_module("msvcrt")
            windows.locking(handle, windows.LK_NBLCK, 1)
        else:
            unix = import_module("fcntl")
            unix.flock(handle, unix.LOCK_EX | unix.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _UNSUPPORTED:
            raise
    return True
