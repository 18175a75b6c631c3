"""The tunable numbers of choosing a base, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BaseChoiceSettings:
    """Numbers of choosing a base and of looking at data with it.

    Parameters
    ----------
    time_share, max_rows, max_bytes : float, int, float
        Largest share (0-1) of the time left (also for the comparison of two text bases), rows, and size of a base
        with `--base auto`.
    probe_rows : int
        Training rows on which the default text base and the one of many languages are compared.
    mostly_unknown_share : float
        From this share (0-1) of unknown tokens on a base is not tried, unless it is named or the default.
    checked_rows : int
        Training rows that `check --deep` runs through the base.
    proposed_bases, fetched_bases : int
        Bases that are not here and that `bases --for` names at most, and that `--fetch` gets of them.
    """

    time_share: float = 0.4
    max_rows: int = 1_000
    max_bytes: float = 1e9
    probe_rows: int = 200
    mostly_unknown_share: float = 0.5
    checked_rows: int = 5_000
    proposed_bases: int = 3
    fetched_bases: int = 2


SETTINGS = BaseChoiceSettings()
