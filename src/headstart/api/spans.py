"""Spans for Python users: adapt to marked texts, and find spans in others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from headstart import flow
from headstart.api.keywords import AdaptKeywords
from headstart.errors import InputTypeError
from headstart.flow.spans.bundle import read_span_bundle
from headstart.flow.spans.predict import find_spans as find_in_texts
from headstart.flow.spans.sources import make_text
from headstart.options import AdaptOptions, parse
from headstart.results.spans import SpanResult
from headstart.spans.model import ScoredSpan


def adapt_spans(source: str | Path, output: str | Path, **options: Unpack[AdaptKeywords]) -> SpanResult:
    """Adapt a base model to texts with marked spans.

    Parameters
    ----------
    source : str or Path
        CoNLL file or folder, JSONL with offsets, or an export of Doccano or Label Studio.
    output : str or Path
        Folder for report, result and bundle.
    **options
        Fields of `headstart.options.AdaptOptions`: base, strategy, time, seed, test, encoding, offline.

    Returns
    -------
    SpanResult
        The same document as result.json.

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    return flow.adapt_spans(Path(source), Path(output), parse(AdaptOptions, **options)).result


def find_spans(bundle: str | Path, texts: Sequence[str]) -> list[list[ScoredSpan]]:
    """Find the spans of texts.

    Parameters
    ----------
    bundle : str or Path
        A bundle of spans, or the output folder of `adapt_spans`.
    texts : sequence of str

    Returns
    -------
    list of list of ScoredSpan
        One list a text; `.span.start` and `.span.end` count code points, `.probability` is 0 to 1.

    Raises
    ------
    HeadstartError
        The bundle cannot be read, or something is no text.

    Examples
    --------
    >>> find_spans("out", ["Amina went to Kano."])[0][0].span  # doctest: +SKIP
    Span(start=0, end=5, kind='PER')
    """
    if isinstance(texts, str) or not all(isinstance(item, str) for item in texts):
        raise InputTypeError("Texts are wanted: a list of strings.", "Write find_spans(bundle, [text]).")
    opened = read_span_bundle(Path(bundle))
    answers = find_in_texts(opened, [make_text(str(number), item) for number, item in enumerate(texts)])
    return [list(item.spans) for item in answers]
