"""What the owner of this machine chose in Studio: one small file in the home of Headstart."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from headstart.home import find_home, read_json, write_json

FILE = "studio.json"


class Preferences(BaseModel):
    """Choices that hold for all projects; unknown ones of newer versions are left alone."""

    model_config = ConfigDict(frozen=True, extra="allow")

    language: str = ""
    """Of the pages where the browser has none; empty: nobody was asked yet."""
    projects_folder: str = ""
    """Empty: Headstart in the folder of the user."""
    is_expert: bool = False
    """Whether the parts for experts are shown."""
    is_offline: bool = False
    """Whether jobs may not open a connection."""
    pauses_on_battery: bool = True
    """Whether jobs wait while the machine runs on its battery."""
    uses_all_cores: bool = False
    """Whether jobs take all cores; else half of them."""


def read_preferences() -> Preferences:
    """Return the choices; the defaults where there are none, or none that can be read."""
    try:
        return Preferences.model_validate(read_json(find_home() / FILE))
    except (OSError, ValueError, ValidationError):
        return Preferences()


def change_preferences(**changes: object) -> Preferences:
    """Store some choices and return all of them.

    Parameters
    ----------
    **changes
        Fields of `Preferences` with their new values.

    Raises
    ------
    ValidationError
        A value is of another type.
    """
    changed = Preferences.model_validate({**read_preferences().model_dump(), **changes})
    write_json(find_home() / FILE, changed.model_dump())
    return changed


def find_projects_folder(chosen: Path | None, preferences: Preferences) -> Path:
    """Return the folder of the projects; it is not made.

    Parameters
    ----------
    chosen : Path or None
        Of the command line.
    preferences : Preferences
    """
    if chosen is not None:
        return chosen.expanduser().absolute()
    if preferences.projects_folder:
        return Path(preferences.projects_folder).expanduser().absolute()
    return Path.home() / "Headstart"


def list_possible_folders() -> list[Path]:
    """Return places for projects: in the user's folder, in Documents, and on each drive that is plugged in.

    The page offers them by number, as no path of a browser may touch the disk; others are for `--folder`.
    """
    user = Path.home()
    drives = [*_list_folders(user.parent / "media" / user.name), *_list_folders(Path("/Volumes"))]
    for root in (Path("/media"), Path("/run/media")):
        drives += [drive for person in _list_folders(root) for drive in _list_folders(person)]
    drives += [Path(f"{letter}:/") for letter in "DEFGHIJ"] if os.name == "nt" else []
    documents = [user / "Documents"] if (user / "Documents").is_dir() else []
    places = [user, *documents, *(drive for drive in drives if drive.is_dir() and os.access(drive, os.W_OK))]
    return [place / "Headstart" for place in places]


def _list_folders(place: Path) -> list[Path]:
    try:
        return sorted(folder for folder in place.iterdir() if folder.is_dir())
    except OSError:
        return []
