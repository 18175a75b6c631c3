"""All checks as one table, in the order in which they report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headstart.checks import copies, labels, trainability
from headstart.checks.label_errors import find_label_errors
from headstart.checks.outliers import report_outliers
from headstart.checks.record import FEATURES, INPUTS, MODEL, SPLIT, TABLE, Check, CheckInputs
from headstart.checks.shortcuts import check_properties
from headstart.checks.vocabulary import report_unknown_tokens
from headstart.data.columns.missing_codes import find_missing_codes
from headstart.data.images.depth import describe_depth
from headstart.records import Finding, Table

_SEVERITIES = ("stop", "warn", "note")
Run = Callable[[CheckInputs], Sequence[Finding]]


def _on_table(report: Callable[[Table], Sequence[Finding]]) -> Run:
    return lambda inputs: report(inputs.table)


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


def _make_table_check(code: str, needs: str, report: Callable[[Table], Sequence[Finding]]) -> Check:
    return Check(code=code, stage=TABLE, needs=(needs,) if needs else (), run=_on_table(report))


def _make_split_check(code: str, needs: str, report: Callable[[Table], Sequence[Finding]]) -> Check:
    return Check(code=code, stage=SPLIT, needs=(needs,), run=_on_table(report))


_NEAR = "near-duplicate groups"
CHECKS = (
    _make_table_check("no-rows", "", trainability.find_no_rows),
    _make_table_check("no-labels", "rows", trainability.find_no_labels),
    _make_table_check("one-class", "labels", trainability.find_nothing_to_learn),
    _make_table_check("uneven-channels", "labels", trainability.find_uneven_channels),
    _make_table_check("one-input", "labels", trainability.find_one_input),
    _make_table_check("corrupt", "", copies.report_unusable_inputs),
    _make_split_check("duplicates-across-splits", "rows", copies.report_copies_across_splits),
    _make_table_check("duplicates", "rows", copies.report_copies),
    _make_table_check("conflicting-labels", "labels", copies.report_conflicting_labels),
    _make_split_check("near-duplicates-across-splits", _NEAR, copies.report_near_duplicates_across_splits),
    _make_split_check("near-duplicates-across-labels", _NEAR, copies.report_near_duplicates_across_labels),
    _make_split_check("near-duplicates", _NEAR, copies.report_near_duplicates),
    _make_table_check("value-range", "", describe_depth),
    _make_table_check("extreme-number", "", find_missing_codes),
    _make_table_check("missing-labels", "labels", labels.report_missing_words),
    _make_table_check("single-row-class", "labels", labels.report_single_row_classes),
    _make_table_check("small-class", "labels", labels.report_small_classes),
    _make_table_check("imbalance", "labels", labels.report_imbalance),
    _make_table_check("extreme-number", "labels", labels.report_extreme_numbers),
    Check(code="shortcut", stage=INPUTS, needs=("labels",), run=_check_properties),
    Check(code="outliers", stage=FEATURES, needs=("features",), run=_report_outliers),
    Check(
        code="unknown-tokens",
        stage=FEATURES,
        needs=("features", "base model"),
        run=_report_unknown_tokens,
    ),
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
