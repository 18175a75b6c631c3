"""The tunable numbers of scoring, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """Numbers of what is reported of single rows.

    Parameters
    ----------
    kept_centres : int
        Centres of training rows that a bundle keeps.
    worst_rows, missed_rows : int
        Surest mistakes, and worst decisions, that are listed.
    """

    kept_centres: int = 500
    worst_rows: int = 12
    missed_rows: int = 10


SETTINGS = ScoringSettings()
