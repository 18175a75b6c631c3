"""Likely label errors: rows ranked by the out-of-fold outputs of a model.

Confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068), own code in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.checks.settings import SETTINGS
from headstart.evaluation.intervals import compute_wilson_interval
from headstart.records import FloatMatrix, Index, Interval, Probabilities

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LabelErrors:
    """Rows ranked by how likely their label is wrong.

    Parameters
    ----------
    order : Index
        All rows that were predicted, the most suspicious first.
    n_suspect : int
        So many of them are likely wrong.
    suggested : NDArray, shape (n_rows,)
        Class code (or column of a label, or the predicted number) that the model would give.
    doubt : Floats, shape (n_rows,)
        What the order follows; high is suspicious, NaN where nothing was predicted.
    share : Interval
        Share of suspicious rows, 0 to 1.
    """

    order: Index
    n_suspect: int
    suggested: NDArray[np.float64]
    doubt: Floats
    share: Interval


def find_class_errors(codes: Index, probabilities: Probabilities) -> LabelErrors:
    """Find rows whose class the model doubts.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Given classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Out of fold; rows of NaN are left out.

    Returns
    -------
    LabelErrors
        Ranked by the margin of the best other class over the given one; suspicious are those of which another class
        reaches the mean probability that its own rows have, and passes the given class.

    Examples
    --------
    The last row is called 0 and looks like 1:

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9]])
    >>> result = find_class_errors(np.array([0, 0, 1, 1, 0]), p)
    >>> result.order[:result.n_suspect].tolist(), int(result.suggested[4])
    ([4], 1)
    """
    known = np.isfinite(probabilities).all(axis=1)
    n_rows, n_classes = probabilities.shape
    own = np.where(known, np.nan_to_num(probabilities[np.arange(n_rows), codes]), 0.0)
    counts = np.bincount(codes[known], minlength=n_classes)
    usual = np.bincount(codes[known], own[known], n_classes) / np.maximum(counts, 1)
    others = np.where(np.eye(n_classes, dtype=bool)[codes], -1.0, np.nan_to_num(probabilities))
    reached = np.where((others >= usual) & (counts > 0), others, -1.0)
    best = others.argmax(axis=1)
    doubt = np.where(known, others.max(axis=1) - own, np.nan)
    return _rank_rows(doubt, np.asarray(known & (reached.max(axis=1) > own)), best.astype(np.float64))


def find_multilabel_errors(truth: FloatMatrix, probabilities: Probabilities) -> LabelErrors:
    """Find rows of which some label is doubted, each label as two classes; `suggested` is that label's column."""
    errors_by_label = [
        find_class_errors((truth[:, at] == 1).astype(np.intp), np.column_stack([1 - shares, shares]))
        for at, shares in enumerate(probabilities.T)
    ]
    suspect = np.zeros((len(truth), len(errors_by_label)), dtype=bool)
    for at, one in enumerate(errors_by_label):
        suspect[one.order[: one.n_suspect], at] = True
    doubts = np.column_stack([one.doubt for one in errors_by_label])
    worst = np.nan_to_num(doubts, nan=-np.inf).argmax(axis=1)
    return _rank_rows(doubts[np.arange(len(truth)), worst], np.asarray(suspect.any(axis=1)), worst.astype(np.float64))


def find_number_errors(truth: FloatMatrix, predicted: Probabilities) -> LabelErrors:
    """Find rows whose number is much further off than is usual for the model."""
    away = np.abs(truth[:, 0].astype(np.float64) - predicted[:, 0])
    usual = 1.4826 * float(np.nanmedian(away)) if np.isfinite(away).any() else 0.0
    suspect = np.asarray(np.isfinite(away) & (away > SETTINGS.far_deviations * usual) & (usual > 0), dtype=bool)
    return _rank_rows(away, suspect, np.nan_to_num(predicted[:, 0]))


def _rank_rows(doubt: Floats, suspect: NDArray[np.bool_], suggested: NDArray[np.float64]) -> LabelErrors:
    known = np.isfinite(doubt)
    order = np.lexsort((-np.nan_to_num(doubt, nan=-np.inf), ~suspect))[: int(known.sum())]
    n, n_known = int(suspect.sum()), max(int(known.sum()), 1)
    low, high = compute_wilson_interval(np.array([float(n)]), np.array([float(n_known)]))
    share = n / n_known
    return LabelErrors(
        order=order.astype(np.intp),
        n_suspect=n,
        suggested=suggested,
        doubt=doubt,
        share=Interval(share, min(float(low[0]), share), max(float(high[0]), share)),
    )
