"""Which names of files a bundle may hold: plain ones, of regular files in its own folder. Nothing is read here.

Every name that a bundle states (manifest, `portable.file`, `portable.files`, `*_file`) passes here before it is read,
copied or written. predict.py has a twin in `headstart.bundle.standalone`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from pathlib import Path

from headstart.errors import BundleError, list_offenders

SUB_FOLDERS = ("base",)
"""Folders of a bundle that may be named before a plain name."""
MOST_CHARACTERS = 120
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+\-]*")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that mean a device on Windows, with any ending."""


def is_plain_name(name: object) -> bool:
    r"""Return whether a value is the name of a file and nothing else.

    Letters, digits, `_`, `-`, `+` and `.` only; so no separator, no drive, no NUL, and no hidden file.

    Examples
    --------
    >>> [is_plain_name(name) for name in ("model.onnx", "../x", "/x", "a\\b", "c:x", ".bashrc", "nul.txt", "", 7)]
    [True, False, False, False, False, False, False, False, False]
    """
    return (
        isinstance(name, str)
        and len(name) <= MOST_CHARACTERS
        and _PLAIN.fullmatch(name) is not None
        and not name.endswith(".")
        and _DEVICES.fullmatch(name) is None
    )


def is_listed_name(name: object) -> bool:
    """Return whether a value is a plain name, or one in a sub-folder that bundles have.

    Examples
    --------
    >>> [is_listed_name(name) for name in ("model.onnx", "base/config.json", "other/x", "base/../x", "base/a/b")]
    [True, True, False, False, False]
    """
    folder, slash, inner = str(name).partition("/")
    return is_plain_name(inner) and folder in SUB_FOLDERS if slash else is_plain_name(name)


def is_regular_file(path: Path) -> bool:
    """Return whether there is a file at a path that is no link, folder, device or pipe.

    Parameters
    ----------
    path : Path
    """
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def require_listed_names(folder: Path, where: str, names: Iterable[object]) -> None:
    """Refuse names of a bundle that lead outside of it, before anything is read.

    Parameters
    ----------
    folder : Path
        The bundle.
    where : str
        The file that states the names.
    names : iterable of any values

    Raises
    ------
    BundleError
        Some are no plain names, or name a link, a folder, a device or a pipe. A file that is absent passes.
    """
    outside = [make_printable(name) for name in names if not is_listed_name(name) or _is_not_regular(folder, str(name))]
    if outside:
        raise BundleError(
            f"{folder / where} names {len(outside)} files outside of the bundle ({list_offenders(outside)}).",
            "Do not use it: no version of headstart writes such a bundle.",
        )


def make_printable(value: object, most: int = MOST_CHARACTERS) -> str:
    r"""Return a value from a file as part of a message: short, and without characters that move the cursor.

    Examples
    --------
    >>> make_printable("a\x1b[2J"), make_printable([1] * 9, 8)
    ('a?[2J', '[1, 1,...')
    """
    text = "".join(character if character.isprintable() else "?" for character in str(value)[: most + 1])
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}..."


def _is_not_regular(folder: Path, name: str) -> bool:
    """Return whether something else than a regular file lies at a name, or its sub-folder is a link."""
    path = folder / name
    if path.parent != folder and path.parent.is_symlink():
        return True
    return path.is_symlink() or (path.exists() and not is_regular_file(path))
