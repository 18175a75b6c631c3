"""Write what a run made: bundle, result.json, predictions of the test rows, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.bundle.row_names import list_copies, write_row_names
from headstart.csv_files import format_csv
from headstart.flow import reporting
from headstart.flow.adaptation.previews import make_previews
from headstart.flow.adaptation.report_rows import gather_report_rows
from headstart.flow.adaptation.row_map import place_rows
from headstart.flow.adaptation.scored_rows import gather_run_rows
from headstart.flow.exports import portable
from headstart.flow.exports.pruning import RunTexts
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.inference.answer_tables import iterate_test_rows, list_test_columns
from headstart.flow.run_records import AdaptedRun
from headstart.flow.scoring.scored_rows import write_run_rows
from headstart.home import write_text
from headstart.results import PortableForm, Result

FIRST_ANSWER = "this is the first answer of a run that had not come to its end"
"""Why its bundle has no portable form, as part of a sentence."""
MANY_CLASSES = 100
"""With more classes result.json is written without line breaks."""


def write_result(run: AdaptedRun, result: Result, out: Path, language: str) -> None:
    """Write result.json and its scored rows, then the report, which `headstart report` can make again if that fails.

    Parameters
    ----------
    run : AdaptedRun
    result : Result
    out : Path
        The run folder.
    language : str
        Of the report: a code, or "auto".
    """
    rows = place_rows(run.prepared, gather_report_rows(run, result.groups))
    previews = make_previews(run, rows)
    if (scored := gather_run_rows(run, result.groups)) is not None:
        write_run_rows(scored, result.groups, out)
    indent = 2 if len(result.classes) <= MANY_CLASSES else None  # a confusion matrix of 1,000 classes: 2 MB, not 13
    write_text(out / "result.json", result.model_dump_json(indent=indent) + "\n")
    reporting.write_previews(previews, out)
    reporting.write_report_rows(rows, out)
    reporting.write_report(result, previews, out, language, rows=rows)


def write_first_bundle(run: AdaptedRun, out: Path, on_complete: Callable[[], None]) -> None:
    """Write the bundle of a first answer, which torch runs: without its portable form, which takes long to make.

    Parameters
    ----------
    run : AdaptedRun
    out : Path
        The run folder.
    on_complete : () -> None
        Called once the new bundle is complete, before it takes the place of another one.
    """
    with TemporaryDirectory(dir=out, prefix=".shipping-") as place:
        bundle = portable.describe_without_graph(run.bundle, Path(place), FIRST_ANSWER)
        bundles.save_bundle(bundle, out / "bundle", check=lambda _: on_complete())
    write_row_names(run.bundle.row_names, list_copies([run.prepared.train.table, run.prepared.test.table]), out)
    write_text(out / "test_predictions.csv", _format_test_predictions(run))


def write_bundle(run: AdaptedRun, out: Path, earlier: Path, on_complete: Callable[[], None]) -> Bundle:
    """Write the bundle and the predictions of the test rows; return the bundle with the files of its portable form.

    Parameters
    ----------
    run : AdaptedRun
    out : Path
        The run folder.
    earlier : Path
        Bundle of a run before this one, if there is one: the graph of the same model is taken over from it.
    on_complete : () -> None
        Called once the new bundle is complete, before it takes the place of another one.
    """
    with TemporaryDirectory(dir=out, prefix=".shipping-") as place:
        sample = portable.draw_sample(run.prepared, run.bundle.seed)
        bundle = portable.make_portable(run.bundle, sample, Path(place), earlier, seen=RunTexts.of_run(run.prepared))
        portable.warn_if_not_portable(bundle, run.strategies, run.prepared)

        def check(fresh: Path) -> None:
            require_same_answers(fresh, bundle=bundle, table=sample)
            on_complete()

        bundles.save_bundle(bundle, out / "bundle", check=check)
    write_text(out / "test_predictions.csv", _format_test_predictions(run))
    write_row_names(run.bundle.row_names, list_copies([run.prepared.train.table, run.prepared.test.table]), out)
    assert bundle.portable_files is not None
    return replace(bundle, portable_files=replace(bundle.portable_files, folder=out / "bundle"))


def describe_portable_form(bundle: Bundle) -> PortableForm:
    """Return whether a bundle that lies on disk runs without torch, and the size of its graph.

    Parameters
    ----------
    bundle : Bundle
    """
    config, files = bundle.portable_config, bundle.portable_files
    size = (files.folder / config["file"]).stat().st_size if files and config["ok"] else 0
    return PortableForm(ok=config["ok"], reason=config.get("reason", ""), size_bytes=size)


def _format_test_predictions(run: AdaptedRun) -> str:
    task = run.prepared.task
    predictions = run.scores.predictions.get(run.strategies.chosen)
    header = list_test_columns(task.kind, task.classes)
    rows = () if predictions is None else iterate_test_rows(run.prepared.truth, predictions, run.decided.decisions)
    return format_csv([header, *rows])
