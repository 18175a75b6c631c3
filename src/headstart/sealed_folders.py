"""Copies that Headstart keeps of large files: used only while every byte is the one that was written.

A disk may lose sectors, and a copy may be cut off. The folder therefore lists the SHA-256 of each of its files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from headstart.home import read_json, write_json

SEAL = "seal.json"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file (hex).

    Parameters
    ----------
    path : Path
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def seal_folder(folder: Path) -> None:
    """Write the hashes of all files in a folder and below it as its `seal.json`; hidden ones are unfinished.

    Parameters
    ----------
    folder : Path
    """
    (folder / SEAL).unlink(missing_ok=True)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    hashes = {path.relative_to(folder).as_posix(): hash_file(path) for path in files}
    write_json(folder / SEAL, hashes)


def is_sealed(folder: Path) -> bool:
    """Return whether a folder has its seal and every file in it is unchanged.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
        A file is there and cannot be read for the moment: that is no damage.
    """
    try:
        hashes = read_json(folder / SEAL)
        return (
            isinstance(hashes, dict)
            and bool(hashes)
            and all(".." not in name and _is_unchanged(folder / name, digest) for name, digest in hashes.items())
        )
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False


def _is_unchanged(path: Path, digest: object) -> bool:
    """Return whether a plain file has a hash; one that is gone raises, as one that cannot be read."""
    return (path.is_file() or not path.exists()) and hash_file(path) == digest
