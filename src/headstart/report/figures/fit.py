"""Predicted numbers against true ones."""

from __future__ import annotations

from headstart.report.figures.axis import make_axis
from headstart.report.figures.plane import Picture, Plane
from headstart.report.messages import translate
from headstart.results import ObservedPredicted


def draw_fit(points: ObservedPredicted | None, name: str) -> Picture | None:
    """Draw predicted against true numbers on two equal axes; None where there are none.

    Parameters
    ----------
    points : ObservedPredicted or None
    name : str
        Of the number.
    """
    if points is None or not points.observed:
        return None
    both = [*points.observed, *points.predicted]
    plane = Plane(
        make_axis(translate("true: {name}", name=name), both),
        make_axis(translate("predicted: {name}", name=name), both),
    )
    low, high = plane.x.low, plane.x.high
    caption = translate(
        "Each dot is a test row; upwards: what the model said. On the dashed line it is right; above it the model said "
        "too much."
    )
    if points.n_rows > len(points.observed):
        part = translate(
            "Shown: {n_shown} of {n} rows, evenly from the smallest to the largest.",
            n_shown=len(points.observed), n=points.n_rows,
        )  # fmt: skip
        caption = f"{caption} {part}"
    dots = list(zip(points.observed, points.predicted, strict=True))
    return Picture(
        title=translate("Predicted against true numbers"),
        description=translate(
            "{n} test rows; both axes go from {low} to {high}.",
            n=len(dots), low=plane.x.ticks[0].text, high=plane.x.ticks[-1].text,
        ),
        caption=caption,
        plane=plane,
        marks=plane.draw_line([(low, low), (high, high)], "ideal") + plane.draw_dots(dots, "small ours"),
        shape="square",
    )  # fmt: skip
