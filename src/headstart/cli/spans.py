"""Texts with spans on the command line: what `adapt`, `predict` and `check` do with them, and `redact`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.surface import command, console, news, require_data
from headstart.errors import OptionError
from headstart.options import AdaptOptions, CheckOptions, EvaluateOptions, PredictOptions, RedactOptions, ServeOptions

if TYPE_CHECKING:
    from headstart.flow.spans.predict import TextAnswer


def adapt_spans(data: Path, output: Path | None, options: AdaptOptions) -> Any:
    """Adapt to texts with spans and show what came out."""
    from headstart import flow
    from headstart.report import choose_language, use_language
    from headstart.report.spans import describe_span_quality, describe_span_verdict

    written = flow.adapt_spans(data, output, options)
    with use_language(choose_language(options.language)):
        news.print(escape(describe_span_quality(written.result)), soft_wrap=True)
        news.print(escape(describe_span_verdict(written.result)), soft_wrap=True)
    news.print(escape(f"{written.folder / 'report.md'}, {written.folder / 'bundle'}"), soft_wrap=True)
    return written.result.model_dump_json(indent=2)


def predict_spans(
    bundle: Path, inputs: Sequence[Path], output: Path | None, options: PredictOptions, *, as_json: bool
) -> Any:
    """Find spans; without an output file and without --json they are shown as CSV."""
    from headstart import flow

    answers: Sequence[TextAnswer] = flow.predict_spans(bundle, inputs, output, options)
    if output is None and not as_json:
        typer.echo(flow.format_spans(answers), nl=False)
    return {
        "format": 1,
        "output": None if output is None else str(output),
        "n_rows": len(answers),
        "predictions": [item.to_document() for item in answers],
    }


def check_spans(data: Path, options: CheckOptions) -> Any:
    """Show what is doubtful in the marks of texts."""
    from headstart import flow
    from headstart.results.spans import SPAN_NOTICES

    source = flow.read_span_data(data, options.encoding)
    marked = [item for item in source.texts if item.is_labelled]
    kinds = {kind: sum(span.kind == kind for item in marked for span in item.spans) for kind in source.list_kinds()}
    counted = ", ".join(f"{kind} {n:,}" for kind, n in kinds.items())
    news.print(escape(f"{len(source.texts):,} texts ({source.form}), spans: {counted}."), soft_wrap=True)
    for item in source.notices:
        console.print(escape(f"{item.n:,} x {SPAN_NOTICES[item.code]} First: {item.first}"), soft_wrap=True)
    return {
        "format": 1,
        "modality": "text",
        "task": "spans",
        "form": source.form,
        "n_rows": len(source.texts),
        "kind_counts": kinds,
        "findings": [vars(item) for item in source.notices],
    }


def evaluate_spans(bundle: Path, data: Path, output: Path | None, options: EvaluateOptions) -> Any:
    """Score a model of spans on marked texts."""
    from headstart import flow
    from headstart.home import write_text

    evaluation = flow.evaluate_spans(bundle, data, options)
    document: str = evaluation.model_dump_json(indent=2)
    if output is not None:
        write_text(output, document)
    figure, metrics = evaluation.metrics.span_f1, evaluation.metrics
    news.print(
        f"Span F1 {figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f}) on {evaluation.n_texts:,} texts; "
        f"precision {metrics.precision:.3f}, recall {metrics.recall:.3f}."
    )
    return document


def verify_spans(bundle: Path) -> Any:
    """Check that no file of a bundle of spans was changed, and that it can be opened."""
    from headstart import flow

    flow.open_span_answers(bundle)
    news.print(escape(f"{bundle}: every file is the one that was written."), soft_wrap=True)
    return {"format": 1, "bundle": str(flow.find_span_bundle(bundle)), "passes": True}


def serve_spans(bundles: Sequence[Path], options: ServeOptions) -> Any:
    """Serve one model of spans."""
    from headstart.web import spans

    if len(bundles) > 1:
        raise OptionError("A model of spans is served alone.", "Start one server for each.")
    return spans.serve_spans(bundles[0], options)


@command(RedactOptions)
def redact(
    data: Annotated[Path, typer.Argument(help="Texts: a table, .txt with one a line, JSONL, or marked texts.")],
    options: RedactOptions,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write: .jsonl or .txt.")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Bundle of spans that finds names, places and other kinds.")
    ] = None,
) -> Any:
    """Take personal data out of texts, by rules and a model of yours. It is no guarantee."""
    from headstart import flow
    from headstart.report.redacting import describe_redaction

    redaction = flow.redact(require_data(data), output, model, options)
    for line in describe_redaction(
        redaction.counts, redaction.recall, redaction.n_marked_texts, redaction.n_overlooked
    ):
        console.print(escape(line), soft_wrap=True)
    return {
        "format": 1,
        "output": None if output is None else str(output),
        "counts": redaction.counts,
        "recall": None if redaction.recall is None else vars(redaction.recall),
        "n_marked_texts": redaction.n_marked_texts,
        "n_overlooked": redaction.n_overlooked,
        "texts": [{"id": item.id, "text": item.text} for item in redaction.texts],
    }
