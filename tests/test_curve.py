"""Learning curves: subsets are nested and fair, the law is recovered, the forecast is honest, the page shows it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from headstart.evaluation.learning_curve import MeasuredLosses, PowerLaw, fit_learning_curve, fit_power_law
from headstart.flow.adaptation.learning_curve import measure_learning_curve
from headstart.flow.adaptation.learning_curve_points import (
    choose_sizes,
    gather_curve_data,
    measure_points,
    order_nested,
)
from headstart.records import Features, Table, make_column
from headstart.report import write_sentence
from headstart.report.figures.learning import draw_learning_curve
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.ridge_loo import PrincipalAxes, fit_ridge_loo, reduce_to_axes
from headstart.strategies.point_scoring import SCORINGS
from headstart.strategies.record import Clock, StrategyRows, Task


def material(n_rows: int, seed: int, apart: float = 1.0, n_classes: int = 3) -> tuple[StrategyRows, np.ndarray]:
    """Clouds of points around class centres."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n_rows) % n_classes)
    centres = np.random.default_rng(0).normal(0, apart, (n_classes, 12))
    values = (centres[codes] + rng.normal(0, 1, (n_rows, 12))).astype(np.float32)
    ids = make_column([f"{seed}-{row}" for row in range(n_rows)])
    blank = make_column([""] * n_rows)
    table = Table(
        modality="text",
        ids=ids,
        inputs=blank,
        hashes=ids,
        labels=make_column([str(code) for code in codes]),
        splits=blank,
    )
    return StrategyRows(table, Features(ids, values, "made")), codes


def task_of(codes: np.ndarray, **more: object) -> Task:
    folds = np.arange(len(codes)) % 5
    return Task(classes=("a", "b", "c"), codes=codes, folds=folds, balance="off", seed=0, clock=Clock(600.0), **more)  # type: ignore[arg-type]


def told(n_train: int, apart: float, n_test: int = 400) -> object:
    train, codes = material(n_train, 1, apart)
    test, truth = material(n_test, 2, apart)
    return measure_learning_curve(
        train, task_of(codes), np.arange(n_train + n_test), test=test, test_targets=np.eye(3)[truth], clock=Clock(60.0)
    )


def test_every_beginning_of_the_order_is_a_stratified_draw_with_every_class() -> None:
    strata = np.repeat([0, 1, 2], [60, 30, 6])
    order = order_nested(strata, np.arange(96), np.random.default_rng(3))
    assert sorted(order) == list(range(96))
    assert set(strata[order[:3]]) == {0, 1, 2}
    for n in (16, 32, 48):
        assert np.abs(np.bincount(strata[order[:n]], minlength=3) - n * np.array([60, 30, 6]) / 96).max() <= 2


def test_rows_that_belong_together_stand_together_within_their_class() -> None:
    clusters = np.repeat(np.arange(10), 4)
    order = order_nested(np.zeros(40, dtype=np.intp), clusters, np.random.default_rng(0))
    changes = np.count_nonzero(np.diff(clusters[order[1:]]))
    assert changes <= 10


def test_sizes_are_halvings_down_to_one_row_a_class() -> None:
    assert choose_sizes(100, 10) == [12, 25, 50, 100]
    assert choose_sizes(5, 4) == [5]


def test_leave_one_out_of_the_quick_head_is_what_refitting_without_the_row_says() -> None:
    rows, codes = material(30, 4)
    assert rows.features is not None
    values, targets = rows.features.final, np.eye(3)[codes]
    head = fit_ridge_loo(values, targets)
    for row in (0, 7, 29):
        others = np.delete(np.arange(30), row)
        x, y = values[others] - values[others].mean(axis=0), targets[others] - targets[others].mean(axis=0)
        full = values - values.mean(axis=0)
        errors = []
        for strength in np.logspace(-4, 2, 13):
            penalty = strength * np.linalg.eigvalsh(full.T @ full).sum() / 30
            weights = np.linalg.solve(x.T @ x + penalty * np.eye(12), x.T @ y)
            said = (values[row] - values[others].mean(axis=0)) @ weights + targets[others].mean(axis=0)
            errors.append(np.abs(said - head.left_out[row]).max())
        assert min(errors) < 1e-3


def test_the_closed_form_is_ridge_regression_with_cross_validation_of_scikit_learn() -> None:
    for n_rows, n_dims in ((40, 12), (30, 60)):
        rng = np.random.default_rng(n_rows)
        values = rng.normal(0, 1, (n_rows, n_dims)).astype(np.float32)
        targets = np.eye(3)[(values[:, :3] + rng.normal(0, 1, (n_rows, 3))).argmax(axis=1)]
        unit = float(np.square(values - values.mean(axis=0)).sum()) / n_rows
        reference = RidgeCV(alphas=np.asarray(LINEAR_CONFIG.loo_penalties[::-1]) * unit).fit(values, targets)
        np.testing.assert_allclose(fit_ridge_loo(values, targets).predict(values), reference.predict(values), atol=1e-4)


def test_axes_keep_distances_where_no_axis_is_dropped() -> None:
    values = np.random.default_rng(0).normal(0, 1, (40, 6)).astype(np.float32)
    axes = PrincipalAxes.fit(values, np.arange(40), 0, 100)
    before = (values - axes.standard.centre) * axes.standard.inverse
    assert np.allclose(np.linalg.norm(axes.apply(values), axis=1), np.linalg.norm(before, axis=1), rtol=1e-4)
    assert np.allclose(reduce_to_axes(values, 0), axes.apply(values))


def test_a_known_power_law_is_recovered() -> None:
    numbers = np.array([16.0, 32, 64, 128, 256])
    law = fit_power_law(numbers, 0.08 + 0.9 * numbers**-0.5, np.full(5, 0.01))
    assert law.floor == pytest.approx(0.08, abs=0.01)
    assert law.loss(1024) == pytest.approx(0.08 + 0.9 / 32, abs=0.01)


def losses_of(law: PowerLaw, numbers: list[int], n_units: int = 2_000, n_draws: int = 6) -> list[MeasuredLosses]:
    rng = np.random.default_rng(0)
    hard = rng.random(n_units)
    return [
        MeasuredLosses(
            n, (hard[None] < law.loss(n) + rng.normal(0, 0.004, (draws, 1))).astype(float), np.ones((draws, n_units))
        )
        for n in numbers
        for draws in [1 if n == numbers[-1] else n_draws]
    ]


def test_the_interval_of_a_forecast_holds_the_true_gain_and_nothing_is_said_beyond_four_times_the_labels() -> None:
    law = PowerLaw(0.05, 1.5, 0.4)
    found = fit_learning_curve(losses_of(law, [25, 50, 100, 200, 400]), [600, 800, 1600, 1700], 0)
    assert [item.n_labels for item in found.forecasts] == [600, 800, 1600]
    for item in found.forecasts:
        assert item.gain.low <= law.loss(400) - law.loss(item.n_labels) <= item.gain.high
        assert item.gain.low > 0
    assert all(loss.low <= loss.value <= loss.high for loss in found.losses)


def test_where_more_labels_made_it_worse_nothing_is_forecast() -> None:
    points = losses_of(PowerLaw(0.05, 1.5, 0.4), [50, 100, 200, 400])
    turned = [
        MeasuredLosses(point.n_labels, other.losses, other.sizes)
        for point, other in zip(points, points[::-1], strict=True)
    ]
    found = fit_learning_curve(turned, [800], 0)
    assert found.rises and found.forecasts == ()


def test_classes_far_apart_need_no_more_labels_and_the_sentence_says_so() -> None:
    found = told(300, 6.0)
    assert found.shape == "flat"  # type: ignore[attr-defined]
    assert "not likely to help much" in write_sentence(found)  # type: ignore[arg-type]


def test_the_curve_rises_for_classes_that_overlap_and_is_the_same_every_time() -> None:
    found, again = told(120, 0.6), told(120, 0.6)
    assert found == again
    values = [point.value.value for point in found.points]  # type: ignore[attr-defined]
    assert values[-1] > values[0] + 0.1
    assert found.points[-1].labels == 120 and found.points[-1].n_draws == 1  # type: ignore[attr-defined]
    assert found.points[-1].labels_per_class == 40  # type: ignore[attr-defined]


def test_without_test_rows_every_fold_is_held_out_in_turn() -> None:
    train, codes = material(150, 1)
    made = gather_curve_data(train, task_of(codes), np.arange(150), test=None, test_targets=None)
    assert sorted(np.concatenate([held.rows for held in made.held_out])) == list(range(150))
    assert all(len(np.intersect1d(held.pool, held.rows)) == 0 for held in made.held_out)
    points = measure_points(made, Clock(60.0), 0)
    assert points[-1].n_labels == 120 and points[-1].losses.shape == (1, 150)


@pytest.mark.parametrize(("kind", "metric"), [("regression", "mean absolute error"), ("multi-label", "micro-F1")])
def test_numbers_and_several_labels_have_a_curve_too(kind: str, metric: str) -> None:
    train, codes = material(160, 1)
    assert train.features is not None
    truth = train.features.final[:, :1] * 2 if kind == "regression" else np.eye(3, dtype=np.float32)[codes]
    found = measure_learning_curve(
        train, task_of(codes, kind=kind, truth=truth), np.arange(160), test=None, test_targets=None, clock=Clock(60.0)
    )
    assert found.metric == metric and len(found.points) > 3
    assert found.points[0].labels_per_class is None
    better = found.points[-1].value.value - found.points[0].value.value
    assert (better < 0) == (kind == "regression")


def test_what_cannot_be_measured_is_said_with_the_reason() -> None:
    train, codes = material(12, 1)
    found = measure_learning_curve(
        train, task_of(codes), np.arange(12), test=None, test_targets=None, clock=Clock(60.0)
    )
    assert found.points == [] and "12 training rows are too few" in write_sentence(found)
    train, codes = material(60, 1)
    found = measure_learning_curve(train, task_of(codes), np.arange(60), test=None, test_targets=None, clock=Clock(0.0))
    assert "no time was left" in write_sentence(found)
    bare = measure_learning_curve(
        StrategyRows(train.table), task_of(codes), np.arange(60), test=None, test_targets=None, clock=Clock(60.0)
    )
    assert "the base model was not run" in write_sentence(bare)
    alone = replace(task_of(codes), folds=np.zeros(60, dtype=np.intp))
    repeated = measure_learning_curve(train, alone, np.arange(60), test=None, test_targets=None, clock=Clock(60.0))
    assert "repeat each other" in write_sentence(repeated)


def test_the_plot_places_better_values_higher_and_more_labels_further_right() -> None:
    curve = told(120, 0.6)
    picture = draw_learning_curve(curve)  # type: ignore[arg-type]
    assert picture is not None and draw_learning_curve(None) is None
    dots = re.search(r'class="dots ours" d="([^"]*)"', picture.marks)
    assert dots is not None
    places = [tuple(map(float, place.split())) for place in re.findall(r"M(.*?)h0", dots[1])]
    assert len(places) == len(curve.points)  # type: ignore[attr-defined]
    assert all(before[0] < after[0] for before, after in pairwise(places))
    assert places[-1][1] < places[0][1]


def test_every_kind_of_task_has_a_scoring() -> None:
    from headstart.task_types import TASK_TYPES

    assert set(SCORINGS) == set(TASK_TYPES)
