"""Which rows no fold holds out: without them a class would be missing from what that fold learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.records import TRAINING_ONLY, Index, Table

Mask = NDArray[np.bool_]


def keep_lone_classes(dealings: Sequence[Index], codes: Index, table: Table) -> tuple[Index, ...]:
    """Return the dealings with rows marked `TRAINING_ONLY` whose class would be missing from a training part.

    Parameters
    ----------
    dealings : sequence of Index, each (n_rows,)
        Ways of dealing the rows into folds, as `headstart.data.folds` gives them.
    codes : Index, shape (n_rows,)
        Class codes; not looked at where a row has no single class.
    table : Table
        The same rows.

    Returns
    -------
    tuple of Index
        A row is marked in all of them or in none: a class with one row, a class whose rows are copies of each other, a
        label that applies to one row.
    """
    lone = np.zeros(len(codes), dtype=np.bool_)
    for folds in dealings:
        lone |= _LONE[table.task](table, codes, folds)
    return tuple(np.where(lone, TRAINING_ONLY, folds).astype(np.intp) for folds in dealings)


def classes_in_one_fold(codes: Index, folds: Index) -> Mask:
    """Return which rows are of a class that stands in a single fold (n_rows,).

    Examples
    --------
    >>> classes_in_one_fold(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 0, 1, 1])).tolist()
    [False, False, True, True, True]
    """
    pairs = np.unique(np.column_stack([codes, folds]), axis=0)
    n_folds = np.bincount(pairs[:, 0], minlength=int(codes.max(initial=-1)) + 1)
    return np.asarray(n_folds[codes] == 1)


def _by_class(table: Table, codes: Index, folds: Index) -> Mask:
    return classes_in_one_fold(codes, folds)


def _by_label(table: Table, codes: Index, folds: Index) -> Mask:
    assert table.targets is not None
    applies = table.targets == 1
    return np.asarray(applies[:, applies.sum(axis=0) == 1].any(axis=1))


def _none(table: Table, codes: Index, folds: Index) -> Mask:
    return np.zeros(len(codes), dtype=np.bool_)


_LONE: dict[str, Callable[[Table, Index, Index], Mask]] = {
    "classification": _by_class, "ordinal": _by_class, "multi-label": _by_label, "regression": _none,
}  # fmt: skip
