"""MiniRocket against the reference implementation, aeon."""

import numpy as np
import pytest

from headstart.bases import rocket

pytest.importorskip("aeon")
from aeon.transformations.collection.convolution_based import MiniRocket

SHAPES = [(30, 1, 40), (30, 4, 40), (20, 12, 60), (7, 3, 9), (5, 1, 301)]
"""(n, channels, time)."""


def fit_reference(series: np.ndarray, seed: int, n_kernels: int) -> MiniRocket:
    """Return aeon's transform, fitted; numpy's global generator is left as it was."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        return MiniRocket(n_kernels=n_kernels, random_state=seed).fit(series)
    finally:
        np.random.set_state(state)  # noqa: NPY002


def draw(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32).cumsum(axis=2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("seed", "n_kernels"), [(0, 840), (5, 2_520), (1, 84), (2, 9_996)])
def test_one_seed_gives_the_arrays_of_aeon(shape: tuple[int, int, int], seed: int, n_kernels: int) -> None:
    series = draw(shape)
    reference = dict(zip(rocket.PARTS, fit_reference(series, seed, n_kernels).parameters, strict=True))
    fitted = rocket.fit_rocket(list(series), seed, n_kernels)
    for name in rocket.PARTS[:-1]:
        np.testing.assert_array_equal(fitted[name], reference[name])
        assert fitted[name].dtype == reference[name].dtype
    largest = float(np.abs(series).max())
    rounding = 16 * np.finfo(np.float32).eps * largest
    above = rocket._ABOVE_TIES * largest
    np.testing.assert_allclose(fitted["biases"] - above, reference["biases"], rtol=1e-6, atol=rounding)
    assert fitted["biases"].dtype == np.float32


@pytest.mark.parametrize("shape", SHAPES)
def test_with_the_same_arrays_the_features_are_those_of_aeon(shape: tuple[int, int, int]) -> None:
    series = draw(shape)
    reference = fit_reference(series, 4, 2_520)
    weights = dict(zip(rocket.PARTS, reference.parameters, strict=True))
    np.testing.assert_array_equal(rocket.transform_series(weights, series)[0], reference.transform(series))


def test_blocks_of_rows_give_the_same_features_as_single_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    series = draw((9, 3, 50))
    weights = rocket.fit_rocket(list(series), 0, 840)
    together = rocket.transform_series(weights, series)[0]
    monkeypatch.setattr(rocket, "_BLOCK_VALUES", 100)
    np.testing.assert_array_equal(rocket.transform_series(weights, series)[0], together)
