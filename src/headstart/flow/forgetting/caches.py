"""Rows in what Headstart keeps to save time: features, facts of photos, unpacked zips."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from headstart.flow.forgetting.person_rows import PersonRows
from headstart.home import find_home
from headstart.modalities.image import SUFFIXES
from headstart.row_cache import list_shards


def forget_features(person: PersonRows, apply: bool) -> int:
    """Remove shards that hold one of the rows; the other rows in them are computed again when they are needed.

    Parameters
    ----------
    person : PersonRows
    apply : bool
        False: only count.

    Returns
    -------
    int
        Rows that are there (or were).
    """
    n_rows = 0
    for path, digests in list_shards():
        n_here = sum(person.has_digest(digest.tobytes()) for digest in digests)
        n_rows += n_here
        if n_here and apply:
            path.unlink(missing_ok=True)
    return n_rows


def forget_unpacked(person: PersonRows, apply: bool) -> int:
    """Remove unpacked copies of zips that hold one of the photos, or tables, which may hold anybody.

    Parameters
    ----------
    person : PersonRows
    apply : bool
        False: only count.

    Returns
    -------
    int
        Folders that are there (or were); they are unpacked again when they are needed.
    """
    folders = [folder for folder in (find_home() / "unpacked").glob("*") if folder.is_dir()]
    affected = [folder for folder in folders if any(_may_hold(file, person) for file in folder.rglob("*"))]
    if apply:
        for folder in affected:
            shutil.rmtree(folder, ignore_errors=True)
    return len(affected)


def _may_hold(file: Path, person: PersonRows) -> bool:
    if not file.is_file() or file.is_symlink():
        return False
    if file.suffix.lower() not in SUFFIXES:
        return True
    with file.open("rb") as handle:
        return person.has_digest(hashlib.file_digest(handle, "sha256").digest())
