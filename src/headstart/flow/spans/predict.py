"""`predict` with a bundle of spans: texts in, spans with offsets and probabilities out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.csv_files import write_csv_rows
from headstart.errors import OptionError
from headstart.flow.spans.bundle import SpanBundle, read_span_bundle
from headstart.flow.spans.sources import make_text, read_plain_texts
from headstart.home import write_text
from headstart.offline import offline
from headstart.options import PredictOptions
from headstart.spans.model import ScoredSpan
from headstart.spans.records import SpanText
from headstart.spans.settings import SETTINGS

COLUMNS = ("input", "start", "end", "kind", "text", "probability", "is_sure")


@dataclass(frozen=True)
class TextAnswer:
    """A text and its spans."""

    text: SpanText
    spans: Sequence[ScoredSpan]

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON; offsets count code points of `text`."""
        return {
            "input": self.text.id,
            "text": self.text.text,
            "spans": [
                {
                    "start": item.span.start,
                    "end": item.span.end,
                    "label": item.span.kind,
                    "text": self.text.text[item.span.start : item.span.end],
                    "probability": round(item.probability, 4),
                    "is_sure": item.probability >= SETTINGS.least_probability,
                }
                for item in self.spans
            ],
        }


def find_spans(bundle: SpanBundle, texts: Sequence[SpanText]) -> list[TextAnswer]:
    """Return the spans of texts.

    Parameters
    ----------
    bundle : SpanBundle
    texts : sequence of SpanText
    """
    answers: list[TextAnswer] = []
    with progress.open_bar("Spans", len(texts), "texts") as bar:
        for first in range(0, len(texts), SETTINGS.texts_at_once):
            part = texts[first : first + SETTINGS.texts_at_once]
            rows = bundle.fitted.model.predict(part, bundle.fitted.make_features(part, is_kept=False))
            answers += [TextAnswer(item, row) for item, row in zip(part, rows, strict=True)]
            bar.advance(len(part))
    return answers


def open_span_answers(path: Path) -> Callable[[Sequence[Any]], list[dict[str, Any]]]:
    """Return a function of texts that gives one document a text; what is no text gets its reason.

    Parameters
    ----------
    path : Path
        A bundle of spans, or the output folder of `adapt`.

    Raises
    ------
    BundleError
        It cannot be read.
    """
    bundle = read_span_bundle(path)

    def answer(inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return one JSON document a text."""
        texts = [make_text(str(number), item) for number, item in enumerate(inputs) if isinstance(item, str)]
        documents = {item.text.id: item.to_document() for item in find_spans(bundle, texts)}
        return [
            documents.get(str(number), {"text": None, "spans": [], "reason": getattr(item, "reason", "")})
            for number, item in enumerate(inputs)
        ]

    return answer


def predict_spans(bundle: Path, inputs: Sequence[Path], out: Path | None, options: PredictOptions) -> list[TextAnswer]:
    """Find the spans of texts in files and write them.

    Parameters
    ----------
    bundle : Path
    inputs : sequence of Path
        What `read_plain_texts` takes.
    out : Path or None
        .csv: one line a span; .jsonl or .json: one object a text. None: nothing is written.
    options : PredictOptions
        `text`, `id`, `sheet`, `encoding` and `offline` are used.

    Raises
    ------
    HeadstartError
        The bundle or the inputs cannot be read.
    """
    if out is not None and out.suffix.lower() not in WRITERS:
        raise OptionError(
            f"Spans are not written as {out.suffix or 'a file without an ending'}.", "Name a .csv or .jsonl."
        )
    with offline(options.offline):
        opened = read_span_bundle(bundle)
        texts = [item for path in inputs for item in read_plain_texts(path, options)]
        answers = find_spans(opened, texts)
    if out is not None:
        write_text(out, WRITERS[out.suffix.lower()](answers))
        n_spans = sum(len(item.spans) for item in answers)
        progress.say(f"{n_spans:,} spans in {len(answers):,} texts: {out}.")
    return answers


def format_csv(answers: Sequence[TextAnswer]) -> str:
    """Return the content of a CSV with one line a span; no cell is run by a spreadsheet.

    Parameters
    ----------
    answers : sequence of TextAnswer
    """
    handle = io.StringIO()
    rows = [
        (answer.text.id, *(item[name] for name in ("start", "end", "label", "text", "probability", "is_sure")))
        for answer in answers
        for item in answer.to_document()["spans"]
    ]
    write_csv_rows(handle, [COLUMNS, *rows])
    return handle.getvalue()


def format_lines(answers: Sequence[TextAnswer]) -> str:
    """Return JSON lines, one object a text.

    Parameters
    ----------
    answers : sequence of TextAnswer
    """
    return "".join(json.dumps(item.to_document(), ensure_ascii=False) + "\n" for item in answers)


WRITERS = {".csv": format_csv, ".jsonl": format_lines, ".json": format_lines}
"""What makes the content of a file, by its ending."""
