"""Which data has spans, and reading it: labelled sources of any form, and texts to predict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from headstart import data
from headstart.errors import DataError
from headstart.options import ColumnOptions
from headstart.records import TRAIN
from headstart.spans.conll import is_conll, read_conll
from headstart.spans.data_checks import find_notices
from headstart.spans.offsets import is_offset_source, read_offsets
from headstart.spans.records import SpanData, SpanText
from headstart.spans.words import find_words
from headstart.task_types import OWN_FLOWS

CONFIG = "spans.json"
"""File that every bundle of spans has."""


@dataclass(frozen=True, kw_only=True)
class SpanForm:
    """A form of files: how it is recognised, and read."""

    is_form: Callable[[Path], bool]
    read: Callable[[Path, str | None], SpanData]


SPAN_FORMS: dict[str, SpanForm] = {
    "offsets": SpanForm(is_form=is_offset_source, read=read_offsets),
    "conll": SpanForm(is_form=is_conll, read=read_conll),
}
"""Forms of labelled data, by name; the first that recognises a path reads it."""


def find_span_bundle(path: Path) -> Path | None:
    """Return the folder of the bundle at a path, or in the output folder of `adapt`; None if there is none.

    Parameters
    ----------
    path : Path
    """
    return next((folder for folder in (path, path / "bundle") if (folder / CONFIG).is_file()), None)


def is_span_source(path: Path, task: str = "auto") -> bool:
    """Return whether a path is to be read as texts with marked spans.

    Parameters
    ----------
    path : Path
    task : str
        As `--task` has it: the path is looked at only with "auto".
    """
    if task != "auto":
        return task in OWN_FLOWS
    return path.exists() and any(form.is_form(path) for form in SPAN_FORMS.values())


def read_span_data(path: Path, encoding: str | None = None, test: Path | None = None) -> SpanData:
    """Read labelled texts; what is doubtful in them is among the notices.

    Parameters
    ----------
    path : Path
    encoding : str or None
        Default: UTF-8.
    test : Path or None
        Separate test texts.

    Raises
    ------
    DataError
        The path has no such form, or cannot be read.
    """
    whole = _read(path, encoding)
    if test is not None:
        apart = _read(test, encoding)
        texts = [replace(item, split="test", id=f"test:{item.id}") for item in apart.texts]
        whole = replace(whole, texts=(*(item for item in whole.texts if item.split != "test"), *texts), has_test=True)
    return replace(whole, notices=(*whole.notices, *find_notices(whole)))


def _read(path: Path, encoding: str | None) -> SpanData:
    if not path.exists():
        raise DataError(f"There is nothing at {path}.", "Check the path.")
    form = next((item for item in SPAN_FORMS.values() if item.is_form(path)), None)
    if form is None:
        raise DataError(
            f"{path} has no words with tags and no spans with offsets.",
            "Give a CoNLL file or folder, JSONL with start, end and label, or an export of Doccano or Label Studio.",
        )
    return form.read(path, encoding)


def read_plain_texts(path: Path, options: ColumnOptions) -> tuple[SpanText, ...]:
    """Read texts to predict: labelled sources, .txt with one text a line, JSON lines, or a table with a text column.

    Parameters
    ----------
    path : Path
    options : ColumnOptions

    Raises
    ------
    DataError
        The path is not there, or holds no texts.
    """
    if is_span_source(path):
        return _read(path, options.encoding).texts
    if path.suffix.lower() == ".txt" and path.is_file():
        return _make_texts(_read_lines(path, options.encoding))
    if path.suffix.lower() in (".jsonl", ".ndjson") and path.is_file():
        return _make_texts([_take_text(line, path) for line in _read_lines(path, options.encoding)])
    table = data.read_rows_as_they_are(path, "text", options)
    return tuple(
        replace(item, id=str(name))
        for item, name in zip(_make_texts([str(text) for text in table.inputs]), table.ids, strict=True)
    )


def _read_lines(path: Path, encoding: str | None) -> list[str]:
    try:
        lines = path.read_text(encoding or "utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Save it as UTF-8, or name its --encoding.") from error
    return [line.rstrip("\r") for line in lines if line.strip()]


def _take_text(line: str, path: Path) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} has a line that is no JSON ({error}).", "Give one object a line.") from error
    text = record.get("text") if isinstance(record, dict) else record
    if not isinstance(text, str):
        raise DataError(f"{path} has a line without a text.", 'A line is {"text": "..."}.')
    return text


def _make_texts(texts: list[str]) -> tuple[SpanText, ...]:
    return tuple(make_text(str(number), text) for number, text in enumerate(texts, start=1))


def make_text(name: str, text: str) -> SpanText:
    """Return a text that nobody marked.

    Parameters
    ----------
    name : str
    text : str
    """
    return SpanText(id=name, text=text, words=find_words(text), split=TRAIN, is_labelled=False)
