"""How results look on a terminal: small tables on stderr, nothing computed. Warnings also show with --quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli.surface import console, news
from headstart.records import Finding, Table
from headstart.results import Evaluation, Figure, Metrics, Result


def figure(value: Figure | None) -> str:
    """Write a share as percent with its interval."""
    return "-" if value is None else f"{value.value:.1%} ({value.low:.0%}-{value.high:.0%})"


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def understood(table: Table, counts: Mapping[str, int]) -> None:
    """Show how data was read: its kind, its columns and its classes."""
    columns = ", ".join(f"{role}: '{name}'" for role, name in table.columns.items())
    news.print(escape(f"{len(table)} {table.modality} rows{f' ({columns})' if columns else ''}."))
    named = ", ".join(f"{label}: {n}" for label, n in list(counts.items())[:20])
    if counts:
        more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
        news.print(escape(f"{_counted(len(counts), 'class', 'classes')} ({named}{more})."))


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
    news.print(grid)
    for skipped in found.skipped:
        news.print(f"{skipped.name} was not tried: {escape(skipped.reason)}")
    news.print(f"[bold]{escape(found.verdict.sentence)}[/bold]")
    for column in found.groups:
        news.print(f"{escape(column.column)}: {escape(column.reading)}")
    if found.set_aside:
        news.print(f"{_counted(len(found.set_aside), 'input was', 'inputs were')} set aside; the report names them.")
    news.print(f"Report: {escape(str(out / 'report.html'))}   Model: {escape(str(out / 'bundle'))}")


def metrics(found: Metrics) -> None:
    """Show the headline figures."""
    news.print(
        f"{_counted(found.n_rows, 'row', 'rows')}: accuracy {figure(found.accuracy)}, macro-F1 {figure(found.macro_f1)}"
    )
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("class", "rows", "recall", "precision"):
        grid.add_column(name)
    for item in found.per_class:
        grid.add_row(escape(item.label), str(item.support), figure(item.recall), figure(item.precision))
    news.print(grid)


def evaluation(found: Evaluation) -> None:
    """Show how a bundle did on new data."""
    metrics(found.metrics)
    for column in found.groups:
        news.print(f"{escape(column.column)}: {escape(column.reading)}")
    for label, n_rows in found.unknown_labels.items():
        was = _counted(n_rows, "row", "rows")
        console.print(f"Left out: {was} with the label '{escape(label)}', which the model does not know.")
    for item in found.set_aside[:5]:
        console.print(f"Set aside: {escape(item.id)}: {escape(item.reason)}")
    if len(found.set_aside) > 5:
        console.print(f"... and {len(found.set_aside) - 5} more.")


def unread(failed: Sequence[Mapping[str, str]]) -> None:
    """Show which inputs could not be predicted."""
    for item in failed[:5]:
        console.print(f"Could not be read: {escape(item['id'])}: {escape(item['reason'])}")
    if len(failed) > 5:
        console.print(f"... and {len(failed) - 5} more; their rows have no label.")


def findings(found: Sequence[Finding]) -> None:
    """Show what was noticed about data."""
    colours = {"stop": "red", "warn": "yellow", "note": "default"}
    if not found:
        news.print("Nothing to remark.")
    for item in found:
        out = news if item.severity == "note" else console
        out.print(f"[{colours[item.severity]}]{item.severity}[/] [bold]{item.kind}[/bold] {escape(item.summary)}")
        shown = ", ".join(item.rows[:5])
        if shown:
            out.print(f"     rows: {escape(shown)}{' ...' if len(item.rows) > 5 else ''}")
        out.print(f"     {escape(item.advice)}")


def ranking(document: Mapping[str, Any]) -> None:
    """Show base models in order, best first, and why."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("base", "probe", "rows", "LogME", "H-score", "5-NN", "MB", "licence", "s"):
        grid.add_column(name, overflow="fold", no_wrap=name not in ("base", "licence"))
    for row in document["ranking"]:
        name = escape(row["label"]) + (" (tie)" if row["tie"] else "")
        grid.add_row(
            f"[bold]{name}[/]" if row["taken"] else name,
            figure(Figure(**row["probe"])), str(row["n_rows"]), f"{row['logme']:.2f}", f"{row['hscore']:.1f}",
            f"{row['knn']:.0%}", f"{row['size_bytes'] / 1e6:.0f}", escape(row["licence"]), f"{row['seconds']:.0f}",
        )  # fmt: skip
    news.print(grid)
    for row in document["ranking"]:
        if row["unknown_share"] is not None:
            cut = f"{row['unknown_share']:.1%} unknown tokens, {row['pieces_per_word']:.1f} pieces a word"
            news.print(f"{escape(row['label'])}: {cut}")
    for item in document["left_out"]:
        news.print(f"Left out: {escape(item['base'])}: {escape(item['reason'])}")
    news.print(f"[bold]{escape(document['why'])}[/bold]")
