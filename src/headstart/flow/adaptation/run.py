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
from headstart.csv_files import csv_text
from headstart.flow import reporting
from headstart.flow.active_learning.label_next import labels_per_class, seen_of
from headstart.flow.adaptation import decision_rules, mitigate
from headstart.flow.adaptation.budget import NO_TIME, Budget
from headstart.flow.adaptation.decision_rules import Ruled
from headstart.flow.adaptation.evaluate import N_WORST, Judged, document, judge, thresholds_of
from headstart.flow.adaptation.learning_curve import of_run
from headstart.flow.adaptation.prepare import Prepared, Timings, prepare, read
from headstart.flow.adaptation.text_scripts import scripts
from headstart.flow.adaptation.unlabelled import with_unlabelled
from headstart.flow.audit import audit
from headstart.flow.data_check import suspects
from headstart.flow.exports import portable
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.external_validation import site_comparison
from headstart.flow.inference import answers
from headstart.home import write_text
from headstart.ladder import Climb
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import AdaptOptions
from headstart.records import Table
from headstart.results import PortableForm, Result
from headstart.strategies import STRATEGIES, chosen_names
from headstart.strategies.fitted import members_in

MANY_CLASSES = 100
"""With more classes result.json is written without line breaks."""
_TOLD_LATER = frozenset({"audit", "swaps", "mitigate", "coverage", "cost", "refer_cost", "language"})
"""Options that no rung of the ladder depends on."""


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """Everything one run made, before it is written."""

    bundle: Bundle
    result: Result
    prepared: Prepared
    judged: Judged
    ruled: Ruled
    climb: Climb


def adapt_table(
    table: Table, test: Table | None, options: AdaptOptions, out: Path | None = None, timings: Timings | None = None
) -> Adapted:
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
    names = chosen_names(table.modality, options.strategy, table.task, data.wants_unlabelled(options))
    uses = frozenset(part for name in (*names, *mitigate.asked(table, options)) for part in STRATEGIES[name].uses)
    prepared = prepare(table, options, test, uses=uses, budget=budget, timings=timings)
    with timings.step("features"):
        prepared = with_unlabelled(prepared, options, uses, clock)
    budget = budget.measured_again(len(prepared.table))
    prepared = replace(prepared, task=replace(prepared.task, clock=budget.training_clock()))
    run = runs.Run(out, _key(prepared, options)) if out else None
    with timings.step("strategies"):
        climb, mended = mitigate.mend(prepared, ladder.climb(prepared.train, prepared.task, names, run), options)
    budget = budget.measured_again(len(prepared.table))
    strategy, pooled = STRATEGIES[climb.chosen], members_in(climb.fitted[climb.chosen].state())
    uses = strategy.predicts_from.union(*(STRATEGIES[name].predicts_from for name in pooled))
    with timings.step("evaluation"):
        judged = judge(prepared, climb, budget.clock_for("evaluation"))
        ruled = decision_rules.ruled(prepared, climb, judged, uses=frozenset(uses), options=options)
        judged = ruled.judged
        timings.seconds["total"] = sum(timings.seconds.values())
        result = document(prepared, climb, judged, options=options, seconds=timings.seconds)
        decision_rules.tell(result, prepared, ruled)
        result.mitigation = mended and mitigate.on_test_rows(mended, prepared, judged, options)
    with timings.step("learning_curve"):
        result.learning_curve = of_run(prepared, options, budget.clock_for("learning_curve"))
    result.scripts = scripts(prepared.train.table)
    reads = ruled.reads(frozenset(uses))
    bundle = Bundle(
        modality=table.modality,
        classes=prepared.task.classes,
        strategy=climb.chosen,
        fitted=climb.fitted[climb.chosen],
        backbone=prepared.backbone if "features" in reads else None,
        uses=reads,
        columns=table.columns,
        seed=options.seed,
        about={
            "data": table.source,
            "verdict": result.verdict.sentence,
            "task": options.task,
            "labels_per_class": labels_per_class(prepared),
            **site_comparison.about_site(result),
        },
        task=table.task,
        thresholds=thresholds_of(prepared, climb.fitted[climb.chosen]),
        seen=seen_of(prepared, frozenset(uses)),
        spec=prepared.task.spec,
        rules=ruled.rules,
        reference=site_comparison.reference_of(prepared, ruled.rules, options.group, options.seed),
        input_columns=prepared.table.input_columns,
    )
    with timings.step("checks"):
        suspects.tell(result, prepared, climb, options=options, budget=budget)
    with timings.step("audit"):
        if budget.allows("audit") or options.audit not in ("auto", "none"):
            task = replace(prepared.task, clock=budget.clock_for("audit"))
            audit.tell(result, replace(prepared, task=task), climb, judged=judged, options=options, bundle=bundle)
        elif options.audit == "auto":
            audit.leave_out(result, prepared, NO_TIME)
    return Adapted(bundle=bundle, result=result, prepared=prepared, judged=judged, ruled=ruled, climb=climb)


def _key(prepared: Prepared, options: AdaptOptions) -> str:
    train = prepared.train.table
    said = options.model_dump(mode="json", exclude={*_TOLD_LATER, "offline", "strategy"})
    inputs = [list(train.hashes), list(train.ids), prepared.task.codes.tolist(), prepared.task.folds.tolist()]
    inputs += [] if prepared.task.truth is None else [prepared.task.truth.tolist(), list(prepared.task.classes)]
    bare = prepared.task.unlabelled
    inputs += [] if bare is None else [list(bare.table.hashes)]
    inputs += [] if prepared.task.words is None else [prepared.task.words.digest()]
    fingerprint = [prepared.backbone.fingerprint, prepared.extraction.runtime]
    return runs.key_of(inputs, said, fingerprint, bundles.versions())


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
            table, test = read(path, options)
        with runs.claim(out, data=path, test=options.test):
            adapted = adapt_table(table, test, options, out=out, timings=timings)
            with timings.step("write"):
                adapted.result.portable = _write(adapted, out)
            adapted.result.seconds = {**timings.seconds, "total": time.monotonic() - began}
            _write_result(adapted, out, options)
    progress.say(f"Done in {adapted.result.seconds['total']:.0f} s.")
    return adapted.result


def _write_result(adapted: Adapted, out: Path, options: AdaptOptions) -> None:
    """Write result.json first: whatever happens to the report, `headstart report` can make it again."""
    result, previews = adapted.result, _previews(adapted)
    indent = 2 if len(result.classes) <= MANY_CLASSES else None  # a confusion matrix of 1,000 classes: 2 MB, not 13
    write_text(out / "result.json", result.model_dump_json(indent=indent) + "\n")
    reporting.keep(previews, out)
    reporting.write(result, previews, out, options.language)


def _write(adapted: Adapted, out: Path) -> PortableForm:
    """Write bundle and predictions; says whether the model runs without torch."""
    with TemporaryDirectory(dir=out, prefix=".shipping-") as place:
        some = portable.sample(adapted.prepared, adapted.bundle.seed)
        made = portable.ship(adapted.bundle, some, Path(place), out / "bundle")
        portable.warn(made, adapted.climb, adapted.prepared)
        bundles.save(made, out / "bundle", check=partial(require_same_answers, bundle=made, table=some))
    write_text(out / "test_predictions.csv", _table_of_predictions(adapted))
    told: Mapping[str, Any] = made.shipped.told if made.shipped else bundles.NOT_SHIPPED
    size = (out / "bundle" / told["file"]).stat().st_size if told["ok"] else 0
    return PortableForm(ok=told["ok"], reason=told.get("reason", ""), size_bytes=size)


def _table_of_predictions(adapted: Adapted) -> str:
    result, prepared = adapted.result, adapted.prepared
    said = adapted.judged.predictions.get(result.chosen)
    header = answers.truth_header(result.task, tuple(result.classes))
    rows = () if said is None else answers.truth_rows(prepared.truth, said, adapted.ruled.made)
    return csv_text([header, *rows])


def _previews(adapted: Adapted) -> Mapping[str, str]:
    table = adapted.prepared.table
    result = adapted.result
    wanted = {row.id for row in result.worst} | {row.id for row in result.label_errors[:N_WORST]}
    wanted |= audit.examples_in(result)
    preview = MODALITIES[table.modality].preview
    return {str(name): preview(table.inputs[row]) for row, name in enumerate(table.ids) if str(name) in wanted}
