"""Sentences that were computed as English text, said again in the language spoken, from the figures of the result.

In English the sentence of the result is shown as it stands. Where its figures do not suffice to say it again it stays
English, and `own` marks it as such for screen readers and for the order of characters.
"""

from __future__ import annotations

from markupsafe import Markup

from headstart.evaluation import wording
from headstart.report.messages import LANGUAGES, current_language, format_number, message, translate, translate_count
from headstart.report.named import STRATEGIES, advice_for, kind_of_finding
from headstart.report.words import (
    format_fixed,
    format_percent,
    format_rounded_interval,
    format_share_interval,
    format_significant,
    shorten,
)
from headstart.results import (
    Abstention,
    Calibration,
    Conformal,
    Correction,
    Figure,
    FindingRow,
    GroupColumn,
    LearningCurve,
    MitigatedFigures,
    Mitigation,
    Result,
    Slice,
    Slices,
)

IN_NUMBERS = ("quadratic kappa", "mean absolute error")
"""Measures that are no shares."""


def own(text: str, limit: int = 600) -> Markup:
    """Show a text of the result; English inside another language is marked.

    Examples
    --------
    >>> own("a < b")
    Markup('a &lt; b')
    """
    cut = Markup("{}").format(shorten(text, limit))
    if current_language() == "en" or not text:
        return cut
    return Markup('<span class="foreign" lang="en" dir="ltr">{}</span>').format(cut)


def points(figure: Figure) -> tuple[str, str, str]:
    """Write a difference of shares in points: value and both ends."""
    value, low, high = (format_number(wording.format_points(end)) for end in (figure.value, figure.low, figure.high))
    return value, low, high


def verdict(result: Result) -> str:
    """Say whether transfer helped."""
    found = result.verdict
    if current_language() == "en":
        return found.sentence
    if found.difference is None:
        return translate("There was nothing to compare, so it cannot be said whether transfer helped.")
    value, low, high = points(found.difference)
    if found.measure in IN_NUMBERS:
        value, low, high = (
            format_fixed(end, 3) for end in (found.difference.value, found.difference.low, found.difference.high)
        )
    said = translate(
        "With the base ({ours}) against without it ({theirs}): {value} (95 % interval {low} to {high}); more than 0 is "
        "better with the base. Measured in {measure}, shares in points, on the same test rows: {n}.",
        ours=found.strategy or "", theirs=found.against or "", value=value, low=low, high=high,
        measure=translate(_MEASURES[found.measure]), n=result.n_rows.test,
    )  # fmt: skip
    if not result.base.pretrained:
        return f"{said} {translate('Nothing pre-trained was used, so this says nothing about transfer.')}"
    return f"{said} {translate(_ENDINGS[found.transfer])}"


_MEASURES = {
    "accuracy": message("Accuracy"), "macro-F1": message("Macro-F1"), "quadratic kappa": message("Quadratic kappa"),
    "mean absolute error": message("Mean absolute error"), "row F1": message("Row F1"),
}  # fmt: skip
_ENDINGS = {
    "helped": message("So pre-training helped."),
    "hurt": message("So pre-training hurt."),
    "no evidence": message("The interval includes no difference, so there is no evidence that it helped or hurt."),
}


def abstention(found: Abstention) -> str:
    """Say how often it answers, and how often it is then right."""
    if current_language() == "en":
        return found.reading
    said = translate(
        "Of 100 test rows about {answered} get an answer, {unsure} are not sure and {none} are none of these. Test "
        "rows: {n}.",
        answered=format_fixed(100 * found.shares["label"].value, 1) if "label" in found.shares else "?",
        unsure=format_fixed(found.referred.value, 1), none=format_fixed(found.refused.value, 1), n=found.n_rows,
    )  # fmt: skip
    right = found.accuracy_answered
    if right is None:
        return said
    told = translate(
        "Of the answers {share} are right (95 % interval {ends}).",
        share=format_percent(right.value, 1),
        ends=format_share_interval(right, 1),
    )
    return f"{said} {told}"


def calibration(found: Calibration) -> str:
    """Say whether probabilities can be believed."""
    if current_language() == "en":
        return found.reading
    off = found.overconfidence
    word = "too sure" if off.low > 0 else "too unsure" if off.high < 0 else "fine"
    value, low, high = points(off)
    return translate(_SURE[word], value=value, low=low, high=high, n=found.n_rows)


_SURE = {
    "too sure": message(
        "It is too sure: its probabilities are {value} points above how often it is right (95 % interval {low} to "
        "{high}; test rows: {n})."
    ),
    "too unsure": message(
        "It is less sure than it could be: its probabilities differ by {value} points from how often it is right (95 % "
        "interval {low} to {high}; test rows: {n})."
    ),
    "fine": message(
        "On average its probabilities differ by {value} points from how often it is right (95 % interval {low} to "
        "{high}; test rows: {n}): no evidence that they are wrong."
    ),
}


def conformal(found: Conformal) -> str:
    """Say how often sets or ranges hold the truth."""
    if current_language() == "en":
        return found.reading
    said = translate(
        "Stated: {stated} of the sets or ranges hold the truth. Measured: {measured} (95 % interval {ends}; test rows: "
        "{n}).",
        stated=format_percent(found.stated), measured=format_percent(found.measured.value, 1),
        ends=format_share_interval(found.measured, 1),
        n=found.n_rows,
    )  # fmt: skip
    return f"{said} {translate('That is less often than stated: do not rely on it.')}" if found.below else said


def gap(part: GroupColumn) -> str:
    """Say how far apart the groups of a column are."""
    if current_language() == "en":
        return part.reading
    if part.gap is None or part.gap_between is None:
        return translate("Whether the groups differ cannot be told: too few rows.")
    value, low, high = points(part.gap)
    if part.measure in IN_NUMBERS:
        value, low, high = (format_fixed(end, 3) for end in (part.gap.value, part.gap.low, part.gap.high))
    first, second = (shorten(name, 40) for name in part.gap_between)
    said = translate(
        "Better on '{first}' than on '{second}' by {value} (95 % interval {low} to {high}; {measure}, shares in "
        "points).",
        first=first, second=second, value=value, low=low, high=high, measure=translate(_MEASURES[part.measure]),
    )  # fmt: skip
    real = part.gap.low > 0
    told = translate("The difference is very likely real.") if real else translate("Chance may explain the difference.")
    return f"{said} {told}"


def finding(item: FindingRow) -> str:
    """Say what was noticed, shortly."""
    if current_language() == "en":
        return item.summary
    said = translate(kind_of_finding(item.kind))
    facts = [translate_count("{n} row", "{n} rows", item.n_rows)] if item.n_rows else []
    if item.measure is not None:
        facts.append(measure(item.measure))
    return f"{said} ({'; '.join(facts)})" if facts else said


def advice(item: FindingRow) -> str:
    """Say what to do about it."""
    if current_language() == "en":
        return item.advice
    found = advice_for(item.kind)
    return translate(found) if found else ""


def strategy(name: str, summary: str) -> str:
    """Say what a strategy is; its own summary where it is not one of Headstart's."""
    return translate(STRATEGIES[name]) if current_language() != "en" and name in STRATEGIES else summary


def correction(found: Correction) -> str:
    """Say whether the probabilities were corrected, and what it saved."""
    if current_language() == "en":
        return found.reading
    if found.method == "none":
        return translate(
            "On held-out training rows, being less sure did not help by more than chance: nothing is corrected."
        )
    return translate(
        "Made less sure, which saved {gain} nats a row on training rows held out; no answer changes.",
        gain=format_fixed(found.gain, 3),
    )


def slices(found: Slices) -> str:
    """Say whether there are kinds of rows on which the model fails."""
    if current_language() == "en":
        return found.reading
    if not found.n_clusters:
        return translate("Not measured.")
    if not found.found:
        return translate(
            "Among {clusters} clusters of similar rows (training rows, out of fold: {n}) none fails more often than "
            "chance and the mix of classes explain. Small weak points are mostly missed by such a search.",
            clusters=found.n_clusters, n=found.n_rows,
        )  # fmt: skip
    return translate(
        "Among {clusters} clusters of similar rows (training rows, out of fold: {n}) there are {found} on which it "
        "fails more often than chance and the mix of classes explain.",
        clusters=found.n_clusters, n=found.n_rows, found=len(found.found),
    )  # fmt: skip


def one_slice(item: Slice, within: Slices) -> str:
    """Say how much worse the model does on one kind of rows; only shares are told in short."""
    if within.measure != "accuracy":
        return ""
    return translate(
        "Training rows, out of fold: {n}; wrong {error} ({ends}), elsewhere {elsewhere}.",
        n=item.n_rows, error=format_percent(item.error.value), ends=format_share_interval(item.error),
        elsewhere=format_percent(item.elsewhere.value),
    )  # fmt: skip


def mitigation(found: Mitigation) -> str:
    """Say what a mitigation did to the worst group and to all rows, and whether it was kept."""
    if current_language() == "en" or found.out_of_fold is None:
        return found.reading
    said = [
        translate(
            "Worst group, share right, out of fold on training rows ({n}): {before} before, {after} after; all rows: "
            "{mean_before} before, {mean_after} after.",
            **_shares(found.out_of_fold),
        )
    ]
    if found.test is not None:
        said.append(
            translate(
                "Worst group, share right, on test rows ({n}): {before} before, {after} after; all rows: {mean_before} "
                "before, {mean_after} after.",
                **_shares(found.test),
            )
        )
    if found.kept:
        said.append(translate("The balanced model was kept: it is the one in the bundle."))
    else:
        said.append(translate("The balanced model was not kept; {before} stays the model.", before=found.before))
    return " ".join(said)


def _shares(found: MitigatedFigures) -> dict[str, object]:
    return {
        "n": found.n_rows,
        "before": format_percent(found.worst_before.value),
        "after": format_percent(found.worst_after.value),
        "mean_before": format_percent(found.mean_before.value),
        "mean_after": format_percent(found.mean_after.value),
    }


def measure(found: Figure) -> str:
    """Say what a finding was measured to be: a share in percent, anything else as a number."""
    share = found.low >= 0 and found.high <= 1
    value, between = (
        (format_percent(found.value, 1), format_share_interval(found, 1))
        if share
        else (format_significant(found.value, 3), format_rounded_interval(found, 3))
    )
    return translate("{value}, 95 % interval {ends}", value=value, ends=between)


def direction() -> str:
    """Give the direction of writing: ltr or rtl."""
    return LANGUAGES[current_language()].direction


_SHAPES = {
    "rising": message("More labels of the same kind are likely to help; the table says how much."),
    "flat": message("More labels of the same kind would hardly help."),
    "noisy": message("Whether more labels would help cannot be told yet: the figures scatter too much."),
    "unknown": message("Whether more labels would help was not measured."),
}


def curve(found: LearningCurve) -> str:
    """Say whether more labels would help."""
    return found.sentence if current_language() == "en" else translate(_SHAPES[found.shape])
