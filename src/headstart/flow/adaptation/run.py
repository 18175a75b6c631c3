"""`adapt`: the whole order, once - read, check, split, choose the base, extract, climb, evaluate, report, bundle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headstart import bundle as bundles
from headstart import data, ladder, progress, runs
from headstart.bundle import Bundle
from headstart.csv_files import format_csv
from headstart.flow import reporting
from headstart.flow.active_learning.label_next import count_labels_per_class, remember_training_rows
from headstart.flow.adaptation import decision_rules, mitigate
from headstart.flow.adaptation.budget import NO_TIME, Budget
from headstart.flow.adaptation.decision_rules import DecidedTestRows
from headstart.flow.adaptation.evaluate import N_WORST, TestScores, assemble_result, choose_thresholds, score_test_rows
from headstart.flow.adaptation.learning_curve import measure_run_curve
from headstart.flow.adaptation.prepare import Prepared, Timings, prepare, read_data
from headstart.flow.adaptation.text_scripts import count_scripts
from headstart.flow.adaptation.unlabelled import add_unlabelled_rows
from headstart.flow.audit import audit
from headstart.flow.data_check import suspects
from headstart.flow.exports import portable
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.external_validation import site_comparison
from headstart.flow.inference import answers
from headstart.home import write_text
from headstart.ladder import FittedStrategies
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import AdaptOptions
from headstart.records import Table
from headstart.results import PortableForm, Result
from headstart.strategies import STRATEGIES, select_strategies
from headstart.strategies.fitted import list_members

MANY_CLASSES = 100
"""With more classes result.json is written without line breaks."""
_OPTIONS_AFTER_TRAINING = frozenset({"audit", "swaps", "mitigate", "coverage", "cost", "refer_cost", "language"})
"""Options that no rung of the ladder depends on."""


@dataclass(frozen=True, kw_only=True)
class AdaptedRun:
    """Everything one run made, before it is written."""

    bundle: Bundle
    result: Result
    prepared: Prepared
    scores: TestScores
    decided: DecidedTestRows
    strategies: FittedStrategies


def adapt_table(
    table: Table, test: Table | None, options: AdaptOptions, out: Path | None = None, timings: Timings | None = None
) -> AdaptedRun:
    """Adapt a base model to rows in memory.

    Parameters
    ----------
    table : Table
        With labels.
    test : Table or None
        Separate test rows.
    options : AdaptOptions
    out : Path or None
        A claimed run folder, where finished rungs are kept so that a killed run resumes.
    timings : Timings or None
        What was spent on reading already.

    Raises
    ------
    HeadstartError
        If nothing can be learnt, or an option cannot work.
    """
    decision_rules.require_costs(table, options)
    timings = timings or Timings()
    budget = Budget.start(table, test, options, sum(timings.seconds.values()))
    clock = budget.training_clock()
    names = select_strategies(table.modality, options.strategy, table.task, data.uses_unlabelled(options))
    uses = frozenset(
        part
        for name in (*names, *mitigate.list_mitigation_strategies(table, options))
        for part in STRATEGIES[name].uses
    )
    prepared = prepare(table, options, test, uses=uses, budget=budget, timings=timings)
    with timings.step("features"):
        prepared = add_unlabelled_rows(prepared, options, uses, clock)
    budget = budget.measured_again(len(prepared.table))
    prepared = replace(prepared, task=replace(prepared.task, clock=budget.training_clock()))
    run = runs.Run(out, _compute_run_key(prepared, options)) if out else None
    with timings.step("strategies"):
        strategies, mitigation = mitigate.fit_mitigation(
            prepared, ladder.fit_strategies(prepared.train, prepared.task, names, run), options
        )
    budget = budget.measured_again(len(prepared.table))
    strategy, members = STRATEGIES[strategies.chosen], list_members(strategies.fitted[strategies.chosen].state())
    uses = strategy.predicts_from.union(*(STRATEGIES[name].predicts_from for name in members))
    with timings.step("evaluation"):
        scores = score_test_rows(prepared, strategies, budget.clock_for("evaluation"))
        decided = decision_rules.decide_test_rows(prepared, strategies, scores, uses=frozenset(uses), options=options)
        scores = decided.scores
        timings.seconds["total"] = sum(timings.seconds.values())
        result = assemble_result(prepared, strategies, scores, options=options, seconds=timings.seconds)
        decision_rules.add_decisions(result, prepared, decided)
        result.mitigation = mitigation and mitigate.measure_on_test_rows(mitigation, prepared, scores, options)
    with timings.step("learning_curve"):
        result.learning_curve = measure_run_curve(prepared, options, budget.clock_for("learning_curve"))
    result.scripts = count_scripts(prepared.train.table)
    reads = decided.inputs_read(frozenset(uses))
    bundle = Bundle(
        modality=table.modality,
        classes=prepared.task.classes,
        strategy=strategies.chosen,
        fitted=strategies.fitted[strategies.chosen],
        backbone=prepared.backbone if "features" in reads else None,
        uses=reads,
        columns=table.columns,
        seed=options.seed,
        about={
            "data": table.source,
            "verdict": result.verdict.sentence,
            "task": options.task,
            "labels_per_class": count_labels_per_class(prepared),
            **site_comparison.record_site(result),
        },
        task=table.task,
        thresholds=choose_thresholds(prepared, strategies.fitted[strategies.chosen]),
        seen_rows=remember_training_rows(prepared, frozenset(uses)),
        spec=prepared.task.spec,
        decision_policy=decided.policy,
        reference_sample=site_comparison.draw_reference(prepared, decided.policy, options.group, options.seed),
        input_columns=prepared.table.input_columns,
    )
    with timings.step("checks"):
        suspects.tell(result, prepared, strategies, options=options, budget=budget)
    with timings.step("audit"):
        if budget.allows("audit") or options.audit not in ("auto", "none"):
            task = replace(prepared.task, clock=budget.clock_for("audit"))
            audit.add_audit(
                result, replace(prepared, task=task), strategies, scores=scores, options=options, bundle=bundle
            )
        elif options.audit == "auto":
            audit.add_reason_not_audited(result, prepared, NO_TIME)
    return AdaptedRun(
        bundle=bundle, result=result, prepared=prepared, scores=scores, decided=decided, strategies=strategies
    )


def _compute_run_key(prepared: Prepared, options: AdaptOptions) -> str:
    train = prepared.train.table
    training_options = options.model_dump(mode="json", exclude={*_OPTIONS_AFTER_TRAINING, "offline", "strategy"})
    inputs = [list(train.hashes), list(train.ids), prepared.task.codes.tolist(), prepared.task.folds.tolist()]
    inputs += [] if prepared.task.truth is None else [prepared.task.truth.tolist(), list(prepared.task.classes)]
    unlabelled = prepared.task.unlabelled
    inputs += [] if unlabelled is None else [list(unlabelled.table.hashes)]
    inputs += [] if prepared.task.words is None else [prepared.task.words.digest()]
    fingerprint = [prepared.backbone.fingerprint, prepared.extraction.runtime]
    return runs.compute_key(inputs, training_options, fingerprint, bundles.list_versions())


def adapt(path: Path, out: Path, options: AdaptOptions) -> Result:
    """Adapt a base model to the data at `path` and write everything into `out`.

    Parameters
    ----------
    path : Path
        Folder, table, or zip (see `headstart.data.read`).
    out : Path
        Made if need be; gets result.json, README.md, report.html, previews.json, test_predictions.csv and bundle/.
    options : AdaptOptions

    Returns
    -------
    Result
        The content of result.json.

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    began = time.monotonic()
    with offline(options.offline):
        timings = Timings()
        with timings.step("read"):
            table, test = read_data(path, options)
        with runs.claim(out, data=path, test=options.test):
            adapted = adapt_table(table, test, options, out=out, timings=timings)
            with timings.step("write"):
                adapted.result.portable = _write_bundle(adapted, out)
            adapted.result.seconds = {**timings.seconds, "total": time.monotonic() - began}
            _write_result(adapted, out, options)
    progress.say(f"Done in {adapted.result.seconds['total']:.0f} s.")
    return adapted.result


def _write_result(adapted: AdaptedRun, out: Path, options: AdaptOptions) -> None:
    """Write result.json first: whatever happens to the report, `headstart report` can make it again."""
    result, previews = adapted.result, _make_previews(adapted)
    indent = 2 if len(result.classes) <= MANY_CLASSES else None  # a confusion matrix of 1,000 classes: 2 MB, not 13
    write_text(out / "result.json", result.model_dump_json(indent=indent) + "\n")
    reporting.write_previews(previews, out)
    reporting.write_report(result, previews, out, options.language)


def _write_bundle(adapted: AdaptedRun, out: Path) -> PortableForm:
    """Write bundle and predictions; says whether the model runs without torch."""
    with TemporaryDirectory(dir=out, prefix=".shipping-") as place:
        sample = portable.draw_sample(adapted.prepared, adapted.bundle.seed)
        bundle = portable.make_portable(adapted.bundle, sample, Path(place), out / "bundle")
        portable.warn_if_not_portable(bundle, adapted.strategies, adapted.prepared)
        bundles.save_bundle(bundle, out / "bundle", check=partial(require_same_answers, bundle=bundle, table=sample))
    write_text(out / "test_predictions.csv", _format_test_predictions(adapted))
    portable_form: Mapping[str, Any] = (
        bundle.portable_files.config if bundle.portable_files else bundles.NO_PORTABLE_FORM
    )
    size = (out / "bundle" / portable_form["file"]).stat().st_size if portable_form["ok"] else 0
    return PortableForm(ok=portable_form["ok"], reason=portable_form.get("reason", ""), size_bytes=size)


def _format_test_predictions(adapted: AdaptedRun) -> str:
    result, prepared = adapted.result, adapted.prepared
    predictions = adapted.scores.predictions.get(result.chosen)
    header = answers.truth_header(result.task, tuple(result.classes))
    rows = () if predictions is None else answers.truth_rows(prepared.truth, predictions, adapted.decided.decisions)
    return format_csv([header, *rows])


def _make_previews(adapted: AdaptedRun) -> Mapping[str, str]:
    table = adapted.prepared.table
    result = adapted.result
    row_ids = {row.id for row in result.worst} | {row.id for row in result.label_errors[:N_WORST]}
    row_ids |= audit.list_slice_examples(result)
    preview = MODALITIES[table.modality].preview
    return {str(name): preview(table.inputs[row]) for row, name in enumerate(table.ids) if str(name) in row_ids}
