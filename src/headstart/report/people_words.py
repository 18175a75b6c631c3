"""The words of people who know no statistics: photos, messages and recordings; so many of 100, surely between two."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from headstart.report.messages import format_number, translate, translate_count
from headstart.results import Figure

_COUNTS: Mapping[str, Callable[[int], str]] = {
    "image": lambda n: translate_count("{n} photo", "{n} photos", n),
    "text": lambda n: translate_count("{n} message", "{n} messages", n),
    "series": lambda n: translate_count("{n} recording", "{n} recordings", n),
}
_ROUNDING = 1e-9


def count_inputs(modality: str, n: int) -> str:
    """Return how many photos, messages or recordings there are.

    Parameters
    ----------
    modality : str
        Another name than those of `MODALITIES` (a test's, or an older result's): rows.
    n : int

    Examples
    --------
    >>> count_inputs("text", 300), count_inputs("image", 1)
    ('300 messages', '1 photo')
    """
    count = _COUNTS.get(modality)
    return count(n) if count is not None else translate_count("{n} row", "{n} rows", n)


def format_in_hundred(figure: Figure) -> str:
    """Return a share as so many of 100, with its interval rounded outwards.

    Parameters
    ----------
    figure : Figure
        Of a share, 0 to 1.

    Examples
    --------
    >>> format_in_hundred(Figure(value=0.56, low=0.445, high=0.672))
    '56 of 100 (surely between 44 and 68)'
    """
    low, high = math.floor(100 * figure.low + _ROUNDING), math.ceil(100 * figure.high - _ROUNDING)
    value = min(max(round(100 * figure.value), low), high)
    return translate(
        "{value} of 100 (surely between {low} and {high})",
        value=format_number(str(value)), low=format_number(str(low)), high=format_number(str(high)),
    )  # fmt: skip


def count_of_hundred(share: float) -> int:
    """Return a share as a count of a hundred; 0 and 100 only where it is none or all.

    Parameters
    ----------
    share : float
        0 to 1.

    Examples
    --------
    >>> count_of_hundred(0.561), count_of_hundred(0.999), count_of_hundred(0.001), count_of_hundred(1.0)
    (56, 99, 1, 100)
    """
    if share in (0.0, 1.0):
        return round(100 * share)
    return min(99, max(1, round(100 * share)))


def format_of_hundred(share: float) -> str:
    """Write a share as people count it.

    Parameters
    ----------
    share : float
        0 to 1.

    Examples
    --------
    >>> format_of_hundred(0.561)
    '56 of 100'
    """
    return translate("{n} of 100", n=count_of_hundred(share))


def format_surely_between(figure: Figure) -> str:
    """Write the interval of a share as counts of a hundred, rounded outwards.

    Examples
    --------
    >>> format_surely_between(Figure(value=0.561, low=0.446, high=0.671))
    'surely between 44 and 68'
    """
    low, high = math.floor(100 * figure.low + _ROUNDING), math.ceil(100 * figure.high - _ROUNDING)
    return translate("surely between {low} and {high}", low=low, high=high)
