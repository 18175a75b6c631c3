"""Several labels a row: corrected probabilities, and which labels are sure, possible or neither."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.decisions import NOT_SURE, DecisionPolicy, LabelRule, fit_label_calibrator, fit_label_rule
from headstart.evaluation import measure_calibration
from headstart.flow.inference.reason_texts import describe_reason
from headstart.records import Predictions, make_column

NAMES = ("common", "usual", "rare")
PREVALENCE = np.array([0.0, -1.5, -4.5])
Rows = tuple[NDArray[np.float32], NDArray[np.float64]]


def draw_rows(n: int, seed: int, power: float = 1.0) -> Rows:
    """Return labels and their probabilities: true ones with power 1, too sure with more."""
    rng = np.random.default_rng(seed)
    logits = PREVALENCE + 2.5 * rng.normal(size=(n, 3))
    truth = (rng.random((n, 3)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    return truth, 1 / (1 + np.exp(-power * logits))


def predict(probabilities: NDArray[np.float64], thresholds: tuple[float, ...] = ()) -> Predictions:
    ids = make_column([str(row) for row in range(len(probabilities))])
    return Predictions(ids=ids, classes=NAMES, probabilities=probabilities, task="multi-label", thresholds=thresholds)


def measure_loss(truth: NDArray[np.float32], probabilities: NDArray[np.float64]) -> float:
    right = np.where(truth == 1, probabilities, 1 - probabilities)
    return -float(np.log(np.maximum(right, 1e-9)).mean())


def test_labels_that_are_too_sure_are_corrected_and_true_ones_are_not() -> None:
    folds = np.arange(300) % 5
    truth, shown = draw_rows(300, 0, power=3.0)
    corrected = fit_label_calibrator(truth, shown, folds)
    assert corrected.method == "platt" and corrected.gain > 0
    assert all(0.2 < slope < 0.6 for slope in corrected.slopes)
    fresh_truth, fresh = draw_rows(4000, 1, power=3.0)
    assert measure_loss(fresh_truth, corrected.apply(fresh)) < measure_loss(fresh_truth, fresh) - 0.05
    before, after = (
        measure_calibration(fresh_truth, predict(part), None, 0) for part in (fresh, corrected.apply(fresh))
    )
    assert before is not None and after is not None and [item.label for item in after.per_label] == list(NAMES)
    assert all(new.error.value < old.error.value for new, old in zip(after.per_label, before.per_label, strict=True))
    plain = fit_label_calibrator(*draw_rows(300, 2), folds)
    assert plain.method == "none" and plain.slopes == () and "slopes" not in plain.as_dict()


def test_a_label_without_rows_keeps_its_probability_and_few_rows_correct_nothing() -> None:
    truth, shown = draw_rows(300, 3, power=3.0)
    truth[:, 2] = 0
    corrected = fit_label_calibrator(truth, shown, np.arange(300) % 5)
    assert (corrected.slopes[2], corrected.shifts[2]) == (1.0, 0.0) and corrected.method == "platt"
    assert fit_label_calibrator(truth[:20], shown[:20], np.arange(20) % 5).method == "none"


def test_possible_and_sure_labels_are_as_often_right_as_stated() -> None:
    held, right, n_sure = [], [], 0
    for seed in range(20):
        rule = fit_label_rule(*draw_rows(400, seed), 0.9)
        truth, probabilities = draw_rows(2000, 100 + seed)
        true, sure = truth == 1, rule.find_sure(probabilities)
        held.append((rule.find_possible(probabilities) & true).sum(axis=0) / true.sum(axis=0))
        right += [float(true[:, at][sure[:, at]].mean()) for at in range(3) if sure[:, at].any()]
        n_sure += int(sure.sum())
    assert np.abs(np.mean(held, axis=0) - 0.9).max() < 0.04
    assert len(right) >= 20 and np.mean(np.array(right) < 0.9) <= 0.2 and n_sure > 5000


def test_of_a_label_with_few_rows_nothing_is_stated() -> None:
    truth = (np.arange(100)[:, None] < [9, 8, 0]).astype(np.float32)
    rule = fit_label_rule(truth, np.where(truth == 1, 0.9, 0.1), 0.9)
    assert rule.possible_from == (0.9, None, None) and rule.n_positives == (9, 8, 0)
    assert rule.is_stated.tolist() == [True, False, False] and rule.sure_from == (None, None, None)
    sure = fit_label_rule(np.ones((22, 1), dtype=np.float32), np.full((22, 1), 0.7), 0.9)
    assert sure.sure_from == (0.7,), "22 of 22 right is the least that shows 90 %"
    assert fit_label_rule(np.ones((21, 1), dtype=np.float32), np.full((21, 1), 0.7), 0.9).sure_from == (None,)


def test_a_row_is_not_sure_where_no_label_is_given_and_some_are_possible() -> None:
    rule = LabelRule(
        coverage=0.9, confidence=0.9, possible_from=(0.1, 0.2, None), sure_from=(0.9, None, None),
        n_positives=(30, 20, 2), n_rows=60,
    )  # fmt: skip
    policy = DecisionPolicy(labels=rule)
    shown = np.array([[0.95, 0.6, 0.1], [0.3, 0.1, 0.1], [0.05, 0.1, 0.1], [0.05, 0.1, 0.7]])
    made = policy.decide(predict(shown), None)
    assert made.outcomes.tolist() == ["answered", "not_sure", "answered", "answered"]
    assert made.answers.tolist() == ["", NOT_SURE, "", ""]
    assert made.sets.tolist() == [[True, True, False], [True, False, False], [False] * 3, [False, False, True]]
    assert made.sure.tolist() == [[True, False, False], *([[False] * 3] * 3)]
    assert [describe_reason(reason) for reason in made.reasons] == [
        "sure: common (95 %); possible: usual (60 %)", "possible: common (30 %)", "no label is likely enough",
        "possible: rare (70 %)",
    ]  # fmt: skip
    back = DecisionPolicy.from_dict(json.loads(json.dumps(policy.as_dict())), {})
    assert back == policy
    few = DecisionPolicy(labels=fit_label_rule(np.ones((5, 3), dtype=np.float32), np.full((5, 3), 0.5), 0.9))
    unstated = few.decide(predict(shown), None)
    assert (unstated.outcomes == "answered").all() and unstated.reasons[0].code == "too_few_rows_for_labels"


@pytest.mark.parametrize("thresholds", [(), (0.3, 0.45, 0.8)])
def test_a_correction_changes_no_label_that_is_given(thresholds: tuple[float, ...]) -> None:
    truth, shown = draw_rows(300, 0, power=3.0)
    policy = DecisionPolicy(calibrator=fit_label_calibrator(truth, shown, np.arange(300) % 5))
    before = predict(shown, thresholds)
    after = policy.calibrate(before)
    assert not np.allclose(before.probabilities, after.probabilities)
    assert np.array_equal(before.label_mask, after.label_mask)
