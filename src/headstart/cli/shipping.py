"""The commands that carry a model to other machines: check a bundle, write it in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli import spans
from headstart.cli.commands import BundlePath
from headstart.cli.surface import CommandStopped, choose_model, command, news, require_path
from headstart.errors import list_offenders
from headstart.options import ExportOptions, VerifyOptions
from headstart.report.sentences.data_inside import describe_data_inside

if TYPE_CHECKING:
    from headstart.bundle.verification import BundleVerification


REFUSED = 4
"""Exit code of an export that did not pass: nothing was written."""


@command(ExportOptions)
def export(
    bundle: BundlePath,
    options: ExportOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write (default: beside the bundle).")
    ] = None,
) -> Any:
    """Write a model for other machines, if its answers there are the same."""
    from headstart import flow

    if flow.find_span_bundle(bundle) is not None:
        document = flow.export_spans(bundle, output, options)
        _print_text(f"Written: {document['written']}")
        return document
    document = flow.export(choose_model(require_path(bundle)), output, options)
    if "tried" in document:
        _show_export_forms(document)
    else:
        _show_head(document)
    if document["written"] is None:
        raise CommandStopped(
            f"Nothing was written. {document['reason']}.", "Use the bundle as it is, or allow more with --max-drop.",
            document, REFUSED,
        )  # fmt: skip
    _print_text(f"Written: {document['written']} ({document['method']})")
    _print_text("Inside of your data (no whole text, photo or recording):")
    for clause in describe_data_inside({item["code"]: item["n"] for item in document["data_inside"]}):
        _print_text(f"- {clause}")
    if document.get("page"):
        _print_text(
            f"Open it here: python -m http.server --directory {document['written']}, then http://localhost:8000 in a "
            "browser. (A double click on index.html cannot work: browsers forbid it.)"
        )
        _print_text(
            "For phones: copy the folder to any web server with https://. Once the page says that it is ready for use "
            "without network, it needs none. Or answer from this computer: headstart serve BUNDLE --phone."
        )
    return document


def _show_head(document: dict[str, Any]) -> None:
    """Show what was compared, and what the head needs where it goes."""
    base = document["base"]
    _print_text(f"The same answers as the whole bundle on {document['n_rows']:,} {document['rows']}.")
    _print_text(
        f"{document['size_bytes'] / 1e3:,.0f} kB; it reads the base model {base['name']} "
        f"({base['size_bytes'] / 1e6:,.0f} MB), which has to be where it is used."
    )


def _show_export_forms(document: dict[str, Any]) -> None:
    """Show what was measured of each form, then by class and group."""
    forms = [document["reference"], *document["tried"]]
    columns = ("same labels", "largest difference", "right", "calibration error", "MB", "ms a row")
    grid = Grid("form", *columns, title=escape(f"{document['n_rows']:,} rows: {document['rows']}"))
    for form in forms:
        if "failed" in form:
            grid.add_row(form["form"], escape(f"failed: {form['failed']}"))
            continue
        grid.add_row(
            form["form"], _format_percent(form["same_labels"]), f"{form['max_difference']:.2g}",
            _format_percent(form["accuracy"] if document["labelled"] else None),
            _format_percent(form["calibration_error"]),
            f"{form['size_bytes'] / 1e6:.1f}" if "size_bytes" in form else "-", f"{form.get('ms_a_row', '-')}",
        )  # fmt: skip
    news.print(grid)
    parts = Grid("rows of", "rows", *(form["form"] for form in forms if "failed" not in form))
    measured = [form for form in forms if "failed" not in form]
    for name, figures in measured[0]["by_class"].items():
        percents = (_format_percent(form["by_class"][name]["share"]) for form in measured)
        parts.add_row(escape(name), str(figures["n_rows"]), *percents)
    for column, groups in measured[0]["by_group"].items():
        for name, figures in groups.items():
            percents = (_format_percent(form["by_group"][column][name]["share"]) for form in measured)
            parts.add_row(escape(f"{column} {name}"), str(figures["n_rows"]), *percents)
    if 0 < parts.row_count <= SHOWN_ROWS:
        news.print(parts)


SHOWN_ROWS = 40
"""With more classes and groups, their figures are in the JSON document only."""


def _format_percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


@command(VerifyOptions)
def verify(bundle: BundlePath, options: VerifyOptions) -> Any:
    """Check that no file of a bundle was changed, and that its answers are the same on this machine."""
    from headstart import flow

    if flow.find_span_bundle(bundle) is not None:
        return spans.verify_spans(bundle)
    verification = flow.verify(require_path(bundle))
    document = _show_verification(verification)
    if verification.decided_otherwise:
        raise CommandStopped(
            f"The stored decisions of {verification.folder} answer {len(verification.decided_otherwise)} "
            f"golden rows differently than the model in memory (first: row {verification.decided_otherwise[0]}).",
            "Do not use it: adapt again.",
            document,
        )
    if not verification.passes and verification.golden is not None:
        raise CommandStopped(
            f"{verification.folder} answers differently on this machine: {verification.golden.describe()}.",
            "Update onnxruntime, or use the model on the machine where it was made.",
            document,
        )
    return document


def _print_text(text: str) -> None:
    news.print(text, markup=False, soft_wrap=True)


def _show_verification(verification: BundleVerification) -> dict[str, Any]:
    """Show what checking a bundle found; gives it as a document."""
    folder = verification.folder
    _print_text(f"{verification.n_files} files of {folder} are as they were written (format {verification.format}).")
    if verification.unlisted:
        _print_text(f"Not part of the bundle and never read: {list_offenders(list(verification.unlisted))}.")
    _print_text(
        f"Golden rows: {verification.golden.describe()}."
        if verification.golden
        else f"Nothing was replayed: {verification.without}."
    )
    return {
        "format": 1, "bundle": str(folder), "bundle_format": verification.format,
        "n_files": verification.n_files,
        "unlisted": list(verification.unlisted), "golden": vars(verification.golden) if verification.golden else None,
        "decided_otherwise": list(verification.decided_otherwise), "without": verification.without or None,
        "good": verification.passes,
    }  # fmt: skip
