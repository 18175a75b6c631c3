"""From fitted strategies to the result document: every model on the same test rows, the verdict, the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headstart import evaluation, progress
from headstart.bundle import versions
from headstart.errors import offenders
from headstart.evaluation import Entry, Truth
from headstart.flow.adaptation.prepare import Prepared
from headstart.flow.scoring.groups import compare_groups
from headstart.ladder import Climb
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
    Skipped,
    StrategyResult,
    Verdict,
)
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock, Fitted

N_WORST = 12


@dataclass(frozen=True)
class Judged:
    """What every strategy said of the test rows, and how good that is (None without test rows)."""

    predictions: Mapping[str, Predictions]
    metrics: Mapping[str, AnyMetrics | None]


def judge(prepared: Prepared, climb: Climb, clock: Clock) -> Judged:
    """Predict the test rows with every fitted strategy and score them.

    Without time left a strategy that is neither chosen nor quick is not scored.
    """
    predictions: dict[str, Predictions] = {}
    metrics: dict[str, AnyMetrics | None] = {}
    for name, fitted in climb.fitted.items():
        metrics[name] = None
        costly = STRATEGIES[name].preset != "quick" and STRATEGIES[name].kind != "baseline" and name != climb.chosen
        if costly and clock.left() <= 0:
            progress.say(f"{name} was not scored on the test rows: no time was left.")
        elif len(prepared.test):
            task, shares = prepared.task, fitted.predict(prepared.test)
            cuts = thresholds_of(prepared, fitted)
            said = Predictions(
                ids=prepared.test.table.ids, classes=task.classes, probabilities=shares, task=task.kind, thresholds=cuts
            )
            predictions[name] = said
            metrics[name] = evaluation.score(prepared.truth, said, prepared.test_clusters, task.seed)
    return Judged(predictions, metrics)


def thresholds_of(prepared: Prepared, fitted: Fitted) -> tuple[float, ...]:
    """Choose from which probability on each label is given, on out-of-fold rows; empty where a row has one answer."""
    task = prepared.task
    if task.kind != "multi-label" or task.truth is None:
        return ()
    return evaluation.thresholds(task.truth, fitted.out_of_fold)


def _best(climb: Climb, kinds: set[str]) -> str | None:
    """Give the chosen strategy if it is of these kinds, else the one of these kinds with the lowest log-loss."""
    names = [name for name in climb.fitted if STRATEGIES[name].kind in kinds and name != "majority"]
    if climb.chosen in names:
        return climb.chosen
    return min(names, key=climb.comparable_loss, default=None)


def decide(prepared: Prepared, climb: Climb, judged: Judged) -> Verdict:
    """Compare the best model that uses the base with the best that does not, both chosen inside the training rows."""
    ours, theirs = _best(climb, {"transfer"}), _best(climb, {"baseline", "scratch"})

    def entry(name: str | None) -> Entry | None:
        return Entry(name, judged.predictions[name]) if name and name in judged.predictions else None

    return evaluation.verdict(
        prepared.truth, entry(ours), entry(theirs), clusters=prepared.test_clusters, seed=prepared.task.seed,
        pretrained=prepared.backbone.record.pretrained,
    )  # fmt: skip


def document(
    prepared: Prepared, climb: Climb, judged: Judged, options: AdaptOptions, seconds: Mapping[str, float]
) -> Result:
    """Put everything into the result document."""
    table, chosen = prepared.table, climb.chosen
    found: dict[str, Any] = {"confusion": None}
    if chosen in judged.predictions:
        said = judged.predictions[chosen]
        found = closer_look(prepared.truth, said, prepared.test_clusters, options.seed)
        found["worst"] = evaluation.worst(prepared.truth, said, N_WORST)
        found["groups"] = compare_groups(
            prepared.test.table, prepared.truth, said, columns=options.group, seed=options.seed
        )
    found["not_measured"] = {**found.get("not_measured", {}), **not_held_out(prepared, chosen)}
    return Result.model_validate(
        {
            "modality": table.modality,
            "task": prepared.task.kind,
            "data": table.source,
            "classes": list(prepared.task.classes),
            "n_rows": RowCounts(train=len(prepared.train), test=len(prepared.test), set_aside=len(table.set_aside)),
            "class_counts": _counts(prepared),
            "split": prepared.split,
            "group_columns": list(options.group),
            "base": _base(prepared),
            "ranking": _ranking(prepared),
            "chosen": chosen,
            "strategies": [_strategy(name, climb, judged) for name in climb.fitted],
            "skipped": [Skipped(name=name, reason=reason) for name, reason in climb.skipped.items()],
            "verdict": decide(prepared, climb, judged),
            **found,
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
            "versions": versions(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def not_held_out(prepared: Prepared, chosen: str) -> dict[str, str]:
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
    lone = [f"{n:,} row{'s' * (n > 1)} in {name}" for name, n in _rows_of_lone_classes(prepared).items()]
    return {
        "cross_validation": f"Cannot tell for these classes, whose rows cannot be held out: {offenders(lone)}. The "
        f"figures cover the other {n_train - n_kept:,} training rows."
    }


def _rows_of_lone_classes(prepared: Prepared) -> dict[str, int]:
    """Return the classes or labels whose rows no fold holds out, with their number of training rows."""
    task, kept = prepared.task, prepared.task.folds == TRAINING_ONLY
    if task.truth is not None:
        counts = (task.truth == 1).sum(axis=0)
        return {name: 1 for name, count in zip(task.classes, counts, strict=True) if count == 1}
    counts = np.bincount(task.codes[kept], minlength=len(task.classes))
    return {name: int(count) for name, count in zip(task.classes, counts, strict=True) if count}


def closer_look(truth: Truth, said: Predictions, clusters: Index | None, seed: int) -> dict[str, object]:
    """Give what is shown of one model beside its metrics, by the name of the field; what makes no sense says why."""
    if said.task == "regression":
        return {"confusion": None, "fit": evaluation.fit_points(truth, said), "not_measured": _NO_PROBABILITY}
    if said.task == "multi-label":
        return {"confusion": None, "not_measured": _SEVERAL}
    return {
        "confusion": Confusion(matrix=evaluation.confusion(truth, said).tolist()),
        "calibration": evaluation.calibration(truth, said, clusters, seed),
    }


_NO_PROBABILITY = {
    "confusion": "A number is not confused with another; the errors say how far off it is.",
    "calibration": "The model gives a number and no probability.",
}
_SEVERAL = {
    "confusion": "A row may have several labels, so none is taken for another; each label is judged by itself.",
    "calibration": "Probabilities are given for each label by itself and were not checked together.",
}


def _counts(prepared: Prepared) -> dict[str, dict[str, int]]:
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
    found = Counter(zip(table.labels, table.splits, strict=True))
    return {label: {"train": found[label, TRAIN], "test": found[label, TEST]} for label in prepared.task.classes}


def _base(prepared: Prepared) -> BaseFigures:
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


def _ranking(prepared: Prepared) -> BaseRanking | None:
    if prepared.ranking is None:
        return None
    document = prepared.ranking.document()
    return BaseRanking.model_validate({name: document[name] for name in BaseRanking.model_fields})


def _foreseen(climb: Climb, name: str) -> dict[str, float]:
    found = climb.forecasts.get(name)
    if found is None or found.seconds <= 0:
        return {}
    return {"forecast_seconds": found.seconds, "forecast_memory_bytes": found.memory_bytes}


def _measured(figure: float | None) -> float | None:
    """Return a figure, or None for NaN: what could not be measured."""
    return figure if figure is not None and np.isfinite(figure) else None


def _strategy(name: str, climb: Climb, judged: Judged) -> StrategyResult:
    strategy = STRATEGIES[name]
    return StrategyResult.model_validate(
        {
            "name": name,
            "kind": strategy.kind,
            "summary": strategy.summary,
            "test": judged.metrics[name],
            "cross_validation": _measured(climb.scores.get(name)),
            "cross_validation_log_loss": _measured(climb.losses.get(name)),
            "seconds": climb.seconds.get(name, 0.0),
            **_foreseen(climb, name),
            "notes": list(climb.fitted[name].notes),
        }
    )
