"""The result document, assembled once from what the steps of a run returned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from headstart.bundle import list_versions
from headstart.errors import list_offenders
from headstart.flow.adaptation.picture_figures import measure_picture_figures
from headstart.flow.adaptation.text_scripts import count_scripts
from headstart.flow.room_settings import RUN_SETTINGS, collect_settings
from headstart.flow.run_records import AdaptedRun, Prepared, TestScores
from headstart.flow.scoring.predictions import ModelFigures
from headstart.flow.scoring.readiness import judge_result
from headstart.ladder import FittedStrategies
from headstart.records import TEST, TRAIN, TRAINING_ONLY, list_held_out_folds
from headstart.report import fill_sentences
from headstart.results import (
    BaseFigures,
    FindingRow,
    PortableForm,
    Result,
    RowCounts,
    SetAsideRow,
    SkippedStrategy,
    StrategyResult,
)
from headstart.strategies import STRATEGIES
from headstart.task_types import TASK_TYPES


def assemble_result(
    run: AdaptedRun, seconds: Mapping[str, float], portable: PortableForm | None = None, out: str = ""
) -> Result:
    """Return the result document of a run.

    Parameters
    ----------
    run : AdaptedRun
    seconds : mapping of str to float
        Spent on each step, with `total`.
    portable : PortableForm or None
        Of the bundle that was written; None where none was.
    out : str
        The run folder, for commands; empty where there is none.
    """
    prepared, strategies, options = run.prepared, run.strategies, run.options
    table, figures = prepared.table, run.figures
    sets, n_lone = run.decided.policy.sets, int((prepared.task.folds == TRAINING_ONLY).sum())
    result = Result(
        modality=table.modality,
        task=prepared.task.kind,
        data=table.source,
        classes=list(prepared.task.classes),
        n_rows=RowCounts(train=len(prepared.train), test=len(prepared.test), set_aside=len(table.set_aside)),
        class_counts=_count_rows_by_class(prepared),
        scripts=count_scripts(prepared.train.table),
        languages=dict(prepared.languages),
        split_kind=prepared.split,
        test_data=prepared.test_source,
        group_columns=list(options.group),
        base=_make_base_figures(prepared),
        ranking=prepared.ranking.to_record() if prepared.ranking else None,
        base_choice=prepared.base_choice,
        chosen=strategies.chosen,
        strategies=[_make_strategy_result(name, strategies, run.scores) for name in strategies.fitted],
        skipped=[SkippedStrategy(name=name, reason=reason) for name, reason in strategies.skipped.items()],
        verdict=run.verdict,
        confusion=figures.confusion if figures else None,
        fit=figures.fit if figures else None,
        groups=figures.groups if figures else [],
        columns_left_alone=prepared.compared.left_alone,
        calibration=figures.calibration if figures else None,
        conformal=figures.conformal if figures else None,
        rows_missing_for_sets=None if sets is None else sets.count_missing_rows(n_lone),
        abstention=figures.abstention if figures else None,
        levels=figures.levels if figures else [],
        not_measured=_explain_not_measured(prepared, strategies.chosen, figures),
        learning_curve=run.learning_curve,
        inherited=run.audit.inherited,
        slices=run.audit.slices,
        mitigation=run.mitigation,
        pictures=measure_picture_figures(run),
        worst=figures.worst if figures else [],
        checks=[FindingRow.model_validate(finding.as_dict()) for finding in run.checks.findings],
        label_errors=run.checks.label_errors,
        label_errors_wrong=run.checks.label_errors_wrong,
        honest_score=run.checks.honest_score,
        set_aside=[SetAsideRow(id=item.id, reason=item.reason) for item in table.set_aside],
        portable=portable,
        seconds=dict(seconds),
        cost={
            "features_forecast_seconds": prepared.extraction.forecast_seconds,
            "features_seconds": prepared.extraction.seconds,
            "rows_computed": float(prepared.extraction.n_computed),
            "rows_from_cache": float(max(0, len(table) - prepared.extraction.n_computed)),
        },
        seed=options.seed,
        options=options.model_dump(mode="json"),
        settings=collect_settings(RUN_SETTINGS),
        versions=list_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return fill_sentences(result.model_copy(update={"readiness": judge_result(result, out)}))


def _explain_not_measured(prepared: Prepared, chosen: str, figures: ModelFigures | None) -> dict[str, str]:
    """Return the parts of the document that could not be measured, and why."""
    not_held_out = _explain_rows_not_held_out(prepared, chosen)
    if figures is None:
        return {**not_held_out, **dict.fromkeys(("conformal", "abstention"), "There were no test rows.")}
    return {**figures.not_measured, **not_held_out}


def _explain_rows_not_held_out(prepared: Prepared, chosen: str) -> dict[str, str]:
    """Return what cross-validation did not measure and why, under `cross_validation`; empty if it covers all rows."""
    folds, n_train = prepared.task.folds, len(prepared.train)
    if len(list_held_out_folds(folds)) < 2:
        why = "every class has one row, or copies of one" if prepared.task.truth is None else "they belong together"
        return {
            "cross_validation": f"Cannot tell: none of the {n_train:,} training rows can be held out ({why}). {chosen} "
            "was taken without a comparison."
        }  # fmt: skip
    n_kept = int((folds == TRAINING_ONLY).sum())
    if not n_kept:
        return {}
    lone = [f"{n:,} row{'s' * (n > 1)} in {name}" for name, n in _count_rows_of_lone_classes(prepared).items()]
    return {
        "cross_validation": "Cannot tell for these classes, whose rows cannot be held out: "
        f"{list_offenders(lone)}. The figures cover the other {n_train - n_kept:,} training rows."
    }


def _count_rows_of_lone_classes(prepared: Prepared) -> dict[str, int]:
    """Return the classes or labels whose rows no fold holds out, with their number of training rows."""
    task, is_training_only = prepared.task, prepared.task.folds == TRAINING_ONLY
    if task.truth is not None:
        counts = (task.truth == 1).sum(axis=0)
        return {name: 1 for name, count in zip(task.classes, counts, strict=True) if count == 1}
    counts = np.bincount(task.codes[is_training_only], minlength=len(task.classes))
    return {name: int(count) for name, count in zip(task.classes, counts, strict=True) if count}


def _count_rows_by_class(prepared: Prepared) -> dict[str, dict[str, int]]:
    """Count the rows of each class or label by split; a number has none."""
    table = prepared.table
    if TASK_TYPES[table.task].is_number:
        return {}
    if table.targets is not None:
        named = {TRAIN: prepared.train.table.targets, TEST: prepared.test.table.targets}
        sums = {name: (part == 1).sum(axis=0) for name, part in named.items() if part is not None}
        return {
            label: {name: int(counts[at]) for name, counts in sums.items()}
            for at, label in enumerate(prepared.task.classes)
        }
    assert table.labels is not None
    counts = Counter(zip(table.labels, table.splits, strict=True))
    return {label: {"train": counts[label, TRAIN], "test": counts[label, TEST]} for label in prepared.task.classes}


def _make_base_figures(prepared: Prepared) -> BaseFigures:
    record = prepared.backbone.record
    return BaseFigures(
        name=record.name,
        modality=record.modality,
        licence=record.licence,
        pretrained=record.pretrained,
        training_data=record.training_data,
        known_biases=record.known_biases,
        sha256=record.sha256,
        n_dims=record.n_dims,
        fingerprint=prepared.backbone.fingerprint,
        runtime=prepared.extraction.runtime,
    )


def _forecast_figures(strategies: FittedStrategies, name: str) -> dict[str, float]:
    forecast = strategies.forecasts.get(name)
    if forecast is None or forecast.seconds <= 0:
        return {}
    return {"forecast_seconds": forecast.seconds, "forecast_memory_bytes": forecast.memory_bytes}


def _drop_infinite(figure: float | None) -> float | None:
    """Return a figure, or None for NaN: what could not be measured."""
    return figure if figure is not None and np.isfinite(figure) else None


def _make_strategy_result(name: str, strategies: FittedStrategies, scores: TestScores) -> StrategyResult:
    strategy = STRATEGIES[name]
    return StrategyResult.model_validate(
        {
            "name": name,
            "kind": strategy.kind,
            "summary": strategy.summary,
            "test": scores.metrics[name],
            "cross_validation": _drop_infinite(strategies.scores.get(name)),
            "cross_validation_log_loss": _drop_infinite(strategies.losses.get(name)),
            "seconds": strategies.seconds.get(name, 0.0),
            **_forecast_figures(strategies, name),
            "notes": list(strategies.fitted[name].notes),
        }
    )
