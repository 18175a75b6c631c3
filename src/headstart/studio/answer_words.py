"""Answers of models in the words of pages: what it says, how sure it is, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headstart.decisions.reasons import ReasonCode
from headstart.report.messages import format_number, translate
from headstart.report.people_words import format_of_hundred
from headstart.studio.example_json import Document

_MOST_NAMED, _MOST_GUESSES = 3, 5


def describe_answer(document: Mapping[str, Any]) -> Document:
    """Return as JSON how a page shows one answer.

    Parameters
    ----------
    document : mapping
        As `headstart predict --json` writes it.
    """
    kind = str(document["kind"])
    guesses = list_guesses(document)
    second = guesses[1] if len(guesses) > 1 else None
    return {
        "kind": kind,
        "headline": _describe_outcome(document),
        "mark": _MARKS[kind]() if kind != "label" or document.get("probability") is not None else "",
        "reason": describe_reason(document),
        "guess": guesses[0]["label"] if guesses else "",
        "second": second,
        "guesses": guesses[:_MOST_GUESSES],
        "can_correct": kind != "unusable",
    }


def _describe_outcome(document: Mapping[str, Any]) -> str:
    kind = str(document["kind"])
    levels = [str(level) for level in document.get("levels") or () if level]
    if kind == "not_sure" and levels:
        return f"{' > '.join(levels)} > ({_OUTCOMES[kind]()})"
    if kind in _OUTCOMES:
        return _OUTCOMES[kind]()
    return str(document.get("answer") or translate("No label"))


_OUTCOMES: Mapping[str, Callable[[], str]] = {
    "not_sure": lambda: translate("Not sure"),
    "none_of_these": lambda: translate("None of these"),
    "unusable": lambda: translate("This cannot be used"),
}
_MARKS: Mapping[str, Callable[[], str]] = {
    "label": lambda: translate("Sure enough"),
    "not_sure": lambda: translate("Ask a person"),
    "none_of_these": lambda: translate("Ask a person"),
    "unusable": lambda: translate("Take it again"),
}


def list_guesses(document: Mapping[str, Any]) -> list[Document]:
    """Return the most probable kinds with their shares (0-1), the likeliest first.

    Parameters
    ----------
    document : mapping
        As `headstart predict --json` writes it.
    """
    top = document.get("top") or [
        {"label": label, "probability": value} for label, value in (document.get("probabilities") or {}).items()
    ]
    ordered = sorted(top, key=lambda item: -float(item["probability"]))
    return [{"label": item["label"], "share": float(item["probability"])} for item in ordered]


def _describe_sure(values: Mapping[str, Any]) -> str:
    return translate("{percent} sure.", percent=format_of_hundred(values["probability"]))


def _list_likely(values: Mapping[str, Any]) -> str:
    names = ", ".join(str(item["label"]) for item in values["classes"][:_MOST_NAMED])
    return translate("It could be {names}. Let a person decide.", names=names)


def _list_labels(values: Mapping[str, Any]) -> str:
    sure, possible = (
        ", ".join(str(item["label"]) for item in values[part][:_MOST_NAMED]) for part in ("sure", "possible")
    )
    sentences = [translate("Sure: {names}.", names=sure)] if sure else []
    sentences += [translate("Possible: {names}. Let a person decide.", names=possible)] if possible else []
    return " ".join(sentences) or translate("No label is likely enough.")


def _describe_interval(values: Mapping[str, Any]) -> str:
    return ""


def _describe_too_few(values: Mapping[str, Any]) -> str:
    return translate("Too little was learnt to rule anything out. Let a person decide.")


_REASONS: Mapping[ReasonCode, Callable[[Mapping[str, Any]], str]] = {
    "none": _describe_interval,
    "sure": _describe_sure,
    "only_likely_class": _describe_sure,
    "several_likely_classes": _list_likely,
    "sure_and_possible_labels": _list_labels,
    "too_few_rows_for_labels": lambda values: translate("Too little was learnt to say which labels are sure."),
    "too_few_rows_for_sets": _describe_too_few,
    "no_held_out_rows": _describe_too_few,
    "asking_costs_less": lambda values: translate("A wrong answer could cost too much. Let a person decide."),
    "likelier_class_costs_more": lambda values: translate(
        "{name} is more likely, but a mistake there would cost more.", name=values["label"]
    ),
    "like_reserved_class": lambda values: translate(
        "It looks most like {name}. Let a person decide.", name=values["label"]
    ),
    "out_of_distribution": lambda values: translate(
        "It is unlike everything that was learnt. Let a person decide."
    ),
    "interval_coverage": _describe_interval,
    "too_few_rows_for_interval": lambda values: translate("Too little was learnt to give a range."),
    "below_least_probability": lambda values: translate(
        "It is most like {name} ({percent}), which is not sure enough. Let a person decide.",
        name=values["label"], percent=format_of_hundred(values["probability"]),
    ),
    "too_small": lambda values: translate(
        "It has too few pixels. Send the original picture, or take it again from nearer."
    ),
    "too_dark": lambda values: translate("Too dark. Take it again with more light."),
    "too_bright": lambda values: translate("Too bright. Take it again with less light."),
    "one_colour": lambda values: translate("One colour and nothing else. Take it again."),
    "too_blurred": lambda values: translate("Too blurred. Hold still and take it again."),
    "no_words": lambda values: translate("It has no letter, digit or emoji. Write words."),
    "no_values": lambda values: translate("It has no values."),
    "constant": lambda values: translate(
        "It has the same value all along. Look whether the device works, and measure it again."
    ),
}  # fmt: skip


def describe_reason(document: Mapping[str, Any]) -> str:
    """Return why a model gave an answer, or why an input cannot be used, as a sentence.

    Parameters
    ----------
    document : mapping
        As `headstart predict --json` writes it.
    """
    code = document.get("reason_code")
    if code is None:
        return str(document.get("reason") or "")
    if code == "interval_coverage" and document.get("low") is not None:
        ends = {name: format_number(f"{float(document[name]):.4g}") for name in ("low", "high")}
        return translate("Most likely between {low} and {high}.", **ends)
    return _REASONS[code](document.get("reason_values") or {})
