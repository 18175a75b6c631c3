"""A simulator of a year of satellite greenness over fields of four kinds.

One value every ten days (36 a year) in the manner of the vegetation index NDVI: about 0.15 over bare soil, 0.85 over
a dense crop. A growing season is a double logistic curve, the usual description of such data (Beck et al., 2006,
"Improved monitoring of vegetation dynamics at very high latitudes", Remote Sensing of Environment 100). Fields differ
in sowing date, vigour and soil; clouds leave gaps (missing values) or thin haze (values too low). Part of the fields
is mixed with the neighbours' land, as pixels are, so no method gets all of them right.

Nothing here is measured data, and no conclusion about real crops follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.csv_files import write_csv_rows

Curve = NDArray[np.float64]
"""(N_STEPS,) greenness, about 0 to 1; NaN where clouds hid the field."""

N_STEPS = 36
N_PER_CLASS = 40
SITES = ("north-bank", "hill-foot", "lake-shore", "old-town", "south-plain")
SEED = 0

_STEPS = np.arange(N_STEPS, dtype=np.float64)


def simulate_season(start: float, end: float, height: float, speed: float = 0.8) -> Curve:
    """Return one growing season above bare soil.

    Parameters
    ----------
    start, end : float
        Ten-day steps (0 to 35) at which half of the height is reached, going up and coming down.
    height : float
        Greenness above the soil's, 0 to 1.
    speed : float
        Steepness of both flanks, per step.

    Returns
    -------
    Curve, shape (36,)

    Examples
    --------
    >>> curve = simulate_season(10, 22, 0.6)
    >>> [round(float(curve[step]), 2) for step in (0, 10, 16, 22, 35)]
    [0.0, 0.3, 0.59, 0.3, 0.0]
    """
    rise = 1 / (1 + np.exp(-speed * (_STEPS - start)))
    fall = 1 / (1 + np.exp(-speed * (_STEPS - end)))
    return np.asarray(height * (rise - fall))


def simulate_maize(rng: np.random.Generator) -> Curve:
    """Return one season of four months, sown with the rains."""
    start = rng.normal(12, 2.2)
    return simulate_season(start, start + rng.normal(11, 1.2), rng.normal(0.55, 0.09), rng.uniform(0.5, 1.0))


def simulate_rice(rng: np.random.Generator) -> Curve:
    """Return one or two flooded seasons: the field is darkest just before it turns green."""
    start = rng.normal(10, 2.2)
    curve = simulate_season(start, start + rng.normal(9, 1), rng.normal(0.52, 0.09), rng.uniform(0.7, 1.3))
    curve -= 0.13 * np.exp(-(((_STEPS - start + 3) / 1.6) ** 2))
    if rng.random() < 0.6:
        curve += simulate_season(start + 14, start + rng.normal(22, 1.5), rng.normal(0.35, 0.12))
    return curve


def simulate_fallow(rng: np.random.Generator) -> Curve:
    """Return weeds and grass after the rains, low and uneven; some fields grow over almost like a crop."""
    start = rng.normal(11, 3)
    return simulate_season(start, start + rng.normal(13, 3), rng.normal(0.28, 0.1), rng.uniform(0.2, 0.7))


def simulate_orchard(rng: np.random.Generator) -> Curve:
    """Return trees: green all year, with a slow wave; young orchards show mostly soil and grass."""
    wave = 0.08 * np.sin((_STEPS - rng.normal(9, 2.5)) * 2 * np.pi / N_STEPS)
    return (
        rng.normal(0.3, 0.09)
        + wave
        + simulate_season(rng.normal(11, 2), rng.normal(24, 2), abs(rng.normal(0.12, 0.08)))
    )


CROPS: dict[str, Callable[[np.random.Generator], Curve]] = {
    "maize": simulate_maize,
    "rice": simulate_rice,
    "fallow": simulate_fallow,
    "orchard": simulate_orchard,
}


def observe_field(curve: Curve, rng: np.random.Generator) -> Curve:
    """Return what a satellite sees: soil, noise, thin haze, and gaps (mostly in the rainy season)."""
    seen = rng.normal(0.17, 0.03) + curve + rng.normal(0, 0.035, N_STEPS)
    haze = rng.random(N_STEPS) < 0.08
    seen = np.where(haze, seen * rng.uniform(0.4, 0.8, N_STEPS), seen)
    rainy = np.exp(-(((_STEPS - 15) / 6) ** 2))
    hidden = rng.random(N_STEPS) < 0.05 + 0.25 * rainy
    return np.where(hidden, np.nan, np.clip(seen, -0.1, 1.0))


def simulate_fields(n_per_class: int = N_PER_CLASS, seed: int = SEED) -> list[tuple[str, str, Curve]]:
    """Simulate fields of every crop, in mixed order.

    Parameters
    ----------
    n_per_class : int
        Fields of each crop, at least 1.
    seed : int
        The same seed gives the same fields.

    Returns
    -------
    list of (crop, site, Curve of shape (36,))
    """
    rng = np.random.default_rng(seed)
    fields = [(crop, *_simulate_field(crop, rng)) for crop in CROPS for _ in range(n_per_class)]
    return [fields[row] for row in rng.permutation(len(fields))]


def write_crops(file: Path, n_per_class: int = N_PER_CLASS, seed: int = SEED) -> Path:
    """Write simulated fields as a wide CSV table (`label,site,t0..t35`; an empty cell is missing).

    Parameters
    ----------
    file : Path
        Overwritten if it exists.
    n_per_class : int
        Fields of each crop.
    seed : int
    """
    with file.open("w", encoding="utf-8", newline="") as opened:
        write_csv_rows(opened, [["label", "site", *(f"t{step}" for step in range(N_STEPS))]])
        for crop, site, curve in simulate_fields(n_per_class, seed):
            write_csv_rows(opened, [[crop, site, *("" if np.isnan(value) else f"{value:.3f}" for value in curve)]])
    return file


def _simulate_field(crop: str, rng: np.random.Generator) -> tuple[str, Curve]:
    other = str(rng.choice([name for name in CROPS if name != crop]))
    share = rng.uniform(0, 0.27)
    curve = (1 - share) * CROPS[crop](rng) + share * CROPS[other](rng)
    return str(rng.choice(SITES)), observe_field(curve, rng)
