"""Learning curves: how the loss falls with the number of labels, a power law, and how far that can be trusted.

Knows losses of held-out rows only: which model made them, and from what, is decided elsewhere. Numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.settings import SETTINGS
from headstart.records import Interval

Floats = NDArray[np.float64]
EXPONENTS = np.linspace(SETTINGS.min_exponent, SETTINGS.max_exponent, SETTINGS.n_exponents)


@dataclass(frozen=True)
class MeasuredLosses:
    """Losses of the same held-out rows after learning from `n_labels` rows, several times.

    Parameters
    ----------
    n_labels : int
        Labelled rows learnt from.
    losses : Floats, shape (n_draws, n_units)
        Summed over each unit (a row, or rows that belong together), for each draw of `n_labels` rows.
    sizes : Floats, shape (n_draws, n_units)
        What they are divided by: the mean loss of a draw is `losses.sum() / sizes.sum()`.
    """

    n_labels: int
    losses: Floats
    sizes: Floats

    @property
    def mean_losses(self) -> Floats:
        """Mean loss of each draw (n_draws,)."""
        return np.asarray(self.losses.sum(axis=1) / np.maximum(self.sizes.sum(axis=1), 1e-12))


@dataclass(frozen=True)
class PowerLaw:
    """`floor + scale * n_labels ** -exponent`: an inverse power law with an offset, all three not negative."""

    floor: float
    scale: float
    exponent: float

    def loss(self, n_labels: float) -> float:
        """Return the loss expected with so many labels.

        Examples
        --------
        >>> PowerLaw(0.1, 2.0, 0.5).loss(100)
        0.30000000000000004
        """
        return float(self.floor + self.scale * n_labels**-self.exponent)


@dataclass(frozen=True)
class GainForecast:
    """By how much the loss falls, from all labels at hand to `n_labels` (positive: better)."""

    n_labels: int
    gain: Interval


@dataclass(frozen=True, kw_only=True)
class FittedCurve:
    """A measured curve with its law.

    Parameters
    ----------
    n_labels : tuple of int, ascending
    losses : tuple of Interval
        One a size; the interval is over draws and held-out rows.
    law : PowerLaw or None
        None where there are too few points.
    forecasts : tuple of GainForecast
    rises : bool
        Whether the loss grows with the labels by more than chance: then nothing is forecast.
    """

    n_labels: tuple[int, ...]
    losses: tuple[Interval, ...]
    law: PowerLaw | None
    forecasts: tuple[GainForecast, ...]
    rises: bool = False


def _draw_noise(points: Sequence[MeasuredLosses]) -> Floats:
    """Return the standard deviation of each point over new draws of all its rows, (n_points,).

    Draws without replacement from N rows vary too little by the share 1 - n / N; the last point, with one draw, takes
    that of the one before, falling with the root of the number of labels.
    """
    largest, deviations = points[-1].n_labels, []
    for point in points:
        share = min(point.n_labels / largest, 1.0)
        known = len(point.losses) > 1 and share < 0.95
        spread = float(np.std(point.mean_losses, ddof=1)) / np.sqrt(1 - share) if known else np.nan
        deviations.append(spread)
    for at, point in enumerate(points):
        if np.isnan(deviations[at]) and at:
            deviations[at] = deviations[at - 1] * np.sqrt(points[at - 1].n_labels / point.n_labels)
    return np.nan_to_num(np.asarray(deviations, dtype=np.float64))


def _resample_curves(points: Sequence[MeasuredLosses], noise: Floats, seed: int) -> Floats:
    """Draw curves (curve_resamples, n_points): over draws, held-out units, and training rows as a whole."""
    rng = np.random.default_rng(seed)
    n_units, largest = points[0].losses.shape[1], points[-1].n_labels
    curves = np.empty((SETTINGS.curve_resamples, len(points)))
    # One exponential weight a unit is the Bayesian bootstrap; the same for all sizes: they share the held-out rows.
    weights = rng.exponential(size=(SETTINGS.curve_resamples, n_units))
    for at, point in enumerate(points):
        losses, sizes = point.losses @ weights.T, point.sizes @ weights.T
        drawn = rng.integers(0, len(losses), (SETTINGS.curve_resamples, len(losses)))
        own = np.arange(SETTINGS.curve_resamples)[:, None]
        curves[:, at] = losses[drawn, own].sum(axis=1) / np.maximum(sizes[drawn, own].sum(axis=1), 1e-12)
        curves[:, at] += rng.normal(
            0.0, noise[at] * np.sqrt(point.n_labels / largest) + 1e-12, SETTINGS.curve_resamples
        )
    return np.maximum(curves, 0.0)


def _solve_by_exponent(sizes: Floats, losses: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return floor, scale and weighted squared error, each (n_curves, n_exponents), of the best laws."""
    powers = (sizes[:, None] / sizes[-1]) ** -EXPONENTS
    share = weights / weights.sum()
    x_mean, y_mean = share @ powers, losses @ share
    x, y = powers - x_mean, losses - y_mean[:, None]
    slope = (y * share) @ x / np.maximum(share @ np.square(x), 1e-12)
    slope = np.maximum(slope, 0.0)
    floor = y_mean[:, None] - slope * x_mean
    through = (losses * share) @ powers / (share @ np.square(powers))
    below = floor < 0
    slope, floor = np.where(below, np.maximum(through, 0.0), slope), np.where(below, 0.0, floor)
    fitted = floor[..., None] + slope[..., None] * powers.T[None]
    errors = (np.square(fitted - losses[:, None, :]) * weights).sum(axis=-1)
    return floor, slope, errors


def fit_power_law(sizes: Floats, losses: Floats, errors: Floats) -> PowerLaw:
    """Fit a power law by weighted least squares.

    Parameters
    ----------
    sizes : Floats, shape (n_points,)
        Numbers of labels, ascending.
    losses : Floats, shape (n_points,)
    errors : Floats, shape (n_points,)
        Standard error of each loss.

    Examples
    --------
    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> law = fit_power_law(sizes, 0.1 + sizes**-0.5, np.full(4, 0.01))
    >>> round(law.floor, 3), round(law.scale, 3), round(law.exponent, 3)
    (0.1, 1.0, 0.5)
    """
    floor, slope, missed = _solve_by_exponent(sizes, losses[None], 1 / np.square(errors))
    best = int(missed[0].argmin())
    exponent = float(EXPONENTS[best])
    return PowerLaw(float(floor[0, best]), float(slope[0, best] * sizes[-1] ** exponent), exponent)


def _sample_laws(sizes: Floats, curves: Floats, errors: Floats, rng: np.random.Generator) -> list[PowerLaw]:
    """Fit every curve; the exponent is drawn by how well it fits, since few points seldom settle it."""
    floor, slope, missed = _solve_by_exponent(sizes, curves, 1 / np.square(errors))
    odds = np.exp(-0.5 * (missed - missed.min(axis=1, keepdims=True)))
    chances = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    picks = np.minimum((chances < rng.random((len(curves), 1))).sum(axis=1), len(EXPONENTS) - 1)
    return [
        PowerLaw(float(floor[at, pick]), float(slope[at, pick] * sizes[-1] ** EXPONENTS[pick]), float(EXPONENTS[pick]))
        for at, pick in enumerate(picks)
    ]


def _interval(value: float, draws: Floats) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def fit_learning_curve(points: Sequence[MeasuredLosses], targets: Sequence[int], seed: int) -> FittedCurve:
    """Return a curve its intervals, its law and its forecasts.

    Parameters
    ----------
    points : sequence of MeasuredLosses
        By ascending number of labels; the last holds all labels. All on the same held-out units.
    targets : sequence of int
        Numbers of labels to forecast for; those beyond `max_forecast_factor` times the last point are left out.
    seed : int

    Notes
    -----
    Inverse power law with an offset (POW3 of Viering and Loog 2021, arXiv:2103.10948) on the last four doublings, by
    weighted least squares in every bootstrap curve; bootstrap over draws and held-out units, plus the spread over
    training sets that draws from the same rows cannot show. The gain's interval includes the luck of the new labels.
    """
    points = list(points)
    noise = _draw_noise(points)
    curves = _resample_curves(points, noise, seed)
    values = np.asarray([point.losses.sum() / max(point.sizes.sum(), 1e-12) for point in points])
    losses = tuple(_interval(float(value), curves[:, at]) for at, value in enumerate(values))
    sizes = np.asarray([point.n_labels for point in points], dtype=np.float64)
    numbers, used = tuple(int(size) for size in sizes), np.flatnonzero(sizes >= sizes[-1] / SETTINGS.curve_span)
    if len(used) < SETTINGS.min_curve_points:
        return FittedCurve(n_labels=numbers, losses=losses, law=None, forecasts=())
    n_draws = np.asarray([len(point.losses) for point in points])
    shares = sizes / sizes[-1]
    errors = np.sqrt(np.square(noise) * (shares + (1 - shares) / n_draws) + SETTINGS.min_point_error**2)[used]
    law = fit_power_law(sizes[used], values[used], errors)
    rng = np.random.default_rng(seed + 1)
    laws = _sample_laws(sizes[used], curves[:, used], errors, rng)
    low = np.percentile(curves[:, used[-1]] - curves[:, used[0]], 2.5)
    if low > 0:
        return FittedCurve(n_labels=numbers, losses=losses, law=law, forecasts=(), rises=True)
    forecasts = []
    for target in targets:
        if sizes[-1] < target <= SETTINGS.max_forecast_factor * sizes[-1]:
            gains = np.asarray([one.loss(sizes[-1]) - one.loss(target) for one in laws])
            gains *= np.exp(rng.normal(0.0, SETTINGS.forecast_error, len(gains)))
            luck = noise[-1] * np.sqrt(sizes[-1] / target)
            gains += rng.normal(0.0, luck + 1e-12, len(gains))
            forecasts.append(GainForecast(target, _interval(law.loss(sizes[-1]) - law.loss(target), gains)))
    return FittedCurve(n_labels=numbers, losses=losses, law=law, forecasts=tuple(forecasts))
