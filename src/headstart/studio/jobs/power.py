"""Whether this machine runs on its battery, where the system tells: Linux does, in files."""

from __future__ import annotations

from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")


def is_on_battery(supplies: Path = SUPPLIES) -> bool:
    """Return whether the machine runs on its battery; False where nobody knows.

    Parameters
    ----------
    supplies : Path
        Folder with one folder for each supply of power (sysfs of Linux).
    """
    try:
        folders = sorted(supplies.iterdir())
    except OSError:
        return False
    kinds = [(_read(folder / "type"), folder) for folder in folders]
    mains = [_read(folder / "online") for kind, folder in kinds if kind in ("Mains", "USB")]
    batteries = [
        _read(folder / "status")
        for kind, folder in kinds
        if kind == "Battery" and _read(folder / "scope") != "Device"  # Those of mice and headphones.
    ]
    return "1" not in mains and "Discharging" in batteries


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
