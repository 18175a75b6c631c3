"""What the page shows of single rows: thumbnails, texts and small plots, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from headstart.modalities.preview_records import AnyPreview, SeriesPreview
from headstart.report.figures.axis import make_axis, write_number

BUDGET_BYTES = 2_450_000
"""Of all previews of a page."""
LIMIT_BYTES = 200_000
"""Of one."""
PLOT_WIDTH, PANEL_HEIGHT, LOW_PANEL_HEIGHT = 320, 110, 56
LEFT, RIGHT, BOTTOM, GAP = 46, 8, 30, 10
STRONGEST = 0.8
"""Opacity of the colour over the heaviest part."""
WIDTH = PLOT_WIDTH - LEFT - RIGHT

Previews = Mapping[str, AnyPreview | str]
"""By row id. A str is HTML that an older version kept, checked when it was read."""


class PreviewBudget:
    """Gives out previews until the page would become too heavy.

    Parameters
    ----------
    previews : Previews
    """

    def __init__(self, previews: Previews) -> None:
        self.previews = previews
        self.left = BUDGET_BYTES
        self.names: set[str] = set()

    @property
    def n_taken(self) -> int:
        """Return how many rows are shown."""
        return len(self.names)

    def take(self, name: str, most: int = LIMIT_BYTES) -> AnyPreview | Markup | None:
        """Return the preview of a row; None where there is none, or no room for it.

        Parameters
        ----------
        name : str
            Id of the row.
        most : int
            Bytes of one preview.
        """
        preview = self.previews.get(name)
        if preview is None:
            return None
        size = len((preview if isinstance(preview, str) else preview.model_dump_json()).encode("utf-8", "replace"))
        if size > min(self.left, most):
            return None
        self.left -= size
        self.names.add(name)
        return Markup(preview) if isinstance(preview, str) else preview


@dataclass(frozen=True, kw_only=True)
class SeriesPanel:
    """One channel: its lines (gaps between them) as SVG points, and the ticks of its axis: how far down, in words."""

    lines: list[str]
    top: float
    bottom: float
    ticks: list[tuple[float, str]]


@dataclass(frozen=True, kw_only=True)
class SeriesPlot:
    """A plot of a series: a panel for each channel, all over the same steps; `ticks` of these: how far right, in words.

    Parameters
    ----------
    width, height, left, right : int
        Of the drawing, and the ends of the panels, in units of its box.
    panels : list of SeriesPanel
    ticks : list of (float, str)
    n_steps, n_left_out : int
        Steps of the series, and channels that are not drawn.
    """

    width: int
    height: int
    left: int
    right: int
    panels: list[SeriesPanel]
    ticks: list[tuple[float, str]]
    n_steps: int
    n_left_out: int


def plot_series(preview: SeriesPreview) -> SeriesPlot:
    """Place the channels of a series below each other.

    Parameters
    ----------
    preview : SeriesPreview

    Examples
    --------
    >>> plot = plot_series(SeriesPreview(channels=[[0.0, None, 2.0]], n_steps=3, n_channels=1))
    >>> plot.panels[0].lines, plot.panels[0].ticks
    (['46.0,105.0 46.0,105.0', '312.0,5.0 312.0,5.0'], [(105.0, '0.0'), (5.0, '2.0')])
    """
    panel_height = PANEL_HEIGHT if len(preview.channels) == 1 else LOW_PANEL_HEIGHT
    panels = [
        _place_channel(channel, at * (panel_height + GAP) + 5, panel_height - 10)
        for at, channel in enumerate(preview.channels)
    ]
    right, last = PLOT_WIDTH - RIGHT, max(preview.n_steps, 2)
    steps = make_axis("", [1, last], whole=True)
    inside = [(1.0, write_number(1, 0)), *((tick.value, tick.text) for tick in steps.ticks if 1 < tick.value <= last)]
    return SeriesPlot(
        width=PLOT_WIDTH,
        height=len(panels) * (panel_height + GAP) - GAP + BOTTOM,
        left=LEFT,
        right=right,
        panels=panels,
        ticks=[(round(LEFT + (right - LEFT) * (value - 1) / (last - 1), 1), text) for value, text in inside],
        n_steps=preview.n_steps,
        n_left_out=max(0, preview.n_channels - len(panels)),
    )


def choose_colour(weight: float) -> str:
    """Return the colour of a part, the stronger the heavier: orange speaks for the answer, blue against it.

    Parameters
    ----------
    weight : float
        -1 to 1.

    Examples
    --------
    >>> choose_colour(1.0), choose_colour(-0.5), choose_colour(0.0)
    ('rgba(230,120,0,0.80)', 'rgba(20,90,200,0.40)', 'none')
    """
    colour = "230,120,0" if weight > 0 else "20,90,200"
    return f"rgba({colour},{STRONGEST * abs(weight):.2f})" if weight else "none"


def _place_channel(channel: Sequence[float | None], top: float, height: float) -> SeriesPanel:
    axis, step = make_axis("", [value for value in channel if value is not None]), WIDTH / max(len(channel) - 1, 1)
    places = [
        None if value is None else f"{LEFT + at * step:.1f},{top + height * (1 - axis.place(value)):.1f}"
        for at, value in enumerate(channel)
    ]
    runs = [
        [place for place in run if place] for is_gap, run in groupby(places, lambda place: place is None) if not is_gap
    ]
    lines = [" ".join(run if len(run) > 1 else run * 2) for run in runs]  # A single point is drawn as a dot.
    ends = (axis.ticks[0], axis.ticks[-1])
    ticks = [(round(top + height * (1 - tick.place), 1), tick.text) for tick in ends]
    return SeriesPanel(lines=lines, top=top, bottom=top + height, ticks=ticks)
