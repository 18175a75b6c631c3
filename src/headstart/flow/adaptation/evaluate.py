"""From fitted strategies to the result document: every model on the same test rows, the verdict, the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headstart import evaluation, progress
from headstart.bundle import list_versions
from headstart.errors import offenders
from headstart.evaluation import NamedPredictions, Truth
from headstart.flow.adaptation.prepare import Prepared
from headstart.flow.scoring.groups import compare_groups
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, TRAINING_ONLY, Index, Predictions, list_held_out_folds
from headstart.results import (
    AnyMetrics,
    BaseFigures,
    BaseRanking,
    Confusion,
    FindingRow,
    Result,
    RowCounts,
    SetAsideRow,
    SkippedStrategy,
    StrategyResult,
    Verdict,
)
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, Fitted

N_WORST = 12


@dataclass(frozen=True)
class TestScores:
    """What every strategy said of the test rows, and how good that is (None without test rows)."""

    predictions: Mapping[str, Predictions]
    metrics: Mapping[str, AnyMetrics | None]


def score_test_rows(prepared: Prepared, strategies: FittedStrategies, clock: Clock) -> TestScores:
    """Predict the test rows with every fitted strategy and score them.

    Without time left a strategy that is neither chosen nor quick is not scored.
    """
    predictions: dict[str, Predictions] = {}
    metrics: dict[str, AnyMetrics | None] = {}
    for name, fitted in strategies.fitted.items():
        metrics[name] = None
        costly = (
            STRATEGIES[name].preset != "quick" and STRATEGIES[name].kind != "baseline" and name != strategies.chosen
        )
        if costly and clock.remaining_seconds() <= 0:
            progress.say(f"{name} was not scored on the test rows: no time was left.")
        elif len(prepared.test):
            task, probabilities = prepared.task, fitted.predict(prepared.test)
            thresholds = choose_thresholds(prepared, fitted)
            predicted = Predictions(
                ids=prepared.test.table.ids,
                classes=task.classes,
                probabilities=probabilities,
                task=task.kind,
                thresholds=thresholds,
            )
            predictions[name] = predicted
            metrics[name] = evaluation.score_predictions(prepared.truth, predicted, prepared.test_clusters, task.seed)
    return TestScores(predictions, metrics)


def choose_thresholds(prepared: Prepared, fitted: Fitted) -> tuple[float, ...]:
    """Choose from which probability on each label is given, on out-of-fold rows; empty where a row has one answer."""
    task = prepared.task
    if task.kind != "multi-label" or task.truth is None:
        return ()
    return evaluation.choose_thresholds(task.truth, fitted.out_of_fold)


def _best_of_kinds(strategies: FittedStrategies, kinds: set[str]) -> str | None:
    """Give the chosen strategy if it is of these kinds, else the one of these kinds with the lowest log-loss."""
    names = [name for name in strategies.fitted if STRATEGIES[name].kind in kinds and name != "majority"]
    if strategies.chosen in names:
        return strategies.chosen
    return min(names, key=strategies.comparable_loss, default=None)


def reach_verdict(prepared: Prepared, strategies: FittedStrategies, scores: TestScores) -> Verdict:
    """Compare the best model that uses the base with the best that does not, both chosen inside the training rows."""
    transfer, baseline = _best_of_kinds(strategies, {"transfer"}), _best_of_kinds(strategies, {"baseline", "scratch"})

    def entry(name: str | None) -> NamedPredictions | None:
        return NamedPredictions(name, scores.predictions[name]) if name and name in scores.predictions else None

    return evaluation.assess_transfer(
        prepared.truth, entry(transfer), entry(baseline), clusters=prepared.test_clusters, seed=prepared.task.seed,
        pretrained=prepared.backbone.record.pretrained,
    )  # fmt: skip


def assemble_result(
    prepared: Prepared,
    strategies: FittedStrategies,
    scores: TestScores,
    options: AdaptOptions,
    seconds: Mapping[str, float],
) -> Result:
    """Put everything into the result document."""
    table, chosen = prepared.table, strategies.chosen
    fields: dict[str, Any] = {"confusion": None}
    if chosen in scores.predictions:
        predictions = scores.predictions[chosen]
        fields = measure_details(prepared.truth, predictions, prepared.test_clusters, options.seed)
        fields["worst"] = evaluation.list_worst_rows(prepared.truth, predictions, N_WORST)
        fields["groups"] = compare_groups(
            prepared.test.table, prepared.truth, predictions, columns=options.group, seed=options.seed
        )
    fields["not_measured"] = {**fields.get("not_measured", {}), **explain_rows_not_held_out(prepared, chosen)}
    return Result.model_validate(
        {
            "modality": table.modality,
            "task": prepared.task.kind,
            "data": table.source,
            "classes": list(prepared.task.classes),
            "n_rows": RowCounts(train=len(prepared.train), test=len(prepared.test), set_aside=len(table.set_aside)),
            "class_counts": _count_rows_by_class(prepared),
            "split": prepared.split,
            "group_columns": list(options.group),
            "base": _make_base_figures(prepared),
            "ranking": _make_base_ranking(prepared),
            "chosen": chosen,
            "strategies": [_make_strategy_result(name, strategies, scores) for name in strategies.fitted],
            "skipped": [SkippedStrategy(name=name, reason=reason) for name, reason in strategies.skipped.items()],
            "verdict": reach_verdict(prepared, strategies, scores),
            **fields,
            "checks": [FindingRow.model_validate(finding.as_dict()) for finding in prepared.findings],
            "set_aside": [SetAsideRow(id=item.id, reason=item.reason) for item in table.set_aside],
            "seconds": dict(seconds),
            "cost": {
                "features_forecast_seconds": prepared.extraction.forecast_seconds,
                "features_seconds": prepared.extraction.seconds,
                "rows_computed": float(prepared.extraction.n_computed),
                "rows_from_cache": float(max(0, len(table) - prepared.extraction.n_computed)),
            },
            "seed": options.seed,
            "options": options.model_dump(mode="json"),
            "versions": list_versions(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def explain_rows_not_held_out(prepared: Prepared, chosen: str) -> dict[str, str]:
    """Return what cross-validation cannot tell and why, under `cross_validation`; empty where it covers all rows."""
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
        "cross_validation": f"Cannot tell for these classes, whose rows cannot be held out: {offenders(lone)}. The "
        f"figures cover the other {n_train - n_kept:,} training rows."
    }


def _count_rows_of_lone_classes(prepared: Prepared) -> dict[str, int]:
    """Return the classes or labels whose rows no fold holds out, with their number of training rows."""
    task, is_training_only = prepared.task, prepared.task.folds == TRAINING_ONLY
    if task.truth is not None:
        counts = (task.truth == 1).sum(axis=0)
        return {name: 1 for name, count in zip(task.classes, counts, strict=True) if count == 1}
    counts = np.bincount(task.codes[is_training_only], minlength=len(task.classes))
    return {name: int(count) for name, count in zip(task.classes, counts, strict=True) if count}


def measure_details(truth: Truth, predictions: Predictions, clusters: Index | None, seed: int) -> dict[str, object]:
    """Give what is shown of one model beside its metrics, by the name of the field; what makes no sense says why."""
    if predictions.task == "regression":
        return {
            "confusion": None,
            "fit": evaluation.pair_observed_predicted(truth, predictions),
            "not_measured": _NO_PROBABILITY,
        }
    if predictions.task == "multi-label":
        return {"confusion": None, "not_measured": _SEVERAL_LABELS}
    return {
        "confusion": Confusion(matrix=evaluation.confusion_matrix(truth, predictions).tolist()),
        "calibration": evaluation.measure_calibration(truth, predictions, clusters, seed),
    }


_NO_PROBABILITY = {
    "confusion": "A number is not confused with another; the errors say how far off it is.",
    "calibration": "The model gives a number and no probability.",
}
_SEVERAL_LABELS = {
    "confusion": "A row may have several labels, so none is taken for another; each label is judged by itself.",
    "calibration": "Probabilities are given for each label by itself and were not checked together.",
}


def _count_rows_by_class(prepared: Prepared) -> dict[str, dict[str, int]]:
    """Count the rows of each class or label by split; a number has none."""
    table = prepared.table
    if table.task == "regression":
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


def _make_base_ranking(prepared: Prepared) -> BaseRanking | None:
    if prepared.ranking is None:
        return None
    document = prepared.ranking.document()
    return BaseRanking.model_validate({name: document[name] for name in BaseRanking.model_fields})


def _forecast_figures(strategies: FittedStrategies, name: str) -> dict[str, float]:
    forecast = strategies.forecasts.get(name)
    if forecast is None or forecast.seconds <= 0:
        return {}
    return {"forecast_seconds": forecast.seconds, "forecast_memory_bytes": forecast.memory_bytes}


def _finite_or_none(figure: float | None) -> float | None:
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
            "cross_validation": _finite_or_none(strategies.scores.get(name)),
            "cross_validation_log_loss": _finite_or_none(strategies.losses.get(name)),
            "seconds": strategies.seconds.get(name, 0.0),
            **_forecast_figures(strategies, name),
            "notes": list(strategies.fitted[name].notes),
        }
    )
