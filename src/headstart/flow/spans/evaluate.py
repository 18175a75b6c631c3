"""`evaluate` with a bundle of spans: its figures on marked texts that it did not learn from."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import DataError
from headstart.flow.spans.bundle import read_span_bundle
from headstart.flow.spans.figures import compute_metrics, measure_certainty
from headstart.flow.spans.predict import find_spans
from headstart.flow.spans.sources import read_span_data
from headstart.offline import offline
from headstart.options import EvaluateOptions
from headstart.records import TEST
from headstart.results.spans import SpanEvaluation

_SEED = 0


def evaluate_spans(bundle: Path, data: Path, options: EvaluateOptions) -> SpanEvaluation:
    """Score a bundle on marked texts: on the test texts where the source names them, else on all.

    Parameters
    ----------
    bundle : Path
    data : Path
        What `read_span_data` takes.
    options : EvaluateOptions
        `encoding` and `offline` are used.

    Raises
    ------
    HeadstartError
        The bundle or the texts cannot be read, or no text is marked.
    """
    with offline(options.offline):
        opened = read_span_bundle(bundle)
        source = read_span_data(data, options.encoding)
        texts = [item for item in source.texts if item.is_labelled]
        texts = [item for item in texts if item.split == TEST] if source.has_test else texts
        if not any(item.spans for item in texts):
            raise DataError(f"{data} has no marked texts to compare with.", "Give texts with their right spans.")
        answers = [item.spans for item in find_spans(opened, texts)]
    return SpanEvaluation(
        n_texts=len(texts),
        metrics=compute_metrics((), texts, answers, _SEED),
        certainty=measure_certainty(texts, answers),
    )
