"""From fitted strategies to the result document: every model on the same test rows, the verdict, the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from headstart import evaluation
from headstart.bundle import versions
from headstart.evaluation import Entry
from headstart.flow.grouping import compare_groups
from headstart.flow.prepare import Prepared
from headstart.ladder import Climb
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Predictions
from headstart.results import (
    BaseFigures,
    BaseRanking,
    Confusion,
    FindingRow,
    Metrics,
    Result,
    RowCounts,
    SetAsideRow,
    Skipped,
    StrategyResult,
    Verdict,
)
from headstart.strategies import STRATEGIES

N_WORST = 12


@dataclass(frozen=True)
class Judged:
    """What every strategy said of the test rows, and how good that is (None without test rows)."""

    predictions: Mapping[str, Predictions]
    metrics: Mapping[str, Metrics | None]


def judge(prepared: Prepared, climb: Climb) -> Judged:
    """Predict the test rows with every fitted strategy and score them."""
    predictions: dict[str, Predictions] = {}
    metrics: dict[str, Metrics | None] = {}
    for name, fitted in climb.fitted.items():
        metrics[name] = None
        if len(prepared.test):
            shares = fitted.predict(prepared.test)
            predictions[name] = Predictions(prepared.test.table.ids, prepared.task.classes, shares)
            metrics[name] = evaluation.evaluate(
                prepared.test_codes, predictions[name], prepared.test_clusters, prepared.task.seed
            )
    return Judged(predictions, metrics)


def _best(climb: Climb, kinds: set[str]) -> str | None:
    """Give the chosen strategy if it is of these kinds, else the one of these kinds with the lowest log-loss."""
    names = [name for name in climb.fitted if STRATEGIES[name].kind in kinds and name != "majority"]
    if climb.chosen in names:
        return climb.chosen
    return min(names, key=lambda name: climb.losses[name], default=None)


def decide(prepared: Prepared, climb: Climb, judged: Judged) -> Verdict:
    """Compare the best model that uses the base with the best that does not, both chosen inside the training rows."""
    ours, theirs = _best(climb, {"transfer"}), _best(climb, {"baseline", "scratch"})

    def entry(name: str | None) -> Entry | None:
        return Entry(name, judged.predictions[name]) if name and name in judged.predictions else None

    return evaluation.verdict(
        prepared.test_codes, entry(ours), entry(theirs), prepared.test_clusters, prepared.task.seed,
        prepared.backbone.record.pretrained,
    )  # fmt: skip


def document(
    prepared: Prepared, climb: Climb, judged: Judged, options: AdaptOptions, seconds: Mapping[str, float]
) -> Result:
    """Put everything into the result document."""
    table, chosen = prepared.table, climb.chosen
    confusion, worst, groups, calibration = None, [], [], None
    if chosen in judged.predictions:
        said = judged.predictions[chosen]
        confusion = Confusion(matrix=evaluation.confusion(prepared.test_codes, said).tolist())
        worst = evaluation.worst_rows(prepared.test_codes, said, N_WORST)
        groups = compare_groups(prepared.test.table, prepared.test_codes, said, options.group, options.seed)
        calibration = evaluation.calibration(prepared.test_codes, said, prepared.test_clusters, options.seed)
    return Result.model_validate(
        {
            "modality": table.modality,
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
            "confusion": confusion,
            "groups": groups,
            "calibration": calibration,
            "worst": worst,
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


def _counts(prepared: Prepared) -> dict[str, dict[str, int]]:
    table = prepared.table
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


def _strategy(name: str, climb: Climb, judged: Judged) -> StrategyResult:
    strategy = STRATEGIES[name]
    return StrategyResult.model_validate(
        {
            "name": name,
            "kind": strategy.kind,
            "summary": strategy.summary,
            "test": judged.metrics[name],
            "cross_validation": climb.scores.get(name),
            "cross_validation_log_loss": climb.losses.get(name),
            "seconds": climb.seconds.get(name, 0.0),
            "notes": list(climb.fitted[name].notes),
        }
    )
