"""Copies: inputs that cannot be used, exact copies, near-duplicates, and rows with nearly equal features."""

from __future__ import annotations

from headstart.bases import Backbone
from headstart.checks.record import list_ids
from headstart.checks.settings import SETTINGS
from headstart.checks.vocabulary import measure_coverage
from headstart.data.duplicates.feature_duplicates import add_feature_duplicates
from headstart.data.settings import SETTINGS as DATA_SETTINGS
from headstart.errors import list_offenders
from headstart.records import TEST, TRAIN, AnyTable, Features, Finding, Table
from headstart.results.findings import make_finding
from headstart.task_types import TASK_TYPES


def report_unusable_inputs(table: Table) -> list[Finding]:
    """Report the inputs that were set aside.

    Parameters
    ----------
    table : Table
    """
    rows = tuple(item.id for item in table.set_aside)
    if not rows:
        return []
    named = list_offenders([f"{item.id}: {item.reason}" for item in table.set_aside])
    summary = f"{len(rows)} input{'s were' if len(rows) > 1 else ' was'} set aside ({named})."
    return [make_finding("corrupt", summary, rows)]


def _group_exact_copies(table: Table) -> list[list[int]]:
    """Return the row numbers of every content that occurs more than once."""
    rows_of_hash: dict[str, list[int]] = {}
    for row, digest in enumerate(table.hashes):
        rows_of_hash.setdefault(digest, []).append(row)
    return [rows for rows in rows_of_hash.values() if len(rows) > 1]


def report_copies_across_splits(table: Table) -> list[Finding]:
    """Report test rows with the same content as a training row.

    Parameters
    ----------
    table : Table
    """
    groups = _group_exact_copies(table)
    across = [rows for rows in groups if len({table.splits[row] for row in rows} & {TRAIN, TEST}) == 2]
    if not across:
        return []
    test_ids = tuple(table.ids[row] for rows in across for row in rows if table.splits[row] == TEST)
    rows = "1 test row also stands" if len(test_ids) == 1 else f"{len(test_ids)} test rows also stand"
    summary = f"{rows} in the training rows (such as {test_ids[0]})."
    return [make_finding("duplicates-across-splits", summary, test_ids)]


def report_copies(table: Table) -> list[Finding]:
    """Report content that occurs more than once on one side of the split.

    Parameters
    ----------
    table : Table
    """
    groups = _group_exact_copies(table)
    within = [rows for rows in groups if len(rows) > len({table.splits[row] for row in rows})]
    if not within:
        return []
    ids = tuple(table.ids[row] for rows in within for row in rows)
    occur = "1 input occurs" if len(within) == 1 else f"{len(within)} inputs occur"
    return [make_finding("duplicates", f"{occur} more than once ({len(ids)} rows, such as {ids[0]}).", ids)]


def report_conflicting_labels(table: Table) -> list[Finding]:
    """Report content that occurs with different labels.

    Parameters
    ----------
    table : Table
        With labels.
    """
    if table.labels is None:
        return []
    labels = table.labels if table.targets is None else [row.tobytes() for row in table.targets]
    conflicts = [rows for rows in _group_exact_copies(table) if len({labels[row] for row in rows}) > 1]
    if not conflicts:
        return []
    ids = tuple(table.ids[row] for rows in conflicts for row in rows)
    first = conflicts[0]
    example = f"{table.ids[first[0]]} is {table.labels[first[0]]}"
    other = next(row for row in first if labels[row] != labels[first[0]])
    have = "1 input has" if len(conflicts) == 1 else f"{len(conflicts)} inputs have"
    summary = f"{have} two labels ({example}, {table.ids[other]} is {table.labels[other]})."
    return [make_finding("conflicting-labels", summary, ids)]


def _list_near_duplicate_groups(table: Table) -> list[list[int]]:
    """Return the row numbers of each group of near-duplicates."""
    assert table.near_duplicate_groups is not None
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(table.near_duplicate_groups):
        if name:
            groups.setdefault(name, []).append(row)
    return list(groups.values())


def report_near_duplicates_across_splits(table: Table) -> list[Finding]:
    """Report test rows with a near-duplicate among the training rows; exact copies have a check of their own.

    Parameters
    ----------
    table : Table
        With `near_duplicate_groups`.
    """
    groups = _list_near_duplicate_groups(table)
    training_hashes = {table.hashes[row] for rows in groups for row in rows if table.splits[row] == TRAIN}
    test_ids = [
        table.ids[row]
        for rows in groups
        if {TRAIN, TEST} <= {table.splits[row] for row in rows}
        for row in rows
        if table.splits[row] == TEST and table.hashes[row] not in training_hashes
    ]
    if not test_ids:
        return []
    n_test = int((table.splits == TEST).sum())
    are = "is" if len(test_ids) == 1 else "are"
    summary = f"{len(test_ids)} of {n_test} test rows {are} nearly the same as training rows (such as {test_ids[0]})."
    severity = "warn" if len(test_ids) >= DATA_SETTINGS.grave_share * n_test else "note"
    return [make_finding("near-duplicates-across-splits", summary, tuple(test_ids), severity=severity)]


def report_near_duplicates_across_labels(table: Table) -> list[Finding]:
    """Report near-duplicates with different labels.

    Parameters
    ----------
    table : Table
        With `near_duplicate_groups`.
    """
    if table.labels is None or TASK_TYPES[table.task].is_number:
        return []
    conflicts = []
    for rows in _list_near_duplicate_groups(table):
        by_hash = {table.hashes[row]: table.labels[row] for row in rows}
        if len(set(by_hash.values())) > 1:
            conflicts.append(rows)
    if not conflicts:
        return []
    first = conflicts[0][0]
    other = next(row for row in conflicts[0] if table.labels[row] != table.labels[first])
    example = f"{table.ids[first]} is {table.labels[first]}, {table.ids[other]} is {table.labels[other]}"
    sets = (
        "1 set of nearly equal rows has" if len(conflicts) == 1 else f"{len(conflicts)} sets of nearly equal rows have"
    )
    ids = list_ids(table, [row for rows in conflicts for row in rows])
    return [make_finding("near-duplicates-across-labels", f"{sets} different labels ({example}).", ids)]


def report_near_duplicates(table: Table) -> list[Finding]:
    """Report all groups of near-duplicates.

    Parameters
    ----------
    table : Table
        With `near_duplicate_groups`.
    """
    groups = _list_near_duplicate_groups(table)
    rows = [row for group in groups for row in group]
    if not rows:
        return []
    sets = "1 set" if len(groups) == 1 else f"{len(groups)} sets"
    summary = f"{len(rows)} rows are nearly the same as another ({sets}, the largest of {max(map(len, groups))})."
    return [make_finding("near-duplicates", summary, list_ids(table, rows))]


def join_feature_duplicates(
    table: AnyTable, features: Features | None, backbone: Backbone, seed: int
) -> tuple[AnyTable, tuple[Finding, ...]]:
    """Return the table with rows of nearly equal features in one near-duplicate group, and the finding about them.

    Parameters
    ----------
    table : AnyTable
    features : Features or None
        Of the same rows; without them nothing is joined.
    backbone : Backbone
        Only features of a pre-trained one that can read the texts are compared.
    seed : int
    """
    if features is None or not backbone.record.pretrained:
        return table, ()
    joined, findings = add_feature_duplicates(table, features.final, seed)
    if joined is table and not findings:
        return table, ()
    coverage = measure_coverage(backbone, table)  # Costs seconds for a large vocabulary: only where it is needed.
    if coverage is not None and coverage.unknown_share > SETTINGS.many_unknown_share:
        return table, ()
    return joined, tuple(findings)
