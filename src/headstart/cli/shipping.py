"""The commands that carry a model to other machines: check a bundle, write it in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli.commands import BundlePath
from headstart.cli.surface import Stopped, command, existing, news
from headstart.errors import offenders
from headstart.options import ExportOptions, VerifyOptions

if TYPE_CHECKING:
    from headstart.bundle.verification import Verified


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
    """Write a model for other machines, only if it answers there as it does here."""
    from headstart import flow

    document = flow.export(existing(bundle), output, options)
    _compared(document)
    if document["written"] is None:
        raise Stopped(
            f"Nothing was written. {document['reason']}.", "Use the bundle as it is, or allow more with --max-drop.",
            document, REFUSED,
        )  # fmt: skip
    _tell(f"Written: {document['written']} ({document['method']})")
    return document


def _compared(document: dict[str, Any]) -> None:
    """Show what was measured of each form, then by class and group."""
    forms = [document["reference"], *document["tried"]]
    columns = ("same labels", "largest difference", "right", "calibration error", "MB", "ms a row")
    grid = Grid("form", *columns, title=escape(f"{document['n_rows']:,} rows: {document['rows']}"))
    for form in forms:
        if "failed" in form:
            grid.add_row(form["form"], escape(f"failed: {form['failed']}"))
            continue
        grid.add_row(
            form["form"], _percent(form["same_labels"]), f"{form['max_difference']:.2g}",
            _percent(form["accuracy"] if document["labelled"] else None), _percent(form["calibration_error"]),
            f"{form['size_bytes'] / 1e6:.1f}" if "size_bytes" in form else "-", f"{form.get('ms_a_row', '-')}",
        )  # fmt: skip
    news.print(grid)
    parts = Grid("rows of", "rows", *(form["form"] for form in forms if "failed" not in form))
    measured = [form for form in forms if "failed" not in form]
    for name, found in measured[0]["by_class"].items():
        shares = (_percent(form["by_class"][name]["share"]) for form in measured)
        parts.add_row(escape(name), str(found["n_rows"]), *shares)
    for column, groups in measured[0]["by_group"].items():
        for name, found in groups.items():
            shares = (_percent(form["by_group"][column][name]["share"]) for form in measured)
            parts.add_row(escape(f"{column} {name}"), str(found["n_rows"]), *shares)
    if 0 < parts.row_count <= SHOWN_ROWS:
        news.print(parts)


SHOWN_ROWS = 40
"""With more classes and groups their shares are in the JSON document only."""


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


@command(VerifyOptions)
def verify(bundle: BundlePath, options: VerifyOptions) -> Any:
    """Check that no file of a bundle was changed, and that it answers here as where it was made."""
    from headstart import flow

    found = flow.verify(existing(bundle))
    document = _verified(found)
    if found.decided_otherwise:
        raise Stopped(
            f"The stored decisions of {found.folder} answer {len(found.decided_otherwise)} golden rows otherwise than "
            f"the model did in memory (first: row {found.decided_otherwise[0]}).",
            "Do not use it: adapt again.",
            document,
        )
    if not found.good and found.golden is not None:
        raise Stopped(
            f"{found.folder} answers differently on this machine: {found.golden.told()}.",
            "Update onnxruntime, or use the model where it answers as it did.",
            document,
        )
    return document


def _tell(text: str) -> None:
    news.print(text, markup=False, soft_wrap=True)


def _verified(found: Verified) -> dict[str, Any]:
    """Show what checking a bundle found; gives it as a document."""
    _tell(f"{found.n_files} files of {found.folder} are as they were written (format {found.format}).")
    if found.unlisted:
        _tell(f"Not part of the bundle and never read: {offenders(list(found.unlisted))}.")
    _tell(f"Golden rows: {found.golden.told()}." if found.golden else f"Nothing was replayed: {found.without}.")
    return {
        "format": 1, "bundle": str(found.folder), "bundle_format": found.format, "n_files": found.n_files,
        "unlisted": list(found.unlisted), "golden": vars(found.golden) if found.golden else None,
        "decided_otherwise": list(found.decided_otherwise), "without": found.without or None, "good": found.good,
    }  # fmt: skip
