"""Are possible labels and sure labels as often right as stated? Measured on test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import mean_interval, number_clusters
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.records import FloatMatrix, Index
from headstart.results import Conformal, Figure, LabelSetFigures

LabelSets = NDArray[np.bool_]
"""(n_rows, n_labels)."""


@dataclass(frozen=True, kw_only=True)
class StatedLabels:
    """What is stated of labels, and what it was learnt from.

    Parameters
    ----------
    names : tuple of str, shape (n_labels,)
    coverage, confidence : float
        0-1.
    possible_from, sure_from : tuple of float or None, shape (n_labels,)
        None: not stated.
    n_positives : tuple of int, shape (n_labels,)
        Training rows that have the label.
    n_rows_learnt : int
    """

    names: tuple[str, ...]
    coverage: float
    confidence: float
    possible_from: tuple[float | None, ...]
    sure_from: tuple[float | None, ...]
    n_positives: tuple[int, ...]
    n_rows_learnt: int


def measure_label_sets(
    truth: FloatMatrix, possible: LabelSets, sure: LabelSets, stated: StatedLabels, clusters: Index | None, seed: int
) -> Conformal | None:
    """Measure which labels were possible and sure; None where no test row has a label for which it is stated.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels), n_rows >= 1
        0 or 1.
    possible, sure : LabelSets, shape (n_rows, n_labels)
    stated : StatedLabels
    clusters : Index or None, shape (n_rows,)
        Rows that are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Conformal
        `measured` (of the true labels, the share that was possible) and `sure` (of the sure labels, the share that is
        true) should not lie below `stated`; labels for which it is not stated do not count.

    Examples
    --------
    Each of 40 rows has one label, which is possible of 30 of them:

    >>> truth = np.tile(np.float32([[1, 0]]), (40, 1))
    >>> possible, sure = np.arange(40)[:, None] < [30, 0], np.zeros((40, 2), dtype=bool)
    >>> result = measure_label_sets(truth, possible, sure, StatedLabels(
    ...     names=("a", "b"), coverage=0.9, confidence=0.9, possible_from=(0.2, 0.2), sure_from=(None, None),
    ...     n_positives=(20, 20), n_rows_learnt=50), clusters=None, seed=0)
    >>> result.measured.value, result.mean_size.value, result.below, result.sure
    (0.75, 0.75, True, None)
    """
    true = truth == 1
    counts = np.asarray([one is not None for one in stated.possible_from])
    if not (true & counts).any():
        return None
    measured = _measure_share(possible, true & counts, clusters)
    right = _measure_share(true, sure, clusters) if sure.any() else None
    mean_size, mean_sure = (
        mean_interval(sets.sum(axis=1).astype(np.float64), number_clusters(clusters), seed, (0.0, float(len(counts))))
        for sets in (possible, sure)
    )
    return Conformal(
        n_rows=len(truth), n_rows_learnt=stated.n_rows_learnt, stated=stated.coverage, measured=measured,
        mean_size=Figure.from_interval(mean_size), method="per-label",
        below=measured.high < stated.coverage or (right is not None and right.high < stated.coverage),
        confidence=stated.confidence, sure=right, mean_sure=Figure.from_interval(mean_sure),
        per_label=[
            LabelSetFigures(
                label=name, n_positives=stated.n_positives[at], possible_from=stated.possible_from[at],
                sure_from=stated.sure_from[at], n_test=int(true[:, at].sum()), n_sure=int(sure[:, at].sum()),
                held=_measure_label(possible[:, at], true[:, at] & counts[at], clusters),
                right=_measure_label(true[:, at], sure[:, at], clusters),
            )
            for at, name in enumerate(stated.names)
        ],
    )  # fmt: skip


def _measure_share(hits: LabelSets, among: LabelSets, clusters: Index | None) -> Figure:
    """Return the share of hits among some labels of all rows; the labels of a row belong together."""
    rows = np.nonzero(among)[0]
    return Figure.from_interval(share_interval(hits[among], rows if clusters is None else clusters[rows]))


def _measure_label(hits: NDArray[np.bool_], among: NDArray[np.bool_], clusters: Index | None) -> Figure | None:
    if not among.any():
        return None
    return Figure.from_interval(share_interval(hits[among], None if clusters is None else clusters[among]))
