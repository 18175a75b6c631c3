"""Tags of words and spans of text, each made from the other.

Reading follows conlleval, whose rules seqeval's default mode shares: a span begins at B- (S-, U-), and at I- (E-, L-)
that follows no span of its kind. So IOB1, IOB2, BIOES, BILOU and broken tags all become spans; what was mended is
counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headstart.spans.records import Span

OUTSIDE = "O"
_PREFIXED = re.compile(r"([BIESLUM])-(.+)", re.DOTALL)
_FIRST, _LAST = "BSU", "ESLU"
_SINGLE = "SU"


@dataclass(frozen=True)
class ReadTags:
    """Spans of the words of a text (start, end in words), and how many had to be mended."""

    spans: tuple[Span, ...]
    n_without_begin: int = 0
    n_changed_inside: int = 0


def is_prefixed(tags: Iterable[str]) -> bool:
    """Return whether tags say where spans begin: all but `O` are like B-PER.

    Parameters
    ----------
    tags : iterable of str
    """
    named = [tag for tag in tags if tag != OUTSIDE]
    return bool(named) and all(_PREFIXED.fullmatch(tag) for tag in named)


def read_tags(tags: Sequence[str]) -> ReadTags:
    """Return the spans of a text's tags, counted in words.

    Parameters
    ----------
    tags : sequence of str
        One a word: `O` or a prefix of BIO, BIOES or BILOU and a kind.

    Examples
    --------
    An I- without a beginning begins a span:

    >>> read_tags(["I-PER", "I-PER", "O", "B-LOC", "I-ORG"])  # doctest: +NORMALIZE_WHITESPACE
    ReadTags(spans=(Span(start=0, end=2, kind='PER'), Span(start=3, end=4, kind='LOC'), Span(start=4, end=5,
    kind='ORG')), n_without_begin=1, n_changed_inside=1)
    """
    spans: list[Span] = []
    n_without_begin = n_changed_inside = 0
    start, current, is_closed = -1, "", False
    for place, tag in enumerate(tags):
        match = _PREFIXED.fullmatch(tag)
        prefix, kind = (match[1], match[2]) if match else (OUTSIDE, "")
        goes_on = bool(kind) and start >= 0 and kind == current and prefix not in _FIRST and not is_closed
        if not goes_on and start >= 0:
            spans.append(Span(start, place, current))
        if kind and not goes_on:
            if prefix not in _FIRST:
                n_changed_inside += start >= 0 and kind != current
                n_without_begin += start < 0 or kind == current
            start, current = place, kind
        elif not kind:
            start, current = -1, ""
        is_closed = bool(kind) and prefix in _LAST
    if start >= 0:
        spans.append(Span(start, len(tags), current))
    return ReadTags(tuple(spans), n_without_begin, n_changed_inside)


def list_tags(kinds: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Return the tags that a model decides between; `O` is the first.

    Parameters
    ----------
    kinds : sequence of str
    scheme : str
        `bio` or `words`.

    Examples
    --------
    >>> list_tags(["LOC"], "bio"), list_tags(["NOUN"], "words")
    (('O', 'B-LOC', 'I-LOC'), ('O', 'B-NOUN'))
    """
    prefixes = "BI" if scheme == "bio" else "B"
    return (OUTSIDE, *(f"{prefix}-{kind}" for kind in kinds for prefix in prefixes))


def make_tags(spans: Sequence[Span], words: Sequence[tuple[int, int]]) -> list[str]:
    """Return the BIO tag of each word: a word that a span touches belongs to it.

    Parameters
    ----------
    spans : sequence of Span
        Sorted, without overlap.
    words : sequence of (start, end)

    Examples
    --------
    >>> make_tags([Span(0, 9, "LOC")], [(0, 3), (4, 9), (9, 10)])
    ['B-LOC', 'I-LOC', 'O']
    """
    tags = [OUTSIDE] * len(words)
    place = 0
    for span in spans:
        while place < len(words) and words[place][1] <= span.start:
            place += 1
        is_first, inside = True, place
        while inside < len(words) and words[inside][0] < span.end:
            if tags[inside] == OUTSIDE:
                tags[inside] = f"{'B' if is_first else 'I'}-{span.kind}"
                is_first = False
            inside += 1
    return tags


def may_follow(tags: Sequence[str]) -> list[list[bool]]:
    """Return whether the tag of a column may follow that of a row: I-X only B-X or I-X.

    Parameters
    ----------
    tags : sequence of str
        As `list_tags` gives them.
    """
    return [[not after.startswith("I-") or before[1:] == after[1:] for after in tags] for before in tags]
