"""How figures are written: shares in percent, numbers in the unit of the label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headstart.evaluation.wording import amount
from headstart.results import Figure

NARROW = "\N{NARROW NO-BREAK SPACE}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage, never rounding up to 100 % what is less.

    Examples
    --------
    >>> percent(0.842).replace(NARROW, " "), percent(0.9999).replace(NARROW, " ")
    ('84 %', '99 %')
    """
    text = f"{100 * share:.{digits}f}"
    if float(text) == 100 and share < 1:
        text = f"{100 - 10**-digits:.{digits}f}"
    return f"{text}{NARROW}%"


def ends(figure: Figure, digits: int = 0) -> str:
    """Write the two ends of an interval of shares."""
    return f"{percent(figure.low, digits)} to {percent(figure.high, digits)}"


def span(figure: Figure, digits: int = 0) -> str:
    """Write an interval of shares shortly, in percent without the sign.

    Examples
    --------
    >>> span(Figure(value=0.5, low=0.25, high=1.0))
    '25–100'
    """
    return "–".join(percent(share, digits).removesuffix(f"{NARROW}%") for share in (figure.low, figure.high))


def amounts(figure: Figure) -> str:
    """Write an interval of numbers.

    Examples
    --------
    >>> amounts(Figure(value=0.5, low=0.25, high=1.0))
    '0.25 to 1'
    """
    return f"{amount(figure.low)} to {amount(figure.high)}"


@dataclass(frozen=True)
class Words:
    """How one kind of figure is written.

    `value` and `short` are for charts, `fine` and `fine_short` for tables (the second is the interval), `ends` is the
    interval as part of a sentence.
    """

    value: Callable[[Figure], str]
    short: Callable[[Figure], str]
    fine: Callable[[Figure], str]
    fine_short: Callable[[Figure], str]
    ends: Callable[[Figure], str]


SHARES = Words(
    lambda figure: percent(figure.value), span,
    lambda figure: percent(figure.value, 1), lambda figure: span(figure, 1), lambda figure: ends(figure, 1),
)  # fmt: skip
AMOUNTS = Words(
    lambda figure: amount(figure.value), amounts, lambda figure: amount(figure.value), amounts, amounts,
)  # fmt: skip
