"""The tunable numbers of writing the forms of a model, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Numbers of writing and comparing the forms of a model.

    Parameters
    ----------
    compared_rows : int
        Rows that forms are compared on: drawn by chance where there are more.
    max_feature_difference : float
        Mean relative difference of features from which on a graph is refused.
    timed_rows, timed_rounds : int
        Rows on which a form is timed, and how often.
    clearly_smaller, faster, a_little_smaller : float
        int8 is worth writing where it is so many times smaller, or faster here and at least a little smaller.
    """

    compared_rows: int = 1_000
    max_feature_difference: float = 1e-3
    timed_rows: int = 16
    timed_rounds: int = 3
    clearly_smaller: float = 3.0
    faster: float = 1.1
    a_little_smaller: float = 1.2


SETTINGS = ExportSettings()
