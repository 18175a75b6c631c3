"""`adapt`: the whole order, once - read, check, split, choose the base, extract, climb, evaluate, report, bundle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headstart import bundle as bundles
from headstart import data, ladder, progress, runs
from headstart.bundle import Bundle, TrainingFacts
from headstart.bundle.row_names import name_rows
from headstart.decisions import DecisionPolicy
from headstart.flow.adaptation import decision_rules, mitigate
from headstart.flow.adaptation.budget import NO_TIME, Budget
from headstart.flow.adaptation.evaluate import measure_chosen_model, reach_verdict, score_test_rows
from headstart.flow.adaptation.learning_curve import measure_run_curve
from headstart.flow.adaptation.output import RunOutput
from headstart.flow.adaptation.prepare import prepare, read_data
from headstart.flow.adaptation.steps import show_steps
from headstart.flow.adaptation.training_checks import check_training_rows, list_first_findings
from headstart.flow.adaptation.unlabelled import add_unlabelled_rows
from headstart.flow.audit import audit
from headstart.flow.room_settings import MODEL_SETTINGS, collect_settings
from headstart.flow.run_records import AdaptedRun, Audit, Prepared, TestScores, Timings, WrittenRun
from headstart.flow.scoring.predictions import ModelFigures
from headstart.flow.scoring.readiness import require_known_figures
from headstart.flow.scoring.training_site import (
    count_labels_per_class,
    draw_reference,
    remember_training_rows,
    summarise_site,
)
from headstart.ladder import FittedStrategies
from headstart.offline import offline
from headstart.options import AdaptOptions
from headstart.records import Table
from headstart.report import write_sentence
from headstart.results import Mitigation, Result, Verdict
from headstart.strategies import STRATEGIES, select_strategies
from headstart.strategies.fitted import list_members
from headstart.strategies.record import Clock

_OPTIONS_AFTER_TRAINING = frozenset(
    {
        "audit",
        "swaps",
        "mitigate",
        "coverage",
        "cost",
        "refer_cost",
        "answer_below",
        "require",
        "language",
        "keep_torch",
        "keep_vocabulary",
    }
)
"""Options that no rung of the ladder depends on."""


def adapt_table(
    table: Table, test: Table | None, options: AdaptOptions, timings: Timings | None = None,
    *, output: RunOutput | None = None,
) -> AdaptedRun:  # fmt: skip
    """Adapt a base model to rows in memory.

    Parameters
    ----------
    table : Table
        With labels.
    test : Table or None
        Separate test rows.
    options : AdaptOptions
    timings : Timings or None
        What was spent on reading already.
    output : RunOutput or None
        Of a claimed run folder: finished rungs are kept there so that a killed run resumes, and it gets a first answer.

    Raises
    ------
    HeadstartError
        If nothing can be learnt, or an option cannot work.
    """
    decision_rules.require_costs(table, options)
    require_known_figures(table.task, options.require)
    timings = timings or Timings()
    budget = Budget.start(table, test, options, sum(timings.seconds.values()))
    clock = budget.training_clock()
    names = select_strategies(table.modality, options.strategy, table.task, data.uses_unlabelled(options))
    fitted_names = (*names, *mitigate.list_mitigation_strategies(table, options))
    fitted_on = frozenset(part for name in fitted_names for part in STRATEGIES[name].uses)
    prepared = prepare(table, options, test, uses=fitted_on, budget=budget, timings=timings)
    with timings.step("features"):
        prepared = add_unlabelled_rows(prepared, options, fitted_on, clock)
    budget = replace(budget, base_bytes=prepared.backbone.record.size_bytes).measure_again(len(prepared.table))
    prepared = replace(prepared, task=replace(prepared.task, clock=budget.training_clock()))
    run = runs.Run(output.folder, _compute_run_key(prepared, options)) if output else None

    def write_first(quick: FittedStrategies, costly: Sequence[str]) -> None:
        n_base_bytes = 0 if prepared.train.features is None else prepared.backbone.record.size_bytes
        if output and output.needs_first_answer(n_base_bytes, costly):
            with timings.step("first_answer"):
                now = budget.measure_again(len(prepared.table))
                first = _measure_first(prepared, quick, options, now)
                search, rest = now.search_seconds(is_selective) if costly else 0.0, now.seconds_after_training()
                output.write_first(first, search + rest, bool(costly))
            progress.expect_step("search", search)
        if costly:
            progress.begin_step("search")

    is_selective = not options.strategy or options.strategy == ("default",)
    search = ladder.Search(is_selective=is_selective, on_first=write_first)
    with timings.step("strategies"):
        fitted = ladder.fit_strategies(prepared.train, prepared.task, names, run, search=search)
        strategies, mitigation = mitigate.fit_mitigation(prepared, fitted, options)
    budget = budget.measure_again(len(prepared.table))
    progress.expect_step("write", budget.seconds_for("write"))
    progress.expect_step("evaluation", budget.seconds_after_training() - budget.seconds_for("write"))
    return _measure_run(prepared, strategies, mitigation, options=options, budget=budget, timings=timings)


def _measure_run(
    prepared: Prepared, strategies: FittedStrategies, mitigation: Mitigation | None, options: AdaptOptions,
    budget: Budget, timings: Timings,
) -> AdaptedRun:  # fmt: skip
    """Calibrate and score the fitted strategies, make the bundle, check and audit."""
    chosen = strategies.chosen
    members = list_members(strategies.fitted[chosen].state())
    predicted_from = frozenset().union(*(STRATEGIES[name].predicts_from for name in (chosen, *members)))
    with timings.step("evaluation"):
        represented = decision_rules.represent_rows(prepared, strategies, predicted_from)
        prepared, strategies = represented.prepared, represented.strategies
        policy = decision_rules.fit_policy(prepared, strategies, predicted_from, options)
        scores = score_test_rows(prepared, strategies, policy, budget.clock_for("evaluation"))
        decided = decision_rules.decide_test_rows(prepared, chosen, policy, scores)
        figures = measure_chosen_model(prepared, chosen, scores, decided, options=options)
        verdict = reach_verdict(prepared, strategies, scores)
        mitigation = mitigation and mitigate.measure_on_test_rows(mitigation, prepared, scores, options)
    with timings.step("learning_curve"):
        learning_curve = measure_run_curve(prepared, options, budget.clock_for("learning_curve"))
    bundle = replace(
        _make_bundle(prepared, strategies, predicted_from, policy=policy, options=options),
        thresholds=scores.thresholds,
        training_facts=_gather_training_facts(prepared, verdict, figures, options),
    )
    with timings.step("checks"):
        checks = check_training_rows(prepared, strategies, options, budget)
    with timings.step("audit"):
        audited = _audit(prepared, strategies, scores, bundle=bundle, options=options, budget=budget)
    return AdaptedRun(
        options=options,
        prepared=prepared,
        strategies=strategies,
        scores=scores,
        decided=decided,
        figures=figures,
        verdict=verdict,
        mitigation=mitigation,
        learning_curve=learning_curve,
        checks=checks,
        audit=audited,
        bundle=bundle,
        seconds={**timings.seconds, "total": sum(timings.seconds.values())},
    )


def _measure_first(prepared: Prepared, quick: FittedStrategies, options: AdaptOptions, budget: Budget) -> AdaptedRun:
    """Score the quick strategies and make the bundle of the best, without all that can be left out."""
    hurried = options.model_copy(update={"audit": "none"})
    timeless = replace(budget, clock=Clock(0.0))
    run = _measure_run(prepared, quick, None, options=hurried, budget=timeless, timings=Timings(is_reported=False))
    return replace(run, options=options, checks=list_first_findings(prepared))


def _make_bundle(
    prepared: Prepared, strategies: FittedStrategies, predicted_from: frozenset[str], policy: DecisionPolicy,
    options: AdaptOptions,
) -> Bundle:  # fmt: skip
    """Return the bundle of the chosen strategy, without its portable form and what was measured on test rows."""
    table, task = prepared.table, prepared.task
    out_of_distribution = policy.out_of_distribution
    uses = predicted_from
    if out_of_distribution is not None and out_of_distribution.reads != "representation":
        uses |= {out_of_distribution.reads}
    return Bundle(
        modality=table.modality,
        classes=task.classes,
        strategy=strategies.chosen,
        fitted=strategies.fitted[strategies.chosen],
        backbone=prepared.backbone if "features" in uses else None,
        uses=uses,
        columns=table.columns,
        seed=options.seed,
        task=table.task,
        seen_rows=remember_training_rows(prepared, predicted_from),
        spec=task.spec,
        decision_policy=policy,
        reference_sample=draw_reference(prepared, policy, options.group, options.seed),
        input_columns=table.input_columns,
        keeps_torch=options.keep_torch,
        keeps_vocabulary=options.keep_vocabulary,
        settings=collect_settings(MODEL_SETTINGS),
        row_names=name_rows(prepared.train.table) | name_rows(prepared.test.table),
    )


def _gather_training_facts(
    prepared: Prepared, verdict: Verdict, figures: ModelFigures | None, options: AdaptOptions
) -> TrainingFacts:
    site = summarise_site(Path(prepared.table.source).name, prepared.task.kind, prepared.task.classes, figures)
    facts = TrainingFacts(
        data=Path(prepared.table.source).name,
        verdict=write_sentence(verdict),
        task=options.task,
        labels_per_class=count_labels_per_class(prepared),
    )
    return facts.model_copy(update={"site": site}) if site else facts


def _audit(
    prepared: Prepared, strategies: FittedStrategies, scores: TestScores, bundle: Bundle, options: AdaptOptions,
    budget: Budget,
) -> Audit:  # fmt: skip
    """Audit where that is asked for, or where there is time."""
    if budget.allows("audit") or options.audit not in ("auto", "none"):
        task = replace(prepared.task, clock=budget.clock_for("audit"))
        return audit.run_audit(replace(prepared, task=task), strategies, scores, options=options, bundle=bundle)
    return audit.make_unaudited(prepared, NO_TIME) if options.audit == "auto" else Audit()


def _compute_run_key(prepared: Prepared, options: AdaptOptions) -> str:
    train = prepared.train.table
    training_options = options.model_dump(mode="json", exclude={*_OPTIONS_AFTER_TRAINING, "offline", "strategy"})
    inputs = [list(train.hashes), list(train.ids), prepared.task.codes.tolist(), prepared.task.folds.tolist()]
    inputs += [] if prepared.task.truth is None else [prepared.task.truth.tolist(), list(prepared.task.classes)]
    inputs += [] if prepared.task.name_features is None else [["names", *prepared.task.classes]]
    unlabelled = prepared.task.unlabelled
    inputs += [] if unlabelled is None else [list(unlabelled.table.hashes)]
    inputs += [] if prepared.task.cooccurrence is None else [prepared.task.cooccurrence.digest()]
    fingerprint = [prepared.backbone.fingerprint, prepared.extraction.runtime]
    return runs.compute_key(inputs, training_options, fingerprint, bundles.list_versions())


def adapt(path: Path, out: Path, options: AdaptOptions) -> Result:
    """Adapt a base model to the data at `path` and write everything into `out`.

    Parameters
    ----------
    path : Path
        Folder, table, or zip (see `headstart.data.read`).
    out : Path
        Made if need be; gets result.json, README.md, report.html, previews.json, report_rows.json,
        test_predictions.csv and bundle/.
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
    return adapt_to_folder(path, out, options).result


def adapt_to_folder(path: Path, out: Path, options: AdaptOptions) -> WrittenRun:
    """Return what `adapt` wrote: the result, and the bundle as it is in memory.

    Parameters
    ----------
    path, out : Path
        As for `adapt`.
    options : AdaptOptions
    """
    began = time.monotonic()
    with offline(options.offline), show_steps(options):
        timings = Timings()
        with timings.step("read"):
            table, test = read_data(path, options)
        with runs.claim_folder(out, data=path, test=options.test):
            output = RunOutput(folder=out, language=options.language, began=began)
            try:
                run = adapt_table(table, test, options, timings, output=output)
                written = output.write_final(run, timings)
            except KeyboardInterrupt:
                output.report_stop()
                raise
    output.report_end(written.result)
    return written
