"""Calibration: Brier equals scikit-learn's, honest probabilities are not blamed, dishonest ones are measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from headstart.evaluation.settings import SETTINGS
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.records import Predictions, make_column
from headstart.report import write_sentence


def drawn(n: int, honest: float, seed: int) -> tuple[np.ndarray, Predictions, np.ndarray]:
    """Two classes; where a probability p is given, .5 + honest (p - .5) are right."""
    rng = np.random.default_rng([seed, n])
    sure = 0.5 + 0.5 * rng.beta(3, 1.5, n)
    right = rng.random(n) < 0.5 + honest * (sure - 0.5)
    ids = make_column([f"row {at}" for at in range(n)])
    return (
        np.where(right, 0, 1),
        Predictions(ids=ids, classes=("a", "b"), probabilities=np.column_stack([sure, 1 - sure])),
        sure,
    )


def test_brier_equals_that_of_scikit_learn() -> None:
    codes, said, sure = drawn(150, 0.8, 0)
    found = measure_calibration(codes, said, None, 0)
    assert found is not None
    assert found.brier.value == pytest.approx(brier_score_loss(codes == 0, sure))
    rng = np.random.default_rng(1)
    codes, told = rng.integers(0, 4, 90), rng.dirichlet([1, 1, 1, 1], 90)
    many = measure_calibration(
        codes,
        Predictions(ids=make_column(list(map(str, range(90)))), classes=tuple("abcd"), probabilities=told),
        None,
        0,
    )
    assert many is not None
    assert many.brier.value == pytest.approx(((told - np.eye(4)[codes]) ** 2).sum(axis=1).mean() / 2)


def test_the_reliability_table_counts_every_row_once_and_averages_to_the_whole() -> None:
    codes, said, sure = drawn(333, 0.8, 3)
    found = measure_calibration(codes, said, None, 0)
    assert found is not None
    assert len(found.bins) == SETTINGS.max_calibration_bins
    sizes = np.array([item.n_rows for item in found.bins])
    assert sizes.sum() == found.n_rows == 333
    assert sizes.max() - sizes.min() <= 2
    means = np.array([item.mean_probability for item in found.bins])
    assert np.all(np.diff(means) > 0)
    assert sizes @ means / 333 == pytest.approx(sure.mean(), abs=1e-6)
    assert found.overconfidence.value == pytest.approx(sure.mean() - (codes == 0).mean(), abs=1e-6)


def test_intervals_cover_and_honest_probabilities_are_rarely_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.evaluation.intervals.SETTINGS", replace(SETTINGS, resamples=300))
    times, rows = 300, 300
    whole = 0.5 + 0.5 * np.sort(np.random.default_rng(0).beta(3, 1.5, 100_000))
    parts = np.array([part.mean() - 0.5 for part in np.array_split(whole, SETTINGS.max_calibration_bins)])
    for honest in (1.0, 0.5):
        truths = [(1 - honest) * np.sqrt(np.mean(parts**2)), (1 - honest) * (whole.mean() - 0.5)]
        right = 0.5 + honest * (whole - 0.5)
        truths.append(float(np.mean(right * (1 - whole) ** 2 + (1 - right) * whole**2)))
        covered, errors = np.zeros(3), []
        for repeat in range(times):
            codes, said, _ = drawn(rows, honest, repeat)
            found = measure_calibration(codes, said, None, repeat)
            assert found is not None
            figures = [found.error, found.overconfidence, found.brier]
            covered += [item.low - 1e-12 <= truth <= item.high for item, truth in zip(figures, truths, strict=True)]
            errors.append(found.error.value)
        assert (covered / times >= 0.91).all(), covered / times
        assert abs(np.mean(errors) - truths[0]) < 0.035


def test_a_model_that_is_too_sure_and_one_that_is_not_sure_enough_are_called_so() -> None:
    codes, said, _ = drawn(400, 0.3, 5)
    over = measure_calibration(codes, said, None, 0)
    assert over is not None
    assert over.overconfidence.low > 0 and over.error.low > 0.05
    assert "too sure of itself" in write_sentence(over)
    under = measure_calibration(np.zeros(400, dtype=int), said, None, 0)
    assert under is not None
    assert under.overconfidence.high < 0
    assert "right more often than it says" in write_sentence(under)


def test_equal_probabilities_share_a_bin_whatever_the_order_of_the_rows() -> None:
    codes = np.array([0] * 150 + [1] * 50)
    said = Predictions(
        ids=make_column(list(map(str, range(200)))), classes=("a", "b"), probabilities=np.tile([0.75, 0.25], (200, 1))
    )
    found = measure_calibration(codes, said, None, 0)
    assert found is not None
    assert [(item.n_rows, item.share_right.value) for item in found.bins] == [(200, 0.75)]
    assert found.error.value == 0


def test_bins_that_say_the_same_are_put_together() -> None:
    sure = np.concatenate([np.linspace(0.5, 0.9, 60), np.linspace(0.9985, 0.9999, 140)])
    said = Predictions(
        ids=make_column(list(map(str, range(200)))), classes=("a", "b"), probabilities=np.column_stack([sure, 1 - sure])
    )
    found = measure_calibration(np.zeros(200, dtype=int), said, None, 0)
    assert found is not None
    means = [item.mean_probability for item in found.bins]
    assert sum(item.n_rows for item in found.bins) == 200 and len(means) == 4
    assert min(np.diff(means)) >= SETTINGS.min_bin_distance


def test_patients_with_many_rows_widen_the_intervals() -> None:
    codes, said, _ = drawn(60, 1.0, 1)
    five = Predictions(
        ids=make_column(list(map(str, range(300)))),
        classes=("a", "b"),
        probabilities=np.repeat(said.probabilities, 5, axis=0),
    )
    rows = measure_calibration(np.repeat(codes, 5), five, None, 0)
    patients = measure_calibration(np.repeat(codes, 5), five, np.repeat(np.arange(60), 5), 0)
    assert rows is not None and patients is not None
    for name in ("overconfidence", "brier"):
        wide, narrow = getattr(patients, name), getattr(rows, name)
        assert wide.high - wide.low > 1.7 * (narrow.high - narrow.low)
    assert patients.error.value <= rows.error.value


def test_too_few_rows_say_nothing_and_extremes_give_no_nan() -> None:
    codes, said, _ = drawn(SETTINGS.min_rows - 1, 1.0, 0)
    assert measure_calibration(codes, said, None, 0) is None
    for n in (SETTINGS.min_rows, 45):
        sure = Predictions(
            ids=make_column(list(map(str, range(n)))), classes=("a", "b"), probabilities=np.tile([1.0, 0.0], (n, 1))
        )
        for codes in (np.zeros(n, dtype=int), np.ones(n, dtype=int)):
            found = measure_calibration(codes, sure, None, 0)
            assert found is not None
            json.dumps(found.model_dump(), allow_nan=False)
            assert found.error.value == found.brier.value == codes[0]
