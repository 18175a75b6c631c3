"""The tunable numbers of evaluating at another place, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """Numbers of evaluating at another place, recalibrating there and comparing two models.

    Parameters
    ----------
    min_rows : int
        With fewer labelled rows there is no advice.
    min_labels : int
        Labelled rows that recalibration needs, and that advice names as enough.
    lost_share, lost_error_share : float
        A share (0-1) that is lower by more, or an error that is larger by more than this part, advises training.
    unknown_share : float
        So great a share (0-1) of rows out of distribution, or of unknown classes, advises training.
    least_miscalibration : float
        Probabilities (0-1) that are off by less are not worth correcting.
    spelling_similarity : float
        How much of two labels must agree (difflib's ratio, 0-1) to be taken for two spellings of one.
    changed_rows : int
        Rows of each kind in the document of `compare`; its CSV has all.
    """

    min_rows: int = 20
    min_labels: int = 30
    lost_share: float = 0.05
    lost_error_share: float = 0.1
    unknown_share: float = 0.2
    least_miscalibration: float = 0.01
    spelling_similarity: float = 0.8
    changed_rows: int = 100


SETTINGS = SiteSettings()
