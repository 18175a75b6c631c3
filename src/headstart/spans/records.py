"""Records of spans: what is marked in a text, and what had to be mended while it was read."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.records import TRAIN

VALIDATION = "validation"
"""Split of texts on which strategies are chosen; `adapt` learns from them afterwards."""


@dataclass(frozen=True, order=True)
class Span:
    """Part of a text that is of a kind.

    Parameters
    ----------
    start, end : int
        Offsets into the original string, in code points; `end` is behind the last one.
    kind : str
        Such as PER, or a part of speech.
    """

    start: int
    end: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class SpanText:
    """Text with its words and the spans that are marked in it.

    Parameters
    ----------
    id : str
    text : str
        As it stands in the source.
    words : tuple of (start, end)
        Offsets of the words, in order, without overlap.
    spans : tuple of Span
        Sorted, without overlap.
    split : str
        `train`, `validation` or `test`.
    document : str
        Texts of one document are resampled together and stay on one side of a split; "": the text is a document.
    is_labelled : bool
        False where nobody looked for spans.
    """

    id: str
    text: str
    words: tuple[tuple[int, int], ...]
    spans: tuple[Span, ...] = ()
    split: str = TRAIN
    document: str = ""
    is_labelled: bool = True

    def list_words(self) -> list[str]:
        """Return the words as strings."""
        return [self.text[start:end] for start, end in self.words]


@dataclass(frozen=True, kw_only=True)
class SpanNotice:
    """What was mended or is doubtful in the marks of a source.

    Parameters
    ----------
    code : str
        Permanent, one of `headstart.results.spans.SPAN_NOTICES`.
    n : int
        How often.
    first : str
        Where it is first: the id of a text, or a line.
    """

    code: str
    n: int
    first: str


@dataclass(frozen=True, kw_only=True)
class SpanData:
    """Texts of a source, and what was mended while they were read.

    Parameters
    ----------
    texts : tuple of SpanText
    form : str
        Of the source: `conll`, `jsonl`, `label-studio` or `doccano`.
    scheme : str
        `bio` where a span may be of several words, `words` where every word has a tag of its own.
    has_test : bool
        Whether the source names its test texts.
    notices : tuple of SpanNotice
    """

    texts: tuple[SpanText, ...]
    form: str
    scheme: str = "bio"
    has_test: bool = False
    notices: tuple[SpanNotice, ...] = ()

    def take_split(self, split: str) -> tuple[SpanText, ...]:
        """Return the labelled texts of a split, in order.

        Parameters
        ----------
        split : str
        """
        return tuple(item for item in self.texts if item.split == split and item.is_labelled)

    def list_kinds(self) -> tuple[str, ...]:
        """Return the kinds of spans, sorted."""
        return tuple(sorted({span.kind for item in self.texts for span in item.spans}))
