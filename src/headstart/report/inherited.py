"""What the report shows of the audit: its charts, from the result alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.report.figures.compared import chart_figures
from headstart.report.figures.rows import RowChart
from headstart.report.messages import message, translate
from headstart.report.words import SHARES
from headstart.results import AttributeProbe, Counterfactual, Result

SHOWN_PROPERTIES = 8
SHOWN_CELLS = 40


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
        `readable`: pairs of what is read off and its chart; `flips`: pairs of a change and its chart; `cells` of the
        mitigation.
    """
    if result.inherited is None and result.slices is None and result.mitigation is None:
        return None
    inherited = result.inherited
    groups_first = sorted(inherited.readable, key=lambda item: item.kind != "group") if inherited else []
    mitigated = result.mitigation and (result.mitigation.test or result.mitigation.out_of_fold)
    return {
        "readable": [(item, _chart_read_off(item)) for item in groups_first[:SHOWN_PROPERTIES]],
        "flips": [
            (item, _chart_flips(item, result.chosen)) for item in (inherited.counterfactuals if inherited else [])
        ],
        "cells": mitigated.cells[:SHOWN_CELLS] if mitigated else [],
        "on_test": bool(result.mitigation and result.mitigation.test),
    }


def _chart_read_off(item: AttributeProbe) -> RowChart | None:
    figures = [(translate(words), getattr(item, name)) for name, words in _PLACES.items()]
    return chart_figures(
        figures,
        words=SHARES,
        title=item.name,
        axis_name=translate("read off right"),
        ours=[translate(_PLACES["frozen"])],
        chance=item.chance,
    )


def _chart_flips(item: Counterfactual, chosen: str) -> RowChart | None:
    figures = [(chosen, item.flips), (item.without_base_strategy or "", item.without_base_flips)]
    return chart_figures(
        figures, words=SHARES, title=item.name, axis_name=translate("rows that got another answer"), ours=[chosen]
    )
