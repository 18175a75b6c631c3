"""Reasons in English, for CSV and JSON; predict.py and the page without a server have the same words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from headstart.decisions import Reason
from headstart.modalities.content import CONTENT_FAULTS, EMPTY_TEXT

_MAX_NAMED = 3


def describe_reason(reason: Reason) -> str:
    """Return a reason as the end of a sentence; empty where there is none.

    Parameters
    ----------
    reason : Reason

    Examples
    --------
    >>> describe_reason(Reason("sure", {"probability": 0.75}))
    '75 % sure'
    """
    return _TEXTS[reason.code](reason.values)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _name_class(label: str, probability: float) -> str:
    return f"{label} ({_percent(probability)})"


def _join_classes(classes: Sequence[Mapping[str, Any]]) -> str:
    more = f" and {len(classes) - _MAX_NAMED} more" if len(classes) > _MAX_NAMED else ""
    return f"{', '.join(_name_class(**one) for one in classes[:_MAX_NAMED])}{more}"


def _list_classes(values: Mapping[str, Any]) -> str:
    return f"may be {_join_classes(values['classes'])}"


def _list_labels(values: Mapping[str, Any]) -> str:
    parts = [f"{name}: {_join_classes(values[name])}" for name in ("sure", "possible") if values[name]]
    return "; ".join(parts) or "no label is likely enough"


def _compare_with_asking(values: Mapping[str, Any]) -> str:
    return (
        f"asking costs {values['asking_cost']:g}; the cheapest answer, {values['label']}, is expected to cost "
        f"{values['expected_cost']:.2g}"
    )


def _compare_with_likelier(values: Mapping[str, Any]) -> str:
    likelier = _name_class(values["label"], values["probability"])
    return f"{likelier} is more probable, but a mistake would be expected to cost {values['expected_cost']:.2g}"


def _describe_fault(text: str, values: Mapping[str, Any]) -> str:
    return text


def find_fault_code(reason: str | None) -> str | None:
    """Return the code of the fault of content that a reason describes; None where an input failed otherwise.

    Parameters
    ----------
    reason : str or None
    """
    if reason == EMPTY_TEXT:
        return "no_words"
    return next((code for code, text in CONTENT_FAULTS.items() if text == reason), None)


_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "none": lambda values: "",
    "sure": lambda values: f"{_percent(values['probability'])} sure",
    "only_likely_class": lambda values: f"{_percent(values['probability'])} sure; no other class is likely enough",
    "several_likely_classes": _list_classes,
    "sure_and_possible_labels": _list_labels,
    "too_few_rows_for_labels": lambda values: (
        f"{values['n_rows']} training rows are too few to say which labels are sure or possible"
    ),
    "too_few_rows_for_sets": lambda values: f"{values['n_rows']} training rows are too few to rule any class out",
    "no_held_out_rows": lambda values: "no training row could be held out, so no class can be ruled out",
    "asking_costs_less": _compare_with_asking,
    "likelier_class_costs_more": _compare_with_likelier,
    "like_reserved_class": lambda values: f"most like the training rows of {_name_class(**values)}",
    "out_of_distribution": lambda values: (
        f"unlike the training rows: farther from them than {_percent(values['share'])} of them are from each other"
    ),
    "interval_coverage": lambda values: f"{_percent(values['coverage'])} of such ranges are stated to hold the truth",
    "too_few_rows_for_interval": lambda values: "too few training rows to give a range",
    "below_least_probability": lambda values: (
        f"{_name_class(values['label'], values['probability'])} is the best guess, but less probable than "
        f"{_percent(values['least'])}"
    ),
    **{code: partial(_describe_fault, text) for code, text in CONTENT_FAULTS.items()},
}
