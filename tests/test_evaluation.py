"""Metrics equal scikit-learn's, intervals cover what they promise, and the verdict never claims what it cannot know."""

from __future__ import annotations

import math
import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from headstart.evaluation import (
    NamedPredictions,
    assess_transfer,
    compare_accuracy,
    confusion_matrix,
    score_classes,
    worst_class_rows,
)
from headstart.evaluation.intervals import (
    compute_wilson_interval,
    draw_bootstrap_weights,
    effective_sizes,
    sum_by_cluster,
    t_quantile,
)
from headstart.evaluation.settings import SETTINGS
from headstart.records import Predictions, make_column
from headstart.report import write_sentence
from headstart.results import Figure, Metrics


def predictions(answers: np.ndarray, n_classes: int, sure: float = 0.9) -> Predictions:
    told = np.full((len(answers), n_classes), (1 - sure) / max(n_classes - 1, 1))
    told[np.arange(len(answers)), answers] = sure
    return Predictions(
        ids=make_column([f"row {at}" for at in range(len(answers))]),
        classes=tuple("abcdefghij")[:n_classes],
        probabilities=told,
    )


def random_case(n: int, n_classes: int, seed: int) -> tuple[np.ndarray, Predictions]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    told = rng.random((n, n_classes))
    told[np.arange(n), codes] += rng.random(n)
    ids = make_column([f"row {at}" for at in range(n)])
    return codes, Predictions(
        ids=ids, classes=tuple("abcdefghij")[:n_classes], probabilities=told / told.sum(axis=1, keepdims=True)
    )


def figures(metrics: Metrics) -> list[Figure]:
    own = [metrics.accuracy, metrics.macro_f1, metrics.balanced_accuracy, metrics.log_loss]
    return own + [figure for item in metrics.per_class for figure in (item.precision, item.recall)]


@pytest.mark.parametrize(("n", "n_classes"), [(7, 2), (60, 3), (500, 10)])
def test_every_metric_equals_that_of_scikit_learn(n: int, n_classes: int) -> None:
    codes, told = random_case(n, n_classes, n)
    found = score_classes(codes, told, None, 0)
    present = np.unique(codes)
    precision, recall, _, support = sk.precision_recall_fscore_support(
        codes, told.class_indices, labels=present, zero_division=0
    )
    assert found.accuracy.value == pytest.approx(sk.accuracy_score(codes, told.class_indices))
    assert found.balanced_accuracy.value == pytest.approx(recall.mean())
    assert found.macro_f1.value == pytest.approx(
        sk.f1_score(codes, told.class_indices, labels=present, average="macro", zero_division=0)
    )
    assert found.log_loss.value == pytest.approx(
        sk.log_loss(codes, told.probabilities, labels=list(range(n_classes))), abs=1e-9
    )
    assert [item.precision.value for item in found.per_class] == pytest.approx(precision)
    assert [item.recall.value for item in found.per_class] == pytest.approx(recall)
    assert [item.support for item in found.per_class] == support.tolist()
    assert np.array_equal(
        confusion_matrix(codes, told), sk.confusion_matrix(codes, told.class_indices, labels=list(range(n_classes)))
    )


def test_a_class_without_test_rows_is_left_out_of_the_list_and_the_averages() -> None:
    codes, answers = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    found = score_classes(codes, predictions(answers, 3), None, 0)
    assert [item.label for item in found.per_class] == ["a", "b"]
    assert found.balanced_accuracy.value == pytest.approx(0.75)
    assert found.macro_f1.value == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_that_is_never_predicted_has_an_unknown_precision() -> None:
    found = score_classes(np.array([0, 0, 1]), predictions(np.zeros(3, dtype=int), 2), None, 0)
    precision = found.per_class[1].precision
    assert (precision.value, precision.low, precision.high) == (0.0, 0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 40),
    n_classes=st.integers(2, 5),
    n_clusters=st.integers(0, 6),
    skill=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 999),
)
def test_every_interval_contains_its_point_and_stays_in_range(
    n: int, n_classes: int, n_clusters: int, skill: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    told = predictions(np.where(rng.random(n) < skill, codes, rng.integers(0, n_classes, n)), n_classes)
    clusters = rng.integers(0, n_clusters, n) if n_clusters else None
    found = score_classes(codes, told, clusters, seed)
    for figure in figures(found):
        assert 0 <= figure.low <= figure.value <= figure.high
        assert np.isfinite(figure.high)
    for figure in figures(found.model_copy(update={"log_loss": found.accuracy})):
        assert figure.high <= 1
    gap = compare_accuracy(codes, told, predictions(codes, n_classes), clusters=clusters, seed=seed)
    assert -1 <= gap.low <= gap.value <= gap.high <= 1


def test_thirty_of_thirty_right_is_not_certainty() -> None:
    codes = np.arange(30) % 3
    found = score_classes(codes, predictions(codes, 3), None, 0)
    assert found.accuracy.low == pytest.approx(30 / (30 + 1.959964**2), abs=1e-6)
    assert found.macro_f1.low <= found.accuracy.low
    assert found.balanced_accuracy.low <= found.accuracy.low
    assert {figure.high for figure in (found.accuracy, found.macro_f1, found.balanced_accuracy)} == {1.0}


def test_thirty_right_rows_of_three_patients_say_less_than_thirty_patients() -> None:
    codes = np.arange(30) % 3
    alone = score_classes(codes, predictions(codes, 3), None, 0)
    together = score_classes(codes, predictions(codes, 3), np.arange(30) // 10, 0)
    assert together.accuracy.low < 0.6 < alone.accuracy.low


def test_copying_every_row_five_times_does_not_narrow_a_clustered_interval() -> None:
    codes, told = random_case(80, 3, 4)
    five = Predictions(
        ids=make_column(list(np.repeat(told.ids, 5))),
        classes=told.classes,
        probabilities=np.repeat(told.probabilities, 5, axis=0),
    )
    once = score_classes(codes, told, None, 0).accuracy
    copied = score_classes(np.repeat(codes, 5), five, np.repeat(np.arange(80), 5), 0).accuracy
    blind = score_classes(np.repeat(codes, 5), five, None, 0).accuracy
    assert copied.high - copied.low >= 0.95 * (once.high - once.low)
    assert blind.high - blind.low < 0.6 * (once.high - once.low)


def test_clusters_of_one_row_each_change_nothing() -> None:
    codes, told = random_case(50, 3, 5)
    assert score_classes(codes, told, np.arange(50)[::-1], 1) == score_classes(codes, told, None, 1)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_does_not() -> None:
    codes, told = random_case(50, 3, 6)
    assert score_classes(codes, told, None, 1) == score_classes(codes, told, None, 1)
    assert score_classes(codes, told, None, 1) != score_classes(codes, told, None, 2)


def test_rows_without_a_prediction_are_our_mistake() -> None:
    codes, told = random_case(5, 3, 7)
    told.probabilities[2] = np.nan
    with pytest.raises(AssertionError, match="without a prediction"):
        score_classes(codes, told, None, 0)


def test_wilson_equals_the_figures_of_the_literature() -> None:
    low, high = compute_wilson_interval(np.array([81.0, 15.0, 0.0, 1.0]), np.array([263.0, 148.0, 20.0, 29.0]))
    assert np.round(low, 4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert np.round(high, 4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


@pytest.mark.parametrize("degrees", [*range(1, 260), 1_000, 100_000])
def test_quantiles_of_t_are_exact(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(float(stats.t.ppf(0.975, degrees)), rel=1e-9)


def test_resamples_draw_every_unit_once_on_average_in_bounded_blocks() -> None:
    blocks = list(draw_bootstrap_weights(5000, 0))
    assert sum(len(block) for block in blocks) == SETTINGS.resamples
    assert max(block.size for block in blocks) <= 4_000_000
    assert all((block.sum(axis=1) == 5000).all() for block in blocks)


def test_the_effective_number_of_rows_lies_between_clusters_and_rows() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(200), 4)
    alike = np.repeat(rng.random(200) < 0.7, 4).astype(np.float32)[:, None]
    free = (rng.random(800) < 0.7).astype(np.float32)[:, None]
    ones = sum_by_cluster(np.ones((800, 1), dtype=np.float32), clusters)
    assert effective_sizes(sum_by_cluster(alike, clusters), ones, True)[0] == pytest.approx(200, rel=0.03)
    assert effective_sizes(sum_by_cluster(free, clusters), ones, True)[0] > 650


def test_the_worst_rows_are_the_surest_mistakes_and_only_mistakes() -> None:
    told = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    found = worst_class_rows(
        np.array([0, 1, 1, 1]), Predictions(ids=make_column(list("wxyz")), classes=("a", "b"), probabilities=told)
    )
    assert [(row.id, row.label, row.predicted, row.probability) for row in found] == [
        ("y", "b", "a", 0.8),
        ("x", "b", "a", 0.6),
    ]
    assert (
        len(
            worst_class_rows(
                np.array([0, 1, 1, 1]),
                Predictions(ids=make_column(list("wxyz")), classes=("a", "b"), probabilities=told),
                1,
            )
        )
        == 1
    )


def paired(n: int, better: int, worse: int) -> tuple[np.ndarray, Predictions, Predictions]:
    """Rows on which only a, then only b is right; both are right on the rest."""
    a, b = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    b[:better] = 1
    a[better : better + worse] = 1
    return np.zeros(n, dtype=int), predictions(a, 2), predictions(b, 2)


@pytest.mark.parametrize("n", [8, 28, 200, 2000])
@pytest.mark.parametrize("rows", [4, 5])
def test_five_rows_alone_are_never_evidence(n: int, rows: int) -> None:
    codes, a, b = paired(n, rows, 0)
    assert compare_accuracy(codes, a, b, clusters=None, seed=0).low <= 0
    assert (
        assess_transfer(
            codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0
        ).transfer
        == "no evidence"
    )


@pytest.mark.parametrize("n", [28, 200, 2000])
def test_seven_rows_on_one_side_and_none_on_the_other_are_evidence(n: int) -> None:
    codes, a, b = paired(n, 7, 0)
    assert (
        assess_transfer(
            codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0
        ).transfer
        == "helped"
    )


def test_the_difference_is_the_difference_of_the_accuracies_and_turns_its_sign() -> None:
    codes, a, b = paired(50, 12, 3)
    there, back = (
        compare_accuracy(codes, a, b, clusters=None, seed=0),
        compare_accuracy(codes, b, a, clusters=None, seed=0),
    )
    assert there.value == pytest.approx(0.18)
    assert back.value == pytest.approx(-0.18)
    assert there.low == pytest.approx(-back.high, abs=0.03)


def test_one_patient_with_many_rows_is_no_evidence() -> None:
    codes, a, b = paired(60, 20, 0)
    assert compare_accuracy(codes, a, b, clusters=None, seed=0).low > 0
    assert (
        compare_accuracy(codes, a, b, clusters=np.r_[np.zeros(20, dtype=int), np.arange(40) // 4 + 1], seed=0).low <= 0
    )


@pytest.mark.parametrize(("better", "worse", "word"), [(40, 5, "helped"), (5, 40, "hurt"), (12, 10, "no evidence")])
def test_the_verdict_says_what_the_interval_says(better: int, worse: int, word: str) -> None:
    codes, a, b = paired(200, better, worse)
    said = assess_transfer(codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0)
    assert said.transfer == word
    assert (said.strategy, said.against) == ("blend", "classic")
    assert write_sentence(said).startswith("On 200 test rows the adapted model (blend) was right ")
    assert {"helped": "so transfer helped.", "hurt": "so transfer hurt.", "no evidence": "no evidence that transfer"}[
        word
    ] in write_sentence(said)


def test_the_sentence_gives_the_numbers_in_points() -> None:
    codes, a, b = paired(200, 40, 5)
    said = assess_transfer(codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0)
    low, high = (
        round_outwards(1_000 * end) / 10
        for round_outwards, end in ((math.floor, said.difference.low), (math.ceil, said.difference.high))
    )
    assert write_sentence(said) == (
        "On 200 test rows the adapted model (blend) was right 17.5 points more often than the best model without "
        f"pre-training (classic); the 95 % interval is {low:.1f} to {high:.1f} points, so transfer helped."
    )


def test_without_evidence_the_sentence_says_how_many_rows_would_settle_it() -> None:
    codes, a, b = paired(100, 10, 6)
    said = assess_transfer(codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0)
    assert "If the difference is real, about 780 test rows would show it." in write_sentence(said)
    codes, a, b = paired(100, 8, 8)
    same = assess_transfer(codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0)
    assert "equally often" in write_sentence(same)
    assert "would show it" not in write_sentence(same)


def test_a_base_that_is_not_pretrained_never_helps_nor_hurts() -> None:
    codes, a, b = paired(200, 60, 5)
    said = assess_transfer(
        codes, NamedPredictions("blend", a), NamedPredictions("classic", b), clusters=None, seed=0, pretrained=False
    )
    assert said.transfer == "no evidence"
    assert said.difference.value == pytest.approx(0.275)
    assert "Nothing pre-trained was used" in write_sentence(said)
    assert "27.5 points more" in write_sentence(said)


@pytest.mark.parametrize("absent", ["rows", "transfer", "against"])
def test_what_is_missing_is_no_evidence(absent: str) -> None:
    codes, a, b = paired(0 if absent == "rows" else 20, 0, 0)
    transfer = None if absent == "transfer" else NamedPredictions("blend", a)
    against = None if absent == "against" else NamedPredictions("classic", b)
    said = assess_transfer(codes, transfer, against, clusters=None, seed=0)
    assert said.transfer == "no evidence"
    assert said.difference is None
    assert "cannot be said" in write_sentence(said)


CHANCE = np.array([0.4, 0.3, 0.2, 0.1])
SKILL, WEAKER = np.array([0.85, 0.8, 0.75, 0.7]), np.array([0.75, 0.7, 0.7, 0.6])
TRUE_ACCURACY = float(CHANCE @ SKILL)
TRUE_GAP = float(CHANCE @ (SKILL - WEAKER))


def true_macro_f1() -> float:
    """Wrong answers are spread evenly over the other three classes."""
    joint = CHANCE[:, None] * np.where(np.eye(4) == 1, SKILL[:, None], (1 - SKILL[:, None]) / 3)
    return float((2 * joint.diagonal() / (joint.sum(axis=0) + joint.sum(axis=1))).mean())


def drawn(n: int, clustered: bool, rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """True codes and two models' answers; in clusters of five, half of the rows copy the cluster's luck."""
    clusters = np.arange(n) // 5 if clustered else None
    copies = (rng.random(n) < 0.5) if clustered else np.zeros(n, dtype=bool)

    def luck() -> np.ndarray:
        return np.where(copies, rng.random(n)[np.arange(n) // 5], rng.random(n))

    codes = np.searchsorted(np.cumsum(CHANCE)[:3], luck())
    first, second, mixed = luck(), luck(), luck()
    other = (codes + 1 + rng.integers(0, 3, n)) % 4
    a = np.where(first < SKILL[codes], codes, other)
    b = np.where(np.where(mixed < 0.5, first, second) < WEAKER[codes], codes, other)
    return codes, [a, b], clusters


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("n", "times"), [(30, 400), (100, 400), (400, 200)])
def test_intervals_cover_the_truth_as_often_as_they_say(n: int, times: int, clustered: bool) -> None:
    truths = np.array([TRUE_ACCURACY, true_macro_f1(), TRUE_GAP])
    covered = np.zeros(3)
    for repeat in range(times):
        codes, (a, b), clusters = drawn(n, clustered, np.random.default_rng([n, clustered, repeat]))
        found = score_classes(codes, predictions(a, 4), clusters, repeat)
        gap = compare_accuracy(codes, predictions(a, 4), predictions(b, 4), clusters=clusters, seed=repeat)
        lows = np.array([found.accuracy.low, found.macro_f1.low, gap.low])
        highs = np.array([found.accuracy.high, found.macro_f1.high, gap.high])
        covered += (lows <= truths) & (truths <= highs)
    assert ((covered / times >= 0.92) & (covered / times <= 0.995)).all(), covered / times


def test_two_equally_good_models_are_rarely_told_apart() -> None:
    told = 0
    for repeat in range(400):
        rng = np.random.default_rng([3, repeat])
        right = rng.random((2, 60)) < 0.8
        a, b = (predictions(np.where(row, 0, 1), 2) for row in right)
        told += (
            assess_transfer(
                np.zeros(60, dtype=int), NamedPredictions("a", a), NamedPredictions("b", b), clusters=None, seed=repeat
            ).transfer
            != "no evidence"
        )
    assert told / 400 <= 0.08


def test_evaluation_and_report_load_nothing_heavy() -> None:
    script = (
        "import sys, headstart.evaluation, headstart.report; "
        "print([name for name in ('torch', 'sklearn', 'pandas', 'scipy', 'timm') if name in sys.modules])"
    )
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
