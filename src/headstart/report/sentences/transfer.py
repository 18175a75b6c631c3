"""Did transfer help?"""

from __future__ import annotations

from headstart.report.messages import message, translate, translate_count
from headstart.report.words import format_amount, format_points
from headstart.results import Verdict

_NO_DIFFERENCE = 0.0005
"""A smaller difference of shares is written as none."""
_COMPARISONS = {
    "accuracy": (
        message("{ours} was right {size} points less often than {theirs}; the 95 % interval is {low} to {high} points"),
        message("{ours} and {theirs} were right equally often; the 95 % interval is {low} to {high} points"),
        message("{ours} was right {size} points more often than {theirs}; the 95 % interval is {low} to {high} points"),
    ),
    "macro-F1": (
        message(
            "the macro-F1 of {ours} was {size} points lower than that of {theirs}; the 95 % interval is {low} to "
            "{high} points"
        ),
        message("the macro-F1 of {ours} was the same as that of {theirs}; the 95 % interval is {low} to {high} points"),
        message(
            "the macro-F1 of {ours} was {size} points higher than that of {theirs}; the 95 % interval is {low} to "
            "{high} points"
        ),
    ),
    "quadratic kappa": (
        message(
            "the quadratic kappa of {ours} was {size} lower than that of {theirs}; the 95 % interval is {low} to {high}"
        ),
        message("the quadratic kappa of {ours} was the same as that of {theirs}; the 95 % interval is {low} to {high}"),
        message(
            "the quadratic kappa of {ours} was {size} higher than that of {theirs}; the 95 % interval is {low} to "
            "{high}"
        ),
    ),
    "mean absolute error": (
        message(
            "{ours} was off by {size} more on average than {theirs} ({first} against {second}, in the unit of the "
            "label); the 95 % interval of its advantage is {low} to {high}"
        ),
        message(
            "{ours} and {theirs} were off by the same on average ({first} against {second}, in the unit of the label); "
            "the 95 % interval of its advantage is {low} to {high}"
        ),
        message(
            "{ours} was off by {size} less on average than {theirs} ({first} against {second}, in the unit of the "
            "label); the 95 % interval of its advantage is {low} to {high}"
        ),
    ),
}
"""By measure: the base is worse, equally good, better."""
_CONCLUSIONS = {
    "helped": message(", so transfer helped."),
    "hurt": message(", so transfer hurt."),
    "no evidence": message(", which includes no difference, so there is no evidence that transfer helped or hurt."),
}


def describe_verdict(verdict: Verdict) -> str:
    """Return the sentence that says whether transfer helped.

    Parameters
    ----------
    verdict : Verdict
    """
    if verdict.difference is None:
        untrained = "" if verdict.pretrained else " " + translate("Nothing pre-trained was used either.")
        return _explain_missing(verdict) + untrained
    if verdict.pretrained:
        ours = translate("the adapted model ({name})", name=verdict.strategy)
        theirs = translate("the best model without pre-training ({name})", name=verdict.against)
        conclusion = translate(_CONCLUSIONS[verdict.transfer])
    else:
        ours = translate("the model on the untrained base ({name})", name=verdict.strategy)
        theirs = translate("the best model without it ({name})", name=verdict.against)
        conclusion = translate(". Nothing pre-trained was used, so this says nothing about transfer.")
    return translate(
        "On {rows} {comparison}{conclusion}",
        rows=translate_count("{n} test row", "{n} test rows", verdict.n_rows or 0),
        comparison=_compare(verdict, ours, theirs),
        conclusion=conclusion,
    ) + _say_more_rows(verdict.n_rows_needed)


def _compare(verdict: Verdict, ours: str, theirs: str) -> str:
    assert verdict.difference is not None
    difference = verdict.difference
    write = format_points if verdict.measure in ("accuracy", "macro-F1") else format_amount
    first, second = (
        "" if value is None else format_amount(value) for value in (verdict.strategy_error, verdict.against_error)
    )
    is_equal = first == second if first else abs(difference.value) < _NO_DIFFERENCE
    return translate(
        _COMPARISONS[verdict.measure][1 if is_equal else 2 if difference.value > 0 else 0],
        ours=ours, theirs=theirs, size=write(abs(difference.value)), low=write(difference.low, end="low"),
        high=write(difference.high, end="high"), first=first, second=second,
    )  # fmt: skip


def _say_more_rows(n_rows: int | None) -> str:
    if n_rows is None:
        return ""
    if n_rows == 0:
        return " " + translate("More test rows would show whether the difference is real.")
    return " " + translate("If the difference is real, about {n} test rows would show it.", n=n_rows)


def _explain_missing(verdict: Verdict) -> str:
    """Return the sentence that says why nothing could be compared."""
    n_rows = verdict.n_rows or 0
    if n_rows == 0:
        return translate("There were no test rows, so it cannot be said whether transfer helped.")
    if verdict.strategy is None:
        return translate(
            "No strategy that uses the base model was trained, so it cannot be said whether transfer helped."
        )
    if verdict.against is None:
        return translate(
            "No model without the base was trained to compare with, so it cannot be said whether transfer helped."
        )
    if n_rows == 1:
        return translate(
            "There was one test row, which says nothing of others, so it cannot be said whether transfer helped."
        )
    return translate(
        "The {n} test rows belong together, which says nothing of others, so it cannot be said whether transfer "
        "helped.",
        n=n_rows,
    )
