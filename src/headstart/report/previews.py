"""What the page shows of single rows: thumbnails, texts and small plots, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from headstart.modalities.preview_records import AnyPreview, SeriesPreview
from headstart.report.words import format_amount

BUDGET_BYTES = 2_300_000
"""Of all previews of a page."""
LIMIT_BYTES = 200_000
"""Of one."""
PLOT_WIDTH, PANEL_HEIGHT, LOW_PANEL_HEIGHT = 320, 110, 56
LEFT, RIGHT, BOTTOM, GAP = 46, 8, 30, 10

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
    """One channel: its lines (gaps between them) as SVG points, and the ends of its axis: where, and in words."""

    lines: list[str]
    top: float
    bottom: float
    low: str
    high: str


@dataclass(frozen=True, kw_only=True)
class SeriesPlot:
    """A plot of a series: a panel for each channel, all over the same steps."""

    width: int
    height: int
    left: int
    right: int
    panels: list[SeriesPanel]
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
    >>> plot.height, plot.panels[0].lines, plot.panels[0].high
    (140, ['46.0,105.0', '312.0,5.0'], '2')
    """
    panel_height = PANEL_HEIGHT if len(preview.channels) == 1 else LOW_PANEL_HEIGHT
    panels = [
        _place_channel(channel, at * (panel_height + GAP) + 5, panel_height - 10)
        for at, channel in enumerate(preview.channels)
    ]
    height = len(panels) * (panel_height + GAP) - GAP + BOTTOM
    return SeriesPlot(
        width=PLOT_WIDTH,
        height=height,
        left=LEFT,
        right=PLOT_WIDTH - RIGHT,
        panels=panels,
        n_steps=preview.n_steps,
        n_left_out=max(0, preview.n_channels - len(panels)),
    )


def _place_channel(channel: Sequence[float | None], top: float, height: float) -> SeriesPanel:
    known = [value for value in channel if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    wide, step = (high - low) or 1.0, (PLOT_WIDTH - LEFT - RIGHT) / max(len(channel) - 1, 1)
    places = [
        None if value is None else f"{LEFT + at * step:.1f},{top + height * (1 - (value - low) / wide):.1f}"
        for at, value in enumerate(channel)
    ]
    lines = [" ".join(filter(None, run)) for is_gap, run in groupby(places, lambda place: place is None) if not is_gap]
    return SeriesPanel(lines=lines, top=top, bottom=top + height, low=format_amount(low), high=format_amount(high))
