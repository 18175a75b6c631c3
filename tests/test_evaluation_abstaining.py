"""Figures about abstaining: coverage of sets and ranges, wrong answers against rows answered, intervals that hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.decisions import DEFAULT_POLICY
from headstart.evaluation import intervals, score_classes
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.evaluation.uncertainty.conformal import (
    StatedCoverage,
    measure_range_coverage,
    measure_set_coverage,
    share_interval,
)
from headstart.evaluation.uncertainty.selective import measure_risk_coverage, rows_per_hundred
from headstart.flow.scoring.decisions import ScoredRows, measure_abstention
from headstart.records import Predictions, Table, make_column
from headstart.report import write_sentence


def made(shares: np.ndarray) -> Predictions:
    return Predictions(
        ids=make_column([str(row) for row in range(len(shares))]), classes=("no", "yes"), probabilities=shares
    )


def simulated(n: int, seed: int) -> tuple[np.ndarray, Predictions]:
    """Draw answers of 20 different probabilities that are right 15 points less often than they say."""
    rng = np.random.default_rng(seed)
    sure = 0.7 + 0.25 * rng.integers(0, 20, n) / 19
    right = rng.random(n) < sure - 0.15
    return np.where(right, 0, 1), made(np.column_stack([sure, 1 - sure]))


def test_intervals_of_accuracy_and_calibration_error_hold_the_truth_in_92_to_98_of_100_simulations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        intervals, "SETTINGS", replace(intervals.SETTINGS, resamples=300)
    )  # Fewer than in use: the test would take minutes.
    n_times, hits = 200, np.zeros(2)
    truth = 0.7 + 0.25 * 0.5 - 0.15, 0.15
    for seed in range(n_times):
        codes, said = simulated(400, seed)
        found = measure_calibration(codes, said, None, seed)
        assert found is not None
        figures = score_classes(codes, said, None, seed).accuracy, found.error
        hits += [figure.low <= value <= figure.high for figure, value in zip(figures, truth, strict=True)]
    shares = hits / n_times
    print(shares)
    assert (shares >= 0.92).all() and (shares <= 0.98).all(), shares


def test_the_interval_of_a_coverage_is_wilsons_and_wider_where_rows_cluster() -> None:
    hits = np.array([True] * 90 + [False] * 10)
    alone, together = share_interval(hits, None), share_interval(hits, np.arange(100) // 10)
    assert (round(alone.low, 3), round(alone.high, 3)) == (0.826, 0.945)
    assert together.low < alone.low


def test_sets_that_cover_less_than_stated_are_called_so() -> None:
    codes = np.zeros(100, dtype=int)
    sets = np.zeros((100, 2), dtype=bool)
    sets[:70, 0], sets[70:, 1] = True, True
    found = measure_set_coverage(codes, sets, sets, StatedCoverage(0.9, 200, 2), clusters=None, seed=0)
    assert found.below and "do not rely on it" in write_sentence(found) and found.method == "label-conditional"
    whole = measure_set_coverage(
        codes,
        np.ones((100, 2), dtype=bool),
        sets,
        StatedCoverage(0.9, 200, 1),
        clusters=None,
        seed=0,
    )
    assert not whole.below and whole.mean_size and whole.mean_size.value == 2.0
    assert whole.exact and whole.exact.value == 0.7 and whole.method == "partly label-conditional"


def test_a_range_without_ends_is_said_to_have_none() -> None:
    found = measure_range_coverage(np.zeros(30), np.ones(30), np.inf, stated=0.9, n_rows_learnt=5, clusters=None)
    assert found.width is None and found.measured.value == 1.0 and "too few rows" in write_sentence(found)


def test_the_risk_falls_where_being_sure_says_something_and_ties_are_shared() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(500)
    right = rng.random(500) < sure
    found = measure_risk_coverage(right, sure, None, 0)
    risks = [point.wrong_share.value for point in found.points]
    assert risks[0] < risks[4] < risks[9] == pytest.approx(1 - right.mean())
    assert found.area.low <= found.area.value <= found.area.high < risks[9]
    level = measure_risk_coverage(right, np.full(500, 0.5), None, 0)
    assert [point.wrong_share.value for point in level.points] == pytest.approx([1 - right.mean()] * 10)


def test_the_area_counts_clusters() -> None:
    rng = np.random.default_rng(1)
    sure, right = rng.random(200), np.repeat(rng.random(20) < 0.7, 10)
    alone, together = (measure_risk_coverage(right, sure, groups, 0).area for groups in (None, np.arange(200) // 10))
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_one_row_and_none_right_have_figures() -> None:
    found = measure_risk_coverage(np.array([False]), np.array([0.9]), None, 0)
    assert found.area.value == 1.0 and len(found.points) == 10
    assert rows_per_hundred(np.zeros(5, dtype=bool), None).value == 0.0


def test_where_everything_is_answered_each_share_of_right_rows_has_one_interval() -> None:
    codes, predictions = simulated(60, 3)
    decisions = DEFAULT_POLICY.decide(predictions, None)
    table = Table(
        modality="text", ids=predictions.ids, inputs=predictions.ids, hashes=predictions.ids, labels=None,
        splits=predictions.ids,
    )  # fmt: skip
    rows = ScoredRows(table=table, truth=codes, predictions=predictions, decisions=decisions, clusters=None)
    accuracy = score_classes(codes, predictions, None, 0).accuracy
    abstention = measure_abstention(rows, DEFAULT_POLICY, 0, accuracy)
    assert abstention.n_answered == 60
    assert abstention.accuracy_answered == abstention.accuracy_all == accuracy
