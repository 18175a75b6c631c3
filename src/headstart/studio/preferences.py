"""What the owner of this machine chose in Studio: one small file in the home of Headstart."""

from __future__ import annotations

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
