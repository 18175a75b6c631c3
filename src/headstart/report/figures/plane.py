"""Marks between two axes: dots, lines, bands and columns as SVG paths; the words around them are HTML.

The drawing is stretched to the width of the page while strokes and dots keep their size (`vector-effect`), so that the
words stay readable on a phone and the picture uses a wide screen. From right to left the page mirrors it (figures.css).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from headstart.report.figures.axis import ChartAxis

Point = tuple[float, float]
"""x and y, in the units of the axes."""


@dataclass(frozen=True)
class Key:
    """One entry of a legend: the class of its mark in figures.css, and its words."""

    style: str
    text: str


@dataclass(frozen=True)
class Plane:
    """The two axes that marks are placed by."""

    x: ChartAxis
    y: ChartAxis

    def draw_dots(self, points: Sequence[Point], style: str = "ours") -> Markup:
        """Draw dots: lines without length, whose round ends are the dots."""
        return _draw_path(f"dots {style}", "".join(f"M{self._at(point)}h0" for point in points))

    def draw_link(self, point: Point, *, style: str, address: str, title: str) -> Markup:
        """Draw a dot that opens a place of the page; the keyboard reaches the same place without it."""
        dot = _draw_path(f"dots {style}", f"M{self._at(point)}h0")
        return Markup('<a href="{}" tabindex="-1"><title>{}</title>{}</a>').format(address, title, dot)

    def draw_spans(self, spans: Sequence[tuple[float, float, float]], style: str = "ours") -> Markup:
        """Draw upright intervals, each as x, low and high."""
        ends = [f"M{self._at((x, low))}V{self._up(high)}" for x, low, high in spans]
        return _draw_path(f"span {style}", "".join(ends))

    def draw_line(self, points: Sequence[Point], style: str = "ours") -> Markup:
        """Draw a line through points."""
        return _draw_path(f"line {style}", "M" + "L".join(map(self._at, points)) if points else "")

    def draw_band(self, spans: Sequence[tuple[float, float, float]], style: str = "ours") -> Markup:
        """Fill what lies between low and high, each as x, low and high, from left to right."""
        edge = [(x, high) for x, _, high in spans] + [(x, low) for x, low, _ in reversed(spans)]
        return _draw_path(f"band {style}", "M" + "L".join(map(self._at, edge)) + "Z" if spans else "")

    def draw_columns(self, columns: Sequence[tuple[float, float, float, float]], style: str = "ours") -> Markup:
        """Draw upright bars, each as its left and right end, and where it begins and ends."""
        boxes = [
            f"M{self._at((left, bottom))}V{self._up(top)}H{100 * self.x.place(right):.4g}V{self._up(bottom)}Z"
            for left, right, bottom, top in columns
        ]
        return _draw_path(f"area {style}", "".join(boxes))

    def _at(self, point: Point) -> str:
        return f"{100 * self.x.place(point[0]):.4g} {self._up(point[1])}"

    def _up(self, value: float) -> str:
        return f"{100 - 100 * self.y.place(value):.4g}"


def _draw_path(style: str, steps: str) -> Markup:
    """Return a path of the drawing, which is 100 wide and high; nothing where there are no steps."""
    return Markup('<path class="{}" d="{}"/>').format(style, steps) if steps else Markup("")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing between two axes, and the words around it.

    Parameters
    ----------
    title : str
        What it shows, in a few words, for screen readers.
    description : str
        The figures in it, for screen readers.
    caption : str
        How to read it, in plain words.
    plane : Plane
    marks : Markup
        SVG paths in a square of 100 by 100.
    keys : tuple of Key
        The legend; empty where there is one kind of mark.
    shape : str
        Class of figures.css that gives its height: "flat", "square" or "map".
    """

    title: str
    description: str
    caption: str
    plane: Plane
    marks: Markup
    keys: tuple[Key, ...] = ()
    shape: str = "flat"
