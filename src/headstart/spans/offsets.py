"""Read spans with character offsets: JSONL, and the exports of Doccano and Label Studio."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from headstart.errors import DataError
from headstart.records import TEST, TRAIN
from headstart.spans.conll import SPLITS
from headstart.spans.notices import Tally
from headstart.spans.records import Span, SpanData, SpanText
from headstart.spans.words import find_words

SUFFIXES = (".jsonl", ".json", ".ndjson")
_TEXT = ("text", "data", "sentence", "content")
_SPANS = ("spans", "entities", "labels", "label", "tags")
_START, _END, _KIND = (
    ("start", "start_offset", "begin"),
    ("end", "end_offset", "stop"),
    ("label", "type", "kind", "tag"),
)
_SNIFFED_RECORDS = 50
_HINT = 'A record is {"text": "...", "spans": [{"start": 0, "end": 4, "label": "PER"}]}, one a line.'


def is_offset_source(path: Path) -> bool:
    """Return whether a path is such a file, or a folder with train.jsonl and, perhaps, test.jsonl.

    Parameters
    ----------
    path : Path
    """
    files = _list_files(path)
    if TRAIN not in files:
        return False
    try:
        return any(_find_marks(record) for record in islice(_sniff_records(files[TRAIN]), _SNIFFED_RECORDS))
    except (DataError, OSError):
        return False


def _sniff_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the first records of a file; only of a list everything is read."""
    with path.open(encoding="utf-8-sig", errors="replace") as handle:
        first = next((line for line in handle if line.strip()), "")
        if first.lstrip().startswith("["):
            yield from _read_records(path, None)
            return
        for line in chain([first], handle):
            record = _parse(line, str(path)) if line.strip() else None
            if isinstance(record, dict):
                yield record


def _list_files(path: Path) -> dict[str, Path]:
    if not path.is_dir():
        return {TRAIN: path} if path.suffix.lower() in SUFFIXES and path.is_file() else {}
    files = [item for item in sorted(path.iterdir()) if item.suffix.lower() in SUFFIXES and item.is_file()]
    return {SPLITS[item.stem.lower()]: item for item in files if item.stem.lower() in SPLITS}


def read_offsets(path: Path, encoding: str | None = None) -> SpanData:
    """Read texts with spans; offsets count code points of the text as it stands in the file.

    Parameters
    ----------
    path : Path
    encoding : str or None
        Default: UTF-8.

    Raises
    ------
    DataError
        The file is no JSON, or a record has no text.
    """
    tally = Tally()
    texts: list[SpanText] = []
    form = "jsonl"
    files = _list_files(path)
    for split, file in files.items():
        for number, record in enumerate(_read_records(file, encoding), start=1):
            form = "label-studio" if "annotations" in record or "completions" in record else form
            form = "doccano" if form == "jsonl" and "label" in record else form
            texts.append(_make_text(record, f"{file.name}:{number}", split, tally))
    if not any(item.spans for item in texts):
        raise DataError(f"{path} has no spans.", _HINT)
    return SpanData(texts=tuple(texts), form=form, has_test=TEST in files, notices=tally.list_notices())


def _read_records(path: Path, encoding: str | None) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a JSON list or of JSON lines."""
    try:
        content = path.read_text(encoding or "utf-8-sig")
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Save it as UTF-8, or name its --encoding.") from error
    if content.lstrip().startswith("["):
        records = _parse(content, str(path))
    else:
        lines = content.split("\n")
        records = (_parse(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip())
    for record in records:
        if not isinstance(record, dict):
            raise DataError(f"{path} has a record that is no object.", _HINT)
        yield record


def _parse(content: str, place: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is no JSON ({error}).", _HINT) from error


def _make_text(record: Mapping[str, Any], name: str, split: str, tally: Tally) -> SpanText:
    data = record.get("data")
    holder = data if isinstance(data, dict) else record
    text = next((holder[key] for key in _TEXT if isinstance(holder.get(key), str)), None)
    if text is None:
        raise DataError(f"{name} has no text.", _HINT)
    marks = _list_marks(record)
    words = find_words(text)
    spans = mend_spans([_read_mark(mark, name) for mark in marks or ()], text, words, name=name, tally=tally)
    split = TEST if record.get("split") == "test" else split
    document = str(record.get("document") or record.get("doc_id") or "")
    label = record.get("id")
    return SpanText(
        id=name if label is None else str(label),
        text=text,
        words=words,
        spans=spans,
        split=split,
        document=document,
        is_labelled=marks is not None,
    )


def _find_marks(record: Mapping[str, Any]) -> bool:
    """Return whether a record has marks of the form that is read here."""
    marks = _list_marks(record)
    return bool(marks) and all(_is_mark(mark) for mark in marks or ())


def _list_marks(record: Mapping[str, Any]) -> Sequence[Any] | None:
    """Return the marks of a record as they stand; None where nobody marked it."""
    for key in ("annotations", "completions"):
        if isinstance(record.get(key), list):
            annotations = [item for item in record[key] if isinstance(item, dict) and not item.get("was_cancelled")]
            results = annotations[-1].get("result") if annotations else None
            return None if results is None else [item["value"] for item in results if _is_label_studio(item)]
    return next((record[key] for key in _SPANS if isinstance(record.get(key), list)), None)


def _is_label_studio(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("value"), dict) and "start" in item["value"]


def _is_mark(mark: object) -> bool:
    if isinstance(mark, dict):
        return any(key in mark for key in _START) and any(key in mark for key in _END)
    return isinstance(mark, list) and len(mark) == 3 and all(isinstance(item, int) for item in mark[:2])


def _read_mark(mark: Any, name: str) -> Span:
    if not _is_mark(mark):
        raise DataError(f"{name} has a span that cannot be read: {str(mark)[:80]}.", _HINT)
    if isinstance(mark, list):
        start, end, kind = mark
    else:
        start, end = (next(mark[key] for key in keys if key in mark) for keys in (_START, _END))
        kind = next((mark[key] for key in _KIND if key in mark), None)
        kind = (mark.get("labels") or [None])[0] if kind is None else kind
    if not (isinstance(start, int) and isinstance(end, int) and isinstance(kind, str) and kind.strip()):
        raise DataError(f"{name} has a span that cannot be read: {str(mark)[:80]}.", _HINT)
    return Span(start, end, kind.strip())


def mend_spans(
    spans: Sequence[Span], text: str, words: Sequence[tuple[int, int]], *, name: str, tally: Tally
) -> tuple[Span, ...]:
    """Return the spans of a text, sorted and without overlap; what was left out is counted.

    Parameters
    ----------
    spans : sequence of Span
    text : str
    words : sequence of (start, end)
    name : str
        Of the text, for the tally.
    tally : Tally
    """
    usable: list[Span] = []
    for span in sorted(set(spans), key=lambda item: (item.start, -item.end, item.kind)):
        if span.start < 0 or span.end > len(text):
            tally.add("span-outside-text", 1, name)
        elif not text[span.start : max(span.end, span.start)].strip():
            tally.add("empty-span", 1, name)
        else:
            usable.append(_trim(span, text))
    apart: list[Span] = []
    for span in usable:
        if apart and span.start < apart[-1].end:
            tally.add("overlapping-spans" if span.end <= apart[-1].end else "crossing-spans", 1, name)
        else:
            apart.append(span)
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    tally.add("span-inside-word", sum(item.start not in starts or item.end not in ends for item in apart), name)
    return tuple(apart)


def _trim(span: Span, text: str) -> Span:
    """Leave out spaces at the ends of a span: annotation tools select them by accident."""
    inside = text[span.start : span.end]
    left = len(inside) - len(inside.lstrip())
    return Span(span.start + left, span.start + len(inside.rstrip()), span.kind)
