"""Options of what Headstart keeps of the user's data."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.record import Options


class CacheOptions(Options):
    """What to do with the feature cache."""

    prune: bool = Field(False, description="Remove what was not used recently.")
    older_than: float = Field(30.0, ge=0.0, description="Days without use after which --prune removes (0: everything).")


class ForgetOptions(Options):
    """Which rows to forget."""

    id: tuple[str, ...] = Field((), description="Name of a row, as reports and tables of answers show it; repeatable.")
    row: tuple[Path, ...] = Field(
        (), description="A photo, a text file, or a table with the rows as they were in the data; repeatable."
    )
