"""Would more labels help, and how much too good would a score be if copies were split?"""

from __future__ import annotations

from headstart.report.messages import format_number, message, translate, translate_stored
from headstart.report.words import IN_UNITS, format_hundredths, format_signed, format_significant
from headstart.results import LeakageGap, LearningCurve

_NOT_MEASURED = {
    "no-features": message("How much more labels would help was not measured: the base model was not run."),
    "few-rows": message("How much more labels would help was not measured: {n} training rows are too few."),
    "no-time": message("How much more labels would help was not measured: no time was left; give more with --time."),
    "repeated-rows": message(
        "How much more labels would help was not measured: the training rows repeat each other too much to be dealt "
        "into parts."
    ),
    "little-time": message(
        "How much more labels would help was not measured: there was too little time; give more with --time."
    ),
    "falls": message("Whether more labels would help cannot be told: the score fell with more labels."),
    "few-points": message("Whether more labels would help cannot be told: there are too few rows to see a curve."),
}
_OUTLOOKS = {
    "small": message("More labels of this kind are not likely to help much ({more} more: {gain})."),
    "open": message("Whether more labels would help cannot be told yet: {more} more may bring {gain}."),
    "clear": message("{more} more labels of this kind: {gain}."),
    "doubtful": message("{more} more labels of this kind may help a little, or not at all: {gain}."),
}


def describe_learning_curve(curve: LearningCurve) -> str:
    """Return the sentence that says whether about twice as many labels would help.

    Parameters
    ----------
    curve : LearningCurve
    """
    outlook = curve.outlook or ""
    if outlook in _NOT_MEASURED:
        return translate(_NOT_MEASURED[outlook], n=format_number(str(curve.n_rows)))
    twice = next(item for item in curve.forecast if item.labels >= 1.9 * curve.points[-1].labels)
    metric = translate_stored(curve.metric)
    if curve.metric == IN_UNITS:
        unit = max(curve.points[-1].value.value, 1e-12)
        low, high = (-100 * value / unit for value in (twice.gain.high, twice.gain.low))
        gain = translate(
            "{low} to {high} % of the {metric}",
            low=format_signed(low, 0, "low"), high=format_signed(high, 0, "high"), metric=metric,
        )  # fmt: skip
    else:
        low, high = (100 * value for value in (twice.gain.low, twice.gain.high))
        gain = translate(
            "{low} to {high} points of {metric}",
            low=format_signed(low, 0, "low"), high=format_signed(high, 0, "high"), metric=metric,
        )  # fmt: skip
    return translate(_OUTLOOKS[outlook], more=twice.more_labels, gain=gain)


def describe_leakage(gap: LeakageGap) -> str:
    """Return the sentences that say what copies and groups would do to the score.

    Parameters
    ----------
    gap : LeakageGap
    """
    rows = translate("{n} training rows have copies or belong to groups.", n=gap.n_together)
    if gap.gap.low <= 0:
        effect = translate("Keeping them together changes the score by less than can be told from chance.")
    elif gap.measure == IN_UNITS:
        effect = translate(
            "Dealt out by chance they would make the score {size} too good; here they are kept together.",
            size=format_significant(gap.gap.value, 3),
        )
    else:
        effect = translate(
            "Dealt out by chance they would make the score {size} points too good; here they are kept together.",
            size=format_hundredths(gap.gap.value, 1),
        )
    return f"{rows} {effect}"
