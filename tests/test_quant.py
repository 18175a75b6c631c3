"""`quant`: quantiles as published, trees as scikit-learn grows them, and what happens at the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from headstart import flow
from headstart.modalities.quantiles import count_features, describe_series
from headstart.options import AdaptOptions
from headstart.results import Metrics
from headstart.strategies.baselines import classic_series, quant
from headstart.strategies.baselines.settings import QUANT
from headstart.strategies.linear.head import Head
from headstart.strategies.record import Clock, Task
from headstart.strategies.settings import SETTINGS
from headstart.strategies.trees import Forest, ForestConfig, grow_classifier, grow_regressor

RNG = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:aeon")
@pytest.mark.parametrize(("length", "channels"), [(9, 1), (24, 1), (100, 2), (151, 1), (500, 1)])
def test_quantiles_are_those_of_the_published_method(length: int, channels: int) -> None:
    pytest.importorskip("aeon")
    from aeon.transformations.collection.interval_based import QUANTTransformer

    series = RNG.normal(size=(5, channels, length)).astype(np.float32)
    found = describe_series(series)
    assert found.shape == (5, channels * count_features(length))
    np.testing.assert_allclose(found, QUANTTransformer().fit_transform(series), atol=1e-3, rtol=1e-4)


def test_stored_trees_say_what_the_grown_ones_say() -> None:
    rows = RNG.normal(size=(60, 40)).astype(np.float32)
    codes = (rows[:, 0] > 0).astype(np.intp) + (rows[:, 1] > 1)
    growth = ForestConfig(7, 2, 3)
    ours = Forest.load(grow_classifier(rows, codes, None, growth).state())
    theirs = ExtraTreesClassifier(
        7, criterion="entropy", max_features=SETTINGS.tree_feature_share, min_samples_leaf=2, random_state=3
    ).fit(rows, codes)
    fresh = RNG.normal(size=(300, 40)).astype(np.float32)
    np.testing.assert_allclose(ours.predict(fresh), theirs.predict_proba(fresh), atol=1e-6)
    targets = rows[:, :2].astype(np.float32)
    several = grow_regressor(rows, targets, growth)
    reference = ExtraTreesRegressor(
        7, max_features=SETTINGS.tree_feature_share, min_samples_leaf=2, random_state=3
    ).fit(rows, targets)
    np.testing.assert_allclose(several.predict(fresh), reference.predict(fresh), atol=1e-5)
    single = grow_regressor(rows, targets[:, :1], growth).predict(fresh)
    assert single.shape == (300, 1) and single.std() > 0


def test_longer_series_get_fewer_quantiles_rather_than_more_memory() -> None:
    spec = {"length": 2_048, "n_channels": 3}
    divisor = quant.choose_divisor(100_000, spec)
    assert divisor > quant.choose_divisor(50, spec) == 4
    assert 100_000 * 3 * count_features(2_048, divisor) <= QUANT.max_values or divisor >= 2_048


def test_leaves_hold_more_rows_where_trees_would_not_fit() -> None:
    described = np.zeros((50_000, 1), dtype=np.float32)
    codes = np.arange(50_000) % 20
    task = Task(
        classes=tuple(map(str, range(20))), codes=codes, folds=codes % 5, balance="off", seed=0, clock=Clock(1.0)
    )
    grove = quant._ForestFitter(described, task, False)
    assert QUANT.n_trees * (50_000 // grove.min_leaf) * 20 <= QUANT.max_leaf_values


@pytest.mark.real
def test_it_learns_real_series(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "ucr" / "SyntheticControl.parquet"
    found = flow.adapt(path, tmp_path / "out", AdaptOptions(strategy=("quant",), labels_per_class=5))
    figures = {item.name: item.test for item in found.strategies}
    assert isinstance(figures["quant"], Metrics) and figures["quant"].accuracy.low > 0.7


def test_a_classic_series_model_of_an_older_bundle_reads_the_series_alone() -> None:
    series = RNG.normal(size=(12, 1, 30)).astype(np.float32)
    kernels = classic_series._fit_kernels(series, 12, 0)
    both = classic_series._convolve(kernels, series)
    older = classic_series._convolve({"kernels": kernels["kernels"]}, series)
    np.testing.assert_array_equal(both[:, : older.shape[1]], older)
    head = Head(*(np.zeros(shape, dtype=np.float32) for shape in ((older.shape[1],), (older.shape[1], 2), (2,))))
    state = classic_series.SeriesModel({"length": 30}, {"kernels": kernels["kernels"]}, head).state()
    assert set(classic_series.SeriesModel.load(state).kernels) == {"kernels"}
