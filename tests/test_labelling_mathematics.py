"""Labelling rounds, the mathematics: guesses, choice, likeness, agreement, advice, on constructed vectors."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.flow.labelling.agreement import compare_labels, make_count
from headstart.flow.labelling.choosing import LabelledRows, choose_useful
from headstart.flow.labelling.curve import forecast_labels, judge_gain
from headstart.flow.labelling.learning import Guesses, guess_kinds
from headstart.flow.labelling.likeness import find_alike, group_sure_rows, order_rows
from headstart.flow.labelling.zero_shot import guess_by_names, mark_clear_names, score_names
from headstart.records import FloatMatrix, Index, Interval

N_ROWS, N_DIMS = 300, 24


def make_blobs(n_kinds: int = 3, spread: float = 0.5, seed: int = 0) -> tuple[FloatMatrix, Index]:
    """Return vectors in as many blobs as kinds, and the kind of each."""
    rng = np.random.default_rng(seed)
    codes = np.arange(N_ROWS) % n_kinds
    rows = 2.0 * np.eye(n_kinds, N_DIMS)[codes] + spread * rng.normal(size=(N_ROWS, N_DIMS)) + 1.0
    return rows.astype(np.float32), codes


def know(rows: FloatMatrix, judged: Index, codes: Index, guesses: Guesses) -> LabelledRows:
    return LabelledRows(vectors=rows, judged=judged, codes=codes[judged], probabilities=guesses.probabilities)


@pytest.mark.parametrize(("n_judged", "method"), [(9, "nearest-mean"), (60, "head")])
def test_guesses_are_right_on_blobs_and_say_how_they_came_about(n_judged: int, method: str) -> None:
    rows, codes = make_blobs()
    judged = np.arange(n_judged)
    guesses = guess_kinds(rows.astype(np.float16), judged, codes[judged], 4)
    assert guesses.method == method
    assert np.allclose(guesses.probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert (guesses.probabilities[:, 3] == 0).all()  # A kind without a label is never guessed.
    assert (guesses.probabilities.argmax(axis=1) == codes).mean() > 0.9
    assert (guesses.out_of_fold.argmax(axis=1) == codes[judged]).mean() > 0.7


def test_guesses_from_labels_by_chance_are_not_sure() -> None:
    rows, _ = make_blobs()
    codes = np.random.default_rng(3).integers(0, 3, N_ROWS)
    judged = np.arange(90)
    guesses = guess_kinds(rows, judged, codes[judged], 3)
    assert (guesses.out_of_fold.argmax(axis=1) == codes[judged]).mean() < 0.55
    assert guesses.probabilities.max(axis=1).mean() < 0.6


def test_a_kind_with_one_label_has_no_honest_guess() -> None:
    rows, codes = make_blobs()
    judged = np.array([0, 3, 1])
    guesses = guess_kinds(rows, judged, codes[judged], 3)
    assert np.isnan(guesses.out_of_fold[2]).any() and np.isfinite(guesses.out_of_fold[:2]).all()


def test_a_batch_has_no_labelled_row_and_no_row_twice() -> None:
    rows, codes = make_blobs()
    judged = np.arange(30)
    known = know(rows, judged, codes, guess_kinds(rows, judged, codes[judged], 3))
    candidates = np.arange(30, 200)
    batch = [item.row for item in choose_useful(known, candidates, 20, seed=1)]
    assert len(set(batch)) == 20 and set(batch) <= set(candidates.tolist())
    assert batch == [item.row for item in choose_useful(known, candidates, 20, seed=1)]


def test_a_batch_is_not_ten_copies_of_one_photo() -> None:
    rows, codes = make_blobs(2, spread=0.8)
    between = (rows[codes == 0].mean(axis=0) + rows[codes == 1].mean(axis=0)) / 2
    rows[200:240] = between + 1e-4 * np.random.default_rng(0).normal(size=(40, N_DIMS))  # The most doubtful of all.
    judged = np.arange(40)
    known = know(rows, judged, codes, guess_kinds(rows, judged, codes[judged], 2))
    batch = [item.row for item in choose_useful(known, np.arange(40, N_ROWS), 10, seed=0)]
    assert sum(200 <= row < 240 for row in batch) <= 3


def test_examples_of_the_rarest_kind_are_among_those_chosen() -> None:
    rows, codes = make_blobs()
    judged = np.concatenate([np.flatnonzero(codes == 0)[:20], np.flatnonzero(codes == 1)[:20], [2, 5, 8, 11]])
    known = know(rows, judged, codes, guess_kinds(rows, judged, codes[judged], 3))
    batch = choose_useful(known, np.setdiff1d(np.arange(N_ROWS), judged), 20, seed=0)
    rare = [item.row for item in batch if item.reason == "rare"]
    assert rare and (codes[rare] == 2).all()
    assert any(item.reason == "far" for item in batch)


def test_an_order_of_likeness_holds_every_row_once_and_keeps_blobs_together() -> None:
    rows, codes = make_blobs(5, spread=0.2)
    order = order_rows(rows, np.arange(N_ROWS))
    assert sorted(order.tolist()) == list(range(N_ROWS))
    assert (np.diff(codes[order]) != 0).sum() <= 12  # By chance it would be 240.


def test_the_most_alike_row_is_the_row_itself() -> None:
    rows, _ = make_blobs()
    best, scores = find_alike(rows, rows[17], np.arange(10, N_ROWS), 5)
    assert best[0] == 17 and scores[0] == pytest.approx(1.0, abs=1e-3) and (np.diff(scores) <= 0).all()


def test_cohorts_hold_sure_rows_only_and_none_twice() -> None:
    rows, _ = make_blobs(3)
    certainty = np.where(np.arange(N_ROWS) % 2, 0.95, 0.5)
    cohorts = group_sure_rows(rows, np.arange(N_ROWS), certainty)
    members = np.concatenate(cohorts)
    assert len(members) == len(set(members.tolist())) and (certainty[members] >= 0.9).all()
    assert all(4 <= len(cohort) <= 24 for cohort in cohorts)


def test_names_guess_without_labels_and_abstain_in_between() -> None:
    rows, codes = make_blobs(2, spread=0.3)
    names = (2.0 * np.eye(2, N_DIMS) + 1.0).astype(np.float32)
    scores = score_names(rows, names)
    probabilities = guess_by_names(scores, np.empty(0, np.intp), np.empty(0, np.intp))
    assert (probabilities.argmax(axis=1) == codes).mean() > 0.95
    undecided = score_names(np.concatenate([rows, [[1.0] * N_DIMS]]).astype(np.float32), names)
    assert not mark_clear_names(undecided)[-1] and mark_clear_names(scores).mean() > 0.8


def test_agreement_beyond_chance_is_that_of_cohen() -> None:
    """By hand: 20 + 15 of 50 alike; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; (0.7 - 0.5) / (1 - 0.5) = 0.4."""
    first = ["a"] * 25 + ["b"] * 25
    second = ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15
    agreement = compare_labels(list(range(50)), first, second)
    assert agreement.kappa is not None
    assert agreement.kappa.value == pytest.approx(0.4)
    assert agreement.kappa.low < 0.4 < agreement.kappa.high
    assert agreement.differing == tuple(range(20, 35))


def test_agreement_on_everything_is_still_uncertain_and_on_one_kind_undefined() -> None:
    both = compare_labels(list(range(10)), ["a", "b"] * 5, ["a", "b"] * 5)
    assert both.kappa is not None and both.kappa.value == 1.0 and both.kappa.low < 0.6
    assert compare_labels([1, 2], ["a", "a"], ["a", "a"]).kappa is None
    assert compare_labels([], [], []).same == make_count(0, 0)


def test_fourteen_of_twenty_is_surely_between_48_and_85_of_100() -> None:
    share = make_count(14, 20).share
    assert (round(100 * share.low), round(100 * share.high)) == (48, 85)


def test_few_labels_tell_nothing_of_more_and_easy_kinds_need_no_more() -> None:
    rows, codes = make_blobs(spread=0.3)
    assert forecast_labels(rows[:20], codes[:20], 0).code == "too-few"
    assert forecast_labels(rows[:60], np.zeros(60, dtype=np.intp), 0).code == "too-few"
    easy = forecast_labels(rows[:90], codes[:90], 0)
    assert easy.code == "little" and easy.n_more > 0 and easy.right is not None and easy.right.n_hits >= 88


def test_an_advice_needs_a_gain_that_nine_cases_of_ten_bear_out() -> None:
    assert judge_gain(Interval(0.09, -0.02, 0.2)) == "more-helps"
    assert judge_gain(Interval(0.03, -0.04, 0.09)) == "unclear"
    assert judge_gain(Interval(0.004, -0.005, 0.014)) == "little"


def test_very_many_labels_are_thinned_and_promise_nothing() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(700) % 2
    rows = (np.eye(2, 8)[codes] + 0.8 * rng.normal(size=(700, 8))).astype(np.float32)
    advice = forecast_labels(rows, codes, 0)
    assert (advice.n_labels, advice.gain) == (700, None) and advice.code in ("little", "unclear")
