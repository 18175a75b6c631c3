"""How results look on a terminal: small tables on stderr, nothing computed. Warnings also show with --quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli.surface import console, news
from headstart.data.summary import InputSummary
from headstart.evaluation.wording import format_amount
from headstart.records import Finding, Table
from headstart.report.kinds import TASK_WORDINGS
from headstart.report.understood import describe_inputs
from headstart.results import AnyMetrics, Comparison, Evaluation, Figure, Result

NOT_MEASURED = "not measured"


def figure(value: Figure | None) -> str:
    """Write a share as percent with its interval."""
    return NOT_MEASURED if value is None else f"{value.value:.1%} ({value.low:.0%}-{value.high:.0%})"


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def number(value: Figure | None) -> str:
    """Write a number with its interval."""
    return NOT_MEASURED if value is None else f"{format_amount(value.value)} ({_range(value)})"


def _range(value: Figure) -> str:
    """Return the ends of an interval; an interval without width comes from one independent row and tells nothing."""
    if value.low == value.high:
        return "cannot tell"
    return f"{format_amount(value.low)} to {format_amount(value.high)}"


def _field(name: str, written: Callable[[Figure | None], str] = figure) -> Callable[[AnyMetrics], str]:
    return lambda found: written(getattr(found, name))


Shown = tuple[str, Callable[[AnyMetrics], str]]
_ACCURACY, _MACRO_F1 = ("accuracy", _field("accuracy")), ("macro-F1", _field("macro_f1"))
_SHOWN: dict[str, tuple[Shown, Shown]] = {
    "classification": (_ACCURACY, _MACRO_F1),
    "ordinal": (_ACCURACY, ("quadratic kappa", _field("quadratic_kappa", number))),
    "multi-label": (_MACRO_F1, ("micro-F1", _field("micro_f1"))),
    "regression": (("mean absolute error", _field("mean_absolute_error", number)), ("R2", _field("r2", number))),
}
"""The two figures that people see first, for each kind of task."""


def understood(table: Table, counts: Mapping[str, int], summary: InputSummary) -> None:
    """Show how data was read: its kind, its columns and its classes."""
    columns = ", ".join(f"{role}: '{name}'" for role, name in table.columns.items() if not role.startswith("label "))
    news.print(escape(f"{len(table)} {table.modality} rows{f' ({columns})' if columns else ''}."))
    for line in describe_inputs(summary):
        news.print(escape(line), soft_wrap=True)
    named = ", ".join(f"{label}: {n}" for label, n in list(counts.items())[:20])
    if counts:
        more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
        one, many = ("label", "labels") if table.task == "multi-label" else ("class", "classes")
        news.print(escape(f"{_counted(len(counts), one, many)} ({named}{more})."))


def result(found: Result, out: Path) -> None:
    """Show what a run found and where it lies."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    (first, of_first), (second, of_second) = _SHOWN[found.task]
    is_tested = any(item.test for item in found.strategies)
    figures = (
        (f"{first} on test", f"{second} on test") if is_tested else ("score by cross-validation, not on test rows",)
    )
    for name in ("strategy", *figures, "seconds"):
        grid.add_column(name)
    for item in found.strategies:
        mark = "[bold]" if item.name == found.chosen else ""
        cells: tuple[str, ...] = (of_first(item.test), of_second(item.test)) if item.test else (NOT_MEASURED,) * 2
        if not is_tested:
            cells = (NOT_MEASURED if item.cross_validation is None else f"{item.cross_validation:.3f}",)
        grid.add_row(f"{mark}{item.name}{' (chosen)' if mark else ''}", *cells, f"{item.seconds:.1f}")
    news.print(grid)
    if not is_tested:
        news.print(f"The score is the {TASK_WORDINGS[found.task].validated}.")
    for skipped in found.skipped:
        news.print(f"{skipped.name} was not tried: {escape(skipped.reason)}")
    news.print(f"[bold]{escape(found.verdict.sentence)}[/bold]")
    if "cross_validation" in found.not_measured:
        news.print(f"Cross-validation: {escape(found.not_measured['cross_validation'])}")
    for column in found.groups:
        news.print(f"{escape(column.column)}: {escape(column.reading)}")
    if found.learning_curve:
        news.print(escape(found.learning_curve.sentence))
    if found.set_aside:
        news.print(f"{_counted(len(found.set_aside), 'input was', 'inputs were')} set aside; the report names them.")
    news.print(f"Report: {escape(str(out / 'report.html'))}   Model: {escape(str(out / 'bundle'))}")


def metrics(found: AnyMetrics, task: str) -> None:
    """Show the headline figures, and those of each class or label."""
    told = ", ".join(f"{name} {of(found)}" for name, of in _SHOWN[task])
    news.print(f"{_counted(found.n_rows, 'row', 'rows')}: {told}")
    parts = getattr(found, "per_class", None) or getattr(found, "per_label", None)
    if not parts:
        return
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("label" if task == "multi-label" else "class", "rows", "recall", "precision"):
        grid.add_column(name)
    for item in parts:
        grid.add_row(escape(item.label), str(item.support), figure(item.recall), figure(item.precision))
    news.print(grid)


def evaluation(found: Evaluation) -> None:
    """Show how a bundle did on new data."""
    if found.metrics is None:
        news.print(f"{_counted(found.n_rows, 'row', 'rows')} without labels.")
    else:
        metrics(found.metrics, found.task)
    _context(found)
    for column in found.groups:
        news.print(f"{escape(column.column)}: {escape(column.reading)}")
    for label, n_rows in found.unknown_labels.items():
        was = _counted(n_rows, "row", "rows")
        console.print(f"Left out: {was} with the label '{escape(label)}', which the model does not know.")
    for item in found.set_aside[:5]:
        console.print(f"Set aside: {escape(item.id)}: {escape(item.reason)}")
    if len(found.set_aside) > 5:
        console.print(f"... and {len(found.set_aside) - 5} more.")


_FIGURES = {
    "label": "given an answer",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "log_loss": "log-loss",
    "r2": "R²",
}
"""What figures are called where that is not their field in words."""


def _context(found: Evaluation) -> None:
    """Show what differs from the place where the model was made, and what to do."""
    if found.beside_training:
        grid = Grid(box=None, header_style="bold", pad_edge=False)
        for name in ("", "here", "test rows of training", "difference"):
            grid.add_column(name)
        for row in found.beside_training:
            grid.add_row(
                _FIGURES.get(row.name, row.name.replace("_", " ")),
                number(row.here),
                number(row.there),
                number(row.difference),
            )
        news.print(grid)
    elif found.shares:
        news.print("Answers: " + ", ".join(f"{name} {figure(share)}" for name, share in found.shares.items()))
    told = [item.reading for item in (found.calibration, found.conformal, found.prior_shift, found.drift) if item]
    for text in told:
        news.print(escape(text))
    for name in ("drift", "prior_shift"):
        if name in found.not_measured:
            news.print(f"{name.replace('_', ' ')} was not measured: {escape(found.not_measured[name])}")
    if found.recalibration:
        news.print(escape(found.recalibration.reading))
        news.print(f"Written: {escape(found.recalibration.bundle)}")
    if found.advice:
        news.print(f"[bold]Advice: {found.advice.action}.[/bold] {escape(found.advice.reason)}")


def comparison(found: Comparison) -> None:
    """Show which of two bundles does better, and where."""
    news.print(f"[bold]{escape(found.reading)}[/bold]")
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("", "rows", "better", "worse", "difference", "p"):
        grid.add_column(name)
    for part in (*found.per_class, *found.groups):
        shown = f"{part.column}: {part.value}" if part.column else part.value
        p_value = "-" if part.p_value is None else f"{part.p_value:.3f}"
        cells = (str(part.n_rows), str(part.n_better), str(part.n_worse), number(part.difference), p_value)
        grid.add_row(escape(shown), *cells)
    news.print(grid)
    for name, rows in (("better", found.better), ("worse", found.worse)):
        for row in rows[:5]:
            news.print(f"{name}: {escape(row.id)} is {escape(row.label)}: {escape(row.old)} -> {escape(row.new)}")


def unread(failed: Sequence[Mapping[str, str]]) -> None:
    """Show which inputs could not be predicted."""
    for item in failed[:5]:
        console.print(f"Could not be read: {escape(item['id'])}: {escape(item['reason'])}")
    if len(failed) > 5:
        console.print(f"... and {len(failed) - 5} more; their rows have no label.")


def to_label(document: Mapping[str, Any]) -> None:
    """Show which rows are worth a label, and what to do with the table."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("row", "why", "guess"):
        grid.add_column(name, overflow="fold")
    for row in document["rows"][:10]:
        grid.add_row(escape(row["input"]), escape(row["reason"]), escape(str(row["guess"])))
    news.print(grid)
    if document["n_rows"] > 10:
        news.print(f"... and {document['n_rows'] - 10} more.")
    unread(document["failed"])
    if document["n_left_out"]:
        news.print(f"{document['n_left_out']} rows were passed over: labelled already, or there twice.")
    if document["output"]:
        news.print(f"Fill the label column of {escape(document['output'])}, then adapt with it (--also).")


def explained(document: Mapping[str, Any]) -> None:
    """Show in words what answers rest on."""
    for item in document["explained"]:
        said = item.get("answer") or item.get("value") or ", ".join(item.get("labels", ()))
        news.print(f"[bold]{escape(item['input'])}[/bold]: {escape(str(said))}. {escape(item['reading'])}")
    unread(document["failed"])
    if document["n_inputs"] > len(document["explained"]) + len(document["failed"]):
        news.print(f"Only the first {len(document['explained'])} of {document['n_inputs']} inputs (-n explains more).")
    if document["output"]:
        news.print(f"Page: {escape(document['output'])}", soft_wrap=True)


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
