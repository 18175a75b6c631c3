"""Metrics of several labels, numbers and grades: against scikit-learn and scipy, with intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as reference

from headstart import evaluation
from headstart.evaluation import NamedPredictions
from headstart.evaluation.metrics.multilabel import score_labels
from headstart.evaluation.metrics.ordinal import score_grades
from headstart.evaluation.metrics.regression import score_numbers
from headstart.records import Predictions, make_column
from headstart.report import write_sentence
from headstart.results import Figure, MultiLabelMetrics, OrdinalMetrics, Record, RegressionMetrics

LABELS = ("a", "b", "c", "d")
CUTS = (0.3, 0.5, 0.5, 0.6)


def several(n: int, seed: int) -> tuple[NDArray[np.float32], Predictions]:
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, 4)) < (0.6, 0.3, 0.2, 0.1)).astype(np.float32)
    told = np.clip(0.25 + 0.4 * truth + rng.normal(0, 0.2, truth.shape), 0.01, 0.99).round(2)
    return truth, Predictions(
        ids=make_column([str(row) for row in range(n)]),
        classes=LABELS,
        probabilities=told,
        task="multi-label",
        thresholds=CUTS,
    )


def numbers(n: int, seed: int, noise: float = 1.0) -> tuple[NDArray[np.float32], Predictions]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(5, 2, (n, 1)).astype(np.float32)
    said = truth + rng.normal(0, noise, (n, 1))
    return truth, Predictions(
        ids=make_column([str(row) for row in range(n)]),
        classes=("y",),
        probabilities=said.astype(np.float64),
        task="regression",
    )


def grades(n: int, seed: int) -> tuple[NDArray[np.intp], Predictions]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, n)
    shares = np.exp(-np.abs(np.arange(5) - truth[:, None] - rng.normal(0, 1, (n, 1))))
    shares /= shares.sum(axis=1, keepdims=True)
    return truth, Predictions(
        ids=make_column([str(row) for row in range(n)]), classes=tuple("12345"), probabilities=shares, task="ordinal"
    )


def figures(found: Record) -> list[tuple[str, Figure]]:
    own = [(name, value) for name, value in found if isinstance(value, Figure)]
    parts = [item for _, value in found if isinstance(value, list) for item in value if isinstance(item, Record)]
    return own + [pair for item in parts for pair in figures(item)]


def test_several_labels_are_scored_as_scikit_learn_scores_them() -> None:
    truth, said = several(300, 0)
    found = score_labels(truth, said, None, 0)
    given = said.label_mask
    assert found.macro_f1.value == pytest.approx(reference.f1_score(truth, given, average="macro"))
    assert found.micro_f1.value == pytest.approx(reference.f1_score(truth, given, average="micro"))
    assert found.row_f1.value == pytest.approx(reference.f1_score(truth, given, average="samples", zero_division=1))
    assert found.exact_match.value == pytest.approx(reference.accuracy_score(truth, given))
    average = reference.average_precision_score(truth, said.probabilities, average=None)
    assert [item.average_precision.value for item in found.per_label] == pytest.approx(average)
    assert found.mean_average_precision.value == pytest.approx(np.mean(average))
    assert [item.recall.value for item in found.per_label] == pytest.approx(
        reference.recall_score(truth, given, average=None)
    )
    assert [item.threshold for item in found.per_label] == list(CUTS)


def test_numbers_are_scored_as_scikit_learn_and_scipy_score_them() -> None:
    truth, said = numbers(200, 0)
    found = score_numbers(truth, said, None, 0)
    true, guess = truth[:, 0], said.values
    assert found.mean_absolute_error.value == pytest.approx(reference.mean_absolute_error(true, guess))
    assert found.root_mean_squared_error.value == pytest.approx(reference.root_mean_squared_error(true, guess))
    assert found.median_absolute_error.value == pytest.approx(reference.median_absolute_error(true, guess))
    assert found.r2 is not None and found.r2.value == pytest.approx(reference.r2_score(true, guess))
    assert found.spearman is not None and found.spearman.value == pytest.approx(stats.spearmanr(true, guess)[0])


def test_grades_are_scored_as_scikit_learn_scores_them() -> None:
    truth, said = grades(200, 0)
    found = evaluation.score_predictions(truth, said, None, 0)
    assert isinstance(found, OrdinalMetrics) and found.quadratic_kappa is not None
    kappa = reference.cohen_kappa_score(truth, said.class_indices, weights="quadratic")
    assert found.quadratic_kappa.value == pytest.approx(kappa)
    assert found.mean_grade_error.value == pytest.approx(np.abs(said.class_indices - truth).mean())


def test_few_grades_that_are_all_right_are_no_certainty_and_one_answer_for_all_is_chance() -> None:
    made = Predictions(
        ids=np.arange(3).astype(object), classes=("1", "2", "3"), probabilities=np.eye(3), task="ordinal"
    )
    found = score_grades(np.arange(3), made, None, 0)
    assert found.quadratic_kappa is not None and found.quadratic_kappa.low < 0.5
    assert found.mean_grade_error.value == 0.0 and found.mean_grade_error.high > 0.5
    same = Predictions(
        ids=np.arange(7).astype(object), classes=("1", "2", "3"), probabilities=np.eye(3)[[1] * 7], task="ordinal"
    )
    floor = score_grades(np.array([0, 1, 2, 0, 1, 2, 2]), same, None, 0).quadratic_kappa
    assert floor is not None and (floor.low, floor.value, floor.high) == (0.0, 0.0, 0.0)


def test_the_median_grade_is_never_further_off_in_expectation_than_the_most_probable_one() -> None:
    _, said = grades(200, 1)
    places = np.arange(5)

    def expected(codes: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray((said.probabilities * np.abs(places - codes[:, None])).sum(axis=1))

    assert (expected(said.class_indices) <= expected(said.probabilities.argmax(axis=1)) + 1e-9).all()


@pytest.mark.parametrize("made", [several, numbers, grades])
@pytest.mark.parametrize("n", [1, 3, 60])
@pytest.mark.parametrize("clustered", [False, True])
def test_every_interval_holds_its_figure_and_is_repeatable(made: object, n: int, clustered: bool) -> None:
    truth, said = made(n, 2)  # type: ignore[operator]
    clusters = np.arange(n) // 3 if clustered else None
    found = evaluation.score_predictions(truth, said, clusters, 7)
    for name, figure in figures(found):
        assert figure.low <= figure.value <= figure.high, name
    assert evaluation.score_predictions(truth, said, clusters, 7) == found


def test_large_numbers_do_not_lose_their_digits() -> None:
    truth, said = numbers(50, 0)
    moved = Predictions(
        ids=said.ids, classes=said.classes, probabilities=said.probabilities * 1000 + 5e6, task="regression"
    )
    near = score_numbers(truth, said, None, 0)
    far = score_numbers((truth * 1000 + 5e6).astype(np.float32), moved, None, 0)
    assert near.r2 is not None and far.r2 is not None
    assert far.mean_absolute_error.value == pytest.approx(1000 * near.mean_absolute_error.value, rel=1e-3)
    assert far.r2.value == pytest.approx(near.r2.value, abs=1e-3)
    assert (far.r2.low, far.r2.high) == pytest.approx((near.r2.low, near.r2.high), abs=1e-2)


def test_what_is_not_defined_is_none() -> None:
    truth, said = numbers(20, 0)
    flat = Predictions(ids=said.ids, classes=said.classes, probabilities=np.full((20, 1), 5.0), task="regression")
    found = score_numbers(truth, flat, None, 0)
    assert found.spearman is None and found.r2 is not None
    assert score_numbers(np.ones_like(truth), said, None, 0).r2 is None


def test_intervals_of_errors_hold_the_true_value_about_as_often_as_they_say() -> None:
    true = {"mean_absolute_error": 0.798, "root_mean_squared_error": 1.0, "r2": 0.75, "absolute_error_90": 1.645}
    found = [score_numbers(*numbers(60, seed), None, seed) for seed in range(1000, 1060)]
    for name, value in true.items():
        assert sum(getattr(item, name).low <= value <= getattr(item, name).high for item in found) >= 52, name


def test_intervals_of_labels_hold_the_true_value_about_as_often_as_they_say() -> None:
    large = score_labels(*several(20_000, 99), None, 0)
    found = [score_labels(*several(120, seed), None, seed) for seed in range(60)]
    for name in ("macro_f1", "micro_f1", "mean_average_precision", "row_f1"):
        value = getattr(large, name).value
        assert sum(getattr(item, name).low <= value <= getattr(item, name).high for item in found) >= 52, name


def test_thresholds_follow_a_shy_model_and_rare_labels_lean_on_the_others() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((400, 3)) < (0.4, 0.4, 0.01)).astype(np.float32)
    told = np.clip(0.1 + 0.2 * truth + rng.normal(0, 0.03, truth.shape), 0.001, 0.999)
    told[:, 1] = np.clip(told[:, 1] + 0.5, 0, 0.999)
    chosen = evaluation.choose_thresholds(truth, told)
    assert chosen[0] == pytest.approx(0.2, abs=0.06) and chosen[1] == pytest.approx(0.7, abs=0.06)
    assert 0.05 < chosen[2] < 0.75
    assert evaluation.choose_thresholds(truth, np.full_like(told, np.nan)) == (0.5, 0.5, 0.5)


def test_chosen_thresholds_are_better_than_one_half() -> None:
    truth, said = several(400, 3)
    shy = Predictions(ids=said.ids, classes=LABELS, probabilities=said.probabilities**2, task="multi-label")
    chosen = evaluation.choose_thresholds(truth[:200], shy.probabilities[:200])
    fresh, test = several(2000, 4)
    told = test.probabilities**2
    own = score_labels(
        fresh,
        Predictions(ids=test.ids, classes=LABELS, probabilities=told, task="multi-label", thresholds=chosen),
        None,
        0,
    )
    half = score_labels(
        fresh, Predictions(ids=test.ids, classes=LABELS, probabilities=told, task="multi-label"), None, 0
    )
    assert own.macro_f1.value > half.macro_f1.value + 0.05


@pytest.mark.parametrize(
    ("made", "measure"),
    [(several, "macro-F1"), (numbers, "mean absolute error"), (grades, "quadratic kappa")],
)
def test_the_verdict_says_which_is_better_in_the_measure_of_the_task(made: object, measure: str) -> None:
    truth, good = made(150, 0)  # type: ignore[operator]
    order = np.random.default_rng(0).permutation(150)
    bad = Predictions(
        ids=good.ids,
        classes=good.classes,
        probabilities=good.probabilities[order],
        task=good.task,
        thresholds=good.thresholds,
    )
    ours, theirs = NamedPredictions("blend", good), NamedPredictions("classic", bad)
    found = evaluation.assess_transfer(truth, ours, theirs, clusters=None, seed=0)
    assert found.measure == measure and found.transfer == "helped"
    assert found.difference is not None and found.difference.low > 0
    assert write_sentence(found).startswith("On 150 test rows") and write_sentence(found).endswith(
        "so transfer helped."
    )
    assert evaluation.assess_transfer(truth, theirs, ours, clusters=None, seed=0).transfer == "hurt"
    same = evaluation.assess_transfer(truth, ours, NamedPredictions("classic", good), clusters=None, seed=0)
    assert same.transfer == "no evidence" and "there is no evidence" in write_sentence(same)


def test_the_verdict_on_numbers_names_both_errors() -> None:
    truth, good = numbers(150, 0, noise=0.5)
    bad = Predictions(ids=good.ids, classes=good.classes, probabilities=2 * good.probabilities - 5, task="regression")
    said = write_sentence(
        evaluation.assess_transfer(
            truth, NamedPredictions("blend", good), NamedPredictions("classic", bad), clusters=None, seed=0
        )
    )
    own, other = (np.abs(item.values - truth[:, 0]).mean() for item in (good, bad))
    assert f"({own:.3g} against {other:.3g}, in the unit of the label)" in said


def test_few_rows_are_never_evidence() -> None:
    truth, good = several(5, 0)
    bad = Predictions(
        ids=good.ids, classes=LABELS, probabilities=1 - good.probabilities, task="multi-label", thresholds=CUTS
    )
    assert (
        evaluation.assess_transfer(
            truth, NamedPredictions("blend", good), NamedPredictions("classic", bad), clusters=None, seed=0
        ).transfer
        == "no evidence"
    )


def test_groups_are_compared_by_their_errors() -> None:
    truth, said = numbers(120, 0, noise=0.1)
    worse = said.probabilities.copy()
    worse[60:] += 3
    site = make_column(["A"] * 60 + ["B"] * 60)
    found = evaluation.score_groups(
        truth,
        Predictions(ids=said.ids, classes=said.classes, probabilities=worse, task="regression"),
        {"site": site},
        clusters=None,
        seed=0,
    )[0]
    assert found.measure == "mean absolute error" and found.gap_between == ["A", "B"]
    assert found.gap is not None and found.gap.low > 2 and found.p_value == 0.0005
    assert "was off by 2.98 on average, for site A 0.0771: a gap of 2.9" in write_sentence(found) and isinstance(
        found.values[0].metrics, RegressionMetrics
    )


def test_groups_that_do_not_differ_are_no_evidence() -> None:
    truth, said = several(160, 0)
    found = evaluation.score_groups(truth, said, {"site": make_column(["A", "B"] * 80)}, clusters=None, seed=0)[0]
    assert found.measure == "row F1" and found.p_value is not None and found.p_value > 0.05
    assert found.gap is not None and found.gap.low <= 0
    assert "no evidence that the groups differ" in write_sentence(found)


def test_the_worst_rows_are_those_furthest_off() -> None:
    truth, said = numbers(50, 0)
    errors = np.abs(said.values - truth[:, 0])
    found = evaluation.list_worst_rows(truth, said, 3)
    assert [item.error for item in found] == pytest.approx(sorted(errors)[::-1][:3])
    marks, answers = several(50, 0)
    found = evaluation.list_worst_rows(marks, answers, 3)
    assert found[0].error == (answers.label_mask != (marks == 1)).sum(axis=1).max() and found[0].probability is None


def test_a_label_that_no_test_row_has_does_not_count() -> None:
    truth, said = several(50, 0)
    truth[:, 3] = 0
    found = score_labels(truth, said, None, 0)
    assert [item.label for item in found.per_label] == ["a", "b", "c"]
    assert isinstance(found, MultiLabelMetrics) and found.macro_f1.value == pytest.approx(
        reference.f1_score(truth[:, :3], said.label_mask[:, :3], average="macro")
    )


def test_points_of_the_plot_are_an_even_sample() -> None:
    truth, said = numbers(2000, 0)
    found = evaluation.pair_observed_predicted(truth, said)
    assert found.n_rows == 2000 and len(found.observed) == 500 == len(found.predicted)
    assert found.observed == sorted(found.observed) and found.observed[0] == pytest.approx(float(truth.min()))
