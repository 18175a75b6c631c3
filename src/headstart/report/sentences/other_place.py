"""A model at another place: other class frequencies, drift, what to do, and what recalibration brought."""

from __future__ import annotations

from headstart.report.messages import message, translate, translate_count
from headstart.report.sentences.readiness import describe_reason, describe_requirement
from headstart.report.words import (
    format_fixed,
    format_hundredths,
    format_significant,
    join_clauses,
    list_names,
    shorten_name,
)
from headstart.results import Advice, Drift, Figure, PriorShift, ReadinessReason, Recalibration

_MOST_CLASSES = 3
_CLASS_SHARES = {
    "labels": message(
        "{label} is {here} % of the labelled rows here (95 % interval {low} to {high}) and {there} % of the training "
        "rows"
    ),
    "predictions": message(
        "{label} is {here} % of the answers here (95 % interval {low} to {high}) and {there} % of the answers on the "
        "test rows of training"
    ),
}
_ADVICE = {
    "none-of-these": message(
        "{here} of the rows are unlike everything the model learnt from ('none of these'). Label some of them "
        "(headstart label-next names which) and adapt again with both."
    ),
    "spellings": message(
        "{n} of {total} rows have labels that the model does not know, but which look like other spellings of its own "
        "({spellings}). Write them alike, or pass --merge-labels, and evaluate again."
    ),
    "few-rows": message("{n} labelled rows are too few; {labels} or more would tell."),
    "unknown-classes": message(
        "{n} of {total} rows are of classes that the model does not know. Adapt again with rows of these classes."
    ),
    "worse": message(
        "{measure} is {here} here and {there} on the test rows of training: worse by more than chance. Adapt again "
        "with labelled rows of this place."
    ),
    "too-sure": message("The model is surer of itself here than it is right, by {points} points."),
    "too-unsure": message("The model is less sure of itself here than it is right, by {points} points."),
    "coverage": message("Sets were stated to hold the truth in {stated} % of rows and do in {here}."),
    "no-site": message(
        "There are no figures of the training site to compare with. The bundle keeps no figures of its own test rows: "
        "it was made without any, or by an older version and lies apart from its result.json."
    ),
    "not-worse": message(
        "{measure} is {here} here and {there} on the test rows of training: not worse by more than chance, or not by "
        "enough to matter, as far as {n} rows can tell."
    ),
    "drift-not-measured": message("There are no labels, and drift was not measured. Label {labels} rows."),
    "drift": message(
        "The rows look different from the training rows, and without labels nobody can say what that costs. Label "
        "about {labels} rows drawn by chance and evaluate again with --recalibrate."
    ),
    "tested-before": message(
        "{n} of these {total} rows were its test rows when it was made: that they are as right as there shows nothing "
        "new. Evaluate it with rows of another day or place."
    ),
    "no-labels": message(
        "They look like what it learnt from, as far as can be told without labels, and it answers {here} of them. How "
        "many of these answers are right, nobody can tell.{trained} Label {labels} of them and evaluate again."
    ),
    "supervised": message("{because} A person has to look at its answers here."),
    "not-ready": message("{because}"),
    "no-drift": message("The rows look like the training rows, as far as can be told without labels."),
}
_REMEDIES = {
    None: message("About {labels} labelled rows of this place mend that (--recalibrate)."),
    "corrected": message("That is corrected in {bundle}: use that one."),
    "unchanged": message(
        "What {n} labelled rows teach does not mend that by more than chance, so nothing was changed: read its "
        "probabilities with that in mind, or label more rows."
    ),
}
_MENDABLE = ("too-sure", "too-unsure", "coverage")
_MEASURES = {
    "accuracy": message("Accuracy"), "macro_f1": message("Macro-F1"),
    "mean_absolute_error": message("The mean absolute error"),
}  # fmt: skip


def describe_prior_shift(shift: PriorShift) -> str:
    """Return the sentence that says whether classes are as frequent as where the model was made.

    Parameters
    ----------
    shift : PriorShift
    """
    if not shift.found:
        return translate(
            "The classes are as frequent as where the model was made, as far as {rows} can tell.",
            rows=translate_count("{n} row", "{n} rows", shift.n_rows),
        )
    most = sorted(shift.classes, key=lambda item: -abs(item.here.value - item.there.value))[:_MOST_CLASSES]
    shares = [
        translate(
            _CLASS_SHARES[shift.kind],
            label=shorten_name(item.label), here=format_hundredths(item.here.value),
            low=format_hundredths(item.here.low, end="low"), high=format_hundredths(item.here.high, end="high"),
            there=format_hundredths(item.there.value),
        )
        for item in most
    ]  # fmt: skip
    return translate(
        "The classes are not as frequent as where the model was made: {shares}.", shares=join_clauses(shares)
    )


def describe_drift(drift: Drift) -> str:
    """Return the sentence that says whether the rows look different from the training rows.

    Parameters
    ----------
    drift : Drift
    """
    sentence = translate(
        "Shown a new row and a training row, a simple classifier finds the new one in {share} % of pairs (95 % "
        "interval {low} to {high}; by chance 50; {new} new and {trained} training rows; p = {p})",
        share=format_hundredths(drift.auroc.value), low=format_hundredths(drift.auroc.low, end="low"),
        high=format_hundredths(drift.auroc.high, end="high"), new=drift.n_rows, trained=drift.n_rows_trained,
        p=format_fixed(drift.p_value, 3),
    )  # fmt: skip
    conclusion = translate(": the new rows look different.") if drift.found else translate(": no drift beyond noise.")
    return sentence + conclusion


def describe_advice(advice: Advice) -> str:
    """Return the sentences that say why this is advised.

    Parameters
    ----------
    advice : Advice
    """
    assert advice.code is not None
    spellings = [
        translate("'{label}' for '{name}'", label=label, name=name) for label, name in advice.spellings.items()
    ]
    values = {
        "n": advice.n_rows, "total": advice.n_rows_total, "labels": advice.n_labels, "bundle": advice.bundle,
        "spellings": list_names(spellings), "measure": translate(_MEASURES.get(advice.measure or "", "")),
        "here": _format_figure(advice.here, advice.measure), "there": _format_figure(advice.there, advice.measure),
        "points": format_hundredths(abs(advice.here.value)) if advice.here else "",
        "stated": format_hundredths(advice.stated or 0.0),
    }  # fmt: skip
    trained = translate(" Where it was made {share} were.", share=values["there"]) if advice.there else ""
    because = " ".join(filter(None, _describe_because(advice.because)))
    reason = translate(_ADVICE[advice.code], **values, trained=trained, because=because)
    if advice.code not in _MENDABLE:
        return reason
    return f"{reason} {translate(_REMEDIES[advice.recalibrated], **values)}"


def _describe_because(reason: ReadinessReason | None) -> tuple[str, str]:
    """Return the rule that is not passed, and what it takes."""
    return ("", "") if reason is None else (describe_reason(reason, ""), describe_requirement(reason))


def _format_figure(figure: Figure | None, measure: str | None = None) -> str:
    if figure is None:
        return ""
    if measure == "mean_absolute_error":
        return translate(
            "{value} (95 % interval {low} to {high})",
            value=format_significant(figure.value, 3), low=format_significant(figure.low, 3, end="low"),
            high=format_significant(figure.high, 3, end="high"),
        )  # fmt: skip
    return translate(
        "{value} % (95 % interval {low} to {high})",
        value=format_hundredths(figure.value), low=format_hundredths(figure.low, end="low"),
        high=format_hundredths(figure.high, end="high"),
    )  # fmt: skip


def describe_recalibration(recalibration: Recalibration) -> str:
    """Return the sentences that say what was learnt anew, and how often sets hold the truth then.

    Parameters
    ----------
    recalibration : Recalibration
    """
    coverage = next(item for item in recalibration.figures if item.name == "coverage")
    figures = translate(
        "On {n} rows sets or ranges held the truth in {before} before, in {after} after, cross-fitted.",
        n=recalibration.n_rows, before=_format_figure(coverage.before) or "-", after=_format_figure(coverage.after),
    )  # fmt: skip
    is_kept = (recalibration.calibration_kept, recalibration.sets_kept)
    return f"{translate(_LEARNT[is_kept])} {figures}"


_LEARNT = {
    (False, False): message("Nothing was changed: new corrections did not help by more than chance."),
    (True, False): message("Learnt anew from these rows: probabilities."),
    (False, True): message("Learnt anew from these rows: sets."),
    (True, True): message("Learnt anew from these rows: probabilities and sets."),
}
