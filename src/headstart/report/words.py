"""How figures are written: shares in percent, numbers in the unit of the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headstart.evaluation import wording
from headstart.report.messages import NARROW, isolated, number, tell
from headstart.results import Figure


def short(text: str, limit: int = 80) -> str:
    """Cut a long text, and say so with three dots.

    Examples
    --------
    >>> short("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(names: Sequence[str], limit: int = 5) -> str:
    """Name at most so many and say how many more there are.

    Examples
    --------
    >>> listed(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else tell("{names} and {n} more", names=shown, n=len(names) - limit)


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage, never rounding up to 100 % what is less.

    Examples
    --------
    >>> percent(0.842).replace(NARROW, " "), percent(0.9999).replace(NARROW, " ")
    ('84 %', '99 %')
    """
    return isolated(f"{_bare(share, digits)}{NARROW}%")


def _bare(share: float, digits: int) -> str:
    """Write a percentage without its sign."""
    text = f"{100 * share:.{digits}f}"
    if float(text) == 100 and share < 1:
        text = f"{100 - 10**-digits:.{digits}f}"
    return number(text)


def amount(value: float) -> str:
    """Write a number with three digits that count."""
    return number(wording.amount(value))


def fixed(value: float, digits: int) -> str:
    """Write a number with so many digits after the mark."""
    return number(f"{value:,.{digits}f}")


def significant(value: float, digits: int) -> str:
    """Write a number with so many digits that count."""
    return number(f"{value:.{digits}g}")


def ends(figure: Figure, digits: int = 0) -> str:
    """Write the two ends of an interval of shares."""
    return tell("{low} to {high}", low=percent(figure.low, digits), high=percent(figure.high, digits))


def span(figure: Figure, digits: int = 0) -> str:
    """Write an interval of shares shortly, in percent without the sign.

    Examples
    --------
    >>> span(Figure(value=0.5, low=0.25, high=1.0))
    '25–100'
    """
    return isolated("–".join(_bare(share, digits) for share in (figure.low, figure.high)))


def amounts(figure: Figure) -> str:
    """Write an interval of numbers.

    Examples
    --------
    >>> amounts(Figure(value=0.5, low=0.25, high=1.0))
    '0.25 to 1'
    """
    return tell("{low} to {high}", low=amount(figure.low), high=amount(figure.high))


def rounded(figure: Figure, digits: int = 1) -> str:
    """Write an interval of numbers with so many digits after the mark."""
    return tell("{low} to {high}", low=fixed(figure.low, digits), high=fixed(figure.high, digits))


@dataclass(frozen=True, kw_only=True)
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
    value=lambda figure: percent(figure.value),
    short=span,
    fine=lambda figure: percent(figure.value, 1),
    fine_short=lambda figure: span(figure, 1),
    ends=lambda figure: ends(figure, 1),
)
AMOUNTS = Words(
    value=lambda figure: amount(figure.value),
    short=amounts,
    fine=lambda figure: amount(figure.value),
    fine_short=amounts,
    ends=amounts,
)
