"""How figures are written: shares in percent, numbers in the unit of the label."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from headstart.report.messages import NARROW, format_number, isolate, message, translate
from headstart.results import Figure

IN_UNITS = "mean absolute error"
"""The one metric that is no share: it is in the unit of the label."""
_METRIC_NAMES = (message("accuracy"), message("micro-F1"), message("row F1"), message("mean absolute error"))
"""Metrics that sentences name, for the catalogues: `translate_stored` writes them."""

End = Literal["value", "low", "high"]
"""What a number is: the figure itself, or an end of its interval. Ends are rounded outwards, never inwards."""
_OUTWARDS = {"low": ROUND_FLOOR, "high": ROUND_CEILING}
_DIRECTION_CHARACTERS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Embeddings, overrides and isolates of Unicode: they set the direction of all that follows."""


def shorten(text: str, limit: int = 80) -> str:
    """Cut a long text, and say so with three dots.

    Parameters
    ----------
    text : str
    limit : int
        Most characters.

    Examples
    --------
    >>> shorten("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorten_name(name: str) -> str:
    r"""Cut a name from the data for a sentence, and take out characters that would turn the figures behind it around.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> shorten_name("hill\N{RIGHT-TO-LEFT OVERRIDE}"), shorten_name("a" * 50) == "a" * 39 + "…"
    ('hill', True)
    """
    return shorten(name.translate(_DIRECTION_CHARACTERS), 40)


def join_clauses(clauses: Sequence[str]) -> str:
    """Return the clauses of one sentence, with the semicolon of the language spoken between them.

    Parameters
    ----------
    clauses : sequence of str
    """
    return translate("; ").join(clauses)


def list_names(names: Sequence[str], limit: int = 5) -> str:
    """Name at most so many and say how many more there are.

    Examples
    --------
    >>> list_names(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    first_names = translate(", ").join(names[:limit])
    return (
        first_names
        if len(names) <= limit
        else translate("{names} and {n} more", names=first_names, n=len(names) - limit)
    )


def round_outwards(value: float, digits: int, end: End = "value") -> str:
    """Write a number with so many digits after the mark: the low end of an interval rounded down, the high one up.

    Parameters
    ----------
    value : float
    digits : int
    end : "value", "low" or "high"

    Examples
    --------
    >>> round_outwards(96.6, 0, "low"), round_outwards(99.7, 0, "high"), round_outwards(96.6, 0)
    ('96', '100', '97')
    >>> round_outwards(29.000000000001, 0, "high"), round_outwards(-0.04, 1, "high")
    ('29', '0.0')
    """
    if end == "value" or not math.isfinite(value):
        return f"{value:.{digits}f}"
    exact = Decimal(f"{value:.{digits + 6}f}")  # What is off by less is the error of the arithmetic.
    text = str(exact.quantize(Decimal(1).scaleb(-digits), rounding=_OUTWARDS[end]))
    return text if float(text) else text.lstrip("-")


def format_percent(share: float, digits: int = 0, end: End = "value") -> str:
    """Write a share as a percentage, never rounding up to 100 % what is less, but for the high end of an interval.

    Parameters
    ----------
    share : float
        0 to 1.
    digits : int
        Behind the decimal sign.
    end : "low", "value" or "high"
        What it is of an interval: its ends are rounded outwards.

    Examples
    --------
    >>> format_percent(0.842).replace(NARROW, " "), format_percent(0.9999).replace(NARROW, " ")
    ('84 %', '99 %')
    """
    return isolate(f"{_bare(share, digits, end)}{NARROW}%")


def _bare(share: float, digits: int, end: End = "value") -> str:
    """Write a percentage without its sign."""
    text = round_outwards(100 * share, digits, end)
    if float(text) == 100 and share < 1 and end == "value":
        text = f"{100 - 10**-digits:.{digits}f}"
    return format_number(text)


def format_hundredths(share: float, digits: int = 0, end: End = "value") -> str:
    """Write a share in percent without the sign, for sentences that hold the sign.

    Parameters
    ----------
    share : float
        0 to 1.
    digits : int
        Behind the point.
    end : str
        "low" and "high" ends of an interval are rounded outwards.

    Examples
    --------
    >>> format_hundredths(0.842), format_hundredths(0.842, 1), format_hundredths(0.842, end="high")
    ('84', '84.2', '85')
    """
    return format_number(round_outwards(100 * share, digits, end))


def format_shares(figure: Figure) -> str:
    """Write a share with its interval in percent.

    Parameters
    ----------
    figure : Figure
    """
    return translate(
        "{value} % ({low} to {high} %)",
        value=format_hundredths(figure.value), low=format_hundredths(figure.low, end="low"),
        high=format_hundredths(figure.high, end="high"),
    )  # fmt: skip


def format_points(share: float, digits: int = 1, end: End = "value") -> str:
    """Write a share or a difference of shares in percentage points; a true minus sign, and none before 0.

    Examples
    --------
    >>> format_points(0.118), format_points(-0.0001), format_points(-0.3, 0)
    ('11.8', '0.0', '−30')
    """
    text = round_outwards(100 * share, digits, end)
    return format_number((text if float(text) else text.lstrip("-")).replace("-", "\N{MINUS SIGN}"))


def format_amount(value: float, end: End = "value") -> str:
    """Write a number with three digits that count; a true minus sign.

    Parameters
    ----------
    value : float
    end : "value", "low" or "high"
        Ends of an interval are rounded outwards.

    Examples
    --------
    >>> format_amount(0.0000123), format_amount(3.14159), format_amount(123456.7), format_amount(-2.0)
    ('0.0000123', '3.14', '123,000', '−2')
    """
    exact = _round_significant(value, 3, end)
    text = f"{float(exact):,.0f}" if abs(float(exact)) >= 100 else format(Decimal(exact), "f")
    return format_number(text.replace("-", "\N{MINUS SIGN}"))


def _round_significant(value: float, digits: int, end: End) -> str:
    """Write a number with so many digits that count, ends of an interval rounded outwards."""
    if end == "value" or not math.isfinite(value) or value == 0:
        return f"{value:.{digits}g}"
    exact = Decimal(f"{value:.{digits + 8}g}")
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding=_OUTWARDS[end])
    return f"{float(rounded):.{digits}g}"


def format_fixed(value: float, digits: int, end: End = "value") -> str:
    """Write a number with so many digits after the mark."""
    return format_number(f"{float(round_outwards(value, digits, end)):,.{digits}f}")


def format_significant(value: float, digits: int, end: End = "value") -> str:
    """Write a number with so many digits that count."""
    return format_number(_round_significant(value, digits, end))


def format_signed(value: float, digits: int, end: End = "value") -> str:
    """Write a number with its sign and so many digits after the mark.

    Examples
    --------
    >>> format_signed(3.14, 1, "low"), format_signed(-0.03, 1, "high"), format_signed(-2.5, 0, "low")
    ('+3.1', '+0.0', '-3')
    """
    return format_number(f"{float(round_outwards(value, digits, end)):+.{digits}f}")


def format_share_interval(figure: Figure, digits: int = 0) -> str:
    """Write the two ends of an interval of shares."""
    return translate(
        "{low} to {high}",
        low=format_percent(figure.low, digits, "low"), high=format_percent(figure.high, digits, "high"),
    )  # fmt: skip


def format_share_range(figure: Figure, digits: int = 0) -> str:
    """Write an interval of shares shortly, in percent without the sign.

    Examples
    --------
    >>> format_share_range(Figure(value=0.5, low=0.25, high=1.0))
    '25–100'
    """
    return isolate(f"{_bare(figure.low, digits, 'low')}–{_bare(figure.high, digits, 'high')}")


def format_interval(figure: Figure) -> str:
    """Write an interval of numbers.

    Examples
    --------
    >>> format_interval(Figure(value=0.5, low=0.25, high=1.0))
    '0.25 to 1'
    """
    return translate("{low} to {high}", low=format_amount(figure.low, "low"), high=format_amount(figure.high, "high"))


def format_rounded_interval(figure: Figure, digits: int = 1) -> str:
    """Write an interval of numbers with so many digits after the mark."""
    return translate(
        "{low} to {high}", low=format_fixed(figure.low, digits, "low"), high=format_fixed(figure.high, digits, "high")
    )


@dataclass(frozen=True, kw_only=True)
class FigureFormat:
    """How one kind of figure is written.

    `value` and `short` are for charts, `fine` and `fine_short` for tables (the second is the interval), `ends` is the
    interval as part of a sentence.
    """

    value: Callable[[Figure], str]
    short: Callable[[Figure], str]
    fine: Callable[[Figure], str]
    fine_short: Callable[[Figure], str]
    ends: Callable[[Figure], str]


SHARES = FigureFormat(
    value=lambda figure: format_percent(figure.value),
    short=format_share_range,
    fine=lambda figure: format_percent(figure.value, 1),
    fine_short=lambda figure: format_share_range(figure, 1),
    ends=lambda figure: format_share_interval(figure, 1),
)
AMOUNTS = FigureFormat(
    value=lambda figure: format_amount(figure.value),
    short=format_interval,
    fine=lambda figure: format_amount(figure.value),
    fine_short=format_interval,
    ends=format_interval,
)
