"""The learning curve in words: the table of measured sizes and the forecast; `figures.learning` draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headstart.report.figures.learning import METRICS
from headstart.report.messages import format_number, translate, translate_stored
from headstart.report.words import IN_UNITS, format_percent, format_share_interval, format_signed, format_significant
from headstart.results import Figure, LearningCurve


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    """One measured size: its figures in words."""

    labels: int
    labels_per_class: float | None
    text: str
    range: str


def write_learning_curve(curve: LearningCurve | None) -> Mapping[str, Any] | None:
    """Gather what `curve.html` writes; None where there are no points.

    Parameters
    ----------
    curve : LearningCurve or None
    """
    if curve is None or not curve.points:
        return None
    words, format_ends = (_number, _ends) if curve.metric == IN_UNITS else (format_percent, format_share_interval)
    points = [
        CurveRow(
            labels=item.labels,
            labels_per_class=item.labels_per_class,
            text=words(item.value.value),
            range=format_ends(item.value),
        )
        for item in curve.points
    ]
    return {
        "metric": translate_stored(METRICS.get(curve.metric, curve.metric)),
        "points": points,
        "by_class": curve.points[0].labels_per_class is not None,
        "reach": curve.holds_up_to_labels,
        "forecast": [{"more": item.more_labels, "text": _gain(item.gain, words)} for item in curve.forecast],
    }


def _number(value: float) -> str:
    return format_significant(value, 3)


def _ends(figure: Figure) -> str:
    low, high = format_significant(figure.low, 3, "low"), format_significant(figure.high, 3, "high")
    return translate("{low} to {high}", low=low, high=high)


def _gain(gain: Figure, words: Callable[[float], str]) -> str:
    """Write a gain with its interval; a falling error is a gain."""
    if words is format_percent:
        value = format_signed(100 * gain.value, 1)
        low, high = format_signed(100 * gain.low, 1, "low"), format_signed(100 * gain.high, 1, "high")
        return translate("{value} points ({low} to {high})", value=value, low=low, high=high)
    value = format_number(f"{-gain.value:+.3g}")
    low, high = format_significant(-gain.high, 3, "low"), format_significant(-gain.low, 3, "high")
    return translate("error {value} ({low} to {high})", value=value, low=low, high=high)
