"""How results look on a terminal: small tables on stderr, nothing computed. Warnings also show with --quiet."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from headstart.cli.show_readiness import show_readiness
from headstart.cli.surface import console, news
from headstart.data.summary import InputSummary
from headstart.flow.review.run_changes import RunChanges
from headstart.options import CheckOptions, flag
from headstart.records import Finding, Table
from headstart.report import choose_language, use_language, write_sentence
from headstart.report import terminal_words as words
from headstart.report.group_names import describe_other_columns, list_telling_columns
from headstart.report.kinds import TASK_WORDINGS
from headstart.report.levels import describe_levels, describe_rolled_up
from headstart.report.messages import translate_stored
from headstart.report.sentences.coverage import describe_missing_rows
from headstart.report.sentences.new_rows import describe_left_out, describe_new_rows, describe_right_answers
from headstart.report.understood import describe_inputs
from headstart.report.words import format_amount, round_outwards
from headstart.results import AnyMetrics, Comparison, Evaluation, Figure, Result
from headstart.results.check_codes import CHECK_CODES
from headstart.task_types import TASK_TYPES

NOT_MEASURED = "not measured"


def format_share(value: Figure | None) -> str:
    """Write a share as percent with its interval."""
    if value is None:
        return NOT_MEASURED
    low, high = round_outwards(100 * value.low, 0, "low"), round_outwards(100 * value.high, 0, "high")
    return f"{value.value:.1%} ({low}%-{high}%)"


def _format_count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def format_number(value: Figure | None) -> str:
    """Write a number with its interval."""
    return NOT_MEASURED if value is None else f"{format_amount(value.value)} ({_format_interval(value)})"


def _format_interval(value: Figure) -> str:
    """Return the ends of an interval; an interval without width comes from one independent row and means nothing."""
    if value.low == value.high:
        return "cannot tell"
    return f"{format_amount(value.low, 'low')} to {format_amount(value.high, 'high')}"


def _format_metric(
    name: str, format_figure: Callable[[Figure | None], str] = format_share
) -> Callable[[AnyMetrics], str]:
    return lambda metrics: format_figure(getattr(metrics, name))


Headline = tuple[str, Callable[[AnyMetrics], str]]
_ACCURACY, _MACRO_F1 = ("accuracy", _format_metric("accuracy")), ("macro-F1", _format_metric("macro_f1"))
_HEADLINES: dict[str, tuple[Headline, Headline]] = {
    "classification": (_ACCURACY, _MACRO_F1),
    "ordinal": (_ACCURACY, ("quadratic kappa", _format_metric("quadratic_kappa", format_number))),
    "multi-label": (_MACRO_F1, ("micro-F1", _format_metric("micro_f1"))),
    "regression": (
        ("mean absolute error", _format_metric("mean_absolute_error", format_number)),
        ("R2", _format_metric("r2", format_number)),
    ),
}
"""The two figures that people see first, for each kind of task."""


def show_inputs(table: Table, counts: Mapping[str, int], summary: InputSummary) -> None:
    """Show how data was read: its kind, its columns and its classes."""
    columns = ", ".join(f"{role}: '{name}'" for role, name in table.columns.items() if not role.startswith("label "))
    news.print(escape(f"{len(table)} {table.modality} rows{f' ({columns})' if columns else ''}."))
    for line in describe_inputs(summary):
        news.print(escape(line), soft_wrap=True)
    named = ", ".join(f"{label}: {n}" for label, n in list(counts.items())[:20])
    if counts:
        more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
        one, many = ("label", "labels") if TASK_TYPES[table.task].has_label_sets else ("class", "classes")
        news.print(escape(f"{_format_count(len(counts), one, many)} ({named}{more})."))


def show_result(run_result: Result, out: Path) -> None:
    """Show what a run found and where it lies, in the language of the report."""
    with use_language(choose_language(str(run_result.options.get("language", "auto")))):
        show_readiness(run_result.readiness, run_result.modality)
        _show_strategies(run_result)
        news.print(f"[bold]{escape(write_sentence(run_result.verdict))}[/bold]")
        if "cross_validation" in run_result.not_measured:
            news.print(f"Cross-validation: {escape(run_result.not_measured['cross_validation'])}")
        _show_levels(run_result)
        if run_result.rows_missing_for_sets:
            news.print(escape(describe_missing_rows(run_result.rows_missing_for_sets)))
        _show_groups(run_result)
        if run_result.learning_curve:
            news.print(escape(write_sentence(run_result.learning_curve)))
        if run_result.set_aside:
            news.print(escape(words.describe_set_aside(len(run_result.set_aside))))
        places = words.describe_places(str(out / "report.html"), str(out / "bundle"))
        news.print(escape(places), soft_wrap=True)


def _show_levels(document: Result | Evaluation) -> None:
    """Show how good the model is at each level of its coding frame."""
    for line in (describe_levels(document.levels), describe_rolled_up(document.levels)):
        if line:
            news.print(escape(line), soft_wrap=True)


def _show_strategies(run_result: Result) -> None:
    """Show what was tried, and what was not and why."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    (first, of_first), (second, of_second) = _HEADLINES[run_result.task]
    is_tested = any(item.test for item in run_result.strategies)
    for head in words.name_columns((first, second), is_tested):
        grid.add_column(head)
    for item in run_result.strategies:
        is_chosen = item.name == run_result.chosen
        cells: tuple[str, ...] = (of_first(item.test), of_second(item.test)) if item.test else (NOT_MEASURED,) * 2
        if not is_tested:
            cells = (NOT_MEASURED if item.cross_validation is None else f"{item.cross_validation:.3f}",)
        name = f"[bold]{words.mark_chosen(item.name)}" if is_chosen else item.name
        grid.add_row(name, *cells, f"{item.seconds:.1f}")
    news.print(grid)
    if not is_tested:
        news.print(f"The score is the {TASK_WORDINGS[run_result.task].validated}.")
    for skipped in run_result.skipped:
        news.print(escape(words.describe_not_tried(skipped.name, skipped.reason)))


def _show_groups(document: Result | Evaluation) -> None:
    """Show the columns with a gap and those that were named; the others by name."""
    for column in list_telling_columns(document.groups):
        news.print(f"{escape(column.column)}: {escape(write_sentence(column))}")
    for sentence in describe_other_columns(document):
        news.print(escape(sentence))


def show_metrics(metric_record: AnyMetrics, task: str) -> None:
    """Show the headline figures, and those of each class or label."""
    headlines = ", ".join(f"{name} {of(metric_record)}" for name, of in _HEADLINES[task])
    news.print(f"{_format_count(metric_record.n_rows, 'row', 'rows')}: {headlines}")
    parts = getattr(metric_record, "per_class", None) or getattr(metric_record, "per_label", None)
    if not parts:
        return
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("label" if TASK_TYPES[task].has_label_sets else "class", "rows", "recall", "precision"):
        grid.add_column(name)
    for item in parts:
        grid.add_row(escape(item.label), str(item.support), format_share(item.recall), format_share(item.precision))
    news.print(grid)


def show_evaluation(record: Evaluation) -> None:
    """Show how a bundle did on new data, in the language of the system."""
    with use_language(choose_language("auto")):
        _show_evaluation(record)


def _show_evaluation(record: Evaluation) -> None:
    for sentence in describe_new_rows(record):
        console.print(escape(sentence))
    show_readiness(record.readiness, record.modality)
    if record.metrics is not None and (share := describe_right_answers(record)):
        news.print(f"[bold]{escape(share)}[/bold]")
    if record.metrics is None:
        news.print(f"{_format_count(record.n_rows, 'row', 'rows')} without labels.")
    else:
        show_metrics(record.metrics, record.task)
    _show_context(record)
    _show_groups(record)
    for label, n_rows in record.unknown_labels.items():
        was = _format_count(n_rows, "row", "rows")
        console.print(f"Left out: {was} with the label '{escape(label)}', which the model does not know.")
    for item in record.set_aside[:5]:
        console.print(f"Set aside: {escape(item.id)}: {escape(item.reason)}")
    if len(record.set_aside) > 5:
        console.print(f"... and {len(record.set_aside) - 5} more.")


_FIGURES = {
    "label": "given an answer",
    "answered_right": "answers that are right",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "log_loss": "log-loss",
    "r2": "R²",
}
"""What figures are called where that is not their field in words."""


def _show_context(evaluation: Evaluation) -> None:
    """Show what differs from the place where the model was made, and what to do."""
    if evaluation.beside_training:
        grid = Grid(box=None, header_style="bold", pad_edge=False)
        for name in ("", "here", "test rows of training", "difference"):
            grid.add_column(name)
        for row in evaluation.beside_training:
            grid.add_row(
                _FIGURES.get(row.name, row.name.replace("_", " ")),
                format_number(row.here),
                format_number(row.there),
                format_number(row.difference),
            )
        news.print(grid)
    elif evaluation.shares:
        news.print(
            "Answers: "
            + ", ".join(
                f"{_FIGURES.get(name, name)} {format_share(share)}" for name, share in evaluation.shares.items()
            )
        )
    _show_levels(evaluation)
    for item in (evaluation.calibration, evaluation.conformal, evaluation.prior_shift, evaluation.drift):
        if item:
            news.print(escape(write_sentence(item)))
    for name in ("drift", "prior_shift"):
        if name in evaluation.not_measured:
            news.print(f"{name.replace('_', ' ')} was not measured: {escape(evaluation.not_measured[name])}")
    if evaluation.recalibration:
        news.print(escape(write_sentence(evaluation.recalibration)))
        news.print(f"Written: {escape(evaluation.recalibration.bundle)}")
    if evaluation.advice:
        advice = words.name_advice(evaluation.advice.action)
        news.print(f"[bold]{escape(advice)}[/bold] {escape(write_sentence(evaluation.advice))}")


def show_comparison(record: Comparison) -> None:
    """Show which of two bundles does better, and where."""
    with use_language(choose_language("auto")):
        for sentence in describe_new_rows(record):
            console.print(escape(sentence))
        news.print(f"[bold]{escape(write_sentence(record))}[/bold]")
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("", "rows", "better", "worse", "difference", "p"):
        grid.add_column(name)
    for part in (*record.per_class, *record.groups):
        subset = f"{part.column}: {part.value}" if part.column else part.value
        p_value = "-" if part.p_value is None else f"{part.p_value:.3f}"
        cells = (str(part.n_rows), str(part.n_better), str(part.n_worse), format_number(part.difference), p_value)
        grid.add_row(escape(subset), *cells)
    news.print(grid)
    for name, rows in (("better", record.better), ("worse", record.worse)):
        for row in rows[:5]:
            news.print(f"{name}: {escape(row.id)} is {escape(row.label)}: {escape(row.old)} -> {escape(row.new)}")


def show_run_changes(changes: RunChanges) -> None:
    """Show which of two runs guesses more of their common test rows right, and whether that may be chance."""
    n = changes.n_rows
    news.print(
        f"[bold]{changes.n_old_right} of {n} test rows were guessed right before, {changes.n_new_right} now.[/bold]"
    )
    news.print(f"{changes.n_better} got better and {changes.n_worse} worse (p = {changes.p_value:.3f}, sign test).")
    if changes.n_relabelled:
        news.print(f"The labels of {changes.n_relabelled} were corrected in between; both are judged by the new ones.")
    for item in changes.changed[:10]:
        guesses = f"{item.old.predicted} -> {item.new.predicted}"
        news.print(f"{escape(item.new.id)} is {escape(item.new.true)}: {escape(guesses)}")


def show_unreadable_inputs(failed: Sequence[Mapping[str, str]]) -> None:
    """Show which inputs could not be predicted."""
    for item in failed[:5]:
        console.print(f"Could not be read: {escape(item['id'])}: {escape(item['reason'])}")
    if len(failed) > 5:
        console.print(f"... and {len(failed) - 5} more; their rows have no label.")


def show_rows_to_label(document: Mapping[str, Any]) -> None:
    """Show which rows are worth a label, and what to do with the table."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("row", "why", "guess"):
        grid.add_column(name, overflow="fold")
    for row in document["rows"][:10]:
        grid.add_row(escape(row["input"]), escape(row["reason"]), escape(str(row["guess"])))
    news.print(grid)
    if document["n_rows"] > 10:
        news.print(f"... and {document['n_rows'] - 10} more.")
    show_unreadable_inputs(document["failed"])
    for sentence in describe_left_out(document["modality"], document["n_given"], document):
        news.print(escape(sentence))
    if document["output"]:
        news.print(f"Fill the label column of {escape(document['output'])}, then adapt with it (--also).")


def show_explanations(document: Mapping[str, Any]) -> None:
    """Show in words what answers rest on."""
    for item in document["explained"]:
        answer = item.get("answer") or item.get("value") or ", ".join(item.get("labels", ()))
        news.print(f"[bold]{escape(item['input'])}[/bold]: {escape(str(answer))}. {escape(item['reading'])}")
    show_unreadable_inputs(document["failed"])
    if document["n_inputs"] > len(document["explained"]) + len(document["failed"]):
        which = "least sure" if document["n_ranked"] else "first"
        n_explained = len(document["explained"])
        news.print(f"Only the {which} {n_explained} of {document['n_inputs']} inputs (-n explains more).")
    if document["output"]:
        news.print(f"Page: {escape(document['output'])}", soft_wrap=True)


_COLOURS = {"stop": "red", "warn": "yellow", "note": "default"}
"""Of each severity of a finding."""


def show_findings(noticed: Sequence[Finding]) -> None:
    """Show what was noticed about data, the gravest first."""
    for item in noticed:
        out = news if item.severity == "note" else console
        title = translate_stored(CHECK_CODES[item.kind].title) if item.kind in CHECK_CODES else item.kind
        line = f"[bold]{escape(title)}.[/bold] {escape(item.summary)} [dim]({item.kind})[/dim]"
        out.print(f"[{_COLOURS[item.severity]}]{words.name_severity(item.severity)}[/]: {line}")
        row_names = ", ".join(item.rows[:5])
        if row_names:
            out.print(f"     rows: {escape(row_names)}{' ...' if len(item.rows) > 5 else ''}")
        if item.advice:
            out.print(f"     {escape(item.advice)}")


_CARRIED = ("label", "text", "group", "modality", "task")
"""Options of `check` that `adapt` needs, too."""


def _write_adapt_command(data: Path, options: CheckOptions) -> str:
    words = ["headstart", "adapt", str(data), "-o", "out"]
    for name in _CARRIED:
        value = getattr(options, name)
        if value != type(options).model_fields[name].default:
            for part in value if isinstance(value, tuple) else (value,):
                words += [flag(name), str(part)]
    return shlex.join(words)


def show_check(findings: Sequence[Finding], data: Path, options: CheckOptions) -> None:
    """Show what was noticed, then how much of it is serious, and the command that follows."""
    with use_language(choose_language("auto")):
        is_stopped = any(item.severity == "stop" for item in findings)
        show_findings([item for item in findings if item.severity != "stop"])
        if is_stopped:
            return
        n_warnings = sum(item.severity == "warn" for item in findings)
        summary = words.summarise_findings(n_warnings, len(findings) - n_warnings)
        news.print(f"[bold]{escape(summary)}[/bold]")
        command = _write_adapt_command(data, options)
        news.print(escape(words.describe_next(command)), soft_wrap=True)


def show_ranking(document: Mapping[str, Any]) -> None:
    """Show base models in order, best first, and why."""
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in ("base", "probe", "rows", "LogME", "H-score", "5-NN", "MB", "licence", "s"):
        grid.add_column(name, overflow="fold", no_wrap=name not in ("base", "licence"))
    for row in document["ranking"]:
        name = escape(row["label"]) + (" (tie)" if row["tie"] else "")
        grid.add_row(
            f"[bold]{name}[/]" if row["taken"] else name,
            format_share(Figure(**row["probe"])), str(row["n_rows"]), f"{row['logme']:.2f}", f"{row['hscore']:.1f}",
            f"{row['knn']:.0%}", f"{row['size_bytes'] / 1e6:.0f}", escape(row["licence"]), f"{row['seconds']:.0f}",
        )  # fmt: skip
    news.print(grid)
    for row in document["ranking"]:
        if row["unknown_share"] is not None:
            cut = f"{row['unknown_share']:.1%} unknown tokens, {row['pieces_per_word']:.1f} tokens per word"
            news.print(f"{escape(row['label'])}: {cut}")
        if row["reading"]:
            news.print(f"{escape(row['label'])}: {escape(row['reading'])}")
    for item in document["left_out"]:
        news.print(f"Left out: {escape(item['base'])}: {escape(item['reason'])}")
    news.print(f"[bold]{escape(document['why'])}[/bold]")
