"""Learn when the chosen model is to be believed, apply it to the test rows, and say how that went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart import decisions, evaluation
from headstart.decisions import LABEL, NONE, NOT_SURE, SINGLE, Calibrator, Costs, DecisionPolicy, Decisions
from headstart.errors import OptionError
from headstart.evaluation.uncertainty.conformal import measure_range_coverage, measure_set_coverage, share_interval
from headstart.evaluation.uncertainty.selective import (
    answer_share,
    mean_cost_interval,
    measure_risk_coverage,
    rows_per_hundred,
)
from headstart.flow.adaptation.evaluate import TestScores
from headstart.flow.adaptation.prepare import Prepared
from headstart.flow.inference.predict_table import decide_rows, select_ood_features
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.records import Index, Predictions, Table
from headstart.results import (
    Abstention,
    Conformal,
    Correction,
    CostFigures,
    Figure,
    Miss,
    NoveltyFigures,
    Result,
    Uncorrected,
)
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Strategy

MOST_MISSES = 10
SMALL_BASE_BYTES = 8_000_000
"""A base so small is kept for telling strange rows, whatever model was chosen."""
_NO_SETS = "A row may have several labels, so there is no set of possible ones."
_NO_FEATURES = (
    "The model reads the rows themselves and no features that were kept, so rows unlike the training rows are not told."
)


@dataclass(frozen=True)
class DecidedTestRows:
    """The rules, and what they make of the test rows (None without test rows).

    `scores` has the corrected probabilities of the chosen model, `uncalibrated` its probabilities as they were.
    """

    policy: DecisionPolicy
    scores: TestScores
    uncalibrated: Predictions | None
    decisions: Decisions | None

    def inputs_read(self, uses: frozenset[str]) -> frozenset[str]:
        """Add to what the model reads what the rules read."""
        return uses | ({self.policy.out_of_distribution.reads} if self.policy.out_of_distribution else set())


def require_costs(table: Table, options: AdaptOptions) -> None:
    """Refuse costs that cannot be, before anything long begins.

    Raises
    ------
    OptionError
        An unknown class, a cost that is no number, or a task without classes.
    """
    if options.reserved and (table.task not in SINGLE or table.labels is None):
        raise OptionError("--reserved: the rows have no single class each.", "Leave it out.")
    if not options.cost and not options.reserved:
        return
    if table.task not in SINGLE or table.labels is None:
        raise OptionError("--cost: the rows have no single class each, so no answer can be weighed.", "Leave it out.")
    classes = sorted({str(label) for label in table.labels})
    reserved = decisions.reserved_classes(options.reserved, classes)
    decisions.parse_costs(options.cost, classes, options.refer_cost, reserved)


def fit_policy(
    prepared: Prepared, strategies: FittedStrategies, uses: frozenset[str], options: AdaptOptions
) -> DecisionPolicy:
    """Learn the rules from the training rows alone.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
        The chosen strategy's out-of-fold probabilities are what is learnt from.
    uses : frozenset of str
        What its model reads.
    options : AdaptOptions
    """
    task, out_of_fold, without = prepared.task, strategies.fitted[strategies.chosen].out_of_fold, {}
    novelty = None
    reads = _choose_ood_features(prepared, STRATEGIES[strategies.chosen], uses)
    values = select_ood_features(prepared.train, reads)
    if values is None:
        without["novelty"] = _NO_FEATURES
    else:
        novelty = decisions.fit_out_of_distribution(
            values, task.codes, task.folds, ids=prepared.train.table.ids, reads=reads, seed=task.seed
        )
        if novelty is None:
            without["novelty"] = "There are too few training rows to say what is unlike them."
    reserved = _learnt_reserved_classes(options.reserved, task.classes) if task.kind in SINGLE else None
    policy = DecisionPolicy(coverage=options.coverage, out_of_distribution=novelty, reserved=reserved)
    if task.kind == "regression":
        assert task.truth is not None
        margin, _ = decisions.fit_margin(task.truth[:, 0].astype(np.float64), out_of_fold[:, 0], options.coverage)
        return replace(policy, margin=margin, not_applied={**without, "calibration": "The model gives no probability."})
    if task.kind not in SINGLE:
        return replace(policy, not_applied={**without, "sets": _NO_SETS})
    clusters = prepared.train_dependence.for_resampling
    calibrator = decisions.fit_calibrator(task.codes, out_of_fold, task.folds, clusters)
    sets = decisions.fit_sets(task.codes, calibrator.apply(out_of_fold), options.coverage)
    costs = decisions.parse_costs(_learnt_costs(options.cost, task.classes), task.classes, options.refer_cost, reserved)
    return replace(
        policy, calibrator=calibrator, sets=sets, costs=costs if options.cost else None, not_applied=without,
    )  # fmt: skip


def _learnt_reserved_classes(requested: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reserved ones of the classes that were learnt; `require_costs` has checked the names."""
    try:
        return decisions.reserved_classes(requested, classes)
    except OptionError:
        return tuple(name for text in requested for name in (text, *text.split(",")) if name in classes)


def _learnt_costs(texts: tuple[str, ...], classes: tuple[str, ...]) -> list[str]:
    """Leave out costs of classes that no training row is left of; `require_costs` has checked the names."""
    known = []
    for text in texts:
        try:
            decisions.parse_costs([text], classes, 0.0)
        except OptionError:
            continue
        known.append(text)
    return known


def _choose_ood_features(prepared: Prepared, strategy: Strategy, uses: frozenset[str]) -> str:
    """Say what novelty is measured in: features where the model reads them, moved the base's weights, or needs no more.

    A model that moved weights brings its own base; the frozen one then comes along for this alone, as a small one does.
    """
    base = sum(value.nbytes for value in prepared.backbone.parts.weights.values())
    brings = "features" in uses or strategy.kind == "transfer" or base <= SMALL_BASE_BYTES
    return "features" if brings and prepared.train.features is not None else "descriptors"


def decide_test_rows(
    prepared: Prepared, strategies: FittedStrategies, scores: TestScores, uses: frozenset[str], options: AdaptOptions
) -> DecidedTestRows:
    """Learn the rules and apply them to the test rows; nothing is learnt from these."""
    chosen, task = strategies.chosen, prepared.task
    policy = fit_policy(prepared, strategies, uses, options)
    before = scores.predictions.get(chosen)
    if before is None:
        return DecidedTestRows(policy, scores, None, None)
    calibrated = policy.calibrate(before)
    if policy.calibrator.method != "none":
        metrics = evaluation.score_predictions(prepared.truth, calibrated, prepared.test_clusters, task.seed)
        scores = TestScores({**scores.predictions, chosen: calibrated}, {**scores.metrics, chosen: metrics})
    return DecidedTestRows(policy, scores, before, decide_rows(policy, calibrated, prepared.test))


def add_decisions(result: Result, prepared: Prepared, decided: DecidedTestRows) -> None:
    """Write into the result document how well probabilities, sets and abstaining do on test rows."""
    predictions = decided.scores.predictions.get(result.chosen)
    if predictions is None or decided.decisions is None or decided.uncalibrated is None:
        reason = "There were no test rows."
        result.not_measured |= {"conformal": reason, "abstention": reason}
        return
    if predictions.task in SINGLE:
        _add_calibration(result, prepared, decided)
    result.conformal = _measure_coverage(prepared, predictions, decided)
    if result.conformal is None:
        result.not_measured["conformal"] = decided.policy.not_applied["sets"]
    result.abstention = measure_abstention(
        prepared.truth,
        predictions,
        decided.decisions,
        policy=decided.policy,
        clusters=prepared.test_clusters,
        seed=result.seed,
    )


_CORRECTION_SENTENCES = {
    "none": "Nothing is corrected: on training rows held out, being less sure did not help by more than chance.",
    "temperature": "Made less sure by one factor (temperature {t:.2f}), which saved {gain:.3f} nats a row on training "
    "rows held out; no answer changes.",
    "isotonic": "Made less sure by a rising curve, which saved {gain:.3f} nats a row on training rows held out; no "
    "answer changes.",
}  # fmt: skip


def describe_correction(calibrator: Calibrator) -> Correction:
    """Say how probabilities were corrected."""
    return Correction(
        method=calibrator.method,  # type: ignore[arg-type]
        temperature=calibrator.temperature if calibrator.method == "temperature" else None,
        gain=calibrator.gain,
        n_rows=calibrator.n_rows,
        reading=_CORRECTION_SENTENCES[calibrator.method].format(t=calibrator.temperature, gain=calibrator.gain),
    )


def _add_calibration(result: Result, prepared: Prepared, decided: DecidedTestRows) -> None:
    if result.calibration is None or decided.uncalibrated is None:
        return
    result.calibration.correction = describe_correction(decided.policy.calibrator)
    if decided.policy.calibrator.method == "none":
        return
    old = evaluation.measure_calibration(prepared.truth, decided.uncalibrated, prepared.test_clusters, result.seed)
    assert old is not None and old.log_loss is not None
    result.calibration.before = Uncorrected(
        error=old.error, overconfidence=old.overconfidence, brier=old.brier, log_loss=old.log_loss, bins=old.bins
    )


def _measure_coverage(prepared: Prepared, predictions: Predictions, decided: DecidedTestRows) -> Conformal | None:
    policy, clusters = decided.policy, prepared.test_clusters
    if predictions.task == "regression" and policy.margin is not None:
        truth = prepared.truth[:, 0].astype(np.float64)
        return measure_range_coverage(
            truth,
            predictions.values,
            policy.margin,
            stated=policy.coverage,
            n_rows_learnt=len(prepared.train),
            clusters=clusters,
        )
    if policy.sets is None or decided.decisions is None:
        return None
    exact, learnt = policy.sets.exact_sets(predictions.probabilities), (policy.sets.n_rows, sum(policy.sets.own))
    drawn = (clusters, prepared.task.seed)
    return measure_set_coverage(
        prepared.truth, decided.decisions.sets, exact, stated=policy.coverage, learnt=learnt, drawn=drawn
    )


def measure_abstention(
    truth: NDArray[np.intp],
    predictions: Predictions,
    decided: Decisions,
    policy: DecisionPolicy,
    clusters: Index | None,
    seed: int,
) -> Abstention:
    """Say what was answered on labelled rows, and how good the answers are.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs), n_rows >= 1
        True classes, or what `targets` holds.
    out_of_fold : Predictions
        With corrected probabilities.
    decisions : Decisions
    policy : Rules
    clusters : Index or None, shape (n_rows,)
    seed : int
    """
    single, answered = predictions.task in SINGLE, decided.kinds == LABEL
    shares = {kind: answer_share(decided.kinds.tolist(), kind, clusters) for kind in decisions.KINDS}
    without = dict(policy.not_applied)
    figures: dict[str, object] = dict.fromkeys(("accuracy_answered", "accuracy_all", "wrong", "risk_coverage", "costs"))
    if single:
        right, plain = decided.codes == truth, predictions.class_indices == truth
        inside = None if clusters is None else clusters[answered]
        figures |= {
            "accuracy_answered": Figure.of(share_interval(right[answered], inside)) if answered.any() else None,
            "accuracy_all": Figure.of(share_interval(plain, clusters)),
            "wrong": rows_per_hundred(answered & ~right, clusters),
            "misses": _list_misses(truth, predictions, decided, policy.costs),
            "risk_coverage": measure_risk_coverage(plain, predictions.probabilities.max(axis=1), clusters, seed),
            "costs": _measure_costs(truth, predictions, decided, costs=policy.costs, drawn=(clusters, seed)),
        }
    else:
        without["risk_coverage"] = "A number or several labels have no single probability to order rows by."
    return Abstention.model_validate(
        {
            "n_rows": len(truth),
            "n_answered": int(answered.sum()),
            "shares": shares,
            "referred": rows_per_hundred(decided.kinds == NOT_SURE, clusters),
            "refused": rows_per_hundred(decided.kinds == NONE, clusters),
            "novelty": _measure_out_of_distribution(truth, predictions, decided, policy=policy, clusters=clusters),
            "reserved_classes": list(
                np.array(predictions.classes, dtype=object)[policy.is_reserved(predictions.classes)]
            )
            if single
            else [],
            "without": without,
            "reading": _describe_abstention(len(truth), shares, figures["accuracy_answered"], figures["accuracy_all"]),
            **figures,
        }
    )


def _describe_abstention(n_rows: int, shares: Mapping[str, Figure], answered: object, whole: object) -> str:
    """Say in plain words what it answers."""
    text = (
        f"Of {n_rows:,} test rows {100 * shares[LABEL].value:.0f} % get an answer, "
        f'{100 * shares[NOT_SURE].value:.0f} % "{NOT_SURE}" and {100 * shares[NONE].value:.0f} % "{NONE}".'
    )
    if isinstance(answered, Figure) and isinstance(whole, Figure):
        text += (
            f" Of the answers {100 * answered.value:.1f} % are right (95 % interval {100 * answered.low:.1f} to "
            f"{100 * answered.high:.1f}); if every row had to be answered it would be {100 * whole.value:.1f} %."
        )
    return text


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
        for at in order[:MOST_MISSES]
    ]  # fmt: skip


def _measure_costs(
    truth: NDArray[np.intp], predictions: Predictions, decided: Decisions, costs: Costs | None,
    drawn: tuple[Index | None, int],
) -> CostFigures | None:  # fmt: skip
    if costs is None:
        return None
    most = max(costs.refer, float(np.max(costs.matrix)))
    now, always = costs.incurred_costs(truth, decided.codes), costs.incurred_costs(truth, predictions.class_indices)
    return CostFigures(
        given=list(costs.as_written), refer=costs.refer, mean_cost=mean_cost_interval(now, *drawn, most),
        mean_cost_always=mean_cost_interval(always, *drawn, most),
    )  # fmt: skip


def _measure_out_of_distribution(
    truth: NDArray[np.intp],
    predictions: Predictions,
    decided: Decisions,
    policy: DecisionPolicy,
    clusters: Index | None,
) -> NoveltyFigures | None:
    """Say how often ordinary test rows are called unlike the training rows."""
    if policy.out_of_distribution is None:
        return None
    ordinary = np.isfinite(decided.distances)
    if predictions.task in SINGLE:
        ordinary &= ~policy.is_reserved(predictions.classes)[truth]
    far = decided.distances[ordinary] > policy.out_of_distribution.threshold
    inside = None if clusters is None else clusters[ordinary]
    detector = policy.out_of_distribution
    return NoveltyFigures(
        reads=detector.reads, threshold=detector.threshold, stated_false_alarm=detector.false_alarm,
        measured_false_alarm=Figure.of(share_interval(far, inside)) if len(far) else None,
        n_rows_learnt=detector.n_rows, n_rows_kept=len(detector.remembered),
    )  # fmt: skip
