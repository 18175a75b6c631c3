"""The tunable numbers of models in use, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UseSettings:
    """Numbers that change what is shown and kept open, and no answer.

    Parameters
    ----------
    open_models : int
        Models that stay open in one process.
    recent_inputs : int
        Inputs that were answered one at a time and can still be corrected.
    preview_rows : int
        Rows that are answered at once to show how a table was understood.
    most_columns : int
        Columns of a table that are offered to choose from.
    pasted_bytes : int
        Text of numbers that is read as one series, whatever its shape; larger files are read as tables only.
    """

    open_models: int = 2
    recent_inputs: int = 50
    preview_rows: int = 5
    most_columns: int = 60
    pasted_bytes: int = 2_000_000


SETTINGS = UseSettings()
