"""Shortcuts: properties beside the point, of the inputs or in other columns, that predict the label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart import data
from headstart.checks import properties
from headstart.checks.properties import Property
from headstart.checks.property_skill import PropertySkill, rank_properties
from headstart.checks.settings import SETTINGS
from headstart.records import Finding, Index, Table
from headstart.results.findings import make_finding
from headstart.shared_settings import SHARED_SETTINGS

_LABEL_NOUNS = {
    "classification": "the class",
    "ordinal": "the grade",
    "multi-label": "the rarest label",
    "regression": "how large the number is",
}


def check_properties(table: Table, groups: tuple[str, ...], seed: int) -> list[Finding]:
    """Return what plain properties of labelled rows show: odd images, and shortcuts to the label.

    Parameters
    ----------
    table : Table
        At most 5,000 of its rows, drawn by chance, are measured.
    groups : tuple of str
        Columns whose rows stay together in cross-validation.
    seed : int
    """
    rows = table.take(properties.sample_rows(table, seed))
    measured = properties.measure_inputs(rows)
    findings = [*properties.report_small_images(rows, measured), *properties.report_blurred_images(rows, measured)]
    strata = data.number_strata(rows)
    if len(rows) < SETTINGS.shortcut_rows or len(np.unique(strata)) < 2:
        return findings
    clusters = data.find_dependence(rows, groups).for_resampling
    folds = _Folds(strata, data.assign_folds(strata, clusters, SHARED_SETTINGS.n_folds, seed), clusters, seed)
    findings += _report_input_shortcut(measured, folds, rows)
    return [*findings, *_report_unmeasured_columns(rows), *_report_column_shortcuts(folds, rows)]


@dataclass(frozen=True)
class _Folds:
    """The strata (n_rows,) to predict, the folds and clusters (n_rows,) of the cross-validation, and the seed."""

    strata: Index
    folds: Index
    clusters: Index
    seed: int

    def rank(self, measured: Mapping[str, Property]) -> tuple[PropertySkill, list[PropertySkill]]:
        """Return the skill of all properties together, and of each alone, the best first."""
        return rank_properties(measured, self.strata, self.folds, clusters=self.clusters, seed=self.seed)


def _report_input_shortcut(measured: Mapping[str, Property], folds: _Folds, rows: Table) -> list[Finding]:
    if not measured:
        return []
    together, alone = folds.rank(measured)
    best = max([together, alone[0]], key=lambda item: item.skill)
    if best.skill < SETTINGS.clear_skill:
        return []
    named = ", ".join(f"{item.name} ({item.balanced_accuracy.value:.0%})" for item in alone[:3] if item.skill > 0)
    best_alone = f" Best alone: {named}." if named else ""
    summary = (
        f"How the inputs are made, not what they show, already tells {_LABEL_NOUNS[rows.task]} of "
        f"{_format_skill(best)} of {len(rows):,} rows, all classes counting the same: this may be a "
        f"shortcut.{best_alone}"
    )
    severity = "warn" if best.skill >= SETTINGS.strong_skill else "note"
    return [make_finding("shortcut", summary, severity=severity, advice="input", measure=best.balanced_accuracy)]


def _report_unmeasured_columns(rows: Table) -> list[Finding]:
    n_measured = len(properties.select_fullest_columns(rows))
    if n_measured == len(rows.metadata):
        return []
    summary = f"Of {len(rows.metadata):,} other columns only the {n_measured} filled in most rows were looked at."
    return [make_finding("columns-not-measured", summary, advice="nothing")]


def _report_column_shortcuts(folds: _Folds, rows: Table) -> list[Finding]:
    columns = properties.read_metadata_properties(rows)
    if not columns:
        return []
    ranked = folds.rank(columns)[1]
    repeating = [item for item in ranked if _equals_label(item) and not _repeats_label(columns[item.name], rows)]
    telling = [item for item in ranked if item.skill >= SETTINGS.clear_skill and not _equals_label(item)]
    findings = [_make_equal_column_finding(item, rows) for item in repeating[: SETTINGS.shortcut_columns]]
    for number, item in enumerate(telling[: SETTINGS.shortcut_columns]):
        more = len(telling) - SETTINGS.shortcut_columns if number == SETTINGS.shortcut_columns - 1 else 0
        rest = f" {more} more columns tell it less well." if more > 0 else ""
        noun = _LABEL_NOUNS[rows.task]
        summary = f"The column '{item.name}' tells {noun} of {_format_skill(item)} of {len(rows):,} rows.{rest}"
        severity = "warn" if item.skill >= SETTINGS.strong_skill else "note"
        findings.append(
            make_finding("shortcut", summary, severity=severity, advice="column", measure=item.balanced_accuracy)
        )
    return findings


def _format_skill(skill: PropertySkill) -> str:
    share = skill.balanced_accuracy
    low, high = math.floor(100 * share.low + 1e-6), math.ceil(100 * share.high - 1e-6)
    return f"{share.value:.0%} (95 % interval {low}% to {high}%; chance: {skill.chance:.0%})"


def _equals_label(skill: PropertySkill) -> bool:
    return (skill.balanced_accuracy.value - skill.chance) / (1.0 - skill.chance) >= SETTINGS.equal_skill


def _repeats_label(values: Property, rows: Table) -> bool:
    """Return whether a column holds the label again in the same words; for a task without classes always True."""
    if rows.labels is None or rows.targets is not None or values.dtype != object:
        return rows.targets is not None
    return all(str(a).strip().casefold() == str(b).strip().casefold() for a, b in zip(values, rows.labels, strict=True))


def _make_equal_column_finding(skill: PropertySkill, rows: Table) -> Finding:
    """Return a finding about a column that predicts nearly all classes: the label again, or separate collection."""
    summary = f"The column '{skill.name}' tells the class of {_format_skill(skill)} of {len(rows):,} rows."
    return make_finding("shortcut", summary, advice="equal-column", measure=skill.balanced_accuracy)
