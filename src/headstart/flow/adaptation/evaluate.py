"""Every fitted strategy on the same test rows, the verdict, and the figures of the chosen one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import evaluation, progress
from headstart.decisions import Calibrator, DecisionPolicy
from headstart.evaluation import NamedPredictions
from headstart.flow.run_records import DecidedTestRows, Prepared, TestScores
from headstart.flow.scoring.decisions import ScoredRows
from headstart.flow.scoring.predictions import (
    GroupsToCompare,
    ModelFigures,
    choose_label_thresholds,
    measure_model,
)
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Predictions
from headstart.results import (
    AnyMetrics,
    Calibration,
    Correction,
    Uncorrected,
    Verdict,
)
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Clock


def score_test_rows(
    prepared: Prepared, strategies: FittedStrategies, policy: DecisionPolicy, clock: Clock
) -> TestScores:
    """Predict the test rows with every fitted strategy and score them; those of the chosen one are calibrated first.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    policy : DecisionPolicy
        Of the chosen strategy.
    clock : Clock
        Without time left a strategy that is neither chosen nor quick is not scored.
    """
    uncalibrated = None
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
            thresholds = choose_label_thresholds(task, fitted)
            predicted = Predictions(
                ids=prepared.test.table.ids,
                classes=task.classes,
                probabilities=probabilities,
                task=task.kind,
                thresholds=thresholds,
            )
            if name == strategies.chosen:
                uncalibrated, predicted = predicted, policy.calibrate(predicted)
            predictions[name] = predicted
            metrics[name] = evaluation.score_predictions(prepared.truth, predicted, prepared.test_clusters, task.seed)
    return TestScores(
        predictions=predictions,
        metrics=metrics,
        uncalibrated=uncalibrated,
        thresholds=choose_label_thresholds(prepared.task, strategies.fitted[strategies.chosen]),
    )


def _best_of_kinds(strategies: FittedStrategies, kinds: set[str]) -> str | None:
    """Return the chosen strategy if it is of these kinds, else the one of these kinds with the lowest log-loss."""
    names = [name for name in strategies.fitted if STRATEGIES[name].kind in kinds and name != "majority"]
    if strategies.chosen in names:
        return strategies.chosen
    return min(names, key=strategies.comparable_loss, default=None)


def reach_verdict(prepared: Prepared, strategies: FittedStrategies, scores: TestScores) -> Verdict:
    """Compare the best model that uses the base with the best that does not, both chosen inside the training rows.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    scores : TestScores
    """
    transfer, baseline = _best_of_kinds(strategies, {"transfer"}), _best_of_kinds(strategies, {"baseline", "scratch"})

    def entry(name: str | None) -> NamedPredictions | None:
        return NamedPredictions(name, scores.predictions[name]) if name and name in scores.predictions else None

    return evaluation.assess_transfer(
        prepared.truth, entry(transfer), entry(baseline), clusters=prepared.test_clusters, seed=prepared.task.seed,
        pretrained=prepared.backbone.record.pretrained,
    )  # fmt: skip


def measure_chosen_model(
    prepared: Prepared, chosen: str, scores: TestScores, decided: DecidedTestRows, options: AdaptOptions
) -> ModelFigures | None:
    """Return how good the chosen model is on the test rows, calibrated and decided; None without test rows.

    Parameters
    ----------
    prepared : Prepared
    chosen : str
        Name of the strategy.
    scores : TestScores
    decided : DecidedTestRows
    options : AdaptOptions
    """
    metrics = scores.metrics[chosen]
    if metrics is None or scores.uncalibrated is None or decided.decisions is None:
        return None
    rows = ScoredRows(
        table=prepared.test.table,
        truth=prepared.truth,
        predictions=scores.predictions[chosen],
        decisions=decided.decisions,
        clusters=prepared.test_clusters,
    )
    figures = measure_model(
        rows, metrics, decided.policy, groups=_list_groups(prepared, options), seed=options.seed,
        n_rows_learnt=len(prepared.train),
    )  # fmt: skip
    if figures.calibration is None:
        return figures
    calibrator = decided.policy.calibrator
    calibration = figures.calibration.model_copy(update={"correction": _make_correction(calibrator)})
    if calibrator.method != "none":
        calibration = _add_uncorrected(calibration, prepared, scores.uncalibrated, options.seed)
    return replace(figures, calibration=calibration)


def _list_groups(prepared: Prepared, options: AdaptOptions) -> GroupsToCompare:
    test_rows = np.flatnonzero(np.isin(prepared.table.ids, prepared.test.table.ids))
    return GroupsToCompare(columns=prepared.compared.take(test_rows).columns, group_columns=options.group)


def _add_uncorrected(calibration: Calibration, prepared: Prepared, predictions: Predictions, seed: int) -> Calibration:
    """Return a calibration with how good it was without the correction."""
    old = evaluation.measure_calibration(prepared.truth, predictions, prepared.test_clusters, seed)
    assert old is not None and old.log_loss is not None
    before = Uncorrected(
        error=old.error, overconfidence=old.overconfidence, brier=old.brier, log_loss=old.log_loss, bins=old.bins
    )
    pairs = zip(calibration.per_label, old.per_label, strict=True)
    per_label = [new.model_copy(update={"before": one.error}) for new, one in pairs]
    return calibration.model_copy(update={"before": before, "per_label": per_label})


def _make_correction(calibrator: Calibrator) -> Correction:
    return Correction(
        method=calibrator.method,  # type: ignore[arg-type]
        temperature=calibrator.temperature if calibrator.method == "temperature" else None,
        gain=calibrator.gain,
        n_rows=calibrator.n_rows,
    )
