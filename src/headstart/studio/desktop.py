"""Start files for a double click: one that makes its own environment, or an icon of the installation that runs."""

from __future__ import annotations

import shlex
import sys
from importlib.resources import files
from pathlib import Path

import platformdirs

from headstart.errors import OptionError
from headstart.home import write_text

SCRIPTS = {"linux": "headstart-studio.sh", "darwin": "headstart-studio.sh", "win32": "headstart-studio.bat"}
"""The script of each system, as it lies in this package."""
NAMES = {"linux": "headstart-studio.sh", "darwin": "headstart-studio.command", "win32": "headstart-studio.bat"}
"""What a double click runs there."""
_ENTRY = """[Desktop Entry]
Type=Application
Name=Headstart Studio
Exec={command}
Terminal=true
Categories=Education;Science;
"""


def render_start_script(system: str, python: str = "") -> str:
    """Return the script that opens Studio.

    Parameters
    ----------
    system : str
        As `sys.platform` writes it: "linux", "darwin" or "win32".
    python : str
        The interpreter of an installation; "" for a script that makes its own environment at its first start.
    """
    text = files("headstart.studio").joinpath("start_files", SCRIPTS[system]).read_bytes().decode("utf-8")
    if not python:
        return text
    if system == "win32":
        escaped = python.replace("%", "%%")
        return text.replace('set "PYTHON="', f'set "PYTHON={escaped}"', 1)
    return text.replace("python=''", f"python={shlex.quote(python)}", 1)


def write_desktop_icon(folder: Path | None = None, system: str = sys.platform) -> list[Path]:
    """Write what opens Studio of this installation by a double click.

    Parameters
    ----------
    folder : Path or None
        None: the desktop of the user.
    system : str
        As `sys.platform` writes it.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OptionError
        It cannot be written there, or the system is none of those that are known.
    """
    if system not in SCRIPTS:
        raise OptionError(f"No start file is known for {system}.", "Start it with: headstart studio")
    place = folder or Path(platformdirs.user_desktop_dir())
    written = {place / NAMES[system]: render_start_script(system, sys.executable)}
    if system == "linux":
        command = shlex.quote(str((place / NAMES[system]).absolute())).replace("%", "%%")
        written[place / "headstart-studio.desktop"] = _ENTRY.format(command=command)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for path, text in written.items():
            write_text(path, text)
            path.chmod(0o755)
    except OSError as error:
        raise OptionError(
            f"The start file cannot be written to {place} ({error.strerror}).",
            "Start it with: headstart studio",
        ) from error
    return list(written)
