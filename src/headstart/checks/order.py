"""The order in which findings are shown, and the share of rows that each concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.evaluation.intervals import compute_wilson_interval
from headstart.records import TEST, Finding, Interval, Table

_GRAVITY = {"stop": 0, "warn": 1, "note": 2}
_FIRST = (
    "reserved-class",
    "duplicates-across-splits", "near-duplicates-across-splits", "conflicting-labels", "near-duplicates-across-labels",
    "shortcut",
)  # fmt: skip
_LAST = "label-errors"
"""Never the first thing to look at: what else is wrong with the data makes a model doubt right labels."""


def sort_by_gravity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings in order: what stops training, warnings (those that make a score worthless first), notes.

    Parameters
    ----------
    findings : sequence of Finding
    """
    place = {code: number for number, code in enumerate(_FIRST)}
    return tuple(
        sorted(
            findings,
            key=lambda item: (_GRAVITY[item.severity], item.kind == _LAST, place.get(item.kind, len(place))),
        )
    )


def add_row_shares(findings: Sequence[Finding], table: Table) -> tuple[Finding, ...]:
    """Return findings with the share of rows that they concern, where they name rows and measure nothing else.

    Parameters
    ----------
    findings : sequence of Finding
    table : Table
        The rows that were checked. For findings across the splits the share is that of the test rows.
    """
    n_test, n_rows = int((table.splits == TEST).sum()), len(table) + len(table.set_aside)
    return tuple(_add_row_share(item, n_test if "across-splits" in item.kind else n_rows) for item in findings)


def _add_row_share(item: Finding, n_rows: int) -> Finding:
    if item.measure is not None or not 0 < len(item.rows) <= n_rows:
        return item
    low, high = compute_wilson_interval(np.array([float(len(item.rows))]), np.array([float(n_rows)]))
    return replace(item, measure=Interval(len(item.rows) / n_rows, float(low[0]), float(high[0])))
