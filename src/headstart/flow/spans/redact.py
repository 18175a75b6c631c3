"""`redact`: personal data is taken out of texts, by rules and, where one is given, by a model of spans.

It promises nothing: how much it finds is measured on labelled texts, where there are any.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headstart.errors import DataError, OptionError
from headstart.evaluation.intervals import ratio_interval
from headstart.flow.spans.bundle import SpanBundle, read_span_bundle
from headstart.flow.spans.sources import read_plain_texts
from headstart.home import write_text
from headstart.offline import offline
from headstart.options import RedactOptions
from headstart.records import Interval
from headstart.spans.personal_data import RULE_KINDS, find_personal_data
from headstart.spans.records import Span, SpanText
from headstart.spans.settings import SETTINGS

KIND_NAMES: dict[str, frozenset[str]] = {
    "person": frozenset({"per", "pers", "person", "name"}),
    "place": frozenset({"loc", "location", "gpe", "place"}),
    "organisation": frozenset({"org", "organisation", "organization"}),
    "date": frozenset({"date", "time"}),
}
"""Words for `--types`, and what data sets call the same kind (lower case)."""


@dataclass(frozen=True, kw_only=True)
class RedactedText:
    """A text with what was taken out of it.

    Parameters
    ----------
    id, text : str
        `text` has [KIND] in place of each span.
    spans : tuple of Span
        Offsets refer to the text as it was.
    """

    id: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """What `redact` did.

    Parameters
    ----------
    texts : list of RedactedText
    counts : mapping of str to int
        Parts taken out, by kind.
    recall : Interval or None
        Share of the marked characters of the wanted kinds that were taken out, 0 to 1; None without marked texts.
    n_marked_texts : int
    n_overlooked : int
        Marked spans of the wanted kinds of which something is still to be read.
    """

    texts: list[RedactedText]
    counts: dict[str, int] = field(default_factory=dict)
    recall: Interval | None = None
    n_marked_texts: int = 0
    n_overlooked: int = 0


def redact(path: Path, out: Path | None, model: Path | None, options: RedactOptions) -> Redaction:
    """Take personal data out of the texts of a path.

    Parameters
    ----------
    path : Path
        What `read_plain_texts` takes; texts with marked spans are used to measure.
    out : Path or None
        .jsonl with one object a text, or .txt with one text a line; None: nothing is written.
    model : Path or None
        A bundle of spans.
    options : RedactOptions

    Raises
    ------
    HeadstartError
        A kind cannot be found by rules or the model, or a file cannot be read.
    """
    if out is not None and out.suffix.lower() not in WRITERS:
        raise OptionError(
            f"Texts are not written as {out.suffix or 'a file without an ending'}.", "Name a .jsonl or .txt."
        )
    if out is not None and out.resolve() in {path.resolve(), (path / out.name).resolve()} and out.exists():
        raise OptionError(f"{out} would be written over the texts it comes from.", "Name another file.")
    with offline(options.offline):
        bundle = None if model is None else read_span_bundle(model)
        rule_kinds, model_kinds = choose_kinds(options.types, bundle)
        texts = read_plain_texts(path, options)
        if not texts:
            raise DataError(f"{path} has no texts.", "Check the file.")
        spans = _find_all(texts, rule_kinds, model_kinds, bundle=bundle, least=options.least)
    rows = [
        RedactedText(id=item.id, text=cover(item.text, row), spans=row) for item, row in zip(texts, spans, strict=True)
    ]
    if out is not None:
        write_text(out, WRITERS[out.suffix.lower()](rows))
    return _measure(texts, rows, rule_kinds | model_kinds | _list_aliases(options.types))


def choose_kinds(types: Sequence[str], bundle: SpanBundle | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return which kinds the rules look for, and which the model.

    Parameters
    ----------
    types : sequence of str
        As `--types` has them; empty: all.
    bundle : SpanBundle or None

    Raises
    ------
    OptionError
        Neither finds one of them.
    """
    known = frozenset({tag[2:] for tag in bundle.fitted.model.tags[1:]}) if bundle else frozenset[str]()
    if not types:
        return frozenset(RULE_KINDS), known
    rule_kinds: set[str] = set()
    model_kinds: set[str] = set()
    for name in types:
        fitting = {kind for kind in known if kind.lower() in KIND_NAMES.get(name, {name.lower()})}
        if name in RULE_KINDS:
            rule_kinds.add(name)
        elif not fitting:
            raise OptionError(
                f"Nothing here finds {name}.",
                f"By rule: {', '.join(RULE_KINDS)}. Others need --model, a bundle that `adapt` made of marked texts"
                + (f" (this one knows {', '.join(sorted(known))})." if known else "."),
            )
        model_kinds |= fitting
    return frozenset(rule_kinds), frozenset(model_kinds)


def _list_aliases(types: Sequence[str]) -> frozenset[str]:
    return frozenset(alias for name in types for alias in KIND_NAMES.get(name, ()))


def _find_all(
    texts: Sequence[SpanText], rule_kinds: frozenset[str], model_kinds: frozenset[str], *, bundle: SpanBundle | None,
    least: float,
) -> list[tuple[Span, ...]]:  # fmt: skip
    spans = [list(find_personal_data(item.text, rule_kinds)) for item in texts]
    if bundle is not None and model_kinds:
        fitted = bundle.fitted
        for first in range(0, len(texts), SETTINGS.texts_at_once):
            part = texts[first : first + SETTINGS.texts_at_once]
            features = fitted.make_features(part, is_kept=False)
            likely = fitted.model.find_likely_spans(part, features, model_kinds, least)
            for place, more in enumerate(likely, start=first):
                spans[place].extend(more)
    return [tuple(sorted(row)) for row in spans]


def cover(text: str, spans: Sequence[Span]) -> str:
    """Return a text with [KIND] in place of spans; those that overlap are covered as one.

    Parameters
    ----------
    text : str
    spans : sequence of Span
        Sorted.

    Examples
    --------
    >>> cover("Amina, 0712345678", [Span(0, 5, "PER"), Span(7, 17, "phone")])
    '[PER], [PHONE]'
    """
    parts, place = [], 0
    for span in spans:
        if span.start >= place:
            parts += [text[place : span.start], f"[{span.kind.upper()}]"]
        place = max(place, span.end)
    return "".join([*parts, text[place:]])


def _measure(texts: Sequence[SpanText], rows: list[RedactedText], kinds: frozenset[str]) -> Redaction:
    """Compare with the marked spans of the wanted kinds, character by character."""
    lower = {kind.lower() for kind in kinds}
    counts: list[tuple[int, int]] = []
    n_overlooked = n_marked = 0
    for item, row in zip(texts, rows, strict=True):
        if not item.is_labelled:
            continue
        n_marked += 1
        covered = {place for span in row.spans for place in range(span.start, span.end)}
        places = [range(span.start, span.end) for span in item.spans if span.kind.lower() in lower]
        n_overlooked += sum(any(place not in covered for place in part) for part in places)
        counts.append((sum(place in covered for part in places for place in part), sum(map(len, places))))
    return Redaction(
        texts=rows,
        counts=dict(Counter(span.kind for row in rows for span in row.spans)),
        recall=ratio_interval(np.array(counts, dtype=np.int64).reshape(-1, 2), 0) if counts else None,
        n_marked_texts=n_marked,
        n_overlooked=n_overlooked,
    )


def _format_lines(rows: Sequence[RedactedText]) -> str:
    return "".join(
        json.dumps({"id": row.id, "text": row.text, "n_removed": len(row.spans)}, ensure_ascii=False) + "\n"
        for row in rows
    )


def _format_text(rows: Sequence[RedactedText]) -> str:
    return "".join(" ".join(row.text.splitlines()) + "\n" for row in rows)


WRITERS = {".jsonl": _format_lines, ".json": _format_lines, ".txt": _format_text}
"""What makes the content of a file, by its ending."""
