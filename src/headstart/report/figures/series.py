"""Training series laid over each other, class by class."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.report.figures.axis import make_axis
from headstart.report.figures.plane import Key, Picture, Plane
from headstart.report.messages import translate, translate_count
from headstart.report.words import shorten_name
from headstart.results import SeriesBand, SeriesChannel, SeriesOverview

Span = tuple[float, float, float, float]
"""Step, low, median, high."""


def draw_series(overview: SeriesOverview | None) -> list[Picture]:
    """Draw median and spread of each channel; empty where rows are no series.

    Parameters
    ----------
    overview : SeriesOverview or None
    """
    return [_draw_channel(overview, channel) for channel in overview.channels] if overview else []


def _draw_channel(overview: SeriesOverview, channel: SeriesChannel) -> Picture:
    bands = [(band, _list_runs(overview.steps, band)) for band in channel.bands]
    ends = [value for _, runs in bands for run in runs for span in run for value in span[1:]]
    plane = Plane(
        make_axis(translate("time step"), [0, overview.n_steps - 1], whole=True),
        make_axis(shorten_name(channel.name) or translate("value"), ends or [0.0]),
    )
    shades = [
        plane.draw_band([(step, low, high) for step, low, _, high in run], f"shade c{at}")
        for at, (_, runs) in enumerate(bands)
        for run in runs
    ]
    lines = [
        plane.draw_line([(step, median) for step, _, median, _ in run], f"c{at}")
        for at, (_, runs) in enumerate(bands)
        for run in runs
    ]
    marks = plane.draw_dots([])
    for part in [*shades, *lines]:
        marks += part
    caption = translate("Line: the middle one of the series it learnt from; shaded: eight of ten lie within.")
    if overview.n_classes > len(bands):
        more = translate_count(
            "Only the largest kinds; {n} more is not drawn.",
            "Only the largest kinds; {n} more are not drawn.",
            overview.n_classes - len(bands),
        )
        caption = f"{caption} {more}"
    keys = [Key(f"line c{at}", shorten_name(band.label) or translate("all")) for at, (band, _) in enumerate(bands)]
    rows = [f"{band.label or translate('all')} ({band.n_rows})" for band, _ in bands]
    return Picture(
        title=translate("The series of each kind: {name}", name=channel.name or translate("value")),
        description="; ".join(rows),
        caption=caption,
        plane=plane,
        marks=marks,
        keys=tuple(keys),
    )


def _list_runs(steps: Sequence[float], band: SeriesBand) -> list[list[Span]]:
    """Return the stretches without a gap."""
    runs: list[list[Span]] = [[]]
    for step, low, median, high in zip(steps, band.low, band.median, band.high, strict=True):
        if low is None or median is None or high is None:
            runs.append([])
        else:
            runs[-1].append((step, low, median, high))
    return [run for run in runs if run]
