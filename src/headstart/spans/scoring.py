"""Scores of spans: a span counts as right where start, end and kind are those of the truth.

That is conlleval's definition (Tjong Kim Sang and De Meulder 2003), which seqeval follows: micro-averaged precision,
recall and F1 over all spans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    draw_bootstrap_weights,
    envelope,
    number_clusters,
    percentiles,
    sum_by_cluster,
)
from headstart.records import Index, Interval
from headstart.spans.records import Span, SpanText
from headstart.spans.settings import SETTINGS

Counts = NDArray[np.float32]
"""Right, predicted and true spans of each text (n_texts, 3)."""
Spans = Sequence[Sequence[Span]]


def count_spans(truth: Spans, predicted: Spans, accept: Callable[[Span], bool] = lambda span: True) -> Counts:
    """Return right, predicted and true spans of each text (n_texts, 3).

    Parameters
    ----------
    truth, predicted : sequence of sequence of Span
        Of the same texts in the same order.
    accept : Span -> bool
        Which spans count.

    Examples
    --------
    One of two is right; the other is one word too long:

    >>> truth = [[Span(0, 4, "PER"), Span(9, 12, "LOC")]]
    >>> count_spans(truth, [[Span(0, 4, "PER"), Span(9, 15, "LOC")]]).tolist()
    [[1.0, 2.0, 2.0]]
    """
    rows = []
    for true_spans, answers in zip(truth, predicted, strict=True):
        first, second = {s for s in true_spans if accept(s)}, {s for s in answers if accept(s)}
        rows.append((len(first & second), len(second), len(first)))
    return np.array(rows, dtype=np.float32).reshape(-1, 3)


def compute_f1(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return F1, 2 right / (predicted + true), 0 where there is neither; 1 is best.

    Parameters
    ----------
    counts : array, shape (..., 3)

    Examples
    --------
    >>> float(compute_f1(np.array([1.0, 2.0, 2.0])))
    0.5
    """
    values = np.asarray(counts, dtype=np.float64)
    return np.asarray(2 * values[..., 0] / np.maximum(values[..., 1] + values[..., 2], 1e-12))


def score_spans(counts: Counts, clusters: Index | None, seed: int) -> Interval:
    """Return span F1 (0 to 1, higher is better) with its interval; documents are resampled.

    Parameters
    ----------
    counts : Counts, shape (n_texts, 3)
    clusters : Index or None, shape (n_texts,)
        Texts with one number are one document.
    seed : int

    Notes
    -----
    Percentile bootstrap over documents, widened to Wilson's reach where every span is right or none is. Fewer documents
    than `SETTINGS.least_changed_documents` say nothing of others: the interval is then 0 to 1.
    """
    sums = sum_by_cluster(counts, number_clusters(clusters))
    value = float(compute_f1(counts.sum(axis=0)))
    if len(sums) < SETTINGS.least_changed_documents:
        return Interval(value, 0.0, 1.0)
    drawn = compute_f1(np.concatenate([weights @ sums for weights in draw_bootstrap_weights(len(sums), seed)]))
    low, high = percentiles(drawn[:, None])
    n_spans = float(counts[:, 1:].sum() / 2)
    reach = SETTINGS.interval_quantile**2 / (max(n_spans, 1.0) + SETTINGS.interval_quantile**2)
    sides = (value - reach if value >= 1 else value, value + reach if value <= 0 else value)
    return envelope(value, (float(low[0]), float(high[0])), sides)


def compare_f1(first: Counts, second: Counts, clusters: Index | None, seed: int) -> Interval:
    """Return the span F1 of the first minus that of the second, -1 to 1, with its paired interval.

    Parameters
    ----------
    first, second : Counts, shape (n_texts, 3)
        Of the same texts in the same order.
    clusters : Index or None, shape (n_texts,)
    seed : int

    Notes
    -----
    Paired percentile bootstrap over documents. Where fewer than `SETTINGS.least_changed_documents` documents differ,
    the interval is widened to 0: so few are no evidence, as with McNemar's exact test.
    """
    numbers = number_clusters(clusters)
    sums = np.column_stack([sum_by_cluster(first, numbers), sum_by_cluster(second, numbers)])
    value = float(compute_f1(first.sum(axis=0)) - compute_f1(second.sum(axis=0)))
    if not len(sums):
        return Interval(0.0, -1.0, 1.0)
    drawn = np.concatenate([weights @ sums for weights in draw_bootstrap_weights(len(sums), seed)])
    low, high = percentiles((compute_f1(drawn[:, :3]) - compute_f1(drawn[:, 3:]))[:, None])
    n_changed = int((np.abs(sums[:, :3] - sums[:, 3:]).sum(axis=1) > 0).sum())
    zero = (0.0, 0.0) if n_changed < SETTINGS.least_changed_documents else (np.nan, np.nan)
    return envelope(value, (float(low[0]), float(high[0])), zero, within=(-1.0, 1.0))


def list_surfaces(texts: Sequence[SpanText]) -> frozenset[str]:
    """Return what stands in the marked spans of texts, in lower case.

    Parameters
    ----------
    texts : sequence of SpanText
    """
    return frozenset(
        " ".join(item.text[span.start : span.end].lower().split()) for item in texts for span in item.spans
    )


def count_recall(
    texts: Sequence[SpanText], predicted: Spans, surfaces: frozenset[str], is_seen: bool
) -> NDArray[np.int64]:
    """Return right and true spans (n_texts, 2) among those that do, or do not, occur in the training texts.

    Parameters
    ----------
    texts : sequence of SpanText
        With their true spans.
    predicted : sequence of sequence of Span
    surfaces : frozenset of str
        Of the training texts, as `list_surfaces` gives them.
    is_seen : bool
        Which of the two.
    """
    rows = []
    for item, answers in zip(texts, predicted, strict=True):
        named = {
            span
            for span in item.spans
            if (" ".join(item.text[span.start : span.end].lower().split()) in surfaces) == is_seen
        }
        rows.append((len(named & set(answers)), len(named)))
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def number_documents(texts: Sequence[SpanText]) -> Index:
    """Return the number of each text's document (n_texts,); equal texts are of one document.

    Parameters
    ----------
    texts : sequence of SpanText
    """
    numbers: dict[str, int] = {}
    documents = []
    for place, item in enumerate(texts):
        name = f"d:{item.document}" if item.document else f"t:{item.text}"
        documents.append(numbers.setdefault(name, place))
    return np.array(documents, dtype=np.intp)
