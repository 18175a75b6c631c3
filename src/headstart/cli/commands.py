"""The commands: parse, call, print. The work is done by `headstart.flow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli import spans
from headstart.cli.asking import Yes, fetch_missing_bases
from headstart.cli.surface import (
    CommandStopped,
    choose_model,
    command,
    news,
    require_data,
    require_model,
    require_path,
    require_two_models,
)
from headstart.errors import NothingRead, OptionError, make_nothing_read
from headstart.options import (
    AdaptOptions,
    BasesOptions,
    CacheOptions,
    CheckOptions,
    CompareOptions,
    EvaluateOptions,
    ExplainOptions,
    LabelNextOptions,
    PredictFileOptions,
    ReportOptions,
    ServeOptions,
)

Data = Annotated[Path, typer.Argument(help="Folder of images, table of texts or series, or a zip of either.")]
BundlePath = Annotated[
    Path, typer.Argument(help="A bundle, the output folder of `adapt`, or a project (its model in use).")
]


@command(AdaptOptions)
def adapt(
    data: Data,
    options: AdaptOptions,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for report, result and model (of a project: default models/N)."),
    ] = None,
    yes: Yes = False,
) -> Any:
    """Adapt a base model to your labelled data, and report whether it helped."""
    from headstart import flow
    from headstart.cli import show

    require_data(data)
    fetch_missing_bases([options.base], options.offline, yes)
    if flow.is_span_source(data, options.task):
        return spans.adapt_spans(data, output, options)
    written = flow.adapt_source(data, output, options)
    show.show_result(written.result, written.folder)
    return written.result.model_dump_json(indent=2)


@command(PredictFileOptions)
def predict(
    bundle: BundlePath,
    inputs: Annotated[list[Path], typer.Argument(help="Files, folders (searched recursively) or tables.")],
    options: PredictFileOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write: .csv, or .xlsx for Excel (default: a CSV on standard output)."
        ),
    ] = None,
    as_json: bool = False,
) -> Any:
    """Predict new inputs: a table with one row each."""
    from headstart import flow

    if flow.find_span_bundle(bundle) is not None:
        return spans.predict_spans(bundle, [require_data(path) for path in inputs], output, options, as_json=as_json)
    bundle = require_model("predict", bundle, *inputs)
    paths = [require_data(path) for path in inputs]
    if as_json and output is None and options.sort_into is None:
        answers = flow.predictions(bundle, paths, options)
        failed = [{"id": item["input"], "reason": item["reason"]} for item in answers if item["answer"] is None]
        document: dict[str, Any] = {
            "format": 1,
            "output": None,
            "n_rows": len(answers),
            "predictions": answers,
            "failed": failed,
        }
        _show_unreadable_inputs(failed)
        if len(failed) == len(answers):
            error = make_nothing_read(failed)
            raise CommandStopped(error.problem, error.hint, document)
        return document
    try:
        failed = [vars(item) for item in flow.predict(bundle, paths, output, options)]
    except NothingRead as error:
        _show_unreadable_inputs(error.failed)
        document = {"format": 1, "output": str(output), "failed": list(map(dict, error.failed))}
        raise CommandStopped(error.problem, error.hint, document) from error
    _show_unreadable_inputs(failed)
    return {"format": 1, "output": str(output), "failed": failed}


def _show_unreadable_inputs(failed: Sequence[Mapping[str, str]]) -> None:
    """Show which inputs could not be predicted, if any: what shows reports is not imported for nothing."""
    if failed:
        from headstart.cli import show

        show.show_unreadable_inputs(failed)


@command(EvaluateOptions)
def evaluate(
    bundle: BundlePath,
    data: Data,
    options: EvaluateOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON to write: the document that --json prints.")
    ] = None,
) -> Any:
    """Score a bundle on new data, with or without labels, and compare it with the test rows of training."""
    from headstart import flow
    from headstart.cli import show
    from headstart.home import write_text

    if flow.find_span_bundle(bundle) is not None:
        return spans.evaluate_spans(bundle, require_data(data), output, options)
    evaluation = flow.evaluate(
        require_model("evaluate", bundle, data), require_data(data), options, options.recalibrate
    )
    if output is not None:
        write_text(output, evaluation.model_dump_json(indent=2))
    show.show_evaluation(evaluation)
    return evaluation.model_dump_json(indent=2)


@command(CompareOptions)
def compare(
    old: BundlePath,
    new: BundlePath,
    options: CompareOptions,
    data: Annotated[
        Path | None,
        typer.Argument(help="Labelled data that neither learnt from (default: the test rows that both runs stored)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write: the rows on which one of the two is better.")
    ] = None,
) -> Any:
    """Compare two models on the same labelled data, or on the test rows that both runs stored."""
    from headstart import flow
    from headstart.cli import show

    if data is None:
        changes = flow.compare_runs(require_model("compare", old), require_model("compare", new), output)
        show.show_run_changes(changes)
        return changes.as_dict()
    require_two_models(old, new, data)
    comparison = flow.compare(old, new, data, out=output, options=options)
    show.show_comparison(comparison)
    return comparison.model_dump_json(indent=2)


@command(ExplainOptions)
def explain(
    bundle: BundlePath,
    inputs: Annotated[list[Path], typer.Argument(help="Files, folders (searched recursively) or tables.")],
    options: ExplainOptions,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML page to write.")] = None,
    as_json: bool = False,
) -> Any:
    """Show which parts of an input the answer depends on, and which training rows are similar."""
    from headstart import flow
    from headstart.cli import show

    if output is None and not as_json:
        raise OptionError("No file was given for the page.", "Name one with -o, such as -o explained.html.")
    document = flow.explain(
        require_model("explain", bundle, *inputs), [require_data(path) for path in inputs], output, options
    )
    show.show_explanations(document)
    return document


@command(LabelNextOptions)
def label_next(
    bundle: BundlePath,
    unlabelled: Annotated[Path, typer.Argument(help="Unlabelled rows: a folder, a table, a zip.")],
    options: LabelNextOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Table to write. Fill in its label column and adapt again.")
    ] = None,
    as_json: bool = False,
) -> Any:
    """Write a table of the unlabelled rows that are most worth a label, to be filled in."""
    from headstart import flow
    from headstart.cli import show

    if output is None and not as_json:
        raise OptionError("No file was given for the table.", "Name one with -o, such as -o to_label.csv.")
    document = flow.label_next(
        require_model("label-next", bundle, unlabelled), require_data(unlabelled), output, options
    )
    show.show_rows_to_label(document)
    return document


@command(CheckOptions)
def check(data: Data, options: CheckOptions, yes: Yes = False) -> Any:
    """Check data for problems: copies, shortcuts, wrong labels, corrupt files, classes that are too small."""
    from headstart import flow
    from headstart.cli import show
    from headstart.data.summary import summarise_inputs

    require_data(data)
    if flow.is_span_source(data, options.task):
        return spans.check_spans(data, options)
    fetch_missing_bases([options.base], options.offline or options.deep == "off", yes)
    table, findings = flow.check(data, options)
    stops = [item for item in findings if item.severity == "stop"]
    counts = flow.count_labels(table)
    summary = summarise_inputs(table, options.group)
    show.show_inputs(table, counts, summary)
    show.show_check(findings, data, options)
    document = {
        "format": 1,
        "modality": table.modality,
        "task": table.task,
        "n_rows": len(table),
        "columns": dict(table.columns),
        "inputs": summary.as_dict(),
        "class_counts": counts,
        "findings": [item.as_dict() for item in findings],
        "set_aside": [vars(item) for item in table.set_aside],
    }
    if stops:
        hints = dict.fromkeys(item.advice for item in stops)
        raise CommandStopped(" ".join(item.summary for item in stops), " ".join(hints), document)
    return document


@command(ReportOptions)
def report(
    run: Annotated[Path, typer.Argument(help="The output folder of `adapt`, or its result.json.")],
    options: ReportOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write into, or an .html file for the page alone (default: folder of the run).",
        ),
    ] = None,
) -> Any:
    """Write the report and the model card of a finished run again, for example in another language."""
    from headstart import flow

    document = flow.report(require_path(run), output, options)
    card = f"   Model card: {document['card']}" if document["card"] else ""
    news.print(f"Report: {document['report']}{card}", markup=False, soft_wrap=True)
    return document


@command(BasesOptions)
def bases(options: BasesOptions, yes: Yes = False) -> Any:
    """List the base models that Headstart knows by name, or rank base models for your data (--for)."""
    from headstart import flow
    from headstart.cli.ranking import rank_for_data
    from headstart.cli.show_bases import show_bases

    if options.for_ is not None:
        return rank_for_data(options, yes)
    if needs_data := [name for name in ("candidate", "fetch", "domain") if getattr(options, name)]:
        raise OptionError(
            f"--{needs_data[0]} needs data to rank the base models on.", "Name your labelled data with --for DATA."
        )
    listed = flow.list_bases(options.modality)
    show_bases(listed)
    return {"format": 1, "bases": [item.to_document() for item in listed]}


@command(CacheOptions)
def cache(options: CacheOptions) -> Any:
    """Show the contents of the feature cache, or prune it."""
    from headstart import flow

    folder, entries, removed = flow.list_cache(options)
    for entry in removed:
        news.print(f"Removed {entry.base}: {entry.n_rows} rows, {entry.size_bytes / 1e6:.1f} MB")
    for entry in entries:
        origin = "" if entry.is_current else "; of another version, not read: --prune removes it"
        news.print(f"{entry.base}: {entry.n_rows} rows, {entry.size_bytes / 1e6:.1f} MB ({entry.key[:12]}){origin}")
    news.print(f"{sum(entry.size_bytes for entry in entries) / 1e6:.1f} MB in {folder} (HEADSTART_HOME moves it)")
    return {
        "format": 1,
        "folder": str(folder),
        "entries": [vars(item) for item in entries],
        "removed": [vars(i) for i in removed],
    }


@command(ServeOptions)
def serve(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles, or output folders of `adapt`.")],
    options: ServeOptions,
) -> Any:
    """Serve models over HTTP, for programs and as a page for people."""
    from headstart import flow, web

    if any(flow.find_span_bundle(path) for path in bundles):
        return spans.serve_spans(bundles, options)
    return web.serve([choose_model(require_path(path)) for path in bundles], options)


@command(AdaptOptions)
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the demo data and the reports.")],
    options: AdaptOptions,
) -> Any:
    """Adapt a model to each of the three small data sets that come with Headstart."""
    from headstart import flow
    from headstart.cli import show

    reports = {}
    for name, (out, run_result) in flow.run_demo(output, options).items():
        show.show_result(run_result, out)
        reports[name] = str(out / "report.html")
    for path in reports.values():
        news.print(f"Report: {path}", soft_wrap=True)
    return {"format": 1, "reports": reports}
