"""Where a language's base goes: names of its files, and which folders may be written to. Loads nothing heavy."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import OptionError
from headstart.home import require_place

MARKER_FILE, CARD_FILE = "language.json", "README.md"


def require_free_folder(out: Path) -> None:
    """Refuse a folder that holds something which `adapt-language` did not write, or that cannot be made.

    Parameters
    ----------
    out : Path

    Raises
    ------
    OptionError
    """
    if out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file, not a folder.", "Name another folder with -o.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER_FILE).is_file():
        raise OptionError(f"{out} exists and was not made by headstart adapt-language.", "Name another folder with -o.")
    require_place(out)
