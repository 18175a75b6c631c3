"""Who is trained on and who is tested on: copies and groups stay on one side, classes keep their shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.checks import MIN_CLASS_ROWS, MIN_NUMBERS
from headstart.data.duplicates.near_duplicates import with_families
from headstart.data.labels.strata import learnable, strata
from headstart.data.reading.rows import join_columns, with_tidy_labels
from headstart.errors import DataError, OptionError, offenders, unknown
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Column, Finding, FloatMatrix, Index, SetAside, Table, make_column

TEST_SHARE = 0.25
MIN_GROUPS = 5
"""Fewer groups than this say nothing about how results vary between groups."""


def clusters(table: Table, groups: tuple[str, ...] = ()) -> Index:
    """Number the rows that must stay together: equal or nearly equal content, or an equal value in any group column.

    Parameters
    ----------
    table : Table
        Its hashes, families and metadata are used.
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
    for values in [table.hashes, *families, *(_group_column(table, name) for name in groups)]:
        first: dict[str, int] = {}
        for row, value in enumerate(values):
            if value != "":
                _unite(parent, row, first.setdefault(value, row))
    roots = [_root(parent, row) for row in range(len(parent))]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.intp)


def require_groups(table: Table, groups: tuple[str, ...]) -> None:
    """Refuse group columns that are not there.

    Raises
    ------
    UnknownName
        Names the nearest column.
    """
    for name in groups:
        _group_column(table, name)


def many_valued(table: Table, groups: tuple[str, ...], least: int = MIN_GROUPS) -> tuple[str, ...]:
    """Name the group columns of at least so many values (patients, farms): others (sex) are only compared."""
    there = [name for name in groups if name in table.metadata]
    return tuple(name for name in there if len(set(table.metadata[name]) - {""}) >= least)


def units(table: Table, groups: tuple[str, ...]) -> Index:
    """Number the rows that count as one where noise is measured: copies, and groups where there are enough of them.

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
        _group_column(table, name)
    found = clusters(table, many_valued(table, groups))
    return found if len(np.unique(found)) >= MIN_GROUPS else clusters(table)


def folds(codes: Index, clusters: Index, n_folds: int, seed: int) -> Index:
    """Deal rows into folds: classes in equal shares, clusters whole.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Class codes.
    clusters : Index, shape (n_rows,)
        As `clusters` gives them.
    n_folds : int
        At least 2; fewer are made where there are fewer clusters. A class with fewer rows than folds is absent from
        the held-out part of some, but its rows are spread, so that no training part lacks it if it has 2 clusters.
    seed : int
        Same seed, same folds.

    Returns
    -------
    Index, shape (n_rows,)
        Fold of each row, 0 .. n - 1.

    Examples
    --------
    >>> made = folds(np.array([0, 0, 1, 1]), np.arange(4), 5, seed=0)
    >>> bool(made[0] != made[1]), bool(made[2] != made[3])
    (True, True)
    """
    n = max(2, min(n_folds, len(np.unique(clusters))))
    return _deal(codes, clusters, np.full(n, 1 / n), seed, keep=0)


def draw(table: Table, labels_per_class: int, seed: int) -> Table:
    """Draw training rows, the same number of each class; test rows stay.

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
    classes = strata(table)
    counts: dict[int, int] = {}
    kept = []
    for row in order:
        if table.splits[row] != TEST:
            code = int(classes[row])
            counts[code] = counts.get(code, 0) + 1
            if counts[code] > labels_per_class:
                continue
        kept.append(row)
    return learnable(table.take(np.sort(np.array(kept, dtype=np.intp))))


def split(table: Table, options: AdaptOptions, test: Table | None = None) -> Table:
    """Decide for every row whether it trains or tests.

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
        `splits` holds "train" and "test" only. A given test split is kept; otherwise a quarter of the rows tests:
        stratified, seeded, clusters whole, and every class keeps two training rows where that can be.

    Raises
    ------
    UnknownName
        A group column is not there.
    DataError
        The test data is of another kind or has no labels.
    """
    for name in options.group:
        _group_column(table, name)
    if test is not None:
        table = with_tidy_labels(_with_test(table, test), options.merge_labels)
    table = with_families(table, options.seed)
    table = _given(table) if (table.splits == TEST).any() else _made(table, options)
    table = _drop_copies(table) if options.duplicates == "drop" else table
    return _without_strangers(learnable(table))


def _group_column(table: Table, name: str) -> Column:
    if name not in table.metadata:
        raise unknown("group column", name, table.metadata, f" in {table.source}")
    return table.metadata[name]


def _given(table: Table) -> Table:
    return replace(table, splits=make_column([word or TRAIN for word in table.splits]))


def _made(table: Table, options: AdaptOptions) -> Table:
    codes = strata(table)
    together = clusters(table, options.group)
    shares = np.array([1 - TEST_SHARE, TEST_SHARE])
    parts = _deal(codes, together, shares, options.seed, keep=MIN_CLASS_ROWS)
    if table.task == "regression" and (parts == 0).sum() < MIN_NUMBERS:
        parts = np.zeros_like(parts)
    made = replace(table, splits=make_column([TEST if part else TRAIN for part in parts]))
    if parts.any():
        return made
    summary = "No rows could be kept for testing: there are too few, or they all belong together."
    note = Finding(
        kind="no-test-rows",
        severity="warn",
        rows=(),
        summary=summary,
        advice="Add rows or groups, or give test data with --test.",
    )
    return replace(made, findings=(*made.findings, note))


def _with_test(table: Table, test: Table) -> Table:
    own = tuple(table.ids[table.splits == TEST].tolist())
    findings = table.findings + test.findings
    if own:
        summary = f"{len(own)} test rows of {table.source} were left out, since other test data was given."
        findings += (
            Finding(kind="own-test-rows-left-out", severity="note", rows=own, summary=summary, advice="Nothing to do."),
        )
        table = table.take(np.flatnonzero(table.splits != TEST))
    if (test.splits == TEST).any():
        test = test.where_split(TEST)
    table = replace(table, splits=make_column([TRAIN] * len(table)))
    joined = add_rows(table, replace(test, splits=make_column([TEST] * len(test))), "test")
    return replace(joined, findings=findings)


def add_rows(table: Table, more: Table, prefix: str) -> Table:
    """Put labelled rows below others; splits stay as they are.

    Parameters
    ----------
    table, more : Table
    prefix : str
        What the ids of `more` begin with, before a slash.

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
        bare = more.source if more.labels is None else table.source
        hint = f"{prefix.title()} data needs labels; name the column with --label."
        raise DataError(f"There are no labels in {bare}.", hint)
    names = list(dict.fromkeys([*table.metadata, *more.metadata]))
    n, m = len(table), len(more)
    targets, target_names = _joined_targets(table, more)
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


def _joined_targets(table: Table, test: Table) -> tuple[FloatMatrix | None, tuple[str, ...]]:
    """Put targets one below the other; a label that only one of the two tables has is 0 in the other."""
    if table.targets is None or test.targets is None:
        return None, tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    if table.task == "regression":
        return np.concatenate([table.targets, test.targets]), table.target_names
    names = tuple(dict.fromkeys([*table.target_names, *test.target_names]))
    place = {name: at for at, name in enumerate(names)}
    made = np.zeros((len(table) + len(test), len(names)), dtype=np.float32)
    for part, rows in ((table, slice(0, len(table))), (test, slice(len(table), None))):
        assert part.targets is not None
        made[rows, [place[name] for name in part.target_names]] = part.targets
    return made, names


def _drop_copies(table: Table) -> Table:
    tested = set(table.hashes[table.splits == TEST])
    copied = (table.splits == TRAIN) & np.array([digest in tested for digest in table.hashes], dtype=bool)
    return _set_aside(table, copied, "a copy of it stands in the test rows")


def _without_strangers(table: Table) -> Table:
    """Set test rows aside whose class nothing is learnt about (where a row has one class)."""
    if table.labels is None or table.targets is not None:
        return table
    known = set(table.labels[table.splits == TRAIN])
    strange = np.array([label not in known for label in table.labels], dtype=bool)
    if not strange.any():
        return table
    rows, names = tuple(table.ids[strange].tolist()), sorted(set(table.labels[strange]))
    summary = f"{len(rows)} test rows are of classes without training rows ({offenders(names)})."
    note = Finding(
        kind="class-only-in-test",
        severity="warn",
        rows=rows,
        summary=summary,
        advice="Add training rows of these classes.",
    )
    left = _set_aside(table, strange, "no training row has its class")
    return replace(left, findings=(*left.findings, note))


def _set_aside(table: Table, which: NDArray[np.bool_], reason: str) -> Table:
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


def _deal(codes: Index, clusters: Index, shares: NDArray[np.float64], seed: int, keep: int) -> Index:
    """Deal rows into parts with these shares of every class, clusters whole.

    Large clusters are placed one by one where their classes lack most; single rows then fill up each class exactly.
    With `keep`, no other part may take so much of a class that fewer than `keep` rows are left to the first.
    """
    rng = np.random.default_rng(seed)
    n_parts, n_classes = len(shares), int(codes.max(initial=-1)) + 1
    totals = np.bincount(codes, minlength=n_classes).astype(np.float64)
    lacking = shares[:, None] * totals
    spare = np.maximum(totals - keep, 0.0) if keep else np.full(n_classes, np.inf)
    parts = np.zeros(len(codes), dtype=np.intp)
    _, owner, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    for members in _large_clusters(owner, sizes, rng):
        counts = np.bincount(codes[members], minlength=n_classes)
        part = _place(counts, totals, lacking, spare=spare, keep=bool(keep))
        parts[members] = part
        lacking[part] -= counts
        spare -= counts * (part > 0)
    singles = sizes[owner] == 1
    for code in range(n_classes):
        rows = rng.permutation(np.flatnonzero(singles & (codes == code)))
        parts[rows] = np.repeat(
            np.arange(n_parts), _quotas(lacking[:, code], len(rows), spare[code], rng=rng, keep=bool(keep))
        )
    return parts


def _large_clusters(owner: Index, sizes: NDArray[np.intp], rng: np.random.Generator) -> list[Index]:
    """Give the rows of every cluster of two or more, the largest first, equal sizes in random order."""
    large = np.flatnonzero(sizes > 1)
    shuffled = rng.permutation(large)
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ranked = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    return [order[starts[number] : starts[number + 1]] for number in ranked]


def _place(
    counts: Index, totals: NDArray[np.float64], lacking: NDArray[np.float64], spare: NDArray[np.float64], keep: bool
) -> int:
    """Choose the part whose shortfall (squared, relative to each class) a cluster lessens most."""
    there = counts > 0
    if keep and (counts[there] > spare[there]).any():
        return 0
    gain = ((2 * lacking[:, there] - counts[there]) * (counts[there] / totals[there])).sum(axis=1)
    return int(gain.argmax())


def _quotas(lacking: NDArray[np.float64], n: int, spare: float, rng: np.random.Generator, keep: bool) -> Sequence[int]:
    """Give whole numbers of rows a part that sum to `n`, as near to what each lacks as can be."""
    wanted = np.maximum(lacking, 0.0)
    wanted = wanted * (n / wanted.sum()) if wanted.sum() > 0 else np.full(len(lacking), n / len(lacking))
    made = np.floor(wanted + 1e-9).astype(int)
    tie = np.zeros(len(made)) if keep else rng.random(len(made)) * 1e-6
    order = np.argsort(-(wanted - made + tie), kind="stable")
    made[order[: n - made.sum()]] += 1
    if keep and made[1:].sum() > spare:
        made[1] = int(max(spare, 0))
        made[0] = n - made[1]
    return [int(value) for value in made]
