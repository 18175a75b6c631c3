"""What the page and the terminal write of the levels of a coding frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.messages import translate
from headstart.report.words import format_hundredths
from headstart.results import Figure, LevelFigures, Metrics


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    """A line of the table of levels; figures that do not apply are None."""

    name: str
    n_codes: int
    main: Figure
    macro_f1: Figure
    answered: Figure | None
    right: Figure | None


def list_level_rows(levels: Sequence[LevelFigures]) -> list[LevelRow]:
    """Return a line for each level, the widest first.

    Parameters
    ----------
    levels : sequence of LevelFigures
    """
    return [
        LevelRow(
            name=item.name,
            n_codes=item.n_codes,
            main=_select_main(item),
            macro_f1=item.metrics.macro_f1,
            answered=item.answered,
            right=item.right,
        )
        for item in levels
    ]


def _select_main(item: LevelFigures) -> Figure:
    return item.metrics.accuracy if isinstance(item.metrics, Metrics) else item.metrics.micro_f1


def describe_levels(levels: Sequence[LevelFigures]) -> str:
    """Return how good the model is at each level, in a sentence; "" without levels.

    Parameters
    ----------
    levels : sequence of LevelFigures
    """
    if not levels:
        return ""
    one_each = isinstance(levels[0].metrics, Metrics)
    parts = ", ".join(f"{item.name} {format_hundredths(_select_main(item).value)}" for item in levels)
    if one_each:
        return translate("Right at each level, of 100: {levels}.", levels=parts)
    return translate("Micro-F1 at each level, in %: {levels}.", levels=parts)


def describe_rolled_up(levels: Sequence[LevelFigures]) -> str:
    """Return how often the answer stops at a level, and how often it is right there; "" where it never does.

    Parameters
    ----------
    levels : sequence of LevelFigures
    """
    stopped = [item for item in levels if item.rolled_up and item.rolled_up_right]
    if not stopped:
        return ""
    parts = "; ".join(
        translate(
            "{level}: {n} of 100 rows, right in {right} of 100 of them",
            level=item.name,
            n=format_hundredths(item.rolled_up.value if item.rolled_up else 0.0),
            right=format_hundredths(item.rolled_up_right.value if item.rolled_up_right else 0.0),
        )
        for item in stopped
    )
    return translate("Where the code is not sure, the answer names the level above ({parts}).", parts=parts)
