"""`set-care`: how much a model leaves to a person, shown on test rows, chosen on held-out rows, and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.bundle.decision import read_stored_policy
from headstart.bundle.verification import verify_bundle
from headstart.decisions import DecisionPolicy
from headstart.errors import BundleError, DataError, OptionError
from headstart.file_locks import hold_output_folder
from headstart.flow.carefulness.rescore import decide_again, rescore_run, rewrite_run
from headstart.flow.reporting import read_result
from headstart.flow.scoring.carefulness import choose_level, measure_level, measure_levels, set_refer_cost
from headstart.flow.scoring.costs import make_costs
from headstart.flow.scoring.scored_rows import RunRows, read_run_rows
from headstart.flow.scoring.training_site import name_figures
from headstart.options import AdaptOptions, SetCareOptions
from headstart.projects import Project, is_project
from headstart.results import Result
from headstart.results.carefulness import Carefulness, CareLevel
from headstart.task_types import TASK_TYPES


def read_carefulness(run: Path) -> Carefulness | None:
    """Return what each setting of carefulness does on the test rows of a run; nothing is loaded but small files.

    Parameters
    ----------
    run : Path
        The output folder of `adapt`.

    Returns
    -------
    Carefulness or None
        None where rows have no single class, or the rows cannot be decided again.

    Raises
    ------
    HeadstartError
        There is no result.json, or its bundle is damaged.
    """
    result = read_result(run / "result.json")
    rows = _read_rows(run, result)
    folder = bundles.find_bundle(run)
    if rows is None or not (folder / "decision.json").is_file():
        return None
    policy = read_stored_policy(folder, result.classes, result.task)
    return _measure(result, rows, policy)


def set_care(model: Path, options: SetCareOptions) -> Carefulness | None:
    """Write a model that is as careful as asked, with its result and report; without a setting nothing is written.

    Parameters
    ----------
    model : Path
        A bundle, or the output folder of `adapt`.
    options : SetCareOptions

    Returns
    -------
    Carefulness or None
        Of the model as it is afterwards; None for a bundle alone.

    Raises
    ------
    HeadstartError
        Rows have no single class, no setting is good enough, or the model cannot be read or written.
    """
    _require_one_setting(options)
    run = model if (model / "result.json").is_file() else None
    result = None if run is None else read_result(run / "result.json")
    rows = None if run is None or result is None else _read_rows(run, result)
    if not any((options.refer_cost, options.at_most_wrong, options.reset)):
        return None if run is None else read_carefulness(run)
    with hold_output_folder(model, _find_lock(model)):
        bundle = bundles.load_bundle(model, "quickest")
        if not TASK_TYPES[bundle.task].has_one_class:
            raise DataError(
                "Only a model that gives one class a row can leave rows to a person.", "Adapt with --task to choose."
            )
        policy = _choose_policy(bundle, result, rows, options)
        changed = replace(bundle, decision_policy=policy)
        if run is None or result is None or rows is None:
            _write_bundle(changed, bundles.find_bundle(model))
            return None
        rescored = rescore_run(run, result, rows, policy)
        _write_bundle(_update_facts(changed, rescored), bundles.find_bundle(model))
        rewrite_run(run, rescored, rows, policy=policy, language=options.language)
        _note_in_project(run, rescored)
    return _measure(rescored, rows, policy)


def _require_one_setting(options: SetCareOptions) -> None:
    settings = [options.refer_cost is not None, options.at_most_wrong is not None, options.reset]
    if sum(settings) > 1:
        raise OptionError("--refer-cost, --at-most-wrong and --reset exclude each other.", "Name one of them.")


def _find_lock(model: Path) -> Path:
    place = model / "run" if (model / "run").is_dir() else model.parent
    return place / ("lock" if place.name == "run" else f".{model.name}.lock")


def _read_rows(run: Path, result: Result) -> RunRows | None:
    return read_run_rows(run, result) if TASK_TYPES[result.task].has_one_class else None


def _measure(result: Result, rows: RunRows, policy: DecisionPolicy) -> Carefulness:
    codes = decide_again(result, rows, policy).codes
    return Carefulness(
        n_rows=len(rows.test.codes),
        levels=measure_levels(rows.test, policy, result.classes, result.task),
        present=measure_level(rows.test, codes, policy),
        is_by_cost=policy.costs is not None,
        has_calibration_rows=rows.calibration is not None,
        are_clusters_known=rows.are_clusters_known,
    )


def _choose_policy(
    bundle: Bundle, result: Result | None, rows: RunRows | None, options: SetCareOptions
) -> DecisionPolicy:
    policy, classes, task = bundle.decision_policy, bundle.classes, bundle.task
    if options.refer_cost is not None:
        return set_refer_cost(policy, options.refer_cost, classes, task)
    if options.at_most_wrong is not None:
        level = _choose_held_out_level(rows, policy, bundle=bundle, most_wrong=options.at_most_wrong / 100)
        return set_refer_cost(policy, level.refer_cost, classes, task)
    written = policy.costs.as_written if policy.costs is not None else ()
    if not written:
        return replace(policy, costs=None)
    if result is None:
        raise DataError(
            "A bundle alone does not say what asking a person cost when it was made.",
            "Name the output folder of `adapt`, or give --refer-cost.",
        )
    return replace(policy, costs=make_costs(classes, AdaptOptions.model_validate(result.options)))


def _choose_held_out_level(
    rows: RunRows | None, policy: DecisionPolicy, bundle: Bundle, most_wrong: float
) -> CareLevel:
    if rows is None or rows.calibration is None:
        raise DataError(
            "--at-most-wrong needs the rows that were held out in training, and they are not stored with this model.",
            "Give --refer-cost, or adapt again.",
        )
    levels = measure_levels(rows.calibration, policy, bundle.classes, bundle.task)
    level = choose_level(levels, most_wrong)
    if level is None:
        raise DataError(
            f"With no setting is it sure that at most {100 * most_wrong:g} of 100 answers are wrong "
            f"({len(rows.calibration.codes):,} rows were held out in training).",
            "Allow more, or label more rows and adapt again.",
        )
    return level


def _note_in_project(run: Path, result: Result) -> None:
    """Note the new verdict in the project that the run is a model of, if there is one."""
    folder = run.resolve().parent.parent
    if result.readiness is None or not is_project(folder):
        return
    with Project.open(folder) as project:
        for model in project.list_models():
            if model.folder.resolve() == run.resolve():
                project.update_model(model.n, facts={"readiness": result.readiness.level})


def _update_facts(bundle: Bundle, result: Result) -> Bundle:
    """Return a bundle whose figures of its own test rows, which `evaluate` compares with, are those of the result."""
    site, metrics = bundle.training_facts.site, result.strategy(result.chosen).test
    if site is None or metrics is None:
        return bundle
    figures = name_figures(
        metrics, result.task, result.calibration, conformal=result.conformal, abstention=result.abstention
    )
    facts = bundle.training_facts.model_copy(update={"site": site.model_copy(update={"figures": figures})})
    return replace(bundle, training_facts=facts)


def _write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write the bundle with other decisions in its place; what does not answer as before does not take its name."""

    def check(fresh: Path) -> None:
        if not verify_bundle(fresh).passes:
            raise BundleError(
                "The model that was written does not answer as it did.", "Nothing was changed; try again."
            )

    bundles.save_bundle(bundle, folder, check=check)
