"""Rows that no fold holds out, because a class would then be missing from the training part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.records import TRAINING_ONLY, Index, Table

Mask = NDArray[np.bool_]


def mark_lone_classes(repeats: Sequence[Index], class_indices: Index, table: Table) -> tuple[Index, ...]:
    """Return fold ids in which rows are `TRAINING_ONLY` whose class would be missing from a training part.

    Parameters
    ----------
    repeats : sequence of Index, each (n_rows,)
        Fold ids of each repeat of the cross-validation, from `headstart.data.assign_folds`.
    class_indices : Index, shape (n_rows,)
        Ignored for tasks without a single class per row.
    table : Table
        The same rows.

    Returns
    -------
    tuple of Index
        A row is marked in every repeat or in none: a class with one row, a class whose rows are copies of each other,
        a label that applies to one row.
    """
    lone = np.zeros(len(class_indices), dtype=np.bool_)
    for folds in repeats:
        lone |= _LONE[table.task](table, class_indices, folds)
    return tuple(np.where(lone, TRAINING_ONLY, folds).astype(np.intp) for folds in repeats)


def find_classes_in_one_fold(codes: Index, folds: Index) -> Mask:
    """Return which rows (n_rows,) are of a class that occurs in a single fold.

    Parameters
    ----------
    codes, folds : Index, shape (n_rows,)

    Examples
    --------
    >>> find_classes_in_one_fold(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 0, 1, 1])).tolist()
    [False, False, True, True, True]
    """
    pairs = np.unique(np.column_stack([codes, folds]), axis=0)
    n_folds = np.bincount(pairs[:, 0], minlength=int(codes.max(initial=-1)) + 1)
    return np.asarray(n_folds[codes] == 1)


def _find_lone_classes(table: Table, codes: Index, folds: Index) -> Mask:
    return find_classes_in_one_fold(codes, folds)


def _find_lone_labels(table: Table, codes: Index, folds: Index) -> Mask:
    assert table.targets is not None
    applies = table.targets == 1
    return np.asarray(applies[:, applies.sum(axis=0) == 1].any(axis=1))


def _find_nothing(table: Table, codes: Index, folds: Index) -> Mask:
    return np.zeros(len(codes), dtype=np.bool_)


_LONE: dict[str, Callable[[Table, Index, Index], Mask]] = {
    "classification": _find_lone_classes,
    "ordinal": _find_lone_classes,
    "multi-label": _find_lone_labels,
    "regression": _find_nothing,
}
