"""All checks as one table, in the order in which they report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headstart.checks import copies, labels, trainability
from headstart.checks.content import report_contentless_rows
from headstart.checks.label_errors import find_label_errors
from headstart.checks.outliers import report_outliers
from headstart.checks.record import FEATURES, INPUTS, MODEL, SPLIT, TABLE, Check, CheckInputs
from headstart.checks.shortcuts import check_properties
from headstart.checks.vocabulary import report_unknown_tokens
from headstart.data.columns.missing_codes import find_missing_codes
from headstart.data.images.depth import describe_depth
from headstart.records import Finding, Table

_SEVERITIES = ("stop", "warn", "note")


def _check_properties(inputs: CheckInputs) -> Sequence[Finding]:
    return check_properties(inputs.table, inputs.group_columns, inputs.seed)


def _report_outliers(inputs: CheckInputs) -> Sequence[Finding]:
    assert inputs.features is not None
    return report_outliers(inputs.table.ids, inputs.features.final, inputs.seed)


def _report_unknown_tokens(inputs: CheckInputs) -> Sequence[Finding]:
    assert inputs.backbone is not None
    return report_unknown_tokens(inputs.backbone, inputs.table)


def _report_label_errors(inputs: CheckInputs) -> Sequence[Finding]:
    assert inputs.task is not None and inputs.out_of_fold is not None
    return find_label_errors(inputs.table, inputs.task, inputs.out_of_fold).findings


def _make_check(code: str, stage: str, needs: str, report: Callable[[Table], Sequence[Finding]]) -> Check:
    """Return a check that looks at nothing but the table."""
    return Check(code=code, stage=stage, needs=(needs,) if needs else (), run=lambda inputs: report(inputs.table))


_NEAR = "near-duplicate groups"
CHECKS = (
    _make_check("no-rows", TABLE, "", trainability.find_no_rows),
    _make_check("no-labels", TABLE, "rows", trainability.find_no_labels),
    _make_check("one-class", TABLE, "labels", trainability.find_nothing_to_learn),
    _make_check("uneven-channels", TABLE, "labels", trainability.find_uneven_channels),
    _make_check("one-input", TABLE, "labels", trainability.find_one_input),
    _make_check("corrupt", TABLE, "", copies.report_unusable_inputs),
    _make_check("duplicates-across-splits", SPLIT, "rows", copies.report_copies_across_splits),
    _make_check("duplicates", TABLE, "rows", copies.report_copies),
    _make_check("conflicting-labels", TABLE, "labels", copies.report_conflicting_labels),
    _make_check("near-duplicates-across-splits", SPLIT, _NEAR, copies.report_near_duplicates_across_splits),
    _make_check("near-duplicates-across-labels", SPLIT, _NEAR, copies.report_near_duplicates_across_labels),
    _make_check("near-duplicates", SPLIT, _NEAR, copies.report_near_duplicates),
    _make_check("value-range", TABLE, "", describe_depth),
    _make_check("extreme-number", TABLE, "", find_missing_codes),
    _make_check("missing-labels", TABLE, "labels", labels.report_missing_words),
    _make_check("single-row-class", TABLE, "labels", labels.report_single_row_classes),
    _make_check("small-class", TABLE, "labels", labels.report_small_classes),
    _make_check("imbalance", TABLE, "labels", labels.report_imbalance),
    _make_check("extreme-number", TABLE, "labels", labels.report_extreme_numbers),
    Check(code="shortcut", stage=INPUTS, needs=("labels",), run=_check_properties),
    Check(code="no-content", stage=INPUTS, needs=("rows",), run=lambda inputs: report_contentless_rows(inputs.table)),
    Check(code="outliers", stage=FEATURES, needs=("features",), run=_report_outliers),
    Check(code="unknown-tokens", stage=FEATURES, needs=("features", "base model"), run=_report_unknown_tokens),
    Check(code="label-errors", stage=MODEL, needs=("out-of-fold outputs",), run=_report_label_errors),
)
"""Every check, in the order in which they report. `shortcut` also reports `resolution`, `blur` and
`columns-not-measured`: all four read the same properties."""


def run_checks(inputs: CheckInputs, *stages: str) -> list[Finding]:
    """Return what the checks of some stages find, in the order of the table.

    Parameters
    ----------
    inputs : CheckInputs
    *stages : str
        Of `headstart.checks.record.STAGES`.
    """
    checks = [check for check in CHECKS if check.stage in stages and check.applies(inputs)]
    return [finding for check in checks for finding in check.run(inputs)]


def check_table(table: Table) -> tuple[Finding, ...]:
    """Return the faults of a table: what stops training first, then what to look at and what to know.

    Parameters
    ----------
    table : Table
        As it was read or split; the findings of the reading are included.
    """
    seen = {(finding.kind, finding.summary) for finding in table.findings}
    findings = run_checks(CheckInputs(table=table), TABLE, SPLIT)
    fresh = [finding for finding in findings if (finding.kind, finding.summary) not in seen]
    return tuple(sorted([*table.findings, *fresh], key=lambda finding: _SEVERITIES.index(finding.severity)))


def check_split(table: Table, earlier: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what can only be checked once every split is decided: copies.

    Parameters
    ----------
    table : Table
        Every row is for training or for testing.
    earlier : sequence of Finding
        Codes among them are not reported again.
    """
    reported = {finding.kind for finding in earlier}
    findings = run_checks(CheckInputs(table=table), SPLIT)
    return tuple(finding for finding in findings if finding.kind not in reported)
