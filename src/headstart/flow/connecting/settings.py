"""The tunable numbers of connections to other systems."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ConnectSettings:
    """Limits of a connection to a server of forms.

    Parameters
    ----------
    page_rows : int
        Submissions of one page; KoboToolbox gives at most 1,000.
    patch_rows : int
        Submissions that one request changes.
    most_page_bytes : int
        A longer answer is refused.
    attempts : int
        Of one request.
    stall_seconds : float
        A server that sends nothing for so long is asked again. Changes of many submissions take it long.
    certainty_step : float
        Codes are sent with their certainty rounded to this: rows with equal values are changed by one request.
    most_text_characters : int
        Of an answer; the rest is not read.
    """

    page_rows: int = 1_000
    patch_rows: int = 100
    most_page_bytes: int = 200_000_000
    attempts: int = 6
    stall_seconds: float = 120.0
    certainty_step: float = 0.05
    most_text_characters: int = 100_000


SETTINGS = ConnectSettings()
