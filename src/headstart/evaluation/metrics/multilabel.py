"""How good several labels a row are: F1 over all answers, over labels and over rows; how well rows are ranked."""

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
    jackknife_interval,
    mean_interval,
    mover_interval,
    number_clusters,
    percentiles,
    sum_by_cluster,
)
from headstart.evaluation.metrics.ordinal import zero_if_few_differ
from headstart.records import FloatMatrix, Index, Interval, Predictions
from headstart.results import Figure, LabelFigures, MultiLabelMetrics, WorstRow
from headstart.shared_settings import SHARED_SETTINGS


@dataclass(frozen=True)
class _LabelCounts:
    """Per row, cluster or resample (first axis) and label: right, true, given."""

    right: NDArray[np.float32]
    true: NDArray[np.float32]
    predicted: NDArray[np.float32]

    def resample(self, times: NDArray[np.float32]) -> _LabelCounts:
        """Add up bootstrap samples."""
        return _LabelCounts(times @ self.right, times @ self.true, times @ self.predicted)

    def leave_one_out(self) -> _LabelCounts:
        """Add up all rows or clusters but one, for each of them; nothing of a single one."""
        columns = (self.right, self.true, self.predicted)
        return _LabelCounts(*(part.sum(axis=0) - part if len(part) > 1 else part[:0] for part in columns))


def score_labels(truth: FloatMatrix, predictions: Predictions, clusters: Index | None, seed: int) -> MultiLabelMetrics:
    """Score labels of which a row may have several, or none.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels), n_rows >= 1
        0 or 1.
    predictions : Predictions
        Every row predicted (no NaN); `label_mask` are the labels given.
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together and are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    MultiLabelMetrics
        Shares 0-1 (higher is better) and the log-loss (nats, mean over rows and labels; lower is better). Means over
        labels cover those that some test row has. `row_f1` is the mean over rows of 2 right / (true + given), 1 where
        a row has no label and is given none.

    Notes
    -----
    Shares: envelope of the percentile bootstrap over rows or clusters and Wilson's interval at the effective number of
    rows. Average precision: Wilson's interval with the number of rows that have the label (Boyd, Eng and Page 2013);
    means over labels by MOVER (Zou and Donner 2008), joined with the bootstrap for macro-F1.

    Examples
    --------
    Label a is given to one of its two rows, b to its row and to one more: F1 2/3 each.

    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.7]])
    >>> predictions = Predictions(
    ...     ids=np.arange(3).astype(object), classes=("a", "b"), probabilities=probabilities, task="multi-label")
    >>> result = score_labels(np.array([[1, 0], [1, 1], [0, 0]], dtype=np.float32), predictions, None, 0)
    >>> round(result.macro_f1.value, 4), result.exact_match.value, result.mean_average_precision.value
    (0.6667, 0.3333333333333333, 1.0)
    """
    assert len(truth) == len(predictions.ids) >= 1, (truth.shape, len(predictions.ids))
    assert np.isfinite(predictions.probabilities).all(), "rows without a prediction cannot be evaluated"
    numbers = number_clusters(clusters)
    true, predicted = truth == 1, predictions.label_mask
    counts = _count(true, predicted, numbers)
    present = np.flatnonzero(true.any(axis=0))
    total = _LabelCounts(*(part.sum(axis=0, keepdims=True) for part in (counts.right, counts.true, counts.predicted)))
    micro, macro = _averages(total, present)
    drawn = [_averages(counts.resample(times), present) for times in draw_bootstrap_weights(len(counts.true), seed)]
    low, high = percentiles(np.concatenate([np.column_stack(part) for part in drawn]))
    figures = _figures(counts, numbers is not None)
    f1_low, f1_high = (2 * end / (1 + end) for end in figures.jaccard[1:])
    f1 = 2 * figures.jaccard[0] / (1 + figures.jaccard[0])
    of_labels = mover_interval(f1[present], f1_low[present], f1_high[present]) if len(present) else (0.0, 1.0)
    every = _wilson(
        counts.right.sum(axis=1), (counts.true + counts.predicted - counts.right).sum(axis=1), numbers is not None
    )
    exact = (true == predicted).all(axis=1)
    precision, recall = _average_precisions(true, predictions.probabilities), figures.recall
    effective = figures.sizes
    ap_low, ap_high = compute_wilson_interval(precision * effective, effective)
    mean_ap = float(precision[present].mean()) if len(present) else 0.0
    ap_ends = mover_interval(precision[present], ap_low[present], ap_high[present]) if len(present) else (0.0, 1.0)
    return MultiLabelMetrics(
        n_rows=len(truth),
        macro_f1=Figure.from_interval(envelope(float(macro[0]), (low[1], high[1]), of_labels)),
        micro_f1=Figure.from_interval(envelope(float(micro[0]), (low[0], high[0]), (_f1(every[0]), _f1(every[1])))),
        mean_average_precision=Figure.from_interval(envelope(mean_ap, ap_ends)),
        exact_match=Figure.from_interval(_share(exact, numbers, seed)),
        row_f1=Figure.from_interval(mean_interval(row_f1(true, predicted), numbers, seed, (0.0, 1.0))),
        log_loss=Figure.from_interval(mean_interval(_losses(true, predictions), numbers, seed, (0.0, np.inf))),
        per_label=[
            LabelFigures(
                label=predictions.classes[at],
                support=int(total.true[0, at]),
                threshold=predictions.thresholds[at] if predictions.thresholds else 0.5,
                precision=_figure(figures.precision, int(at)),
                recall=_figure(recall, int(at)),
                average_precision=Figure.from_interval(
                    envelope(float(precision[at]), (float(ap_low[at]), float(ap_high[at])))
                ),
            )
            for at in present
        ],
    )


def _count(true: NDArray[np.bool_], predicted: NDArray[np.bool_], clusters: Index | None) -> _LabelCounts:
    return _LabelCounts(
        *(sum_by_cluster(part.astype(np.float32), clusters) for part in (true & predicted, true, predicted))
    )


def _averages(counts: _LabelCounts, present: Index) -> tuple[Floats, Floats]:
    """Micro-F1 and macro-F1 (b,); a label that a resample lacks does not count there."""
    right, both = counts.right.astype(np.float64), (counts.true + counts.predicted).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        micro = np.where(both.sum(axis=1) > 0, 2 * right.sum(axis=1) / both.sum(axis=1), 1.0)
        f1 = np.where(counts.true[:, present] > 0, 2 * right[:, present] / both[:, present], np.nan)
    is_defined = np.isfinite(f1)
    macro = np.where(is_defined, f1, 0.0).sum(axis=1) / np.maximum(is_defined.sum(axis=1), 1)
    return micro, macro


_Ends = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class _Figures:
    """Shares of each label with low and high end, each (n_labels,), and the effective number of rows that have it."""

    recall: _Ends
    precision: _Ends
    jaccard: _Ends
    sizes: Floats


def _figures(counts: _LabelCounts, clustered: bool) -> _Figures:
    ends_by_figure = []
    for trials in (counts.true, counts.predicted, counts.true + counts.predicted - counts.right):
        size = effective_sizes(counts.right, trials, clustered)
        share = counts.right.sum(axis=0, dtype=np.float64) / np.maximum(trials.sum(axis=0, dtype=np.float64), 1.0)
        ends_by_figure.append((share, *compute_wilson_interval(share * size, size)))
    return _Figures(
        ends_by_figure[0], ends_by_figure[1], ends_by_figure[2], effective_sizes(counts.right, counts.true, clustered)
    )


def _figure(ends: _Ends, at: int) -> Figure:
    return Figure.from_interval(envelope(float(ends[0][at]), (float(ends[1][at]), float(ends[2][at]))))


def _wilson(hits: NDArray[np.float32], trials: NDArray[np.float32], clustered: bool) -> tuple[float, float]:
    size = effective_sizes(hits[:, None], trials[:, None], clustered)
    share = hits.sum(dtype=np.float64) / max(trials.sum(dtype=np.float64), 1.0)
    low, high = compute_wilson_interval(share * size, size)
    return float(low[0]), float(high[0])


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _share(hits: NDArray[np.bool_], clusters: Index | None, seed: int) -> Interval:
    """Share of rows: Wilson at the effective size, joined with the bootstrap."""
    cluster_sums = sum_by_cluster(np.column_stack([hits, np.ones_like(hits)]).astype(np.float32), clusters)
    ends = _wilson(cluster_sums[:, 0], cluster_sums[:, 1], clusters is not None)
    drawn = mean_interval(hits.astype(np.float64), clusters, seed, (0.0, 1.0))
    return envelope(float(hits.mean()), ends, (drawn.low, drawn.high))


def row_f1(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Floats:
    """F1 of each row's labels (n_rows,); 1 where a row has none and is given none."""
    both = (true.sum(axis=1) + predicted.sum(axis=1)).astype(np.float64)
    return np.where(both > 0, 2 * (true & predicted).sum(axis=1) / np.maximum(both, 1.0), 1.0)


def _losses(true: NDArray[np.bool_], predictions: Predictions) -> Floats:
    """Nats lost on each row, mean over labels (n_rows,)."""
    true_probabilities = np.where(true, predictions.probabilities, 1 - predictions.probabilities)
    return np.asarray(
        -np.log(np.clip(true_probabilities, SHARED_SETTINGS.min_probability, 1.0)).mean(axis=1), dtype=np.float64
    )


def _average_precisions(true: NDArray[np.bool_], probabilities: Floats) -> Floats:
    """Average precision of each label (n_labels,), ties taken together; 0 where no row has it."""
    return np.array([_average_precision(true[:, at], probabilities[:, at]) for at in range(true.shape[1])])


def _average_precision(true: NDArray[np.bool_], probabilities: Floats) -> float:
    if not true.any():
        return 0.0
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    hits = np.cumsum(true[order])[ends].astype(np.float64)
    return float((np.diff(hits, prepend=0.0) * hits / (ends + 1)).sum() / hits[-1])


def compare_macro_f1(truth: FloatMatrix, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> Interval:
    """Return the macro-F1 of `a` minus that of `b` on the same rows (positive: `a` is better).

    Envelope of the paired bootstrap and the jackknife (decision 0033). With fewer than six rows on which the two differ
    the interval is stretched to 0.
    """
    true, numbers = truth == 1, number_clusters(clusters)
    present = np.flatnonzero(true.any(axis=0))
    counts = [_count(true, part.label_mask, numbers) for part in (a, b)]
    drawn = np.concatenate(
        [
            _averages(counts[0].resample(times), present)[1] - _averages(counts[1].resample(times), present)[1]
            for times in draw_bootstrap_weights(len(counts[0].true), seed)
        ]
    )
    whole = np.ones((1, len(counts[0].true)), dtype=np.float32)
    first, second = (float(_averages(part.resample(whole), present)[1][0]) for part in counts)
    low, high = percentiles(drawn[:, None])
    without_each = np.subtract(*(_averages(part.leave_one_out(), present)[1] for part in counts))
    jackknife = jackknife_interval(first - second, np.asarray(without_each, dtype=np.float64))
    different = zero_if_few_differ((a.label_mask != b.label_mask).any(axis=1))
    return envelope(first - second, (low[0], high[0]), jackknife, different, within=(-1.0, 1.0))


def join_labels(label_mask: NDArray[np.bool_], classes: tuple[str, ...]) -> list[str]:
    """Write the labels of each row as "a;b" (n_rows,); empty where there is none.

    Parameters
    ----------
    label_mask : array of bool, shape (n_rows, n_labels)
    classes : tuple of str
        Names of the labels.

    Examples
    --------
    >>> join_labels(np.array([[True, True], [False, False]]), ("a", "b"))
    ['a;b', '']
    """
    names = np.array(classes, dtype=object)
    return [";".join(names[row]) for row in label_mask]


def worst_label_rows(truth: FloatMatrix, predictions: Predictions, limit: int) -> list[WorstRow]:
    """List the rows with the most wrong labels, the surest mistakes first among equals."""
    true = truth == 1
    wrong = (true != predictions.label_mask).sum(axis=1)
    order = np.lexsort((-_losses(true, predictions), -wrong))
    listed = [int(at) for at in order if wrong[at]][:limit]
    predicted, labels = (join_labels(part[listed], predictions.classes) for part in (predictions.label_mask, true))
    return [
        WorstRow(id=str(predictions.ids[at]), label=label, predicted=answer, probability=None, error=float(wrong[at]))
        for at, label, answer in zip(listed, labels, predicted, strict=True)
    ]
