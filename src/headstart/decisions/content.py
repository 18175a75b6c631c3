"""Which limits of contentless inputs hold for a model: those that its own training rows do not fall under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from headstart.modalities.content import CONTENT_FAULTS
from headstart.modalities.settings import SETTINGS, ContentSettings
from headstart.records import Index


def fit_content_limits(
    measures: Sequence[Mapping[str, float]], codes: Index, settings: ContentSettings = SETTINGS
) -> dict[str, float]:
    """Return the limits (see `headstart.modalities.content`) that legitimate inputs keep.

    A limit under which more than `most_refused` of the training rows of any class fall is left out: a class may be
    "empty field", and pictures of 8 x 8 pixels may be all there are.

    Parameters
    ----------
    measures : sequence of mapping, n_rows
        Of the training rows; empty for rows that were not measured.
    codes : Index, shape (n_rows,)
        Class of each row; one for all where rows have no single class.
    settings : ContentSettings

    Examples
    --------
    >>> sharp, black = {"too_dark": 200.0}, {"too_dark": 0.0}
    >>> fit_content_limits([sharp, sharp], np.asarray([0, 1])), fit_content_limits([sharp, black], np.asarray([0, 1]))
    ({'too_dark': 30.0}, {})
    """
    limits: dict[str, float] = {code: value for code, value in asdict(settings).items() if code in CONTENT_FAULTS}
    measured = {code for row in measures for code in row}
    limits_in_use = {}
    for code in (code for code in limits if code in measured):
        is_refused = np.asarray([row.get(code, np.inf) < limits[code] for row in measures], dtype=float)
        shares = np.bincount(codes, is_refused) / np.maximum(np.bincount(codes), 1)
        if shares.max() <= settings.most_refused:
            limits_in_use[code] = limits[code]
    return limits_in_use
