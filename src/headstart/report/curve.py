"""The learning curve as the page draws it: places in the plot and figures in words, from the result alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

from headstart.report.messages import format_number, message, translate, translate_stored
from headstart.report.words import IN_UNITS, format_percent, format_significant
from headstart.results import Figure, LearningCurve

WIDTH, HEIGHT, MARGIN = 260.0, 200.0, 0.1
_METRICS = {
    "accuracy": message("Accuracy"), "macro-F1": message("Macro-F1"), "quadratic kappa": message("Quadratic kappa"),
    "mean absolute error": message("Mean absolute error"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured size: its place (0 at the top left) and its figures in words."""

    labels: int
    labels_per_class: float | None
    x: float
    y: float
    low: float
    high: float
    text: str
    range: str


@dataclass(frozen=True)
class _Axes:
    """Number of labels and value to places."""

    first: float
    last: float
    bottom: float
    top: float

    def x(self, labels: float) -> float:
        wide = log2(self.last / self.first)
        return 20 + (WIDTH - 40) * (log2(labels / self.first) / wide if wide else 0.5)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / max(self.top - self.bottom, 1e-12)
        return HEIGHT * (1 - min(max(share, 0.0), 1.0))


def place_learning_curve(curve: LearningCurve | None) -> Mapping[str, Any] | None:
    """Gather what `curve.html` shows; None where there are no points.

    Parameters
    ----------
    curve : LearningCurve or None
    """
    if curve is None or not curve.points:
        return None
    words = _number if curve.metric == IN_UNITS else format_percent
    lows, highs = [item.value.low for item in curve.points], [item.value.high for item in curve.points]
    margin = MARGIN * (max(highs) - min(lows))
    axes = _Axes(curve.points[0].labels, curve.points[-1].labels, min(lows) - margin, max(highs) + margin)
    points = [
        Point(
            labels=item.labels,
            labels_per_class=item.labels_per_class,
            x=axes.x(item.labels),
            y=axes.y(item.value.value),
            low=axes.y(item.value.low),
            high=axes.y(item.value.high),
            text=words(item.value.value),
            range=translate("{low} to {high}", low=words(item.value.low), high=words(item.value.high)),
        )
        for item in curve.points
    ]
    values = [axes.bottom + (axes.top - axes.bottom) * step / 4 for step in range(5)]
    return {
        "metric": translate_stored(_METRICS.get(curve.metric, curve.metric)),
        "points": points,
        "by_class": curve.points[0].labels_per_class is not None,
        "ticks": [{"y": axes.y(value), "text": words(value)} for value in values],
        "law": _law(curve, axes),
        "reach": curve.holds_up_to_labels,
        "forecast": [{"more": item.more_labels, "text": _gain(item.gain, words)} for item in curve.forecast],
    }


def _number(value: float) -> str:
    return format_significant(value, 3)


def _gain(gain: Figure, words: Callable[[float], str]) -> str:
    """Write a gain with its interval; a falling error is a gain."""
    if words is format_percent:
        value, low, high = (format_number(f"{100 * end:+.1f}") for end in (gain.value, gain.low, gain.high))
        return translate("{value} points ({low} to {high})", value=value, low=low, high=high)
    value, low, high = (format_number(f"{-end:+.3g}") for end in (gain.value, gain.high, gain.low))
    return translate("error {value} ({low} to {high})", value=value, low=low, high=high)


def _law(curve: LearningCurve, axes: _Axes) -> str:
    """Return the fitted law as the points of a line, where it was fitted (the last four doublings)."""
    law = curve.fit
    if law is None:
        return ""
    steps = [axes.last / 2 ** (4 * step / 24) for step in range(24, -1, -1)]
    losses = [(labels, law.floor + law.scale * labels**-law.exponent) for labels in steps if labels >= axes.first]
    values = [(labels, loss if curve.metric == IN_UNITS else 1 - loss) for labels, loss in losses]
    return " ".join(f"{axes.x(labels):.2f},{axes.y(value):.2f}" for labels, value in values)
