"""Another place beside the training site: other shares of classes, and figures that differ by more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import compute_wilson_interval, difference_interval
from headstart.evaluation.settings import SETTINGS
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.records import Index
from headstart.results import ClassShare, Figure, PriorShift


def independent_difference(here: Figure, training: Figure) -> Figure:
    """Return `here` minus `training` of two independent sets of rows, with interval.

    Parameters
    ----------
    here, training : Figure
        The same figure on two independent sets of rows.

    Notes
    -----
    MOVER: the intervals of both are combined (Newcombe 1998, method 10; Zou and Donner 2008).

    Examples
    --------
    >>> here, there = Figure(value=0.6, low=0.5, high=0.7), Figure(value=0.9, low=0.86, high=0.93)
    >>> result = independent_difference(here, there)
    >>> round(result.value, 2), round(result.low, 3), round(result.high, 3)
    (-0.3, -0.404, -0.192)
    """
    values, lows, highs = (
        np.array(pair) for pair in zip(*((f.value, f.low, f.high) for f in (here, training)), strict=True)
    )
    low, high = difference_interval(values, lows, highs)
    return Figure(value=here.value - training.value, low=low, high=high)


def measure_prior_shift(
    classes: Sequence[str],
    training_counts: Mapping[str, int],
    codes: Index,
    clusters: Index | None,
    kind: str,
    seed: int,
) -> PriorShift | None:
    """Compare the shares of classes here with those at the training site.

    Parameters
    ----------
    classes : sequence of str
    training_counts : mapping of str to int
        Rows of each class at the training site.
    codes : Index, shape (n_rows,)
        Classes of the rows here: true ones ("labels") or answers ("predictions").
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.
    kind : str
        "labels" or "predictions": what is counted, on both sides.
    seed : int

    Returns
    -------
    PriorShift or None
        None without rows on one side. `p_value`: the share of 1,999 permutations of all rows among both places, in
        which the shares differ as much (chi-squared). Rows that belong together count as
        their number of independent ones.

    Examples
    --------
    >>> result = measure_prior_shift(["a", "b"], {"a": 50, "b": 50}, np.array([0] * 90 + [1] * 10), None, "labels", 0)
    >>> result.found, result.p_value, result.classes[0].here.value, result.classes[0].there.value
    (True, 0.0005, 0.9, 0.5)
    """
    old = np.array([training_counts.get(name, 0) for name in classes], dtype=np.int64)
    counts = np.bincount(codes, minlength=len(classes)).astype(np.int64)
    if old.sum() == 0 or counts.sum() == 0:
        return None
    n_units = len(codes) if clusters is None else len(np.unique(clusters))
    thin = np.round(counts * (n_units / len(codes))).astype(np.int64)
    p_value = _p_value(old, thin, seed)
    low, high = compute_wilson_interval(old.astype(float), np.full(len(old), float(old.sum())))
    rows = [
        ClassShare(
            label=name,
            there=Figure(value=old[at] / old.sum(), low=float(low[at]), high=float(high[at])),
            here=Figure.from_interval(share_interval(codes == at, clusters)),
        )
        for at, name in enumerate(classes)
    ]
    return PriorShift(
        kind=kind,  # type: ignore[arg-type]
        n_rows=len(codes),
        n_rows_there=int(old.sum()),
        classes=rows,
        p_value=p_value,
        found=p_value <= SETTINGS.level,
    )


def _p_value(old: NDArray[np.int64], new: NDArray[np.int64], seed: int) -> float:
    """Deal all rows to two places of these sizes; the numbers of each class are kept."""
    totals, n = old + new, int(new.sum())
    expected = totals * (n / totals.sum())
    permuted = np.random.default_rng(seed).multivariate_hypergeometric(
        totals, n, size=SETTINGS.permutations, method="marginals"
    )
    weights = 1 / np.maximum(totals, 1)
    seen = float(np.square(new - expected) @ weights)
    return (1 + int((np.square(permuted - expected) @ weights >= seen - 1e-9).sum())) / (1 + SETTINGS.permutations)
