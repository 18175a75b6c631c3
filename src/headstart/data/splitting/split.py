"""Assignment of rows to training, test and folds: groups stay on one side, classes keep their proportions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.checks import MIN_CLASS_ROWS, MIN_NUMBERS
from headstart.data.duplicates.near_duplicates import add_near_duplicate_groups
from headstart.data.labels.strata import drop_unlearnable_labels, number_strata
from headstart.data.reading.rows import join_columns, tidy_table_labels
from headstart.errors import DataError, OptionError, offenders, unknown
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Column, Finding, FloatMatrix, Index, SetAside, Table, make_column

TEST_SHARE = 0.25
MIN_GROUPS = 5
"""Least number of groups for an interval over groups."""


def number_clusters(table: Table, groups: tuple[str, ...] = ()) -> Index:
    """Return the cluster of each row: equal or nearly equal content, or an equal value in any group column.

    Parameters
    ----------
    table : Table
        Its hashes, near-duplicate groups and metadata are used.
    groups : tuple of str
        Names of metadata columns; empty values group nothing.

    Returns
    -------
    Index, shape (n_rows,)
        Cluster numbers 0 .. n_clusters - 1, in order of first appearance.

    Raises
    ------
    UnknownName
        There is no such column.
    """
    parent = np.arange(len(table)).tolist()
    families = [] if table.near_duplicate_groups is None else [table.near_duplicate_groups]
    for values in [table.hashes, *families, *(read_group_column(table, name) for name in groups)]:
        first: dict[str, int] = {}
        for row, value in enumerate(values):
            if value != "":
                _unite(parent, row, first.setdefault(value, row))
    roots = [_root(parent, row) for row in range(len(parent))]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.intp)


def require_groups(table: Table, groups: tuple[str, ...]) -> None:
    """Refuse group columns that the table does not have.

    Parameters
    ----------
    table : Table
    groups : tuple of str

    Raises
    ------
    UnknownName
        There is no such column; the nearest name is suggested.
    """
    for name in groups:
        read_group_column(table, name)


def select_many_valued(table: Table, groups: tuple[str, ...], least: int = MIN_GROUPS) -> tuple[str, ...]:
    """Return the group columns with at least `least` values, such as patients or farms.

    Parameters
    ----------
    table : Table
    groups : tuple of str
        Columns that the table does not have are ignored.
    least : int
        Least number of values, "" not counted.
    """
    present_columns = [name for name in groups if name in table.metadata]
    return tuple(name for name in present_columns if len(set(table.metadata[name]) - {""}) >= least)


def number_resampling_clusters(table: Table, groups: tuple[str, ...]) -> Index:
    """Return the clusters to resample: copies, and groups where there are enough of them.

    Parameters
    ----------
    table : Table
    groups : tuple of str
        Columns of fewer than `MIN_GROUPS` values are left out, and all where fewer clusters would be left.

    Returns
    -------
    Index, shape (n_rows,)

    Raises
    ------
    UnknownName
        There is no such column.
    """
    for name in groups:
        read_group_column(table, name)
    clusters_of_rows = number_clusters(table, select_many_valued(table, groups))
    return clusters_of_rows if len(np.unique(clusters_of_rows)) >= MIN_GROUPS else number_clusters(table)


def assign_folds(codes: Index, clusters: Index, n_folds: int, seed: int) -> Index:
    """Return the fold of each row: classes in equal proportions, clusters whole.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Class indices or strata.
    clusters : Index, shape (n_rows,)
        From `number_clusters`.
    n_folds : int
        At least 2; fewer where there are fewer clusters. A class with fewer rows than folds is absent from
        the held-out part of some, but its rows are spread, so that no training part lacks it if it has 2 clusters.
    seed : int
        Same seed, same folds.

    Returns
    -------
    Index, shape (n_rows,)
        Fold of each row, 0 .. n - 1.

    Examples
    --------
    >>> folds = assign_folds(np.array([0, 0, 1, 1]), np.arange(4), 5, seed=0)
    >>> bool(folds[0] != folds[1]), bool(folds[2] != folds[3])
    (True, True)
    """
    n = max(2, min(n_folds, len(np.unique(clusters))))
    return _assign_parts(codes, clusters, np.full(n, 1 / n), seed, least_kept=0)


def draw_rows_per_class(table: Table, labels_per_class: int, seed: int) -> Table:
    """Return a table with the same number of training rows of each class; test rows stay.

    Parameters
    ----------
    table : Table
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
    if table.task == "regression":
        problem = f"--labels-per-class {labels_per_class}: the label is a number, so there are no classes."
        raise OptionError(problem, "Leave it out, or give fewer rows.")
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


def assign_splits(table: Table, options: AdaptOptions, test: Table | None = None) -> Table:
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
    Table
        `splits` holds "train" and "test" only. A test split in the data is kept; otherwise a quarter of the rows is
        for testing: stratified, seeded, clusters whole, and every class keeps two training rows where possible.

    Raises
    ------
    UnknownName
        There is no such group column.
    DataError
        The test data is of another kind or has no labels.
    """
    for name in options.group:
        read_group_column(table, name)
    if test is not None:
        table = tidy_table_labels(_append_test_table(table, test), options.merge_labels)
    table = add_near_duplicate_groups(table, options.seed)
    table = _keep_given_split(table) if (table.splits == TEST).any() else _assign_new_split(table, options)
    table = _set_aside_copies_of_test_rows(table) if options.duplicates == "drop" else table
    return _set_aside_unknown_classes(drop_unlearnable_labels(table))


def read_group_column(table: Table, name: str) -> Column:
    """Return the values of a group column, or raise `UnknownName`."""
    if name not in table.metadata:
        raise unknown("group column", name, table.metadata, f" in {table.source}")
    return table.metadata[name]


def _keep_given_split(table: Table) -> Table:
    return replace(table, splits=make_column([word or TRAIN for word in table.splits]))


def _assign_new_split(table: Table, options: AdaptOptions) -> Table:
    codes = number_strata(table)
    clusters_of_rows = number_clusters(table, options.group)
    part_shares = np.array([1 - TEST_SHARE, TEST_SHARE])
    parts = _assign_parts(codes, clusters_of_rows, part_shares, options.seed, least_kept=MIN_CLASS_ROWS)
    if table.task == "regression" and (parts == 0).sum() < MIN_NUMBERS:
        parts = np.zeros_like(parts)
    split_table = replace(table, splits=make_column([TEST if part else TRAIN for part in parts]))
    if parts.any():
        return split_table
    summary = "No rows could be kept for testing: there are too few, or they all belong together."
    note = Finding(
        kind="no-test-rows",
        severity="warn",
        rows=(),
        summary=summary,
        advice="Add rows or groups, or give test data with --test.",
    )
    return replace(split_table, findings=(*split_table.findings, note))


def _append_test_table(table: Table, test: Table) -> Table:
    own_test_ids = tuple(table.ids[table.splits == TEST].tolist())
    findings = table.findings + test.findings
    if own_test_ids:
        summary = f"{len(own_test_ids)} test rows of {table.source} were left out, since other test data was given."
        findings += (
            Finding(
                kind="own-test-rows-left-out",
                severity="note",
                rows=own_test_ids,
                summary=summary,
                advice="Nothing to do.",
            ),
        )
        table = table.take(np.flatnonzero(table.splits != TEST))
    if (test.splits == TEST).any():
        test = test.where_split(TEST)
    table = replace(table, splits=make_column([TRAIN] * len(table)))
    joined = append_rows(table, replace(test, splits=make_column([TEST] * len(test))), "test")
    return replace(joined, findings=findings)


def append_rows(table: Table, more: Table, prefix: str) -> Table:
    """Return a table with labelled rows appended; splits do not change.

    Parameters
    ----------
    table, more : Table
    prefix : str
        Prefix of the ids of `more`, before a slash.

    Raises
    ------
    DataError
        The two are of different kinds or tasks, or one has no labels.
    """
    if more.modality != table.modality:
        raise DataError(
            f"{more.source} holds {more.modality} data, {table.source} holds {table.modality} data.",
            f"Give {'test ' if prefix == 'test' else ''}data of the same kind.",
        )
    if more.task != table.task:
        raise DataError(
            f"The labels of {more.source} are read as {more.task}, those of {table.source} as {table.task}.",
            "Say what they are with --task.",
        )
    if more.labels is None or table.labels is None:
        unlabelled_source = more.source if more.labels is None else table.source
        hint = f"{prefix.title()} data needs labels; name the column with --label."
        raise DataError(f"There are no labels in {unlabelled_source}.", hint)
    names = list(dict.fromkeys([*table.metadata, *more.metadata]))
    n, m = len(table), len(more)
    targets, target_names = _join_targets(table, more)
    return replace(
        table,
        ids=make_column([*table.ids, *(f"{prefix}/{name}" for name in more.ids)]),
        inputs=make_column([*table.inputs, *more.inputs]),
        hashes=np.concatenate([table.hashes, more.hashes]),
        labels=np.concatenate([table.labels, more.labels]),
        splits=np.concatenate([table.splits, more.splits]),
        metadata={k: join_columns([(table.metadata.get(k), n), (more.metadata.get(k), m)]) for k in names},
        set_aside=table.set_aside + tuple(SetAside(f"{prefix}/{item.id}", item.reason) for item in more.set_aside),
        targets=targets,
        target_names=target_names,
        near_duplicate_groups=None,
    )


def _join_targets(table: Table, test: Table) -> tuple[FloatMatrix | None, tuple[str, ...]]:
    """Return the targets of both tables; a label that only one of them has is 0 in the other."""
    if table.targets is None or test.targets is None:
        return None, tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    if table.task == "regression":
        return np.concatenate([table.targets, test.targets]), table.target_names
    names = tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    place = {name: at for at, name in enumerate(names)}
    joined = np.zeros((len(table) + len(test), len(names)), dtype=np.float32)
    for part, rows in ((table, slice(0, len(table))), (test, slice(len(table), None))):
        assert part.targets is not None
        joined[rows, [place[name] for name in part.target_names]] = part.targets
    return joined, names


def _set_aside_copies_of_test_rows(table: Table) -> Table:
    tested = set(table.hashes[table.splits == TEST])
    copied = (table.splits == TRAIN) & np.array([digest in tested for digest in table.hashes], dtype=bool)
    return set_rows_aside(table, copied, "a copy of it stands in the test rows")


def _set_aside_unknown_classes(table: Table) -> Table:
    """Set test rows aside whose class no training row has (tasks with one class per row)."""
    if table.labels is None or table.targets is not None:
        return table
    known = set(table.labels[table.splits == TRAIN])
    is_unknown = np.array([label not in known for label in table.labels], dtype=bool)
    if not is_unknown.any():
        return table
    rows, names = tuple(table.ids[is_unknown].tolist()), sorted(set(table.labels[is_unknown]))
    summary = f"{len(rows)} test rows are of classes without training rows ({offenders(names)})."
    note = Finding(
        kind="class-only-in-test",
        severity="warn",
        rows=rows,
        summary=summary,
        advice="Add training rows of these classes.",
    )
    remaining = set_rows_aside(table, is_unknown, "no training row has its class")
    return replace(remaining, findings=(*remaining.findings, note))


def set_rows_aside(table: Table, which: NDArray[np.bool_], reason: str) -> Table:
    """Return the table without the rows `which` (n_rows,), noted in `set_aside` with the reason."""
    aside = tuple(SetAside(name, reason) for name in table.ids[which])
    return replace(table.take(np.flatnonzero(~which)), set_aside=table.set_aside + aside)


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


def _unite(parent: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _assign_parts(codes: Index, clusters: Index, part_shares: NDArray[np.float64], seed: int, least_kept: int) -> Index:
    """Return the part of each row: parts get these shares of every class, clusters stay whole.

    Large clusters are placed one by one where their classes lack most; single rows then fill up each class exactly.
    With `least_kept`, at least so many rows of each class stay in the first part.
    """
    rng = np.random.default_rng(seed)
    n_parts, n_classes = len(part_shares), int(codes.max(initial=-1)) + 1
    totals = np.bincount(codes, minlength=n_classes).astype(np.float64)
    lacking = part_shares[:, None] * totals
    spare = np.maximum(totals - least_kept, 0.0) if least_kept else np.full(n_classes, np.inf)
    parts = np.zeros(len(codes), dtype=np.intp)
    _, owner, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    for members in _large_clusters(owner, sizes, rng):
        counts = np.bincount(codes[members], minlength=n_classes)
        part = _choose_part(counts, totals, lacking, spare=spare, keep=bool(least_kept))
        parts[members] = part
        lacking[part] -= counts
        spare -= counts * (part > 0)
    singles = sizes[owner] == 1
    for code in range(n_classes):
        rows = rng.permutation(np.flatnonzero(singles & (codes == code)))
        parts[rows] = np.repeat(
            np.arange(n_parts),
            _compute_quotas(lacking[:, code], len(rows), spare[code], rng=rng, keep=bool(least_kept)),
        )
    return parts


def _large_clusters(owner: Index, sizes: NDArray[np.intp], rng: np.random.Generator) -> list[Index]:
    """Return the rows of every cluster of two or more, the largest first, equal sizes in random order."""
    large = np.flatnonzero(sizes > 1)
    shuffled = rng.permutation(large)
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ranked = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    return [order[starts[number] : starts[number + 1]] for number in ranked]


def _choose_part(
    counts: Index, totals: NDArray[np.float64], lacking: NDArray[np.float64], spare: NDArray[np.float64], keep: bool
) -> int:
    """Return the part whose shortfall (squared, relative to each class) a cluster reduces most."""
    has_rows = counts > 0
    if keep and (counts[has_rows] > spare[has_rows]).any():
        return 0
    gain = ((2 * lacking[:, has_rows] - counts[has_rows]) * (counts[has_rows] / totals[has_rows])).sum(axis=1)
    return int(gain.argmax())


def _compute_quotas(
    lacking: NDArray[np.float64], n: int, spare: float, rng: np.random.Generator, keep: bool
) -> Sequence[int]:
    """Return the number of rows for each part: they sum to `n` and are nearest to what each part lacks."""
    targets = np.maximum(lacking, 0.0)
    targets = targets * (n / targets.sum()) if targets.sum() > 0 else np.full(len(lacking), n / len(lacking))
    quotas = np.floor(targets + 1e-9).astype(int)
    tie = np.zeros(len(quotas)) if keep else rng.random(len(quotas)) * 1e-6
    order = np.argsort(-(targets - quotas + tie), kind="stable")
    quotas[order[: n - quotas.sum()]] += 1
    if keep and quotas[1:].sum() > spare:
        quotas[1] = int(max(spare, 0))
        quotas[0] = n - quotas[1]
    return [int(value) for value in quotas]
