"""Assignment of rows to training, test and folds: groups stay on one side, classes keep their proportions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.duplicates.near_duplicates import add_near_duplicate_groups
from headstart.data.labels.strata import drop_unlearnable_labels, number_strata
from headstart.data.reading.rows import tidy_table_labels
from headstart.data.settings import SETTINGS
from headstart.data.splitting.append import append_rows
from headstart.data.splitting.dependence import number_clusters, require_groups
from headstart.data.splitting.folds import assign_parts
from headstart.data.splitting.row_filter import RowFilter
from headstart.errors import OptionError, list_offenders
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, AnyTable, Finding, SplitTable, Table, make_column
from headstart.results.findings import make_finding
from headstart.task_types import TASK_TYPES


def draw_rows_per_class(table: AnyTable, labels_per_class: int, seed: int) -> AnyTable:
    """Return a table with the same number of training rows of each class; test rows stay.

    Parameters
    ----------
    table : AnyTable
        With labels; where a row may have several, it counts for its rarest one.
    labels_per_class : int
        At least 1; a class with fewer rows keeps all.
    seed : int
        At one seed, the draw for K is a part of the draw for K + 1.

    Returns
    -------
    Table
        In the order of `table`.

    Raises
    ------
    OptionError
        The label is a number.
    """
    assert table.labels is not None
    if TASK_TYPES[table.task].is_number:
        problem = f"--labels-per-class {labels_per_class}: the label is a number, so there are no classes."
        raise OptionError(problem, "Leave it out, or ask for fewer rows.")
    order = np.random.default_rng(seed).permutation(len(table))
    classes = number_strata(table)
    counts: dict[int, int] = {}
    retained = []
    for row in order:
        if table.splits[row] != TEST:
            code = int(classes[row])
            counts[code] = counts.get(code, 0) + 1
            if counts[code] > labels_per_class:
                continue
        retained.append(row)
    return drop_unlearnable_labels(table.take(np.sort(np.array(retained, dtype=np.intp))))


def assign_splits(table: Table, options: AdaptOptions, test: Table | None = None) -> SplitTable:
    """Return the table with every row assigned to training or test.

    Parameters
    ----------
    table : Table
        With labels.
    options : AdaptOptions
        `group`, `seed`, `duplicates` and `merge_labels` are used.
    test : Table, optional
        Separate test data; its ids get the prefix "test/".

    Returns
    -------
    SplitTable
        A test split in the data is kept; otherwise a quarter of the rows is
        for testing: stratified, seeded, clusters whole, and every class keeps two training rows where possible.

    Raises
    ------
    UnknownName
        There is no such group column.
    DataError
        The test data is of another kind or has no labels.
    """
    require_groups(table, options.group)
    if test is not None:
        table = tidy_table_labels(_append_test_table(table, test), options.merge_labels)
    table = add_near_duplicate_groups(table, options.seed)
    table = _keep_given_split(table) if (table.splits == TEST).any() else _assign_new_split(table, options)
    rows = RowFilter(table)
    if options.duplicates == "drop":
        rows.drop(_find_copies_of_test_rows(table), "a copy of it stands in the test rows")
    is_unknown = _find_unknown_classes(table, rows.keep)
    rows.drop(is_unknown, "no training row has its class")
    findings = (*table.findings, *_report_unknown_classes(table, is_unknown))
    return SplitTable.from_table(drop_unlearnable_labels(replace(rows.apply(table), findings=findings)))


def _keep_given_split(table: Table) -> Table:
    return replace(table, splits=make_column([word or TRAIN for word in table.splits]))


def _assign_new_split(table: Table, options: AdaptOptions) -> Table:
    codes = number_strata(table)
    clusters_of_rows = number_clusters(table, options.group)
    part_shares = np.array([1 - SETTINGS.test_share, SETTINGS.test_share])
    parts = assign_parts(codes, clusters_of_rows, part_shares, options.seed, least_kept=SETTINGS.min_class_rows)
    if TASK_TYPES[table.task].is_number and (parts == 0).sum() < SETTINGS.min_number_rows:
        parts = np.zeros_like(parts)
    split_table = replace(table, splits=make_column([TEST if part else TRAIN for part in parts]))
    if parts.any():
        return split_table
    summary = "No rows could be kept for testing: there are too few, or they all belong together."
    note = make_finding("no-test-rows", summary)
    return replace(split_table, findings=(*split_table.findings, note))


def _append_test_table(table: Table, test: Table) -> Table:
    own_test_ids = tuple(table.ids[table.splits == TEST].tolist())
    findings = table.findings + test.findings
    if own_test_ids:
        summary = f"{len(own_test_ids)} test rows of {table.source} were left out, since other test data was given."
        findings += (make_finding("own-test-rows-left-out", summary, own_test_ids, advice="nothing"),)
        table = table.take(np.flatnonzero(table.splits != TEST))
    if (test.splits == TEST).any():
        test = test.select_split(TEST)
    table = replace(table, splits=make_column([TRAIN] * len(table)))
    joined = append_rows(table, replace(test, splits=make_column([TEST] * len(test))), "test")
    return replace(joined, findings=findings)


def _find_copies_of_test_rows(table: Table) -> NDArray[np.bool_]:
    """Return which training rows (n_rows,) have the content of a test row."""
    test_hashes = set(table.hashes[table.splits == TEST])
    is_copy = np.array([digest in test_hashes for digest in table.hashes], dtype=bool)
    return np.asarray(is_copy & (table.splits == TRAIN))


def _find_unknown_classes(table: Table, is_retained: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which test rows (n_rows,) have a class that no retained training row has (one class per row)."""
    if table.labels is None or table.targets is not None:
        return np.zeros(len(table), dtype=bool)
    known = set(table.labels[(table.splits == TRAIN) & is_retained])
    is_unknown = np.array([label not in known for label in table.labels], dtype=bool)
    return np.asarray(is_unknown & (table.splits == TEST))


def _report_unknown_classes(table: Table, is_unknown: NDArray[np.bool_]) -> tuple[Finding, ...]:
    if table.labels is None or not is_unknown.any():
        return ()
    rows, names = tuple(table.ids[is_unknown].tolist()), sorted(set(table.labels[is_unknown]))
    summary = f"{len(rows)} test rows are of classes without training rows ({list_offenders(names)})."
    return (make_finding("class-only-in-test", summary, rows),)
