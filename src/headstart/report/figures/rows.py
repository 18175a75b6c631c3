"""Bars and intervals in rows under one another, one axis for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from headstart.report.figures.axis import ChartAxis
from headstart.report.figures.plane import Key


@dataclass(frozen=True)
class Segment:
    """A piece of a bar from `low` to `high`, in the unit of the axis; `style` is its class in figures.css."""

    style: str
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ChartRow:
    """One row of a chart.

    Parameters
    ----------
    name : str
    text, range : str
        The figure beside the bar in words, and its interval.
    label : str
        The same for screen readers, as a part of a sentence.
    segments : tuple of Segment
        Bars, drawn in this order.
    spans : tuple of (low, high)
        Intervals.
    dots : tuple of float
        Figures that are shown as dots.
    is_ours : bool
        Whether it stands out.
    note : str
        Beside the name, in soft letters.
    """

    name: str
    text: str
    label: str
    range: str = ""
    segments: tuple[Segment, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    dots: tuple[float, ...] = ()
    is_ours: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DrawnRow:
    """A row with its drawing."""

    row: ChartRow
    marks: Markup


@dataclass(frozen=True, kw_only=True)
class RowChart:
    """Rows over one axis.

    Parameters
    ----------
    axis : ChartAxis
    rows, rest : list of DrawnRow
        What is shown at once, and what is folded away.
    title, caption : str
        What it shows, in a few words; how to read it.
    keys : tuple of Key
        The legend.
    """

    axis: ChartAxis
    rows: list[DrawnRow]
    title: str
    caption: str = ""
    keys: tuple[Key, ...] = ()
    rest: tuple[DrawnRow, ...] = ()


def draw_rows(axis: ChartAxis, rows: Sequence[ChartRow], chance: float | None = None) -> list[DrawnRow]:
    """Draw rows over an axis.

    Parameters
    ----------
    axis : ChartAxis
    rows : sequence of ChartRow
    chance : float or None
        Where guessing would be; a dashed line.
    """
    return [DrawnRow(row=row, marks=_draw_row(axis, row, chance)) for row in rows]


def _draw_row(axis: ChartAxis, row: ChartRow, chance: float | None) -> Markup:
    ours = " ours" if row.is_ours else ""

    def at(value: float) -> str:
        return f"{100 * axis.place(value):.4g}"

    paths = [("grid", "".join(f"M{100 * tick.place:.4g} 0V100" for tick in axis.ticks))]
    paths += [(f"area {part.style}", f"M{at(part.low)} 22H{at(part.high)}V78H{at(part.low)}Z") for part in row.segments]
    paths += [("chance", f"M{at(chance)} 0V100")] if chance is not None else []
    over = " over" if row.segments else ours
    halo = [("span on", f"M{at(low)} 50H{at(high)}") for low, high in row.spans] if row.segments else []
    paths += halo + [(f"span{over}", f"M{at(low)} 50H{at(high)}") for low, high in row.spans]
    paths += [(f"dots{ours}", f"M{at(value)} 50h0") for value in row.dots]
    return Markup("").join(Markup('<path class="{}" d="{}"/>').format(style, steps) for style, steps in paths if steps)
