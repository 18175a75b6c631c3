"""What the report shows of the audit: where figures stand in a chart, from the result alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.report.messages import message, translate
from headstart.report.words import format_percent, format_share_interval, format_share_range
from headstart.results import AttributeProbe, Counterfactual, Figure, Result

SHOWN_PROPERTIES = 8
SHOWN_CELLS = 40


@dataclass(frozen=True, kw_only=True)
class ShareMark:
    """One share in a chart: its place and that of its interval in percent of the width, and in words."""

    name: str
    value: float
    low: float
    high: float
    text: str
    range: str
    label: str
    ours: bool


def place_share(name: str, figure: Figure, ours: bool = False) -> ShareMark:
    """Place a share (0-1) in a chart.

    Examples
    --------
    >>> place_share("darker", Figure(value=0.5, low=0.25, high=0.75)).low
    25.0
    """
    label = translate(
        "{value}, 95 % interval {ends}", value=format_percent(figure.value), ends=format_share_interval(figure)
    )
    return ShareMark(
        name=name,
        value=100 * figure.value,
        low=100 * figure.low,
        high=100 * figure.high,
        text=format_percent(figure.value),
        range=format_share_range(figure),
        label=label,
        ours=ours,
    )


_PLACES = {
    "frozen": message("the frozen base's features"), "adapted": message("the adapted network's features"),
    "answers": message("the model's answers"), "without_base": message("simple descriptors, no base"),
}  # fmt: skip


def gather_audit(result: Result) -> Mapping[str, Any] | None:
    """Gather what `inherited.html` shows; None where nothing was audited.

    Parameters
    ----------
    result : Result

    Returns
    -------
    mapping or None
        `readable`: pairs of what is read off and its marks; `flips`: pairs of a change and its marks; `cells` of the
        mitigation.
    """
    if result.inherited is None and result.slices is None and result.mitigation is None:
        return None
    inherited = result.inherited
    groups_first = sorted(inherited.readable, key=lambda item: item.kind != "group") if inherited else []
    mitigated = result.mitigation and (result.mitigation.test or result.mitigation.out_of_fold)
    return {
        "readable": [(item, _read_off(item)) for item in groups_first[:SHOWN_PROPERTIES]],
        "flips": [(item, _flips(item, result.chosen)) for item in (inherited.counterfactuals if inherited else [])],
        "cells": mitigated.cells[:SHOWN_CELLS] if mitigated else [],
        "on_test": bool(result.mitigation and result.mitigation.test),
    }


def _read_off(item: AttributeProbe) -> list[ShareMark]:
    figures = [(translate(words), getattr(item, name), name == "frozen") for name, words in _PLACES.items()]
    return [place_share(words, figure, ours) for words, figure, ours in figures if figure is not None]


def _flips(item: Counterfactual, chosen: str) -> list[ShareMark]:
    pairs = [(chosen, item.flips, True), (item.without_base_strategy or "", item.without_base_flips, False)]
    return [place_share(name, figure, ours) for name, figure, ours in pairs if figure is not None]
