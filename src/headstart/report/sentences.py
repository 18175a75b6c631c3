"""Sentences that were computed as English text, said again in the language spoken, from the figures of the result.

In English the sentence of the result is shown as it stands. Where its figures do not suffice to say it again it stays
English, and `mark_english` marks it as such for screen readers and for the order of characters.
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


def mark_english(text: str, limit: int = 600) -> Markup:
    """Show a text of the result; English inside another language is marked.

    Examples
    --------
    >>> mark_english("a < b")
    Markup('a &lt; b')
    """
    cut = Markup("{}").format(shorten(text, limit))
    if current_language() == "en" or not text:
        return cut
    return Markup('<span class="foreign" lang="en" dir="ltr">{}</span>').format(cut)


def write_points(figure: Figure) -> tuple[str, str, str]:
    """Write a difference of shares in points: value and both ends."""
    value, low, high = (format_number(wording.format_points(end)) for end in (figure.value, figure.low, figure.high))
    return value, low, high


def write_verdict(result: Result) -> str:
    """Return the sentence that says whether transfer helped."""
    transfer = result.verdict
    if current_language() == "en":
        return transfer.sentence
    if transfer.difference is None:
        return translate("There was nothing to compare, so it cannot be said whether transfer helped.")
    value, low, high = write_points(transfer.difference)
    if transfer.measure in IN_NUMBERS:
        value, low, high = (
            format_fixed(end, 3)
            for end in (transfer.difference.value, transfer.difference.low, transfer.difference.high)
        )
    sentence = translate(
        "With the base ({ours}) against without it ({theirs}): {value} (95 % interval {low} to {high}); more than 0 is "
        "better with the base. Measured in {measure}, shares in points, on the same test rows: {n}.",
        ours=transfer.strategy or "", theirs=transfer.against or "", value=value, low=low, high=high,
        measure=translate(_MEASURES[transfer.measure]), n=result.n_rows.test,
    )  # fmt: skip
    if not result.base.pretrained:
        untrained = translate("Nothing pre-trained was used, so this says nothing about transfer.")
        return f"{sentence} {untrained}"
    return f"{sentence} {translate(_ENDINGS[transfer.transfer])}"


_MEASURES = {
    "accuracy": message("Accuracy"), "macro-F1": message("Macro-F1"), "quadratic kappa": message("Quadratic kappa"),
    "mean absolute error": message("Mean absolute error"), "row F1": message("Row F1"),
}  # fmt: skip
_ENDINGS = {
    "helped": message("So pre-training helped."),
    "hurt": message("So pre-training hurt."),
    "no evidence": message("The interval includes no difference, so there is no evidence that it helped or hurt."),
}


def write_abstention(figures: Abstention) -> str:
    """Return the sentence that says how often it answers, and how often it is then right."""
    if current_language() == "en":
        return figures.reading
    sentence = translate(
        "Of 100 test rows about {answered} get an answer, {unsure} are not sure and {none} are none of these. Test "
        "rows: {n}.",
        answered=format_fixed(100 * figures.shares["label"].value, 1) if "label" in figures.shares else "?",
        unsure=format_fixed(figures.referred.value, 1), none=format_fixed(figures.refused.value, 1), n=figures.n_rows,
    )  # fmt: skip
    right = figures.accuracy_answered
    if right is None:
        return sentence
    accuracy = translate(
        "Of the answers {share} are right (95 % interval {ends}).",
        share=format_percent(right.value, 1),
        ends=format_share_interval(right, 1),
    )
    return f"{sentence} {accuracy}"


def write_calibration(figures: Calibration) -> str:
    """Return the sentence that says whether probabilities can be believed."""
    if current_language() == "en":
        return figures.reading
    off = figures.overconfidence
    word = "too sure" if off.low > 0 else "too unsure" if off.high < 0 else "fine"
    value, low, high = write_points(off)
    return translate(_SURE[word], value=value, low=low, high=high, n=figures.n_rows)


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


def write_conformal(figures: Conformal) -> str:
    """Return the sentence that says how often sets or ranges hold the truth."""
    if current_language() == "en":
        return figures.reading
    sentence = translate(
        "Stated: {stated} of the sets or ranges hold the truth. Measured: {measured} (95 % interval {ends}; test rows: "
        "{n}).",
        stated=format_percent(figures.stated), measured=format_percent(figures.measured.value, 1),
        ends=format_share_interval(figures.measured, 1),
        n=figures.n_rows,
    )  # fmt: skip
    if not figures.below:
        return sentence
    warning = translate("That is less often than stated: do not rely on it.")
    return f"{sentence} {warning}"


def write_gap(part: GroupColumn) -> str:
    """Return the sentence that says how far apart the groups of a column are."""
    if current_language() == "en":
        return part.reading
    if part.gap is None or part.gap_between is None:
        return translate("Whether the groups differ cannot be told: too few rows.")
    value, low, high = write_points(part.gap)
    if part.measure in IN_NUMBERS:
        value, low, high = (format_fixed(end, 3) for end in (part.gap.value, part.gap.low, part.gap.high))
    first, second = (shorten(name, 40) for name in part.gap_between)
    sentence = translate(
        "Better on '{first}' than on '{second}' by {value} (95 % interval {low} to {high}; {measure}, shares in "
        "points).",
        first=first, second=second, value=value, low=low, high=high, measure=translate(_MEASURES[part.measure]),
    )  # fmt: skip
    real = part.gap.low > 0
    conclusion = (
        translate("The difference is very likely real.") if real else translate("Chance may explain the difference.")
    )
    return f"{sentence} {conclusion}"


def write_finding(item: FindingRow) -> str:
    """Return the sentence that says what was noticed, shortly."""
    if current_language() == "en":
        return item.summary
    title = translate(kind_of_finding(item.kind))
    facts = [translate_count("{n} row", "{n} rows", item.n_rows)] if item.n_rows else []
    if item.measure is not None:
        facts.append(write_measure(item.measure))
    return f"{title} ({'; '.join(facts)})" if facts else title


def write_advice(item: FindingRow) -> str:
    """Return what to do about it."""
    if current_language() == "en":
        return item.advice
    text = advice_for(item.kind)
    return translate(text) if text else ""


def write_strategy(name: str, summary: str) -> str:
    """Return what a strategy is; its own summary where it is not one of Headstart's."""
    return translate(STRATEGIES[name]) if current_language() != "en" and name in STRATEGIES else summary


def write_correction(figures: Correction) -> str:
    """Return the sentence that says whether the probabilities were corrected, and what it saved."""
    if current_language() == "en":
        return figures.reading
    if figures.method == "none":
        return translate(
            "On held-out training rows, being less sure did not help by more than chance: nothing is corrected."
        )
    return translate(
        "Made less sure, which saved {gain} nats a row on training rows held out; no answer changes.",
        gain=format_fixed(figures.gain, 3),
    )


def write_slices(discovered: Slices) -> str:
    """Return the sentence that says whether there are kinds of rows on which the model fails."""
    if current_language() == "en":
        return discovered.reading
    if not discovered.n_clusters:
        return translate("Not measured.")
    if not discovered.found:
        return translate(
            "Among {clusters} clusters of similar rows (training rows, out of fold: {n}) none fails more often than "
            "chance and the mix of classes explain. Small weak points are mostly missed by such a search.",
            clusters=discovered.n_clusters, n=discovered.n_rows,
        )  # fmt: skip
    return translate(
        "Among {clusters} clusters of similar rows (training rows, out of fold: {n}) there are {found} on which it "
        "fails more often than chance and the mix of classes explain.",
        clusters=discovered.n_clusters, n=discovered.n_rows, found=len(discovered.found),
    )  # fmt: skip


def write_slice(item: Slice, within: Slices) -> str:
    """Return the sentence that says how much worse the model does on a slice; "" unless errors are shares."""
    if within.measure != "accuracy":
        return ""
    return translate(
        "Training rows, out of fold: {n}; wrong {error} ({ends}), elsewhere {elsewhere}.",
        n=item.n_rows, error=format_percent(item.error.value), ends=format_share_interval(item.error),
        elsewhere=format_percent(item.elsewhere.value),
    )  # fmt: skip


def write_mitigation(outcome: Mitigation) -> str:
    """Return the sentences on what a mitigation did to the worst group and to all rows, and whether it was kept."""
    if current_language() == "en" or outcome.out_of_fold is None:
        return outcome.reading
    lines = [
        translate(
            "Worst group, share right, out of fold on training rows ({n}): {before} before, {after} after; all rows: "
            "{mean_before} before, {mean_after} after.",
            **_shares(outcome.out_of_fold),
        )
    ]
    if outcome.test is not None:
        lines.append(
            translate(
                "Worst group, share right, on test rows ({n}): {before} before, {after} after; all rows: {mean_before} "
                "before, {mean_after} after.",
                **_shares(outcome.test),
            )
        )
    if outcome.kept:
        lines.append(translate("The balanced model was kept: it is the one in the bundle."))
    else:
        lines.append(translate("The balanced model was not kept; {before} stays the model.", before=outcome.before))
    return " ".join(lines)


def _shares(figures: MitigatedFigures) -> dict[str, object]:
    return {
        "n": figures.n_rows,
        "before": format_percent(figures.worst_before.value),
        "after": format_percent(figures.worst_after.value),
        "mean_before": format_percent(figures.mean_before.value),
        "mean_after": format_percent(figures.mean_after.value),
    }


def write_measure(figure: Figure) -> str:
    """Return what a finding was measured to be: a share in percent, anything else as a number."""
    share = figure.low >= 0 and figure.high <= 1
    value, between = (
        (format_percent(figure.value, 1), format_share_interval(figure, 1))
        if share
        else (format_significant(figure.value, 3), format_rounded_interval(figure, 3))
    )
    return translate("{value}, 95 % interval {ends}", value=value, ends=between)


def text_direction() -> str:
    """Return the direction of writing: ltr or rtl."""
    return LANGUAGES[current_language()].direction


_SHAPES = {
    "rising": message("More labels of the same kind are likely to help; the table says how much."),
    "flat": message("More labels of the same kind would hardly help."),
    "noisy": message("Whether more labels would help cannot be told yet: the figures scatter too much."),
    "unknown": message("Whether more labels would help was not measured."),
}


def write_curve(figures: LearningCurve) -> str:
    """Return the sentence that says whether more labels would help."""
    return figures.sentence if current_language() == "en" else translate(_SHAPES[figures.shape])
