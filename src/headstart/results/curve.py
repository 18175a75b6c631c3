"""The learning curve."""

from __future__ import annotations

from typing import Literal

from headstart.results.record import Figure, Record


class CurvePoint(Record):
    """What a simple head reached with so many labels; `labels_per_class` is an average, None without classes."""

    labels: int
    labels_per_class: float | None
    n_draws: int
    value: Figure


class CurveFit(Record):
    """The power law through the curve: loss = floor + scale * labels ** -exponent."""

    floor: float
    scale: float
    exponent: float


class CurveForecast(Record):
    """What more labels of the same kind are expected to bring; positive is better."""

    labels: int
    more_labels: int
    gain: Figure


class LearningCurve(Record):
    """How the score grows with the number of labels, and how much more of them would help."""

    metric: str
    points: list[CurvePoint] = []
    fit: CurveFit | None = None
    forecast: list[CurveForecast] = []
    holds_up_to_labels: int | None = None
    shape: Literal["rising", "flat", "noisy", "unknown"]
    sentence: str
