"""How good the model is on test rows of one month, quarter or year after the other."""

from __future__ import annotations

from math import ceil

from headstart.report.figures.axis import ChartAxis, Tick, make_share_axis
from headstart.report.figures.plane import Picture, Plane
from headstart.report.messages import isolate, translate
from headstart.report.words import format_percent, format_share_range
from headstart.results import OverTime

MOST_TICKS = 6
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def draw_over_time(part: OverTime) -> Picture | None:
    """Draw the share right of each period with its interval; None with fewer than two periods.

    Parameters
    ----------
    part : OverTime
    """
    if len(part.periods) < 2:
        return None
    size = _MONTHS[part.unit]
    places = [_number_month(period.start) / size for period in part.periods]
    units = {
        "month": translate("month"),
        "quarter": translate("first month of the quarter"),
        "year": translate("year"),
    }
    plane = Plane(_make_period_axis(units[part.unit], places, part), make_share_axis(translate("first guess right")))
    points = [(place, period.right.value) for place, period in zip(places, part.periods, strict=True)]
    spans = [(place, period.right.low, period.right.high) for place, period in zip(places, part.periods, strict=True)]
    names = [_write_period(period.start, part) for period in part.periods]
    shares = [f"{format_percent(period.right.value)} ({format_share_range(period.right)})" for period in part.periods]
    return Picture(
        title=translate("Share of test rows that were right, over time"),
        description="; ".join(map(": ".join, zip(names, shares, strict=True))),
        caption=translate(
            "By the dates in {name}; upright lines are 95 % intervals. It goes down where the world has changed since, "
            "or where few were tested.",
            name=part.column,
        ),
        plane=plane,
        marks=plane.draw_line(points, "other") + plane.draw_spans(spans) + plane.draw_dots(points),
    )  # fmt: skip


def _number_month(start: str) -> int:
    return int(start[:4]) * 12 + int(start[5:7]) - 1


def _write_period(start: str, part: OverTime) -> str:
    return isolate(start[:4] if part.unit == "year" else start[:7])


def _make_period_axis(name: str, places: list[float], part: OverTime) -> ChartAxis:
    """Make an axis of time with a tick at every period, or at every second, third ..."""
    low, high = places[0] - 0.5, places[-1] + 0.5
    n_periods = round(places[-1] - places[0]) + 1
    size, step = _MONTHS[part.unit], ceil(n_periods / MOST_TICKS)
    ticks = []
    for at in range(0, n_periods, step):
        month = round((places[0] + at) * size)
        text = _write_period(f"{month // 12:04d}-{month % 12 + 1:02d}", part)
        ticks.append(Tick(places[0] + at, (at + 0.5) / (high - low), text))
    return ChartAxis(name=name, low=low, high=high, ticks=tuple(ticks))
