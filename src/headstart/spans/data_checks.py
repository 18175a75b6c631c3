"""What is doubtful in the marks of a source as a whole: words marked in several ways, copies."""

from __future__ import annotations

from collections import Counter, defaultdict

from headstart.records import TEST
from headstart.spans.notices import Tally
from headstart.spans.records import SpanData, SpanNotice, SpanText
from headstart.spans.settings import SETTINGS


def find_notices(source: SpanData) -> tuple[SpanNotice, ...]:
    """Return what is doubtful in the marks of a source.

    Parameters
    ----------
    source : SpanData
    """
    tally = Tally()
    _find_copies(source, tally)
    if source.scheme == "bio":
        _find_inconsistent_words(source, tally)
    return tally.list_notices()


def _find_copies(source: SpanData, tally: Tally) -> None:
    places: dict[str, SpanText] = {}
    for item in source.texts:
        first = places.setdefault(item.text, item)
        if first is not item:
            crosses = (first.split == TEST) != (item.split == TEST)
            tally.add("repeated-in-test" if crosses else "repeated-text", 1, item.id)


def _find_inconsistent_words(source: SpanData, tally: Tally) -> None:
    """Count marked words that are marked as another kind elsewhere, or stand unmarked in most places."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    firsts: dict[str, str] = {}
    for item in source.texts:
        for span in item.spans:
            surface = item.text[span.start : span.end]
            kinds[surface][span.kind] += 1
            firsts.setdefault(surface, item.id)
    unmarked = _count_unmarked(source, set(kinds))
    for surface, counts in kinds.items():
        n_marked = sum(counts.values())
        rest = n_marked - max(counts.values())
        if rest >= SETTINGS.least_inconsistent or unmarked[surface] > SETTINGS.least_inconsistent * n_marked:
            tally.add("inconsistent-word", 1, f"{firsts[surface]}: {surface}")


def _count_unmarked(source: SpanData, surfaces: set[str]) -> Counter[str]:
    """Count single words outside of spans that are marked elsewhere."""
    counts: Counter[str] = Counter()
    for item in source.texts:
        spans = iter(item.spans)
        span = next(spans, None)
        for start, end in item.words:
            while span is not None and span.end <= start:
                span = next(spans, None)
            if span is None or end <= span.start:
                word = item.text[start:end]
                counts[word] += word in surfaces
    return counts


def drop_test_copies(source: SpanData) -> tuple[SpanText, ...]:
    """Return the labelled texts without those learned from that are copies of a test text.

    Parameters
    ----------
    source : SpanData
    """
    tested = {item.text for item in source.texts if item.split == TEST}
    return tuple(item for item in source.texts if item.is_labelled and (item.split == TEST or item.text not in tested))
