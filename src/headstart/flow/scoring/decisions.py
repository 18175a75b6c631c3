"""How good decisions are on labelled rows: abstaining, prediction sets and ranges, costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.decisions import NONE, NOT_SURE, Costs, DecisionPolicy, Decisions, LabelRule
from headstart.evaluation import Truth
from headstart.evaluation.uncertainty.conformal import (
    StatedCoverage,
    measure_range_coverage,
    measure_set_coverage,
    share_interval,
)
from headstart.evaluation.uncertainty.label_sets import StatedLabels, measure_label_sets
from headstart.evaluation.uncertainty.selective import (
    mean_cost_interval,
    measure_risk_coverage,
    rows_per_hundred,
)
from headstart.flow.scoring.settings import SETTINGS
from headstart.records import Index, Predictions, Table
from headstart.results import (
    Abstention,
    Conformal,
    CostFigures,
    Figure,
    Miss,
    OutOfDistributionFigures,
)
from headstart.task_types import TASK_TYPES

_SHARE_NAMES = {"answered": "label", "not_sure": NOT_SURE, "none_of_these": NONE}


@dataclass(frozen=True, kw_only=True)
class ScoredRows:
    """Labelled rows of a table with the predictions and decisions of one model.

    Parameters
    ----------
    table : Table
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
        True classes, or what `targets` holds.
    predictions : Predictions
        Calibrated.
    decisions : Decisions
    clusters : Index or None, shape (n_rows,)
        Rows with one number are resampled together.
    """

    table: Table
    truth: Truth
    predictions: Predictions
    decisions: Decisions
    clusters: Index | None


def measure_outcome_shares(decisions: Decisions, clusters: Index | None) -> dict[str, Figure]:
    """Return the shares of rows with each outcome, under the names that result.json has for them.

    Parameters
    ----------
    decisions : Decisions
        One row or more.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.
    """
    return {
        name: Figure.from_interval(share_interval(decisions.outcomes == outcome, clusters))
        for outcome, name in _SHARE_NAMES.items()
    }


def measure_abstention(
    rows: ScoredRows, policy: DecisionPolicy, seed: int, accuracy: Figure | None = None
) -> Abstention:
    """Return what was answered on labelled rows, and how good the answers are.

    Parameters
    ----------
    rows : ScoredRows
        One or more.
    policy : DecisionPolicy
    seed : int
        Of the bootstrap.
    accuracy : Figure or None
        Of the same rows, where it was measured already: one figure has one interval.
    """
    truth, predictions, decided, clusters = rows.truth, rows.predictions, rows.decisions, rows.clusters
    single, answered = TASK_TYPES[predictions.task].has_one_class, decided.outcomes == "answered"
    not_applied = dict(policy.not_applied)
    figures: dict[str, object] = dict.fromkeys(("accuracy_answered", "accuracy_all", "wrong", "risk_coverage", "costs"))
    if single:
        right, plain = decided.codes == truth, predictions.class_indices == truth
        inside = None if clusters is None else clusters[answered]
        accuracy = accuracy or Figure.from_interval(share_interval(plain, clusters))
        of_answered: Figure | None = None
        if answered.all() and np.array_equal(right, plain):
            of_answered = accuracy  # One figure has one interval.
        elif answered.any():
            of_answered = Figure.from_interval(share_interval(right[answered], inside))
        figures |= {
            "accuracy_answered": of_answered,
            "accuracy_all": accuracy,
            "wrong": rows_per_hundred(answered & ~right, clusters),
            "misses": _list_misses(truth, predictions, decided, policy.costs),
            "risk_coverage": measure_risk_coverage(plain, predictions.probabilities.max(axis=1), clusters, seed),
            "costs": _measure_costs(truth, predictions, decided, costs=policy.costs, clusters=clusters, seed=seed),
        }
    else:
        not_applied["risk_coverage"] = "A number or several labels have no single probability to order rows by."
    return Abstention.model_validate(
        {
            "n_rows": len(truth),
            "n_answered": int(answered.sum()),
            "shares": measure_outcome_shares(decided, clusters),
            "referred": rows_per_hundred(decided.outcomes == "not_sure", clusters),
            "refused": rows_per_hundred(decided.outcomes == "none_of_these", clusters),
            "novelty": _measure_out_of_distribution(truth, predictions, decided, policy=policy, clusters=clusters),
            "reserved_classes": list(
                np.array(predictions.classes, dtype=object)[policy.is_reserved(predictions.classes)]
            )
            if single
            else [],
            "without": not_applied,
            **figures,
        }
    )


def _list_misses(
    truth: NDArray[np.intp], predictions: Predictions, decided: Decisions, costs: Costs | None
) -> list[Miss]:
    """List the wrong answers by class and answer: the costliest kinds first, then the most frequent."""
    wrong = (decided.codes >= 0) & (decided.codes != truth)
    pairs, counts = np.unique(np.column_stack([truth, decided.codes])[wrong], axis=0, return_counts=True)
    matrix = np.asarray(costs.matrix) if costs else np.ones((len(predictions.classes), len(predictions.classes)))
    order = sorted(range(len(pairs)), key=lambda at: (-matrix[tuple(pairs[at])], -counts[at], tuple(pairs[at])))
    return [
        Miss(
            label=predictions.classes[pairs[at][0]], answer=predictions.classes[pairs[at][1]], n_rows=int(counts[at]),
            per_hundred=rows_per_hundred((truth == pairs[at][0]) & (decided.codes == pairs[at][1]), None),
            cost=float(matrix[tuple(pairs[at])]),
        )
        for at in order[:SETTINGS.missed_rows]
    ]  # fmt: skip


def _measure_costs(
    truth: NDArray[np.intp], predictions: Predictions, decided: Decisions, costs: Costs | None,
    clusters: Index | None, seed: int,
) -> CostFigures | None:  # fmt: skip
    if costs is None:
        return None
    most = max(costs.refer, float(np.max(costs.matrix)))
    now, always = costs.incurred_costs(truth, decided.codes), costs.incurred_costs(truth, predictions.class_indices)
    return CostFigures(
        given=list(costs.as_written), refer=costs.refer, mean_cost=mean_cost_interval(now, clusters, seed, most),
        mean_cost_always=mean_cost_interval(always, clusters, seed, most),
    )  # fmt: skip


def _measure_out_of_distribution(
    truth: NDArray[np.intp],
    predictions: Predictions,
    decided: Decisions,
    policy: DecisionPolicy,
    clusters: Index | None,
) -> OutOfDistributionFigures | None:
    """Return the share of ordinary test rows that are called out of distribution."""
    if policy.out_of_distribution is None:
        return None
    ordinary = np.isfinite(decided.distances)
    if TASK_TYPES[predictions.task].has_one_class:
        ordinary &= ~policy.is_reserved(predictions.classes)[truth]
    far = decided.distances[ordinary] > policy.out_of_distribution.threshold
    inside = None if clusters is None else clusters[ordinary]
    detector = policy.out_of_distribution
    return OutOfDistributionFigures(
        reads=detector.reads, threshold=detector.threshold, stated_false_alarm=detector.false_alarm,
        measured_false_alarm=Figure.from_interval(share_interval(far, inside)) if len(far) else None,
        n_rows_learnt=detector.n_rows, n_rows_kept=len(detector.remembered),
    )  # fmt: skip


def measure_coverage(rows: ScoredRows, policy: DecisionPolicy, seed: int, n_rows_learnt: int = 0) -> Conformal | None:
    """Return how often prediction sets or ranges hold the truth of labelled rows; None where the model states none.

    Parameters
    ----------
    rows : ScoredRows
    policy : DecisionPolicy
    seed : int
        Of the bootstrap.
    n_rows_learnt : int
        Rows that the margin of ranges was learnt from.
    """
    predictions = rows.predictions
    if TASK_TYPES[predictions.task].is_number and policy.margin is not None:
        return measure_range_coverage(
            rows.truth[:, 0].astype(np.float64),
            predictions.values,
            policy.margin,
            stated=policy.coverage,
            n_rows_learnt=n_rows_learnt,
            clusters=rows.clusters,
        )
    if policy.labels is not None and TASK_TYPES[predictions.task].has_label_sets:
        return _measure_labels(rows, policy.labels, seed)
    if policy.sets is None or not TASK_TYPES[predictions.task].has_one_class:
        return None
    return measure_set_coverage(
        rows.truth,
        rows.decisions.sets,
        policy.sets.exact_sets(predictions.probabilities),
        StatedCoverage(policy.coverage, policy.sets.n_rows, sum(policy.sets.own)),
        clusters=rows.clusters,
        seed=seed,
    )


def _measure_labels(rows: ScoredRows, rule: LabelRule, seed: int) -> Conformal | None:
    stated = StatedLabels(
        names=rows.predictions.classes, coverage=rule.coverage, confidence=rule.confidence,
        possible_from=rule.possible_from, sure_from=rule.sure_from, n_positives=rule.n_positives,
        n_rows_learnt=rule.n_rows,
    )  # fmt: skip
    return measure_label_sets(
        rows.truth, rows.decisions.sets, rows.decisions.sure, stated, clusters=rows.clusters, seed=seed
    )
