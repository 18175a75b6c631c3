"""What a failed write or read of a disk means for people: which folder, how much room there is, what to do."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from headstart.errors import HeadstartError
from headstart.home import NO_PERMISSION, NO_SPACE, find_home

_MUCH_BYTES = 1 << 30
"""With more free space a disk is not the one that is full, unless a path was named."""


def explain_disk_error(error: OSError, folders: Iterable[Path] = ()) -> HeadstartError | None:
    """Return the error for a full disk or a missing permission; None for any other error.

    Parameters
    ----------
    error : OSError
    folders : iterable of Path
        Where the program writes, besides its home and the folder for temporary files: a write that fails for want of
        space does not say where.
    """
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if error.errno in NO_SPACE:
        return _make_full_disk_error(
            _find_existing(named) if named else _find_fullest([*folders, find_home(), Path(tempfile.gettempdir())])
        )
    if error.errno in NO_PERMISSION and named is not None:
        reading = named.exists() and not os.access(named, os.R_OK)
        what = "read" if reading else "written"
        where = "" if reading else f", nor can another be made in {_find_existing(named.parent)}"
        return HeadstartError(
            f"{named} cannot be {what}{where} ({error.strerror}).",
            "Give yourself the permission, or name another folder (-o for results, HEADSTART_HOME for the cache).",
        )
    return None


def _make_full_disk_error(folder: Path) -> HeadstartError:
    free = _measure_free_bytes(folder)
    where = f"in {folder} ({free / 1e6:,.1f} MB are free on that disk)" if free < _MUCH_BYTES else "for what is written"
    return HeadstartError(
        f"There is no space left {where}: a disk is full, or your quota on it.",
        "Make room (headstart cache --prune removes what can be computed again), or name a folder on another disk "
        "(-o for results, HEADSTART_HOME for the cache, TMPDIR for temporary files).",
    )


def _find_fullest(folders: Iterable[Path]) -> Path:
    return min((_find_existing(folder) for folder in folders), key=_measure_free_bytes)


def _find_existing(path: Path) -> Path:
    """Return the folder itself, or the nearest one above that is there."""
    return next((place for place in (path, *path.absolute().parents) if place.is_dir()), Path.cwd())


def _measure_free_bytes(folder: Path) -> float:
    try:
        return float(shutil.disk_usage(folder).free)
    except OSError:
        return float("inf")
