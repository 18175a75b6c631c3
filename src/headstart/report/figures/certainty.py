"""How sure the model is, and whether it may be: probabilities against answers that were right."""

from __future__ import annotations

from headstart.report.figures.axis import make_axis, make_share_axis
from headstart.report.figures.plane import Key, Picture, Plane
from headstart.report.messages import translate
from headstart.report.words import format_percent
from headstart.results import Abstention, Calibration, CertaintyBin

FEW_ROWS = 150
"""With fewer test rows the histogram has columns of ten points, else of five."""


def draw_reliability(calibration: Calibration | None) -> Picture | None:
    """Draw how many answers were right against the probability given to them; None where nothing was measured.

    Parameters
    ----------
    calibration : Calibration or None
    """
    if calibration is None or not calibration.bins:
        return None
    bins, before = calibration.bins, calibration.before.bins if calibration.before else []
    plane = Plane(make_share_axis(translate("how sure it said it was")), make_share_axis(translate("answers right")))
    marks = plane.draw_line([(0.0, 0.0), (1.0, 1.0)], "ideal")
    marks += plane.draw_dots([(item.mean_probability, item.share_right.value) for item in before], "was")
    spans = [(item.mean_probability, item.share_right.low, item.share_right.high) for item in bins]
    marks += plane.draw_spans(spans)
    marks += plane.draw_dots([(item.mean_probability, item.share_right.value) for item in bins])
    pairs = [
        translate(
            "stated {stated}, right {right}",
            stated=format_percent(item.mean_probability),
            right=format_percent(item.share_right.value),
        )
        for item in bins
    ]
    caption = translate(
        "Each dot is a part of the test rows; upright lines are 95 % intervals. On the dashed line it is right as "
        "often as it says; below the line it is too sure."
    )
    return Picture(
        title=translate("Share of answers that were right against the probability given to them"),
        description="; ".join(pairs),
        caption=caption,
        plane=plane,
        marks=marks,
        keys=(
            (Key("dots ours", translate("as it answers")), Key("was", translate("before it was corrected")))
            if before
            else ()
        ),
        shape="square",
    )


def draw_risk_coverage(abstention: Abstention | None) -> Picture | None:
    """Draw how many answers are wrong if only the surest rows are answered; None where nothing was measured.

    Parameters
    ----------
    abstention : Abstention or None
    """
    if abstention is None or abstention.risk_coverage is None or not abstention.risk_coverage.points:
        return None
    points = abstention.risk_coverage.points
    most = max(0.05, *(point.wrong_share.high for point in points))
    plane = Plane(
        make_share_axis(translate("rows answered, the surest first")),
        make_share_axis(translate("answers wrong"), most),
    )
    curve = [(point.answered_share, point.wrong_share.value) for point in points]
    spans = [(point.answered_share, point.wrong_share.low, point.wrong_share.high) for point in points]
    pairs = [
        translate("{answered} answered, {wrong} wrong", answered=format_percent(x), wrong=format_percent(y, 1))
        for x, y in curve
    ]
    return Picture(
        title=translate("Share of wrong answers when only the surest rows are answered"),
        description="; ".join(pairs),
        caption=translate(
            "The fewer rows it answers, the fewer answers should be wrong. Dots: measured; shaded: 95 % interval."
        ),
        plane=plane,
        marks=plane.draw_band(spans) + plane.draw_line(curve) + plane.draw_dots(curve),
    )


def draw_certainty(bins: list[CertaintyBin]) -> Picture | None:
    """Draw how many test rows were answered how surely, right and wrong ones; None where nothing was counted.

    Parameters
    ----------
    bins : list of CertaintyBin
        In rising order.
    """
    total = sum(item.n_right + item.n_wrong for item in bins)
    if not total:
        return None
    if total < FEW_ROWS:
        bins = _merge_pairs(bins)
    most = max(item.n_right + item.n_wrong for item in bins)
    plane = Plane(
        make_share_axis(translate("how sure it was of its first guess")),
        make_axis(translate("how many"), [0, most], whole=True),
    )
    gap = (bins[0].high - bins[0].low) * 0.04
    right = [(item.low + gap, item.high - gap, 0.0, float(item.n_right)) for item in bins if item.n_right]
    wrong = [
        (item.low + gap, item.high - gap, float(item.n_right), float(item.n_right + item.n_wrong))
        for item in bins
        if item.n_wrong
    ]
    parts = [
        translate(
            "{low} to {high}: {right} right, {wrong} wrong",
            low=format_percent(item.low), high=format_percent(item.high), right=item.n_right, wrong=item.n_wrong,
        )
        for item in bins
        if item.n_right + item.n_wrong
    ]  # fmt: skip
    return Picture(
        title=translate("Test rows by how sure the model was"),
        description="; ".join(parts),
        caption=translate(
            "A model that knows what it does not know has its wrong guesses on the left, where it says that it is not "
            "sure."
        ),
        plane=plane,
        marks=plane.draw_columns(right, "right") + plane.draw_columns(wrong, "wrong"),
        keys=(Key("area right", translate("first guess right")), Key("area wrong", translate("first guess wrong"))),
    )


def _merge_pairs(bins: list[CertaintyBin]) -> list[CertaintyBin]:
    return [
        CertaintyBin(
            low=pair[0].low,
            high=pair[-1].high,
            n_right=sum(item.n_right for item in pair),
            n_wrong=sum(item.n_wrong for item in pair),
        )
        for pair in (bins[at : at + 2] for at in range(0, len(bins), 2))
    ]
