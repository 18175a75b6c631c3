"""Figures of span models on test texts, as records of result.json."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.evaluation.intervals import ratio_interval, sum_by_cluster
from headstart.records import Index
from headstart.results import Figure
from headstart.results.spans import (
    SpanCertainty,
    SpanCertaintyBin,
    SpanKindFigures,
    SpanMetrics,
    SpanVerdict,
)
from headstart.spans.choosing import SpanChoice
from headstart.spans.model import ScoredSpan, take_spans
from headstart.spans.records import Span, SpanText
from headstart.spans.scoring import (
    compare_f1,
    count_recall,
    count_spans,
    list_surfaces,
    number_documents,
    score_spans,
)
from headstart.spans.settings import SETTINGS

Answers = Sequence[Sequence[ScoredSpan]]


def compute_metrics(train: Sequence[SpanText], test: Sequence[SpanText], answers: Answers, seed: int) -> SpanMetrics:
    """Return the figures of one model on test texts.

    Parameters
    ----------
    train, test : sequence of SpanText
        Without training texts, seen and new spans are not told apart.
    answers : sequence of sequence of ScoredSpan
        Of the test texts.
    seed : int
        Of the bootstrap.
    """
    clusters, predicted = number_documents(test), take_spans(answers)
    truth = [item.spans for item in test]
    counts = count_spans(truth, predicted)
    surfaces = list_surfaces(train)

    def measure(is_seen: bool) -> Figure | None:
        rows = count_recall(test, predicted, surfaces, is_seen)
        return _measure_recall(rows, clusters, seed) if train else None

    kinds = sorted({span.kind for item in (*train, *test) for span in item.spans})
    return SpanMetrics(
        span_f1=Figure.from_interval(score_spans(counts, clusters, seed)),
        precision=_divide(counts[:, 0].sum(), counts[:, 1].sum()),
        recall=_divide(counts[:, 0].sum(), counts[:, 2].sum()),
        seen_recall=_measure_recall(count_recall(test, predicted, surfaces, True), clusters, seed) if train else None,
        unseen_recall=_measure_recall(count_recall(test, predicted, surfaces, False), clusters, seed)
        if train
        else None,
        kinds=[_compute_kind(kind, train, test, predicted=predicted, seed=seed) for kind in kinds],
    )


def _divide(hits: float, n: float) -> float:
    return float(hits / n) if n else 0.0


def _measure_recall(
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], clusters: Index, seed: int
) -> Figure | None:
    _, numbers = np.unique(clusters, return_inverse=True)
    sums = sum_by_cluster(counts.astype(np.float32), numbers).astype(np.int64)
    interval = ratio_interval(sums, seed) if len(sums) else None
    return Figure.from_interval(interval) if interval is not None else None


def _compute_kind(
    kind: str, train: Sequence[SpanText], test: Sequence[SpanText], *, predicted: Sequence[Sequence[Span]], seed: int
) -> SpanKindFigures:
    counts = count_spans([item.spans for item in test], predicted, lambda span: span.kind == kind)
    return SpanKindFigures(
        kind=kind,
        n_train=sum(span.kind == kind for item in train for span in item.spans),
        n_test=int(counts[:, 2].sum()),
        span_f1=Figure.from_interval(score_spans(counts, number_documents(test), seed)),
        precision=_divide(counts[:, 0].sum(), counts[:, 1].sum()),
        recall=_divide(counts[:, 0].sum(), counts[:, 2].sum()),
    )


def assess_transfer(
    choice: SpanChoice, test: Sequence[SpanText], answers: dict[str, Answers], seed: int
) -> SpanVerdict:
    """Compare the best strategy with the base with the best one without it, both chosen on held-out texts.

    Parameters
    ----------
    choice : SpanChoice
    test : sequence of SpanText
    answers : mapping of str to answers
        Of the test texts, by strategy.
    seed : int
    """
    transfer, against = choice.find_best(uses_base=True), choice.find_best(uses_base=False)
    documents = number_documents(test)
    verdict = SpanVerdict(
        transfer="no evidence",
        strategy=transfer.strategy.name if transfer else None,
        against=against.strategy.name if against else None,
        difference=None,
        n_documents=len(np.unique(documents)),
    )
    if transfer is None or against is None or verdict.n_documents < 2:
        return verdict
    truth = [item.spans for item in test]
    counts = [count_spans(truth, take_spans(answers[item.strategy.name])) for item in (transfer, against)]
    interval = compare_f1(counts[0], counts[1], documents, seed)
    outcome = "helped" if interval.low > 0 else "hurt" if interval.high < 0 else "no evidence"
    return verdict.model_copy(update={"transfer": outcome, "difference": Figure.from_interval(interval)})


def measure_certainty(test: Sequence[SpanText], answers: Answers) -> SpanCertainty | None:
    """Return how well probabilities of predicted spans agree with how often they are right.

    Parameters
    ----------
    test : sequence of SpanText
    answers : sequence of sequence of ScoredSpan
    """
    pairs = [
        (answer.probability, answer.span in item.spans)
        for item, row in zip(test, answers, strict=True)
        for answer in row
    ]
    if not pairs:
        return None
    probabilities, right = np.array([pair[0] for pair in pairs]), np.array([float(pair[1]) for pair in pairs])
    numbers = np.minimum((probabilities * SETTINGS.certainty_bins).astype(int), SETTINGS.certainty_bins - 1)
    bins = [
        SpanCertaintyBin(
            low=number / SETTINGS.certainty_bins,
            high=(number + 1) / SETTINGS.certainty_bins,
            n=int((numbers == number).sum()),
            probability=float(probabilities[numbers == number].mean()),
            share_right=float(right[numbers == number].mean()),
        )
        for number in sorted(set(numbers.tolist()))
    ]
    is_sure = probabilities >= SETTINGS.least_probability
    return SpanCertainty(
        calibration_error=sum(item.n * abs(item.probability - item.share_right) for item in bins) / len(pairs),
        bins=bins,
        least_probability=SETTINGS.least_probability,
        sure_share=float(is_sure.mean()),
        sure_precision=float(right[is_sure].mean()) if is_sure.any() else 0.0,
    )
