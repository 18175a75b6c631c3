"""Series whose numbers are odd: channels that never change, tiny and huge values, gaps; all forms agree."""

import numpy as np
import pytest
import torch

from headstart.bases import rocket
from headstart.bases.series_encoder import standardise
from headstart.bundle.onnx.series import MiniRocketNetwork, QuantileFeatures
from headstart.modalities import MODALITIES
from headstart.modalities.quantiles import describe_series

MOVING = np.random.default_rng(0).normal(size=(12, 2, 40)).astype(np.float32)


def still(value: float) -> np.ndarray:
    """Return series of which the second channel never changes."""
    made = MOVING.copy()
    made[:, 1] = value
    return made


ODD = {
    "a dead sensor": still(0.0),
    "gravity": still(9.8),
    "an offset": still(1e9),
    "all the same": np.full((12, 2, 40), 9.8, dtype=np.float32),
    "twice the same channel": np.repeat(MOVING[:, :1], 2, axis=1) * np.array([1, -0.5], np.float32)[:, None],
    "tiny": MOVING * np.float32(1e-30),
    "large": MOVING * np.float32(1e6),
}


@pytest.mark.parametrize("name", ODD)
def test_convolutions_and_quantiles_agree_on_odd_channels(name: str) -> None:
    series = ODD[name]
    weights = rocket.fit_rocket(list(series), 0, 840)
    found = MiniRocketNetwork(weights, 2, 40)(torch.from_numpy(series)).numpy()
    np.testing.assert_allclose(found, rocket.transform_series(weights, series)[0], atol=1e-5)
    size = max(1.0, float(np.abs(series).max()))
    found = QuantileFeatures(40, 4)(torch.from_numpy(series)).numpy()
    np.testing.assert_allclose(found / size, describe_series(series, 4) / size, atol=2e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, 9.8, 123.456, 1e5, 1e9])
def test_a_channel_that_never_changes_is_flat_and_its_spread_is_nothing(value: float) -> None:
    values = torch.full((3, 256), value)
    series, mean, spread = standardise(values, torch.ones_like(values))
    assert torch.all(series == 0) and torch.all(spread == 0)
    torch.testing.assert_close(mean, torch.full((3, 1), value), rtol=1e-5, atol=0)


def test_a_channel_that_moves_is_standardised_as_before() -> None:
    values = torch.from_numpy(np.random.default_rng(0).normal(3.0, 0.5, size=(8, 256)).astype(np.float32))
    known = torch.ones_like(values)
    weight = known / known.sum(1, keepdim=True)
    mean = (values * weight).sum(1, keepdim=True)
    spread = ((values - mean).square() * weight).sum(1, keepdim=True).sqrt()
    assert torch.equal(standardise(values, known)[0], (values - mean) / spread)


@pytest.mark.parametrize("values", [[[1.0]], [[1.0, 2.0]], [[np.nan, 1.0, np.nan]], [[np.inf, 1.0, 2.0]]])
def test_one_or_two_steps_and_gaps_become_finite_numbers(values: list[list[float]]) -> None:
    series = MODALITIES["series"]
    for spec in ({"n_channels": 1, "length": 9}, {"n_channels": 1, "length": 256, "gaps": True}):
        made = series.prepare(series.load(np.array(values, dtype=np.float32), spec), spec)
        assert all(np.isfinite(part).all() for part in made)


def test_a_channel_without_any_value_is_nothing() -> None:
    values = np.stack([np.arange(20, dtype=np.float32), np.full(20, np.nan, np.float32)])
    spec = {"n_channels": 2, "length": 256, "gaps": True}
    found, known, _ = MODALITIES["series"].prepare(MODALITIES["series"].load(values, spec), spec)
    assert not found[1].any() and not known[1].any()
