"""Answers of a model: a label, "not sure" or "none of these". A policy is data, and needs numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.calibrator import Calibrator
from headstart.decisions.costs import Costs, reserved_classes
from headstart.decisions.label_rules import LabelRule
from headstart.decisions.out_of_distribution import OutOfDistributionDetector
from headstart.decisions.reasons import NO_REASON, Reason
from headstart.decisions.rolling_up import FrameRules
from headstart.decisions.sets import ClassSets, SetRule
from headstart.errors import BundleError
from headstart.records import Column, FloatMatrix, Index, Predictions, make_column
from headstart.task_types import TASK_TYPES

FORMAT = 1
NOT_SURE, NONE = "not sure", "none of these"
ANSWER_WORDS = (
    (NOT_SURE, "pas sûr", "no seguro", "haina uhakika", "sina uhakika", "غير متأكد"),
    (NONE, "aucune de celles-ci", "ninguna de estas", "hakuna kati ya hizi", "si mojawapo ya hizi", "لا شيء من هذه"),
)
"""Words for the two answers without a class, in the languages of page and report."""
Outcome = Literal["answered", "not_sure", "none_of_these"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""In this order: golden rows of bundles store places in it."""


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The decisions on rows.

    Parameters
    ----------
    outcomes : Column, shape (n_rows,)
        Of `OUTCOMES`: whether there is an answer.
    codes : Index, shape (n_rows,)
        The class answered, -1 where there is none (and for tasks without classes).
    answers : Column, shape (n_rows,)
        The answer as people read it.
    sets : ClassSets, shape (n_rows, n_classes)
        Which classes are likely enough, or which labels are possible; (n_rows, 0) for tasks without sets.
    ends : array, shape (n_rows, 2)
        Lowest and highest likely number; (n_rows, 0) for classes.
    reasons : Column, shape (n_rows,)
        Of `Reason`.
    distances : array, shape (n_rows,)
        From what was learnt; NaN where that is not measured.
    sure : ClassSets, shape (n_rows, n_labels)
        Which of several labels are sure; (n_rows, 0) for other tasks.
    """

    outcomes: Column
    codes: Index
    answers: Column
    sets: ClassSets
    ends: NDArray[np.float64]
    reasons: Column
    distances: NDArray[np.float64]
    sure: ClassSets

    def take(self, index: Index) -> Decisions:
        """Return the rows `index`, in that order."""
        return Decisions(**{name: values[index] for name, values in vars(self).items()})

    @classmethod
    def concatenate(cls, parts: Sequence[Decisions]) -> Decisions:
        """Concatenate several (at least one)."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


@dataclass(frozen=True, kw_only=True)
class DecisionPolicy:
    """The steps from probabilities to answers; those that are None are not applied.

    Parameters
    ----------
    calibrator : Calibrator
    sets : SetRule or None
        For classes.
    labels : LabelRule or None
        For several labels a row.
    margin : float or None
        For numbers: half the width of the interval; infinite with too few rows.
    coverage : float
        Stated share of sets or intervals that hold the truth, 0-1.
    out_of_distribution : OutOfDistributionDetector or None
    costs : Costs or None
    not_applied : mapping of str to str
        Which of these parts do not apply, and why.
    reserved : tuple of str or None
        Classes that are answered with "none of these"; None: those whose name says so.
    answer_below : float or None
        Without costs, a class that is less probable is no answer, 0-1; None: any is.
    content_limits : mapping of str to float
        Inputs that fall under one hold nothing to answer about, and never reach the model (see
        `headstart.modalities.content`); empty: all do.
    frame : FrameRules or None
        Where classes are paths of a coding frame: an answer that is not sure names the deepest level that is.
    """

    calibrator: Calibrator = field(default_factory=Calibrator)
    sets: SetRule | None = None
    labels: LabelRule | None = None
    margin: float | None = None
    coverage: float = 0.9
    out_of_distribution: OutOfDistributionDetector | None = None
    costs: Costs | None = None
    not_applied: Mapping[str, str] = field(default_factory=dict)
    reserved: tuple[str, ...] | None = None
    answer_below: float | None = None
    content_limits: Mapping[str, float] = field(default_factory=dict)
    frame: FrameRules | None = None

    def is_reserved(self, classes: Sequence[str]) -> NDArray[np.bool_]:
        """Return which classes (n_classes,) stand for what is none of the others."""
        reserved = reserved_classes((), classes) if self.reserved is None else self.reserved
        return np.asarray([name in reserved for name in classes], dtype=bool)

    def calibrate(self, predictions: Predictions) -> Predictions:
        """Correct the probabilities, and the thresholds of labels with them: the labels given stay."""
        thresholds = predictions.thresholds
        if self.calibrator.method != "none" and TASK_TYPES[predictions.task].has_label_sets:
            row = np.array([thresholds or (0.5,) * len(predictions.classes)])
            thresholds = tuple(self.calibrator.apply(row)[0].tolist())
        probabilities = self.calibrator.apply(predictions.probabilities)
        return replace(predictions, probabilities=probabilities, thresholds=thresholds)

    def decide(self, predictions: Predictions, values: FloatMatrix | None) -> Decisions:
        """Decide on rows.

        Parameters
        ----------
        predictions : Predictions
            With corrected probabilities.
        values : FloatMatrix or None, shape (n_rows, n_dims)
            What `out_of_distribution` reads.
        """
        distances = np.full(len(predictions.ids), np.nan)
        if self.out_of_distribution is not None and values is not None and len(distances):
            distances = self.out_of_distribution.distances(values)
        decisions = (
            self._decide_classes(predictions, distances)
            if TASK_TYPES[predictions.task].has_one_class
            else self._decide_other_tasks(predictions, distances)
        )
        return (
            decisions
            if self.out_of_distribution is None
            else _refuse_out_of_distribution(
                decisions, distances > self.out_of_distribution.threshold, self.out_of_distribution
            )
        )

    def _decide_classes(self, predictions: Predictions, distances: NDArray[np.float64]) -> Decisions:
        probabilities, best = predictions.probabilities, predictions.class_indices
        sets = self.sets.sets(probabilities) if self.sets else np.eye(len(predictions.classes), dtype=bool)[best]
        sets[np.arange(len(best)), best] = True
        known = ~self.is_reserved(predictions.classes)
        codes = np.where((sets.sum(axis=1) > 1) & sets[:, known].any(axis=1), -1, best)
        own_reasons: dict[int, Reason] = {}
        if self.costs is not None:
            codes, own_reasons = self._choose_cheapest(predictions)
        elif self.answer_below is not None:
            codes, own_reasons = _drop_improbable(predictions, codes, known, self.answer_below)
        names = np.asarray((*predictions.classes, NOT_SURE), dtype=object)
        outcomes = np.asarray(("answered", "not_sure"), dtype=object)[(codes < 0).astype(int)]
        answers = names[codes]
        reasons = [
            own_reasons.get(row) or self._explain_answer(predictions, row, code, sets[row])
            for row, code in enumerate(codes)
        ]
        decisions = Decisions(
            outcomes=outcomes,
            codes=codes,
            answers=answers,
            sets=sets,
            ends=np.empty((len(best), 0)),
            reasons=make_column(reasons),
            distances=distances,
            sure=np.empty((len(best), 0), dtype=bool),
        )
        decisions = _refuse_reserved_classes(predictions, decisions, self.is_reserved(predictions.classes))
        return self._roll_up(predictions, decisions)

    def _roll_up(self, predictions: Predictions, decisions: Decisions) -> Decisions:
        """Name the deepest sure level in the answers that are not sure."""
        if self.frame is None:
            return decisions
        rows = np.flatnonzero(decisions.outcomes == "not_sure")
        answers = decisions.answers.copy()
        for row, answer in self.frame.name_rolled_up(predictions, rows, self.answer_below or 0.0).items():
            answers[row] = answer
        return replace(decisions, answers=answers)

    def _choose_cheapest(self, predictions: Predictions) -> tuple[Index, dict[int, Reason]]:
        assert self.costs is not None
        expected = self.costs.expected_costs(predictions.probabilities)
        cheapest = expected.argmin(axis=1)
        least = expected[np.arange(len(expected)), cheapest]
        codes = np.where(least > self.costs.refer, -1, cheapest)
        reasons: dict[int, Reason] = {}
        top = predictions.probabilities.argmax(axis=1)
        for row, code in enumerate(codes):
            if code < 0:
                label = predictions.classes[cheapest[row]]
                costs = {"asking_cost": self.costs.refer, "label": label, "expected_cost": float(least[row])}
                reasons[row] = Reason("asking_costs_less", costs)
            elif code != top[row]:
                likelier = _name_class(predictions, row, top[row])
                costs = {**likelier, "expected_cost": float(expected[row, top[row]])}
                reasons[row] = Reason("likelier_class_costs_more", costs)
        return np.asarray(codes, dtype=np.intp), reasons

    def _explain_answer(self, predictions: Predictions, row: int, code: int, in_set: NDArray[np.bool_]) -> Reason:
        """Return why a row got its answer."""
        if code >= 0 and not (self.sets and self.costs is None):
            return Reason("sure", {"probability": float(predictions.probabilities[row, code])})
        if code >= 0:
            return Reason("only_likely_class", {"probability": float(predictions.probabilities[row, code])})
        if self.sets is not None and not self.sets.excludes_any:
            return self.sets.too_few_rows_reason
        order = np.argsort(-np.where(in_set, predictions.probabilities[row], -1.0), kind="stable")[: int(in_set.sum())]
        classes = [_name_class(predictions, row, at) for at in order]
        return Reason("several_likely_classes", {"classes": classes})

    def _decide_other_tasks(self, predictions: Predictions, distances: NDArray[np.float64]) -> Decisions:
        """Several labels, or a number: the answer as it is; a number with its interval."""
        n = len(predictions.ids)
        if TASK_TYPES[predictions.task].has_label_sets and self.labels is not None:
            return self._decide_labels(predictions, self.labels, distances)
        ends, reason = np.empty((n, 0)), NO_REASON
        if TASK_TYPES[predictions.task].is_number and self.margin is not None:
            ends = predictions.values[:, None] + np.array([-self.margin, self.margin])
            is_known = np.isfinite(self.margin)
            coverage = Reason("interval_coverage", {"coverage": self.coverage})
            reason = coverage if is_known else Reason("too_few_rows_for_interval")
        return Decisions(
            outcomes=make_column(["answered"] * n), codes=np.full(n, -1, dtype=np.intp), answers=make_column([""] * n),
            sets=np.empty((n, 0), dtype=bool), ends=ends, reasons=make_column([reason] * n), distances=distances,
            sure=np.empty((n, 0), dtype=bool),
        )  # fmt: skip

    def _decide_labels(self, predictions: Predictions, rule: LabelRule, distances: NDArray[np.float64]) -> Decisions:
        """Sure, possible or no, for each label; "not sure" where no label is given and some cannot be left out."""
        mask = predictions.label_mask
        possible = rule.find_possible(predictions.probabilities) | mask
        sure = rule.find_sure(predictions.probabilities) & mask
        is_open = (~mask.any(axis=1) & possible.any(axis=1)).astype(int)
        n = len(predictions.ids)
        reasons = [
            _explain_labels(predictions, row, sure[row], possible[row])
            if rule.is_stated.any()
            else Reason("too_few_rows_for_labels", {"n_rows": rule.n_rows})
            for row in range(n)
        ]
        return Decisions(
            outcomes=np.asarray(("answered", "not_sure"), dtype=object)[is_open],
            codes=np.full(n, -1, dtype=np.intp),
            answers=np.asarray(("", NOT_SURE), dtype=object)[is_open],
            sets=possible,
            ends=np.empty((n, 0)),
            reasons=make_column(reasons),
            distances=distances,
            sure=sure,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what is JSON; the arrays are those of `out_of_distribution`."""
        margin = None if self.margin is None or not np.isfinite(self.margin) else self.margin
        return {
            "format": FORMAT,
            "coverage": self.coverage,
            "calibrator": self.calibrator.as_dict(),
            "sets": self.sets.as_dict() if self.sets else None,
            "margin": margin,
            "too_few": self.margin is not None and margin is None,
            "novelty": self.out_of_distribution.as_dict() if self.out_of_distribution else None,
            "costs": self.costs.as_dict() if self.costs else None,
            "without": dict(self.not_applied),
            "reserved": None if self.reserved is None else list(self.reserved),
            "answer_below": self.answer_below,
            "content": dict(self.content_limits),
            **({"labels": self.labels.as_dict()} if self.labels else {}),
            **({"frame": self.frame.as_dict()} if self.frame else {}),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> DecisionPolicy:
        """Read both back.

        Raises
        ------
        BundleError
            If they are of a newer format.
        """
        if document["format"] != FORMAT:
            raise BundleError("The decisions in this bundle have a newer format.", "Update headstart.")
        return cls(
            calibrator=Calibrator.from_dict(document["calibrator"]),
            sets=SetRule.from_dict(document["sets"]) if document["sets"] else None,
            margin=np.inf if document["too_few"] else document["margin"],
            coverage=document["coverage"],
            out_of_distribution=OutOfDistributionDetector.from_arrays(document["novelty"], arrays)
            if document["novelty"]
            else None,
            costs=Costs.from_dict(document["costs"]) if document["costs"] else None,
            not_applied=document["without"],
            reserved=None if document.get("reserved") is None else tuple(document["reserved"]),
            answer_below=document.get("answer_below"),
            content_limits=document.get("content") or {},
            labels=LabelRule.from_dict(document["labels"]) if document.get("labels") else None,
            frame=FrameRules.from_dict(document["frame"]) if document.get("frame") else None,
        )


def _name_class(predictions: Predictions, row: int, code: int) -> dict[str, Any]:
    """Return the values of a reason that names a class, as JSON."""
    return {"label": predictions.classes[code], "probability": float(predictions.probabilities[row, code])}


def _explain_labels(predictions: Predictions, row: int, sure: NDArray[np.bool_], possible: NDArray[np.bool_]) -> Reason:
    """Return the sure and the other possible labels of a row, the most probable first."""
    order = np.argsort(-predictions.probabilities[row], kind="stable")
    parts = {"sure": sure, "possible": possible & ~sure}
    return Reason(
        "sure_and_possible_labels",
        {name: [_name_class(predictions, row, at) for at in order if mask[at]] for name, mask in parts.items()},
    )


def _drop_improbable(
    predictions: Predictions, codes: Index, known: NDArray[np.bool_], least: float
) -> tuple[Index, dict[int, Reason]]:
    """Return the codes without those of classes, not reserved ones, that are less probable than `least`; and why."""
    rows = np.arange(len(codes))
    dropped = (codes >= 0) & known[codes] & (predictions.probabilities[rows, codes] < least)
    reasons = {
        int(row): Reason(
            "below_least_probability", {**_name_class(predictions, int(row), int(codes[row])), "least": least}
        )
        for row in np.flatnonzero(dropped)
    }
    return np.where(dropped, -1, codes), reasons


def _refuse_reserved_classes(predictions: Predictions, decisions: Decisions, reserved: NDArray[np.bool_]) -> Decisions:
    """Turn answers that name a reserved class into "none of these"."""
    hit = (decisions.codes >= 0) & reserved[decisions.codes]
    reasons = {
        int(row): Reason("like_reserved_class", _name_class(predictions, int(row), int(decisions.codes[row])))
        for row in np.flatnonzero(hit)
    }
    return _refuse_rows(decisions, hit, reasons)


def _refuse_out_of_distribution(
    decisions: Decisions, hit: NDArray[np.bool_], detector: OutOfDistributionDetector
) -> Decisions:
    """Turn answers for out-of-distribution rows into "none of these"."""
    reason = Reason("out_of_distribution", {"share": 1 - detector.false_alarm})
    return _refuse_rows(decisions, hit, {int(row): reason for row in np.flatnonzero(hit)})


def _refuse_rows(decisions: Decisions, hit: NDArray[np.bool_], reason_by_row: Mapping[int, Reason]) -> Decisions:
    outcomes, answers, reasons = decisions.outcomes.copy(), decisions.answers.copy(), decisions.reasons.copy()
    outcomes[hit], answers[hit] = "none_of_these", NONE
    for row, reason in reason_by_row.items():
        reasons[row] = reason
    return replace(
        decisions, outcomes=outcomes, answers=answers, reasons=reasons, codes=np.where(hit, -1, decisions.codes)
    )


DEFAULT_POLICY = DecisionPolicy()
"""Of bundles of older versions: the most probable class is the answer."""
