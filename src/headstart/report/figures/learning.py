"""The learning curve, and how it is expected to go on."""

from __future__ import annotations

from headstart.report.figures.axis import make_axis, make_log_axis, make_share_axis
from headstart.report.figures.plane import Key, Picture, Plane
from headstart.report.messages import message, translate, translate_stored
from headstart.report.words import IN_UNITS, format_percent, format_significant
from headstart.results import Figure, LearningCurve

METRICS = {
    "accuracy": message("Accuracy"), "macro-F1": message("Macro-F1"), "micro-F1": message("Micro-F1"),
    "quadratic kappa": message("Quadratic kappa"), "mean absolute error": message("Mean absolute error"),
}  # fmt: skip


def draw_learning_curve(curve: LearningCurve | None) -> Picture | None:
    """Draw the measured sizes with their intervals, the fitted law and the forecast; None where there are no points.

    Parameters
    ----------
    curve : LearningCurve or None
    """
    if curve is None or not curve.points:
        return None
    is_error = curve.metric == IN_UNITS
    forecast = _place_forecast(curve)
    labels = [float(point.labels) for point in curve.points] + [labels for labels, _ in forecast]
    values = [end for point in curve.points for end in (point.value.low, point.value.high)]
    values += [end for _, figure in forecast for end in (figure.low, figure.high)]
    name = translate_stored(METRICS.get(curve.metric, curve.metric))
    y = (
        make_axis(name, [max(value, 0.0) for value in values])
        if is_error
        else make_share_axis(name, max(values), min(values))
    )
    plane = Plane(make_log_axis(translate("labelled rows it learnt from"), labels), y)
    measured = [(float(point.labels), point.value) for point in curve.points]
    marks = plane.draw_band([(x, figure.low, figure.high) for x, figure in forecast], "other")
    law = [(x, value) for x, value in _follow_law(curve, labels) if y.low <= value <= y.high]
    marks += plane.draw_line(law, "ideal")
    marks += plane.draw_spans([(x, figure.low, figure.high) for x, figure in measured])
    marks += plane.draw_dots([(x, figure.value) for x, figure in measured])
    write = (lambda value: format_significant(value, 3)) if is_error else format_percent
    keys = (
        Key("dots ours", translate("measured, with 95 % interval")),
        Key("band other", translate("expected with more labels, 95 % interval")),
    )
    figures = [f"{translate('{n} labels', n=point.labels)}: {write(point.value.value)}" for point in curve.points]
    return Picture(
        title=translate("{metric} against the number of labels", metric=name),
        description="; ".join(figures),
        caption=translate(
            "A simple model that learnt from parts of the training rows. Dashed: the law that the forecast follows."
        ),
        plane=plane,
        marks=marks,
        keys=keys if forecast else keys[:1],
    )


def _place_forecast(curve: LearningCurve) -> list[tuple[float, Figure]]:
    """Return the expected values by number of labels, from the last measured size on; empty without a forecast."""
    if not curve.forecast:
        return []
    last, sign = curve.points[-1], -1.0 if curve.metric == IN_UNITS else 1.0
    base = last.value.value
    places = [(float(last.labels), Figure(value=base, low=base, high=base))]
    for item in curve.forecast:
        ends = sorted(base + sign * gain for gain in (item.gain.low, item.gain.high))
        places.append((float(item.labels), Figure(value=base + sign * item.gain.value, low=ends[0], high=ends[1])))
    return places


def _follow_law(curve: LearningCurve, labels: list[float]) -> list[tuple[float, float]]:
    """Return places on the fitted law (of the last four doublings), to the end of the forecast."""
    law = curve.fit
    if law is None:
        return []
    first, last = max(curve.points[-1].labels / 16, labels[0]), max(labels)
    steps = [first * (last / first) ** (at / 24) for at in range(25)] if last > first else []
    losses = [(at, law.floor + law.scale * at**-law.exponent) for at in steps]
    return [(at, loss if curve.metric == IN_UNITS else 1 - loss) for at, loss in losses]
