"""How results look on a terminal: small tables on stderr, nothing computed."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli.surface import console
from headstart.records import Finding
from headstart.results import Evaluation, Figure, Metrics, Result


def figure(value: Figure | None) -> str:
    """Write a share as percent with its interval."""
    return "-" if value is None else f"{value.value:.1%} ({value.low:.0%}-{value.high:.0%})"


def result(found: Result, out: Path) -> None:
    """Show what a run found and where it lies."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("strategy", "accuracy on test", "macro-F1", "seconds"):
        grid.add_column(name)
    for item in found.strategies:
        mark = "[bold]" if item.name == found.chosen else ""
        test = item.test
        grid.add_row(
            f"{mark}{item.name}{' (chosen)' if mark else ''}", figure(test.accuracy if test else None),
            figure(test.macro_f1 if test else None), f"{item.seconds:.1f}",
        )  # fmt: skip
    console.print(grid)
    for skipped in found.skipped:
        console.print(f"{skipped.name} was not tried: {escape(skipped.reason)}")
    console.print(f"[bold]{escape(found.verdict.sentence)}[/bold]")
    if found.set_aside:
        console.print(f"{len(found.set_aside)} inputs were set aside; the report names them.")
    console.print(f"Report: {escape(str(out / 'report.html'))}   Model: {escape(str(out / 'bundle'))}")


def metrics(found: Metrics) -> None:
    """Show the headline figures."""
    console.print(f"{found.n_rows} rows: accuracy {figure(found.accuracy)}, macro-F1 {figure(found.macro_f1)}")
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("class", "rows", "recall", "precision"):
        grid.add_column(name)
    for item in found.per_class:
        grid.add_row(escape(item.label), str(item.support), figure(item.recall), figure(item.precision))
    console.print(grid)


def evaluation(found: Evaluation) -> None:
    """Show how a bundle did on new data."""
    metrics(found.metrics)
    for label, n_rows in found.unknown_labels.items():
        console.print(f"{n_rows} rows with the label '{escape(label)}', which the model does not know, were left out.")
    for item in found.set_aside[:5]:
        console.print(f"Set aside: {escape(item.reason)}")


def findings(found: tuple[Finding, ...]) -> None:
    """Show what was noticed about data."""
    colours = {"stop": "red", "warn": "yellow", "note": "default"}
    if not found:
        console.print("Nothing to remark.")
    for item in found:
        console.print(f"[{colours[item.severity]}]{item.severity}[/] [bold]{item.kind}[/bold] {escape(item.summary)}")
        shown = ", ".join(item.rows[:5])
        if shown:
            console.print(f"     rows: {escape(shown)}{' ...' if len(item.rows) > 5 else ''}")
        console.print(f"     {escape(item.advice)}")
