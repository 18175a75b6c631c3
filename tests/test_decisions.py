"""When a model's word is taken: corrections, conformal sets, novelty, costs and the answers made of them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.decisions import (
    DEFAULT_POLICY,
    NONE,
    NOT_SURE,
    Calibrator,
    DecisionPolicy,
    OutOfDistributionDetector,
    SetRule,
    fit_calibrator,
    fit_margin,
    fit_out_of_distribution,
    fit_sets,
    is_reserved,
    parse_costs,
)
from headstart.decisions.config import CONFIG
from headstart.errors import OptionError
from headstart.flow.inference.reason_texts import describe_reason
from headstart.flow.scoring.decisions import measure_outcome_shares
from headstart.records import Predictions, make_column

CLASSES = ("a", "b", "c")


def drawn(n: int, power: float = 1.0, seed: int = 0, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Draw true classes from probabilities, and give these made too sure (power above 1)."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.full(k, 0.6), n)
    codes = (rng.random((n, 1)) > np.cumsum(true, axis=1)).sum(axis=1).clip(max=k - 1)
    told = np.maximum(true, 1e-12) ** power
    return codes, told / told.sum(axis=1, keepdims=True)


def folds(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, n)


def loss(codes: np.ndarray, told: np.ndarray) -> float:
    return float(-np.log(told[np.arange(len(codes)), codes]).mean())


def said(shares: np.ndarray, task: str = "classification", classes: tuple[str, ...] = CLASSES) -> Predictions:
    return Predictions(
        ids=make_column([str(row) for row in range(len(shares))]), classes=classes, probabilities=shares, task=task
    )


def test_what_is_too_sure_is_corrected_and_what_is_not_is_left_alone() -> None:
    codes, hot = drawn(600, power=2.0)
    made = fit_calibrator(codes, hot, folds(600))
    assert made.method == "temperature" and 1.6 < made.temperature < 2.5 and made.gain > 0.05
    fresh, shown = drawn(5000, power=2.0, seed=9)
    assert loss(fresh, made.apply(shown)) < loss(fresh, shown) - 0.05
    honest = fit_calibrator(*drawn(600), folds(600))
    assert honest.method == "none"
    assert honest.apply(hot) is hot


def test_what_is_too_unsure_is_not_made_surer() -> None:
    for n in (600, 3000):
        assert fit_calibrator(*drawn(n, power=0.5), folds(n)).method == "none"


def test_a_curve_is_tried_from_a_thousand_rows_on() -> None:
    codes, told = drawn(4000, k=2)
    bent = 0.5 + 0.48 * np.sign(told - 0.5) * np.abs(2 * told - 1) ** 0.3  # No temperature bends it back.
    made = fit_calibrator(codes, bent, folds(4000))
    assert made.method == "isotonic" and fit_calibrator(codes[:999], bent[:999], folds(999)).method != "isotonic"
    assert np.all(np.diff(made.levels) >= 0)
    assert loss(codes, made.apply(bent)) < loss(codes, bent)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10_000), st.sampled_from([1.3, 3.0]))
def test_no_correction_changes_which_class_is_more_probable(k: int, seed: int, heat: float) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.full(k, 0.4), 20)
    curve = Calibrator(method="isotonic", temperature=1.0, knots=(0.1, 0.5, 0.9), levels=(0.2, 0.2, 0.7))
    for made in (Calibrator(method="temperature", temperature=heat), curve):
        told = made.apply(shares)
        assert np.allclose(told.sum(axis=1), 1.0)
        larger = shares[:, :, None] > shares[:, None, :] + 1e-9
        assert np.all((told[:, :, None] > told[:, None, :] - 1e-12)[larger])


def test_rows_that_nobody_predicted_and_too_few_rows_change_nothing() -> None:
    codes, hot = drawn(200, power=3.0)
    hot[:175] = np.nan
    assert fit_calibrator(codes, hot, folds(200)).method == "none"
    assert fit_sets(codes, hot, 0.9).n_rows == 25
    assert np.isnan(Calibrator(method="temperature", temperature=2.0).apply(hot)[0]).all()


def test_sets_hold_the_truth_as_often_as_stated() -> None:
    shares = []
    for seed in range(60):
        rule = fit_sets(*drawn(150, seed=seed), 0.9)
        codes, told = drawn(300, seed=1000 + seed)
        shares.append(rule.exact_sets(told)[np.arange(300), codes].mean())
        assert rule.sets(told)[np.arange(300), told.argmax(axis=1)].all()
    assert 0.885 < np.mean(shares) < 0.92


def test_each_class_with_rows_enough_is_covered_as_stated() -> None:
    codes, told = drawn(3000, power=2.0, seed=3)
    told[:, 2] *= 0.3
    told /= told.sum(axis=1, keepdims=True)
    rule = fit_sets(codes[:1500], told[:1500], 0.9)
    assert all(rule.own)
    found = rule.exact_sets(told[1500:])[np.arange(1500), codes[1500:]]
    assert all(0.84 < found[codes[1500:] == code].mean() < 0.96 for code in range(3))


def test_small_classes_share_a_threshold_and_too_few_rows_rule_nothing_out() -> None:
    codes, told = drawn(90)
    rule = fit_sets(codes, told, 0.9)
    assert not any(rule.own) and len(set(rule.floors)) == 1 and rule.excludes_any
    few = fit_sets(codes[:8], told[:8], 0.9)
    assert few.floors == (0.0, 0.0, 0.0) and not few.excludes_any and few.exact_sets(told).all()
    made = DecisionPolicy(sets=few).decide(said(told[:2]), None)
    assert (
        set(made.answers) == {NOT_SURE}
        and describe_reason(made.reasons[0]) == "8 training rows are too few to rule any class out"
    )
    none = DecisionPolicy(sets=fit_sets(codes[:0], told[:0], 0.9)).decide(said(told[:2]), None)
    assert describe_reason(none.reasons[0]) == "no training row could be held out, so no class can be ruled out"


def test_ranges_of_numbers_hold_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(100):
        margin, _ = fit_margin(rng.normal(size=80), np.zeros(80), 0.9)
        hits.append((np.abs(rng.normal(size=200)) <= margin).mean())
    assert 0.885 < np.mean(hits) < 0.92
    assert fit_margin(np.zeros(5), np.arange(5.0), 0.9)[0] == np.inf


def cloud(n: int, shift: float, seed: int, dims: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    centres = np.random.default_rng(7).normal(size=(3, dims)) * 2
    values = centres[codes] + rng.normal(size=(n, dims)) + shift * np.random.default_rng(8).normal(size=dims)
    return codes, values.astype(np.float32)


@pytest.mark.parametrize("n", [30, 300, 2500])
def test_foreign_rows_are_told_and_ordinary_ones_seldom_called_so(n: int) -> None:
    codes, values = cloud(n, 0.0, 1)
    made = fit_out_of_distribution(values, codes, folds(n), make_column([str(row) for row in range(n)]))
    assert made is not None and len(made.remembered) <= CONFIG.remembered_rows
    assert made.false_alarm == pytest.approx(max(CONFIG.false_alarm, 1 / (min(n, 999) + 1)), abs=1e-3)
    ordinary, foreign = made.distances(cloud(600, 0.0, 2)[1]), made.distances(cloud(600, 4.0, 3)[1])
    assert (ordinary > made.threshold).mean() < made.false_alarm + 0.03
    assert (foreign > made.threshold).mean() > 0.95


def test_long_features_of_few_rows_and_one_row_a_class_do_no_harm() -> None:
    codes, values = cloud(12, 0.0, 1, dims=3000)
    made = fit_out_of_distribution(values, np.arange(12), folds(12), make_column(list("abcdefghijkl")))
    assert made is not None and np.isfinite(made.distances(values)).all()
    assert fit_out_of_distribution(values[:5], codes[:5], folds(5), make_column(list("abcde"))) is None
    alike = np.ones((20, 4), dtype=np.float32)
    same = fit_out_of_distribution(alike, np.arange(20) % 2, folds(20), make_column([str(row) for row in range(20)]))
    assert same is not None and not (same.distances(alike) > same.threshold).any()


def test_the_nearest_rows_are_the_rows_themselves() -> None:
    codes, values = cloud(60, 0.0, 1)
    made = fit_out_of_distribution(values, codes, folds(60), make_column([f"row {row}" for row in range(60)]))
    assert made is not None
    places, distances = made.nearest(values[:5], 3)
    assert [made.ids[row] for row in places[:, 0]] == [f"row {row}" for row in range(5)]
    assert np.allclose(distances[:, 0], 0.0, atol=1e-2) and np.all(np.diff(distances, axis=1) >= 0)


def test_costs_are_read_or_refused_with_everything_that_is_wrong() -> None:
    made = parse_costs(["TB -> healthy=20"], ["TB", "healthy"], 0.25)
    assert made.matrix == ((0.0, 20.0), (1.0, 0.0))
    assert parse_costs(["a->b->c=2"], ["a", "b->c"], 0.1).matrix[0][1] == 2.0
    with pytest.raises(OptionError) as caught:
        parse_costs(["TBB->healthy=20", "x", "TB->TB=2", "TB->healthy=-1", "TB->healthy=nan"], ["TB", "healthy"], 1.0)
    assert "no class 'TBB' (did you mean 'TB'?)" in caught.value.problem
    assert "'x' is not of the form" in caught.value.problem and "names one class twice" in caught.value.problem
    assert caught.value.problem.count("cost of 0 or more") == 3 and "TB, healthy" in caught.value.hint


def test_answers_by_cost_ask_where_that_is_cheaper_and_avoid_the_dear_mistake() -> None:
    costs = parse_costs(["a->b=20"], CLASSES[:2], 0.25)
    shares = np.array([[0.005, 0.995], [0.1, 0.9], [0.9, 0.1], [0.6, 0.4]])
    made = DecisionPolicy(costs=costs).decide(said(shares, classes=CLASSES[:2]), None)
    assert made.answers.tolist() == ["b", NOT_SURE, "a", NOT_SURE]  # expected: 0.1; 0.9 > 0.25; 0.1; 0.4 > 0.25
    assert "asking costs 0.25" in describe_reason(made.reasons[1])
    dear = DecisionPolicy(costs=parse_costs(["a->b=20"], CLASSES[:2], 1.0)).decide(
        said(shares[1:2], classes=CLASSES[:2]), None
    )
    assert dear.answers[0] == "a" and "b (90 %) is more probable" in describe_reason(dear.reasons[0])


def test_two_reserved_classes_are_one_refusal_with_and_without_costs() -> None:
    names, shares = ("_other", "cat", "noise"), np.array([[0.45, 0.1, 0.45], [0.4, 0.35, 0.25]])
    sets = SetRule(0.9, (0.3, 0.3, 0.3), (True,) * 3, 50)
    for costs in (None, parse_costs(["cat->noise=2"], names, 0.25)):
        made = DecisionPolicy(sets=sets, costs=costs).decide(said(shares, classes=names), None)
        assert made.answers.tolist() == ["none of these", "not sure"]


def test_a_reserved_class_is_none_of_these() -> None:
    assert [name for name in ("_other", "Background", "noise ", "others") if is_reserved(name)] == [
        "_other", "Background", "noise ",
    ]  # fmt: skip
    made = DEFAULT_POLICY.decide(said(np.array([[0.9, 0.1], [0.2, 0.8]]), classes=("_other", "cat")), None)
    assert made.answers.tolist() == [NONE, "cat"] and made.codes.tolist() == [-1, 1]
    assert "_other (90 %)" in describe_reason(made.reasons[0])


def test_the_answer_is_a_label_only_where_one_class_is_likely_enough() -> None:
    codes, told = drawn(400)
    rule = fit_sets(codes, told, 0.9)
    made = DecisionPolicy(sets=rule).decide(said(told), None)
    single = made.sets.sum(axis=1) == 1
    assert np.array_equal(made.outcomes == "answered", single) and 0 < single.sum() < 400
    shares = measure_outcome_shares(made, None)
    assert list(shares) == ["label", "not sure", "none of these"] and shares["label"].value == single.mean()
    assert all("may be " in describe_reason(reason) for reason in made.reasons[~single])
    assert made.take(np.array([3])).answers[0] == made.answers[3]


@pytest.mark.parametrize("task", ["multi-label", "regression", "ordinal"])
def test_every_task_is_decided(task: str) -> None:
    n_outputs = 1 if task == "regression" else 3
    rules = DecisionPolicy(margin=2.0) if task == "regression" else DecisionPolicy()
    made = rules.decide(said(np.full((4, n_outputs), 1 / 3), task, CLASSES[:n_outputs]), None)
    assert len(made.outcomes) == 4 and (made.outcomes == "answered").all()
    if task == "regression":
        assert made.ends[0].tolist() == pytest.approx([1 / 3 - 2, 1 / 3 + 2])
    assert len(rules.decide(said(np.empty((0, n_outputs)), task, CLASSES[:n_outputs]), None).outcomes) == 0


def test_a_class_that_lends_its_rows_to_rare_ones_shares_their_threshold() -> None:
    rng = np.random.default_rng(0)
    codes = np.array([0] * 170 + [1] * 10 + [2] * 10 + [3] * 10)
    own = np.where(codes == 0, 0.9 + 0.1 * rng.random(200), rng.random(200))
    probabilities = np.repeat(((1 - own) / 3)[:, None], 4, axis=1)
    probabilities[np.arange(200), codes] = own
    rule = fit_sets(codes, probabilities, 0.9)
    assert rule.exact_sets(probabilities)[np.arange(200), codes].mean() >= 0.9


def test_the_lone_row_of_a_class_is_not_unlike_what_was_learnt() -> None:
    rng = np.random.default_rng(0)
    middles = np.repeat(np.eye(8, dtype=np.float32)[:2], 20, axis=0)
    values = np.concatenate([middles + rng.normal(0, 0.05, (40, 8)), np.eye(8)[7:]]).astype(np.float32)
    codes = np.array([0] * 20 + [1] * 20 + [2])
    folds = np.concatenate([np.arange(40) % 5, [-1]])
    ids = make_column([f"row-{number}" for number in range(41)])
    detector = fit_out_of_distribution(values, codes, folds, ids)
    assert detector is not None and detector.distances(values[-1:])[0] <= detector.threshold
    assert detector.distances(np.eye(8, dtype=np.float32)[4:5])[0] > detector.threshold
    nearest, _ = detector.nearest(values[-1:], 3)
    assert len({detector.ids[row] for row in nearest[0]}) == 3 and detector.ids[nearest[0, 0]] == "row-40"


def test_rules_come_back_from_json_and_arrays_and_decide_the_same() -> None:
    codes, values = cloud(200, 0.0, 1)
    _, told = drawn(200, power=2.0)
    rules = DecisionPolicy(
        calibrator=fit_calibrator(codes, told, folds(200)), sets=fit_sets(codes, told, 0.8), margin=None, coverage=0.8,
        out_of_distribution=fit_out_of_distribution(
            values, codes, folds(200), make_column([str(row) for row in range(200)])
        ),
        costs=parse_costs(["a->b=3"], CLASSES, 0.4), not_applied={"x": "y"},
    )  # fmt: skip
    assert isinstance(rules.out_of_distribution, OutOfDistributionDetector)
    back = DecisionPolicy.from_dict(json.loads(json.dumps(rules.as_dict())), rules.out_of_distribution.arrays())
    first, second = (item.decide(said(told), values) for item in (rules, back))
    assert first.answers.tolist() == second.answers.tolist() and back.not_applied == {"x": "y"}
    assert (
        DecisionPolicy.from_dict(json.loads(json.dumps(DecisionPolicy(margin=np.inf).as_dict())), {}).margin == np.inf
    )


def test_deciding_needs_numpy_only() -> None:
    code = (
        "import sys, headstart.decisions; "
        "print(sorted({'torch', 'sklearn', 'scipy', 'pandas', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
