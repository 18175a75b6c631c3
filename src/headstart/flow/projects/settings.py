"""The tunable numbers of working with projects, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProjectFlowSettings:
    """Numbers that change how data enters a project, and which examples are put away for the check.

    Parameters
    ----------
    block_rows : int
        Examples that are added in one transaction.
    largest_drawn_share : float
        Share (0-1) of the examples drawn by chance that is put away for the check at most, where others were chosen for
        learning: learning needs some of each.
    """

    block_rows: int = 2_000
    largest_drawn_share: float = 0.75


SETTINGS = ProjectFlowSettings()
