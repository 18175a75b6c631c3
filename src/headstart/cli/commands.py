"""The commands: parse, call, print. Everything they do stands in `headstart.flow` and below."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.surface import command, console, existing
from headstart.options import AdaptOptions, CacheOptions, ListOptions, PredictOptions, ReadOptions

Data = Annotated[Path, typer.Argument(help="Folder of images, table of texts or series, or a zip of either.")]
BundlePath = Annotated[Path, typer.Argument(help="A bundle, or the output folder of `adapt`.")]


@command(AdaptOptions)
def adapt(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for report, result and model.")],
    options: AdaptOptions,
) -> Any:
    """Adapt a base model to your labelled data, and say whether it helped."""
    from headstart import flow
    from headstart.cli import show

    found = flow.adapt(existing(data), output, options)
    show.result(found, output)
    return found.model_dump_json(indent=2)


@command(PredictOptions)
def predict(
    bundle: BundlePath,
    inputs: Annotated[list[Path], typer.Argument(help="Files, folders (searched recursively) or tables.")],
    options: PredictOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write (default: standard output).")
    ] = None,
) -> Any:
    """Predict the class of new inputs: one CSV row each."""
    from headstart import flow

    failed = flow.predict(existing(bundle), [existing(path) for path in inputs], output, options)
    for item in failed[:5]:
        console.print(f"Could not be read: {item.reason}", markup=False)
    if len(failed) > 5:
        console.print(f"... and {len(failed) - 5} more; their rows have no label.")
    return {"output": str(output) if output else None, "failed": [vars(item) for item in failed]} if output else None


@command(PredictOptions)
def evaluate(bundle: BundlePath, data: Data, options: PredictOptions) -> Any:
    """Score a bundle on labelled data that it has not seen."""
    from headstart import flow
    from headstart.cli import show

    found = flow.evaluate(existing(bundle), existing(data), options)
    show.evaluation(found)
    return found.model_dump_json(indent=2)


@command(ReadOptions)
def check(data: Data, options: ReadOptions) -> Any:
    """Look for what would spoil training: duplicates, odd labels, corrupt files, too-small classes."""
    from headstart import flow
    from headstart.cli import show

    table, found = flow.check(existing(data), options)
    console.print(f"{len(table)} {table.modality} rows.")
    show.findings(found)
    return {
        "format": 1,
        "modality": table.modality,
        "n_rows": len(table),
        "findings": [item.as_dict() for item in found],
    }


@command(ListOptions)
def bases(options: ListOptions) -> Any:
    """List the base models that come with Headstart."""
    from dataclasses import asdict

    from headstart import flow

    found = flow.bases(options.modality)
    for record, is_default in found:
        mark = f" (default for {record.modality})" if is_default else ""
        console.print(
            f"[bold]{record.name}[/bold]{mark}: {record.summary}; licence {record.licence}; {record.training_data}"
        )
    console.print("Any other: timm:NAME, hf:REPO-OR-FOLDER, file:FOLDER", markup=False)
    return {"format": 1, "bases": [{**asdict(record), "default": is_default} for record, is_default in found]}


@command(CacheOptions)
def cache(options: CacheOptions) -> Any:
    """Show what the feature cache holds, or prune it."""
    from headstart import flow

    folder, kept, removed = flow.cache(options)
    for entry in removed:
        console.print(f"Removed {entry.base}: {entry.n_rows} rows, {entry.size_bytes / 1e6:.1f} MB")
    for entry in kept:
        console.print(f"{entry.base}: {entry.n_rows} rows, {entry.size_bytes / 1e6:.1f} MB ({entry.key[:12]})")
    console.print(f"{sum(entry.size_bytes for entry in kept) / 1e6:.1f} MB in {folder} (HEADSTART_HOME moves it)")
    return {
        "format": 1,
        "folder": str(folder),
        "entries": [vars(item) for item in kept],
        "removed": [vars(i) for i in removed],
    }


@command(AdaptOptions)
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the demo data and the reports.")],
    options: AdaptOptions,
) -> Any:
    """Adapt a model to each of the three small data sets that come with Headstart."""
    from headstart import flow
    from headstart.cli import show

    reports = {}
    for name, (out, found) in flow.demo(output, options).items():
        show.result(found, out)
        reports[name] = str(out / "report.html")
    for path in reports.values():
        console.print(f"Report: {path}", soft_wrap=True)
    return {"format": 1, "reports": reports}
