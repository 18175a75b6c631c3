"""Learn when the chosen model is to be believed, apply it to the test rows, and say how that went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart import data, decisions, evaluation
from headstart.decisions import LABEL, NONE, NOT_SURE, SINGLE, Calibrator, Costs, Decisions, Rules
from headstart.errors import OptionError
from headstart.evaluation.uncertainty.conformal import range_coverage, set_coverage, share
from headstart.evaluation.uncertainty.selective import mean_cost, per_hundred, risk_coverage, shares_of
from headstart.flow.adaptation.evaluate import Judged
from headstart.flow.adaptation.prepare import Prepared
from headstart.flow.inference.predict_table import decided, values_of
from headstart.ladder import Climb
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

SHOWN_MISSES = 10
SMALL_BASE_BYTES = 8_000_000
"""A base so small is kept for telling strange rows, whatever model was chosen."""
_NO_SETS = "A row may have several labels, so there is no set of possible ones."
_NO_FEATURES = (
    "The model reads the rows themselves and no features that were kept, so rows unlike the training rows are not told."
)


@dataclass(frozen=True)
class Ruled:
    """The rules, and what they make of the test rows (None without test rows).

    `judged` has the corrected probabilities of the chosen model, `before` its probabilities as they were.
    """

    rules: Rules
    judged: Judged
    before: Predictions | None
    made: Decisions | None

    def reads(self, uses: frozenset[str]) -> frozenset[str]:
        """Add to what the model reads what the rules read."""
        return uses | ({self.rules.novelty.reads} if self.rules.novelty else set())


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


def rules_of(prepared: Prepared, climb: Climb, uses: frozenset[str], options: AdaptOptions) -> Rules:
    """Learn the rules from the training rows alone.

    Parameters
    ----------
    prepared : Prepared
    climb : Climb
        The chosen strategy's out-of-fold probabilities are what is learnt from.
    uses : frozenset of str
        What its model reads.
    options : AdaptOptions
    """
    task, said, without = prepared.task, climb.fitted[climb.chosen].out_of_fold, {}
    novelty = None
    reads = _reads(prepared, STRATEGIES[climb.chosen], uses)
    values = values_of(prepared.train, reads)
    if values is None:
        without["novelty"] = _NO_FEATURES
    else:
        novelty = decisions.fit_novelty(
            values, task.codes, task.folds, ids=prepared.train.table.ids, reads=reads, seed=task.seed
        )
        if novelty is None:
            without["novelty"] = "There are too few training rows to say what is unlike them."
    reserved = _reserved(options.reserved, task.classes) if task.kind in SINGLE else None
    rules = Rules(coverage=options.coverage, novelty=novelty, reserved=reserved)
    if task.kind == "regression":
        assert task.truth is not None
        margin, _ = decisions.fit_margin(task.truth[:, 0].astype(np.float64), said[:, 0], options.coverage)
        return replace(rules, margin=margin, without={**without, "calibration": "The model gives no probability."})
    if task.kind not in SINGLE:
        return replace(rules, without={**without, "sets": _NO_SETS})
    clusters = data.number_resampling_clusters(prepared.train.table, options.group)
    calibrator = decisions.fit_calibrator(task.codes, said, task.folds, clusters)
    sets = decisions.fit_sets(task.codes, calibrator.apply(said), options.coverage)
    costs = decisions.parse_costs(_known(options.cost, task.classes), task.classes, options.refer_cost, reserved)
    return replace(
        rules, calibrator=calibrator, sets=sets, costs=costs if options.cost else None, without=without,
    )  # fmt: skip


def _reserved(asked: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reserved ones of the classes that were learnt; `require_costs` has checked the names."""
    try:
        return decisions.reserved_classes(asked, classes)
    except OptionError:
        return tuple(name for text in asked for name in (text, *text.split(",")) if name in classes)


def _known(texts: tuple[str, ...], classes: tuple[str, ...]) -> list[str]:
    """Leave out costs of classes that no training row is left of; `require_costs` has checked the names."""
    kept = []
    for text in texts:
        try:
            decisions.parse_costs([text], classes, 0.0)
        except OptionError:
            continue
        kept.append(text)
    return kept


def _reads(prepared: Prepared, strategy: Strategy, uses: frozenset[str]) -> str:
    """Say what novelty is measured in: features where the model reads them, moved the base's weights, or needs no more.

    A model that moved weights brings its own base; the frozen one then comes along for this alone, as a small one does.
    """
    base = sum(value.nbytes for value in prepared.backbone.parts.weights.values())
    brings = "features" in uses or strategy.kind == "transfer" or base <= SMALL_BASE_BYTES
    return "features" if brings and prepared.train.features is not None else "descriptors"


def ruled(prepared: Prepared, climb: Climb, judged: Judged, uses: frozenset[str], options: AdaptOptions) -> Ruled:
    """Learn the rules and apply them to the test rows; nothing is learnt from these."""
    chosen, task = climb.chosen, prepared.task
    rules = rules_of(prepared, climb, uses, options)
    before = judged.predictions.get(chosen)
    if before is None:
        return Ruled(rules, judged, None, None)
    said = rules.calibrated(before)
    if rules.calibrator.method != "none":
        found = evaluation.score(prepared.truth, said, prepared.test_clusters, task.seed)
        judged = Judged({**judged.predictions, chosen: said}, {**judged.metrics, chosen: found})
    return Ruled(rules, judged, before, decided(rules, said, prepared.test))


def tell(result: Result, prepared: Prepared, found: Ruled) -> None:
    """Write into the result document how well probabilities, sets and abstaining do on test rows."""
    said = found.judged.predictions.get(result.chosen)
    if said is None or found.made is None or found.before is None:
        reason = "There were no test rows."
        result.not_measured |= {"conformal": reason, "abstention": reason}
        return
    if said.task in SINGLE:
        _tell_calibration(result, prepared, found)
    result.conformal = _conformal(prepared, said, found)
    if result.conformal is None:
        result.not_measured["conformal"] = found.rules.without["sets"]
    result.abstention = abstention(
        prepared.truth, said, found.made, rules=found.rules, clusters=prepared.test_clusters, seed=result.seed
    )


_CORRECTED = {
    "none": "Nothing is corrected: on training rows held out, being less sure did not help by more than chance.",
    "temperature": "Made less sure by one factor (temperature {t:.2f}), which saved {gain:.3f} nats a row on training "
    "rows held out; no answer changes.",
    "isotonic": "Made less sure by a rising curve, which saved {gain:.3f} nats a row on training rows held out; no "
    "answer changes.",
}  # fmt: skip


def correction(made: Calibrator) -> Correction:
    """Say how probabilities were corrected."""
    return Correction(
        method=made.method,  # type: ignore[arg-type]
        temperature=made.temperature if made.method == "temperature" else None,
        gain=made.gain,
        n_rows=made.n_rows,
        reading=_CORRECTED[made.method].format(t=made.temperature, gain=made.gain),
    )


def _tell_calibration(result: Result, prepared: Prepared, found: Ruled) -> None:
    if result.calibration is None or found.before is None:
        return
    result.calibration.correction = correction(found.rules.calibrator)
    if found.rules.calibrator.method == "none":
        return
    old = evaluation.calibration(prepared.truth, found.before, prepared.test_clusters, result.seed)
    assert old is not None and old.log_loss is not None
    result.calibration.before = Uncorrected(
        error=old.error, overconfidence=old.overconfidence, brier=old.brier, log_loss=old.log_loss, bins=old.bins
    )


def _conformal(prepared: Prepared, said: Predictions, found: Ruled) -> Conformal | None:
    rules, clusters = found.rules, prepared.test_clusters
    if said.task == "regression" and rules.margin is not None:
        truth = prepared.truth[:, 0].astype(np.float64)
        return range_coverage(
            truth,
            said.values,
            rules.margin,
            stated=rules.coverage,
            n_rows_learnt=len(prepared.train),
            clusters=clusters,
        )
    if rules.sets is None or found.made is None:
        return None
    exact, learnt = rules.sets.exact(said.probabilities), (rules.sets.n_rows, sum(rules.sets.own))
    drawn = (clusters, prepared.task.seed)
    return set_coverage(prepared.truth, found.made.sets, exact, stated=rules.coverage, learnt=learnt, drawn=drawn)


def abstention(
    truth: NDArray[np.intp],
    said: Predictions,
    made: Decisions,
    rules: Rules,
    clusters: Index | None,
    seed: int,
) -> Abstention:
    """Say what was answered on labelled rows, and how good the answers are.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs), n_rows >= 1
        True classes, or what `targets` holds.
    said : Predictions
        With corrected probabilities.
    made : Decisions
    rules : Rules
    clusters : Index or None, shape (n_rows,)
    seed : int
    """
    single, answered = said.task in SINGLE, made.kinds == LABEL
    shares = {kind: shares_of(made.kinds.tolist(), kind, clusters) for kind in decisions.KINDS}
    without = dict(rules.without)
    found: dict[str, object] = dict.fromkeys(("accuracy_answered", "accuracy_all", "wrong", "risk_coverage", "costs"))
    if single:
        right, plain = made.codes == truth, said.class_indices == truth
        inside = None if clusters is None else clusters[answered]
        found |= {
            "accuracy_answered": Figure.of(share(right[answered], inside)) if answered.any() else None,
            "accuracy_all": Figure.of(share(plain, clusters)),
            "wrong": per_hundred(answered & ~right, clusters),
            "misses": _misses(truth, said, made, rules.costs),
            "risk_coverage": risk_coverage(plain, said.probabilities.max(axis=1), clusters, seed),
            "costs": _costs(truth, said, made, costs=rules.costs, drawn=(clusters, seed)),
        }
    else:
        without["risk_coverage"] = "A number or several labels have no single probability to order rows by."
    return Abstention.model_validate(
        {
            "n_rows": len(truth),
            "n_answered": int(answered.sum()),
            "shares": shares,
            "referred": per_hundred(made.kinds == NOT_SURE, clusters),
            "refused": per_hundred(made.kinds == NONE, clusters),
            "novelty": _novelty(truth, said, made, rules=rules, clusters=clusters),
            "reserved_classes": list(np.array(said.classes, dtype=object)[rules.is_reserved(said.classes)])
            if single
            else [],
            "without": without,
            "reading": _reading(len(truth), shares, found["accuracy_answered"], found["accuracy_all"]),
            **found,
        }
    )


def _reading(n_rows: int, shares: Mapping[str, Figure], answered: object, whole: object) -> str:
    """Say in plain words what it answers."""
    said = (
        f"Of {n_rows:,} test rows {100 * shares[LABEL].value:.0f} % get an answer, "
        f'{100 * shares[NOT_SURE].value:.0f} % "{NOT_SURE}" and {100 * shares[NONE].value:.0f} % "{NONE}".'
    )
    if isinstance(answered, Figure) and isinstance(whole, Figure):
        said += (
            f" Of the answers {100 * answered.value:.1f} % are right (95 % interval {100 * answered.low:.1f} to "
            f"{100 * answered.high:.1f}); if every row had to be answered it would be {100 * whole.value:.1f} %."
        )
    return said


def _misses(truth: NDArray[np.intp], said: Predictions, made: Decisions, costs: Costs | None) -> list[Miss]:
    """List the wrong answers by class and answer: the costliest kinds first, then the most frequent."""
    wrong = (made.codes >= 0) & (made.codes != truth)
    pairs, counts = np.unique(np.column_stack([truth, made.codes])[wrong], axis=0, return_counts=True)
    matrix = np.asarray(costs.matrix) if costs else np.ones((len(said.classes), len(said.classes)))
    order = sorted(range(len(pairs)), key=lambda at: (-matrix[tuple(pairs[at])], -counts[at], tuple(pairs[at])))
    return [
        Miss(
            label=said.classes[pairs[at][0]], answer=said.classes[pairs[at][1]], n_rows=int(counts[at]),
            per_hundred=per_hundred((truth == pairs[at][0]) & (made.codes == pairs[at][1]), None),
            cost=float(matrix[tuple(pairs[at])]),
        )
        for at in order[:SHOWN_MISSES]
    ]  # fmt: skip


def _costs(
    truth: NDArray[np.intp], said: Predictions, made: Decisions, costs: Costs | None,
    drawn: tuple[Index | None, int],
) -> CostFigures | None:  # fmt: skip
    if costs is None:
        return None
    most = max(costs.refer, float(np.max(costs.matrix)))
    now, always = costs.paid(truth, made.codes), costs.paid(truth, said.class_indices)
    return CostFigures(
        given=list(costs.given), refer=costs.refer, mean_cost=mean_cost(now, *drawn, most),
        mean_cost_always=mean_cost(always, *drawn, most),
    )  # fmt: skip


def _novelty(
    truth: NDArray[np.intp], said: Predictions, made: Decisions, rules: Rules, clusters: Index | None
) -> NoveltyFigures | None:
    """Say how often ordinary test rows are called unlike the training rows."""
    if rules.novelty is None:
        return None
    ordinary = np.isfinite(made.distances)
    if said.task in SINGLE:
        ordinary &= ~rules.is_reserved(said.classes)[truth]
    far = made.distances[ordinary] > rules.novelty.threshold
    inside = None if clusters is None else clusters[ordinary]
    return NoveltyFigures(
        reads=rules.novelty.reads, threshold=rules.novelty.threshold, stated_false_alarm=rules.novelty.false_alarm,
        measured_false_alarm=Figure.of(share(far, inside)) if len(far) else None,
        n_rows_learnt=rules.novelty.n_rows, n_rows_kept=len(rules.novelty.kept),
    )  # fmt: skip
