"""Folders of files under numbers, with a list of the names that people know them by.

What a browser sends is stored like this: a name from elsewhere never becomes a path on this disk, and the folders in it
still say which kind a photo is. Every reader of folders sees the names; only opening a file uses the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from headstart import home
from headstart.errors import DataError

NAMES_FILE = "headstart-names.json"
_FORMAT = 1
_STORED = re.compile(r"[0-9a-f]{1,32}(?:\.[a-z0-9]{1,12})?")
"""The only names that files in such a folder have: numbers, and an ending by which readers go."""


def write_names(folder: Path, names: Mapping[str, str]) -> None:
    """Write the list of names of a folder.

    Parameters
    ----------
    folder : Path
    names : mapping of str to str
        By stored name, such as "000012.jpg": the path that people know it by, such as "rust/leaf 3.jpg".
    """
    home.write_json(folder / NAMES_FILE, {"format": _FORMAT, "names": dict(names)})


def read_names(folder: Path) -> dict[PurePosixPath, Path] | None:
    """Return the stored file of each name; None for a folder whose files bear their own names.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        The list is damaged, or names a file that is no plain number.
    """
    place = folder / NAMES_FILE
    if not place.is_file():
        return None
    document = home.read_json(place)
    names = document.get("names") if isinstance(document, dict) else None
    if not isinstance(names, dict) or document.get("format") != _FORMAT:
        raise DataError(f"{place}: the list of names is damaged.", "Add the files again.")
    places: dict[PurePosixPath, Path] = {}
    for stored, name in names.items():
        if not _STORED.fullmatch(stored) or not isinstance(name, str):
            raise DataError(f"{place}: {stored[:40]!r} is no file of this folder.", "Add the files again.")
        places[PurePosixPath(name)] = folder / stored
    return places


def clean_name(name: str) -> PurePosixPath | None:
    r"""Return a path from elsewhere as one that stays below a folder; None where nothing of it is left.

    Parameters
    ----------
    name : str
        Such as "photos/rust/leaf 3.jpg", or what an attacker makes of it.

    Examples
    --------
    >>> str(clean_name("photos\\rust\\leaf 3.jpg")), str(clean_name("../../etc/passwd")), clean_name("..")
    ('photos/rust/leaf 3.jpg', 'etc/passwd', None)
    >>> str(clean_name("/abs\x00olute.jpg"))
    'absolute.jpg'
    """
    printable = "".join(mark for mark in name.replace("\\", "/") if mark.isprintable())
    parts = [part.strip() for part in printable.split("/")]
    folders = [part[:200] for part in parts if part.strip(".")][-20:]
    return PurePosixPath(*folders) if folders else None
