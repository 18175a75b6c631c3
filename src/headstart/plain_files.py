"""Files whose content may be read at once: plain ones of a bounded size, no pipes, no devices, no folders."""

from __future__ import annotations

import stat
from pathlib import Path

from headstart.errors import DataError

MAX_FILE_BYTES = 1 << 29
"""An image file of more bytes is set aside: its content is held in memory."""


def explain_not_plain(path: Path | str) -> str | None:
    """Return why a path is no plain file that can be opened, as the end of a sentence; None where it is one.

    Nothing is opened, so that a pipe without a writer does not wait for ever.

    Parameters
    ----------
    path : Path | str
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return "the file is not there"
    except (OSError, ValueError) as error:
        return f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = kinds.get(stat.S_IFMT(mode), "a device")
    return None if stat.S_ISREG(mode) else f"this is no plain file but {kind}"


def require_plain(path: Path) -> None:
    """Refuse a path that is no plain file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        It is not there, or a folder, a pipe or a device.
    """
    reason = explain_not_plain(path)
    if reason is not None:
        raise DataError(f"{path}: {reason}.", "Save it as a file, and give that.")


def read_plain_file(path: Path | str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Read a plain file.

    Parameters
    ----------
    path : Path | str
    most_bytes : int
        A larger file is refused.

    Raises
    ------
    DataError
        It is not there, no plain file, larger than `most_bytes`, or cannot be read; its problem is the reason only.
    """
    reason = explain_not_plain(path)
    if reason is None and Path(path).stat().st_size > most_bytes:
        reason = f"the file has more than {most_bytes / 1e6:,.0f} MB"
    if reason is not None:
        raise DataError(reason, "Check that it is there, and that it is a file.")
    try:
        with Path(path).open("rb") as handle:
            return handle.read(most_bytes)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", "Check that it may be read.") from error
