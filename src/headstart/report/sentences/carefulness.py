"""How careful a model is, in words: of 100 examples so many right, wrong and left to a person."""

from __future__ import annotations

import math

from headstart.report.messages import format_number, message, translate
from headstart.report.people_words import count_of_hundred, format_in_hundred
from headstart.report.words import format_amount
from headstart.results import Figure
from headstart.results.carefulness import CareLevel

FEWEST_FOR_HUNDRED = 20
"""Of fewer examples nothing is told as so many of 100."""
_COLUMNS = (
    message("questions a mistake weighs"), message("right"), message("wrong"), message("left to you"),
    message("wrong answers"), "--refer-cost",
)  # fmt: skip


def format_count(n: int, n_rows: int, figure: Figure) -> str:
    """Return a part of some examples as people count it: "7 of 9", or of 100 with its interval where there are 20.

    Parameters
    ----------
    n, n_rows : int
        How many of how many.
    figure : Figure
        The share with its interval, 0 to 1.

    Examples
    --------
    >>> format_count(7, 9, Figure(value=7 / 9, low=0.45, high=0.94))
    '7 of 9'
    >>> format_count(42, 75, Figure(value=0.56, low=0.445, high=0.672))
    '56 of 100 (surely between 44 and 68)'
    """
    if n_rows < FEWEST_FOR_HUNDRED:
        return translate("{n} of {of}", n=format_number(str(n)), of=format_number(str(n_rows)))
    return format_in_hundred(figure)


def describe_level(level: CareLevel, n_rows: int) -> str:
    """Return what a setting does with examples, as a sentence.

    Parameters
    ----------
    level : CareLevel
    n_rows : int
        Examples that it was measured on.
    """
    if n_rows < FEWEST_FOR_HUNDRED:
        return translate(
            "Of {of} examples it answers {right} right and {wrong} wrong, and leaves {left} to you.",
            of=n_rows, right=level.n_right, wrong=level.n_wrong, left=level.n_left,
        )  # fmt: skip
    right, wrong, left = share_hundred(level)
    return translate(
        "Of {of} examples it answers {right} right and {wrong} wrong, and leaves {left} to you.",
        of=100, right=right, wrong=wrong, left=left,
    )  # fmt: skip


def share_hundred(level: CareLevel) -> tuple[int, int, int]:
    """Return how many of 100 are right, wrong and left to a person; they add up, and none that exists is lost.

    Parameters
    ----------
    level : CareLevel

    Examples
    --------
    >>> figure = Figure(value=0.5, low=0.4, high=0.6)
    >>> level = CareLevel(
    ...     refer_cost=1, questions_per_mistake=1, n_right=340, n_wrong=1, n_left=0, right=figure, wrong=figure,
    ...     left=figure, wrong_of_answered=None,
    ... )
    >>> share_hundred(level)
    (99, 1, 0)
    """
    counts = (level.n_right, level.n_wrong, level.n_left)
    parts = [count_of_hundred(n / max(sum(counts), 1)) for n in counts]
    largest = parts.index(max(parts))
    parts[largest] += 100 - sum(parts)
    return parts[0], parts[1], parts[2]


def name_level_columns() -> list[str]:
    """Return the headings of a table of settings."""
    return [translate(name) for name in _COLUMNS]


def write_level_cells(level: CareLevel, n_rows: int) -> list[str]:
    """Return one line of a table of settings: of 100 with the ends of the interval, or of how many there are.

    Parameters
    ----------
    level : CareLevel
    n_rows : int
    """
    wrong = level.wrong_of_answered
    return [
        format_amount(level.questions_per_mistake),
        _write_cell(level.n_right, n_rows, level.right),
        _write_cell(level.n_wrong, n_rows, level.wrong),
        _write_cell(level.n_left, n_rows, level.left),
        "-" if wrong is None else _write_cell(level.n_wrong, level.n_right + level.n_wrong, wrong),
        format_amount(level.refer_cost),
    ]


def _write_cell(n: int, n_rows: int, figure: Figure) -> str:
    if n_rows < FEWEST_FOR_HUNDRED:
        return translate("{n} of {of}", n=n, of=n_rows)
    low, high = math.floor(100 * figure.low), math.ceil(100 * figure.high)
    return translate("{n} ({low} to {high})", n=count_of_hundred(figure.value), low=low, high=high)
