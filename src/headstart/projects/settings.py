"""The tunable numbers of projects, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProjectSettings:
    """Numbers that change how a project is stored and nothing that it holds.

    Parameters
    ----------
    busy_seconds : float
        How long a program waits for another one that writes into the same project.
    chunk_rows : int
        Rows of one statement with a list of values.
    export_seconds : float
        Least time between two exports of `labels.csv` that happen by themselves.
    export_share : float
        Share (0-1) of the time that such exports may take.
    """

    busy_seconds: float = 20.0
    chunk_rows: int = 500
    export_seconds: float = 10.0
    export_share: float = 0.02


SETTINGS = ProjectSettings()
