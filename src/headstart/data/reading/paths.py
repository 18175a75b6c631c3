"""Paths of data as users name them: refused with what lies nearby, or with what the option is for."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from headstart.data.reading.table_files import is_workbook
from headstart.errors import DataError, OptionError, list_offenders
from headstart.plain_files import require_plain


def require_existing(path: Path) -> Path:
    """Return the path, or refuse it with what lies nearby; pipes and devices are no data.

    Parameters
    ----------
    path : Path
    """
    if path.exists():
        if not path.is_dir():
            require_plain(path)
        return path
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    close_names = get_close_matches(path.name, beside, n=1)
    raise DataError(
        f"There is no {path}.", f"Did you mean {path.parent / close_names[0]}?" if close_names else "Check the path."
    )


def require_workbook(sources: Sequence[Path], sheet: str | None) -> None:
    """Refuse the name of a sheet where no source is a workbook; a folder may hold some.

    Parameters
    ----------
    sources : sequence of Path
    sheet : str or None
        As the user named it.

    Raises
    ------
    OptionError
    """
    if sheet is not None and not any(path.is_dir() or is_workbook(path) for path in sources):
        names = list_offenders([path.name for path in sources])
        raise OptionError(f"--sheet is for Excel workbooks, and {names} is none.", "Leave --sheet out.")
