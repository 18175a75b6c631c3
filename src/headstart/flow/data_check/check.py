"""`headstart check`: everything that would spoil training, found before it; and the same findings for `adapt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart import data, progress
from headstart.data import properties
from headstart.data.duplicates import near_duplicates
from headstart.data.properties import Property
from headstart.errors import HeadstartError
from headstart.evaluation import shortcuts
from headstart.evaluation.intervals import wilson_interval
from headstart.evaluation.shortcuts import PropertySkill
from headstart.extras import missing
from headstart.flow.adaptation.reserved_names import find_reserved_names
from headstart.offline import offline
from headstart.options import AdaptOptions, CheckOptions
from headstart.records import TEST, Finding, Interval, Table

N_FOLDS = 5
CLEAR, STRONG, SAME = 0.2, 0.5, 0.97
"""How much of the way from chance to certainty is worth a note, a warning; and what is as good as the label itself."""
LEAST_ROWS, MOST_COLUMNS = 40, 3
_GRAVITY = {"stop": 0, "warn": 1, "note": 2}
_FIRST = (
    "reserved-class",
    "duplicates-across-splits", "near-duplicates-across-splits", "conflicting-labels", "near-duplicates-across-labels",
    "shortcut", "label-errors",
)  # fmt: skip


def gravest_first(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Order findings: what stops training, warnings (those that make a score worthless first), notes."""
    place = {kind: number for number, kind in enumerate(_FIRST)}
    return tuple(sorted(found, key=lambda item: (_GRAVITY[item.severity], place.get(item.kind, len(place)))))


def with_shares(found: Sequence[Finding], table: Table) -> tuple[Finding, ...]:
    """Give findings that name rows and measure nothing else the share of rows that they concern, with its interval.

    Parameters
    ----------
    found : sequence of Finding
    table : Table
        What was looked at. Of findings between the splits the share is that of the test rows.
    """
    n_rows = {True: int((table.splits == TEST).sum()), False: len(table) + len(table.set_aside)}
    return tuple(_with_share(item, n_rows["across-splits" in item.kind]) for item in found)


def _with_share(item: Finding, n_rows: int) -> Finding:
    if item.measure is not None or not 0 < len(item.rows) <= n_rows:
        return item
    low, high = wilson_interval(np.array([float(len(item.rows))]), np.array([float(n_rows)]))
    return replace(item, measure=Interval(len(item.rows) / n_rows, float(low[0]), float(high[0])))


def check(path: Path, options: CheckOptions) -> tuple[Table, tuple[Finding, ...]]:
    """Read data and say what would spoil training.

    Parameters
    ----------
    path : Path
    options : CheckOptions

    Returns
    -------
    table : Table
        As it was read.
    findings : tuple of Finding
        The gravest first. One of severity `stop` makes training impossible.
    """
    with offline(options.offline):
        table = data.add_near_duplicate_groups(data.read_table(path, options), options.seed)
        found = find_reserved_names(table, options) + data.check(table)
        if any(item.severity == "stop" for item in found):
            return table, gravest_first(with_shares(found, table))
        found += about_inputs(table, options.group, options.seed)
        if options.deep != "off":
            found += _deep(table, options)
    return table, gravest_first(with_shares(found, table))


def about_inputs(table: Table, groups: tuple[str, ...], seed: int) -> tuple[Finding, ...]:
    """Look at plain properties of labelled rows: odd ones, and those that tell the label.

    Parameters
    ----------
    table : Table
        At most 5,000 of its rows, drawn by chance, are looked at.
    groups : tuple of str
        Columns whose rows stay together in cross-validation.
    seed : int
    """
    rows = table.take(properties.sampled(table, seed))
    measured = properties.of_inputs(rows)
    found = properties.remarks(rows, measured)
    codes = data.number_strata(rows)
    if len(rows) < LEAST_ROWS or len(np.unique(codes)) < 2:
        return tuple(found)
    clusters = data.find_dependence(rows, groups).for_resampling
    folds = data.assign_folds(codes, clusters, N_FOLDS, seed)
    if measured:
        together, alone = shortcuts.rank_properties(measured, codes, folds, clusters=clusters, seed=seed)
        found += _of_inputs(together, alone, rows)
    others = properties.of_columns(rows)
    n_measured = len(properties.fullest_columns(rows))
    if n_measured < len(rows.metadata):
        summary = f"Of {len(rows.metadata):,} other columns only the {n_measured} filled in most rows were looked at."
        found.append(
            Finding(kind="columns-not-measured", severity="note", rows=(), summary=summary, advice="Nothing to do.")
        )
    if others:
        found += _of_columns(
            shortcuts.rank_properties(others, codes, folds, clusters=clusters, seed=seed)[1], others, rows
        )
    return tuple(found)


def _said(told: PropertySkill) -> str:
    found = told.balanced_accuracy
    return f"{found.value:.0%} (95 % interval {found.low:.0%} to {found.high:.0%}; chance: {told.chance:.0%})"


def _of_inputs(together: PropertySkill, alone: Sequence[PropertySkill], rows: Table) -> list[Finding]:
    best = max([together, alone[0]], key=lambda item: item.skill)
    if best.skill < CLEAR:
        return []
    named = ", ".join(f"{item.name} ({item.balanced_accuracy.value:.0%})" for item in alone[:3] if item.skill > 0)
    alone_said = f" Best alone: {named}." if named else ""
    summary = (
        f"How the inputs are made, not what they show, already tells {_ASKED[rows.task]} of {_said(best)} "
        f"of {len(rows):,} rows, all classes counting the same: this may be a shortcut.{alone_said}"
    )
    advice = (
        "If such a property comes from how the data was gathered (site, device, background), a model may learn that "
        "instead: gather each class in the same way, or test on another place. It may also be a true sign of the class."
    )
    severity = "warn" if best.skill >= STRONG else "note"
    return [
        Finding(
            kind="shortcut", severity=severity, rows=(), summary=summary, advice=advice, measure=best.balanced_accuracy
        )
    ]


def _of_columns(ranked: Sequence[PropertySkill], others: Mapping[str, Property], rows: Table) -> list[Finding]:
    telling = [item for item in ranked if item.skill >= CLEAR and not _is_same(item)]
    found = [_of_all(item, rows) for item in ranked if _is_same(item) and not _repeats(others[item.name], rows)]
    found = found[:MOST_COLUMNS]
    for item in telling[:MOST_COLUMNS]:
        more = len(telling) - MOST_COLUMNS
        rest = f" {more} more columns tell it less well." if more > 0 and item is telling[MOST_COLUMNS - 1] else ""
        summary = f"The column '{item.name}' tells {_ASKED[rows.task]} of {_said(item)} of {len(rows):,} rows.{rest}"
        advice = (
            "If it says where or with what a row was made, classes and places are mixed up: name it with --group to "
            "see whether the model holds elsewhere."
        )
        found.append(
            Finding(
                kind="shortcut",
                severity="warn" if item.skill >= STRONG else "note",
                rows=(),
                summary=summary,
                advice=advice,
                measure=item.balanced_accuracy,
            )
        )
    return found


def _is_same(told: PropertySkill) -> bool:
    return (told.balanced_accuracy.value - told.chance) / (1.0 - told.chance) >= SAME


def _repeats(values: Property, rows: Table) -> bool:
    """Tell whether a column holds the label once more: its words, or, where the label is no class, all it tells."""
    if rows.labels is None or rows.targets is not None or values.dtype != object:
        return rows.targets is not None
    return all(str(a).strip().casefold() == str(b).strip().casefold() for a, b in zip(values, rows.labels, strict=True))


def _of_all(told: PropertySkill, rows: Table) -> Finding:
    """Point out a column that tells the class of nearly all rows: the label again, or classes gathered apart."""
    summary = f"The column '{told.name}' tells the class of {_said(told)} of {len(rows):,} rows."
    advice = (
        "If it is the label in other words, nothing is wrong. If it says where, when or with what a row was made, each "
        "class was gathered apart, and no score here can tell whether a model learns the class or that: gather every "
        "class in every place."
    )
    return Finding(
        kind="shortcut", severity="warn", rows=(), summary=summary, advice=advice, measure=told.balanced_accuracy
    )


_ASKED = {
    "classification": "the class",
    "ordinal": "the grade",
    "multi-label": "the rarest label",
    "regression": "how large the number is",
}


def _deep(table: Table, options: CheckOptions) -> tuple[Finding, ...]:
    """Run the base and a probe, if they are installed; what cannot be done is a note."""
    if missing("adapt"):
        summary = "Label errors and outliers were not looked for: the part that adapts models is not installed."
        note = Finding(
            kind="not-looked-deeper",
            severity="note",
            rows=(),
            summary=summary,
            advice="Run: pip install 'headstart[adapt]'.",
        )
        return (note,)
    from headstart.flow.data_check import probe

    shared = set(AdaptOptions.model_fields) & set(CheckOptions.model_fields)
    adapting = AdaptOptions.model_validate(options.model_dump(include=shared))
    try:
        return probe.findings(table, adapting, probe.LIMITS[options.deep])
    except HeadstartError as error:
        if options.deep == "on":
            raise
        summary = f"Label errors and outliers were not looked for: {error.problem}"
        progress.say(summary)
        return (Finding(kind="not-looked-deeper", severity="note", rows=(), summary=summary, advice=error.hint),)


def after_split(decided: Table, before: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give what is known of copies once every split is decided, and was not said before."""
    said = {item.kind for item in before}
    found = [
        *near_duplicates.report_near_duplicates(decided),
        *(item for item in data.check(replace(decided, findings=())) if "across" in item.kind),
    ]
    fresh = {item.kind: item for item in found if item.kind not in said}
    return tuple(fresh.values())


__all__ = ["about_inputs", "after_split", "check", "gravest_first"]
