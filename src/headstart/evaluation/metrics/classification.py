"""Accuracy, macro-F1, balanced accuracy, log-loss and per-class figures, each with a 95 % interval.

Everything but log-loss follows from three counts a class: rows right, rows of the class, rows given the class. These
are counted per row or cluster once, and a resample is then a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    draw_bootstrap_weights,
    effective_sizes,
    envelope,
    mover_interval,
    number_clusters,
    percentiles,
    sum_by_cluster,
    t_quantile,
)
from headstart.records import Index, Interval, Predictions
from headstart.results import ClassFigures, Figure, Metrics, WorstRow

_SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class _ClassCounts:
    """Per row, cluster or resample (first axis) and class: rows right, rows of the class, rows given the class."""

    right: NDArray[np.float32]
    true: NDArray[np.float32]
    predicted: NDArray[np.float32]


def score_classes(codes: Index, predictions: Predictions, clusters: Index | None, seed: int) -> Metrics:
    """Score predictions on labelled rows.

    Parameters
    ----------
    codes : Index, shape (n_rows,), n_rows >= 1
        True class of each row, as a position in `predictions.classes`.
    predictions : Predictions
        Every row predicted (no NaN).
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together (a patient, exact copies) and are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Metrics
        Shares 0-1 (higher is better) and log-loss in nats (lower is better). Averages and the per-class list cover
        the classes that have test rows, as in scikit-learn's `labels=present`; a class never predicted has
        precision 0 with an interval of 0 to 1.

    Notes
    -----
    Shares: envelope of the percentile bootstrap (2,000 resamples of rows or clusters) and Wilson's interval at the
    effective number of rows (`intervals.effective_sizes`). Balanced accuracy and macro-F1 are means of per-class
    figures: Wilson's interval of each class (F1 through tp / (tp + fp + fn), of which it is a monotone function) is
    combined by MOVER (Zou and Donner 2008) and joined with the bootstrap. When every row is right, macro-F1 and
    balanced accuracy cannot be known better than accuracy, so their low end is not above its low end. Log-loss:
    bootstrap and Student's t; it cannot foresee a kind of mistake that no test row showed.

    Examples
    --------
    Three of four rows are right:

    >>> predictions = Predictions(ids=np.arange(4).astype(object),
    ...     classes=("a", "b"), probabilities=np.array([[1.0, 0], [1, 0], [0, 1], [1, 0]]))
    >>> result = score_classes(np.array([0, 0, 1, 1]), predictions, None, 0)
    >>> result.accuracy.value, result.balanced_accuracy.value, round(result.macro_f1.value, 4)
    (0.75, 0.75, 0.7333)
    """
    n_classes = len(predictions.classes)
    assert len(codes) == len(predictions.ids) >= 1, (len(codes), len(predictions.ids))
    assert not np.isnan(predictions.probabilities).any(), "rows without a prediction cannot be evaluated"
    assert codes.min() >= 0 and codes.max() < n_classes, "a code is no class"
    numbers = number_clusters(clusters)
    losses = _losses(codes, predictions)
    counts = _count(codes, predictions.class_indices, n_classes, numbers)
    cluster_sums = sum_by_cluster(np.column_stack([losses, np.ones_like(losses)]).astype(np.float32), numbers)
    shares, mean_losses = _bootstrap_shares(counts, cluster_sums, seed)
    present = counts.true.sum(axis=0) > 0
    point = _shares(
        _ClassCounts(*(part.sum(axis=0, keepdims=True) for part in (counts.right, counts.true, counts.predicted)))
    )[0]
    boot_low, boot_high = percentiles(shares)
    wilson_low, wilson_high = _analytic_intervals(counts, point, present, numbers is not None)
    intervals = [
        envelope(float(point[at]), (boot_low[at], boot_high[at]), (wilson_low[at], wilson_high[at]))
        for at in range(len(point))
    ]
    loss_low, loss_high = percentiles(mean_losses[:, None])
    loss = envelope(
        float(losses.mean()), (loss_low[0], loss_high[0]), _t_interval(losses, cluster_sums), within=(0.0, np.inf)
    )
    recalls, precisions = intervals[3 : 3 + n_classes], intervals[3 + n_classes : 3 + 2 * n_classes]
    support = counts.true.sum(axis=0).astype(int)
    return Metrics(
        n_rows=len(codes),
        accuracy=Figure.from_interval(intervals[0]),
        balanced_accuracy=Figure.from_interval(_cap_at_accuracy(intervals[1], intervals[0])),
        macro_f1=Figure.from_interval(_cap_at_accuracy(intervals[2], intervals[0])),
        log_loss=Figure.from_interval(loss),
        per_class=[
            ClassFigures(
                label=predictions.classes[at],
                support=int(support[at]),
                precision=Figure.from_interval(precisions[at]),
                recall=Figure.from_interval(recalls[at]),
            )
            for at in np.flatnonzero(present)
        ],
    )


def _cap_at_accuracy(mean: Interval, accuracy: Interval) -> Interval:
    """Lower the low end of an average to that of accuracy if all rows are correct."""
    return Interval(mean.value, min(mean.low, accuracy.low), mean.high) if accuracy.value == 1.0 else mean


def _losses(codes: Index, predictions: Predictions) -> Floats:
    """Nats lost on each row."""
    true_probabilities = predictions.probabilities[np.arange(len(codes)), codes]
    return np.asarray(-np.log(np.clip(true_probabilities, _SMALLEST, 1.0)), dtype=np.float64)


def _t_interval(losses: Floats, cluster_sums: NDArray[np.float32]) -> tuple[float, float]:
    """Mean loss with Student's t over rows or clusters; a single unit says nothing (NaN)."""
    n = len(cluster_sums)
    if n < 2:
        return np.nan, np.nan
    mean = float(losses.mean())
    residual = cluster_sums[:, 0] - mean * cluster_sums[:, 1].astype(np.float64)
    error = float(np.sqrt(np.square(residual).sum() * n / (n - 1))) / len(losses)
    return mean - t_quantile(n - 1) * error, mean + t_quantile(n - 1) * error


def _count(codes: Index, answers: Index, n_classes: int, clusters: Index | None) -> _ClassCounts:
    """Count per row, or per cluster."""
    one_hot = np.eye(n_classes, dtype=np.float32)
    true, predicted = one_hot[codes], one_hot[answers]
    return _ClassCounts(*(sum_by_cluster(part, clusters) for part in (true * predicted, true, predicted)))


def _shares(counts: _ClassCounts) -> Floats:
    """Accuracy, balanced accuracy, macro-F1, recall and precision a class: (b, 3 + 2 n_classes)."""
    right, true, predicted = (part.astype(np.float64) for part in (counts.right, counts.true, counts.predicted))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / true
        precision = np.where(predicted > 0, right / predicted, np.where(true > 0, 0.0, np.nan))
        f1 = np.where(true > 0, 2 * right / (true + predicted), np.nan)
    accuracy = right.sum(axis=1) / true.sum(axis=1)
    means = [np.nanmean(values, axis=1) for values in (recall, f1)]
    return np.column_stack([accuracy, *means, recall, precision])


def _bootstrap_shares(counts: _ClassCounts, losses: NDArray[np.float32], seed: int) -> tuple[Floats, Floats]:
    """Shares (resamples, 3 + 2 n_classes) and mean losses (resamples,) of bootstrap samples."""
    shares, means = [], []
    for drawn in draw_bootstrap_weights(len(losses), seed):
        shares.append(_shares(_ClassCounts(drawn @ counts.right, drawn @ counts.true, drawn @ counts.predicted)))
        lost = drawn @ losses
        means.append(lost[:, 0] / lost[:, 1])
    return np.concatenate(shares), np.concatenate(means).astype(np.float64)


def _analytic_intervals(
    counts: _ClassCounts, point: Floats, present: NDArray[np.bool_], clustered: bool
) -> tuple[Floats, Floats]:
    """Wilson's interval of every share of `_shares`, the two averages by MOVER."""
    right, true, predicted = counts.right, counts.true, counts.predicted
    either = true + predicted - right
    hits = np.column_stack([right.sum(axis=1), right, right, right])
    trials = np.column_stack([true.sum(axis=1), true, predicted, either])
    sizes = effective_sizes(hits, trials, clustered)
    share = hits.sum(axis=0, dtype=np.float64) / np.maximum(trials.sum(axis=0, dtype=np.float64), 1.0)
    low, high = compute_wilson_interval(share * sizes, sizes)
    k = len(present)
    recall, jaccard = slice(1, 1 + k), slice(1 + 2 * k, None)
    averages = [mover_interval(share[recall][present], low[recall][present], high[recall][present])]
    f1, f1_low, f1_high = (2 * ends[jaccard] / (1 + ends[jaccard]) for ends in (share, low, high))
    averages.append(mover_interval(f1[present], f1_low[present], f1_high[present]))
    lows = np.concatenate([low[:1], [pair[0] for pair in averages], low[1 : 1 + 2 * k]])
    highs = np.concatenate([high[:1], [pair[1] for pair in averages], high[1 : 1 + 2 * k]])
    return lows, highs


def confusion_matrix(codes: Index, predictions: Predictions) -> NDArray[np.int64]:
    """Count rows by true class (row) and predicted class (column): shape (n_classes, n_classes).

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    predictions : Predictions
    """
    n_classes = len(predictions.classes)
    cells = codes * n_classes + predictions.class_indices
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)


def worst_class_rows(codes: Index, predictions: Predictions, limit: int = 12) -> list[WorstRow]:
    """List the rows that were wrong with the greatest confidence.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True class of each row.
    predictions : Predictions
        Of the same rows in the same order.
    limit : int
        At most so many rows.

    Returns
    -------
    list of WorstRow
        Surest mistakes first; `probability` (0-1) is what the model gave to its wrong answer.
    """
    answers = predictions.class_indices
    confidence = predictions.probabilities.max(axis=1, initial=0.0)
    wrong = np.flatnonzero(answers != codes)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:limit]
    return [
        WorstRow(
            id=str(predictions.ids[at]),
            label=predictions.classes[codes[at]],
            predicted=predictions.classes[answers[at]],
            probability=float(confidence[at]),
        )
        for at in worst
    ]
