"""Rows whose features lie far from all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.checks.settings import SETTINGS
from headstart.records import Column, Finding, FloatMatrix
from headstart.results.findings import make_finding


def report_outliers(ids: Column, features: FloatMatrix, seed: int) -> list[Finding]:
    """Report rows far from all others: distance to the fifth neighbour, on a log scale, against the median.

    Parameters
    ----------
    ids : Column, shape (n_rows,)
    features : FloatMatrix, shape (n_rows, n_dims)
    seed : int
        Of the sample of at most 5,000 rows that are compared.
    """
    from headstart.strategies.linear.ridge_loo import (
        reduce_to_axes,  # Needs the extra `adapt`; the table of checks does not.
    )

    rows = np.sort(np.random.default_rng(seed).permutation(len(features))[: SETTINGS.outlier_rows])
    if len(rows) <= 4 * SETTINGS.outlier_neighbour:
        return []
    logs = np.log(
        np.maximum(
            _measure_neighbour_distances(reduce_to_axes(features[rows], seed)[:, : SETTINGS.outlier_axes]), 1e-12
        )
    )
    median = float(np.median(logs))
    deviation = 1.4826 * float(np.median(np.abs(logs - median)))
    far = np.flatnonzero(logs > median + SETTINGS.far_deviations * deviation)
    if deviation <= 0 or not 0 < len(far) <= max(1.0, SETTINGS.max_outlier_share * len(rows)):
        return []
    named = tuple(str(ids[rows[at]]) for at in far[np.argsort(-logs[far], kind="stable")])
    look = "1 row looks" if len(named) == 1 else f"{len(named)} rows look"
    among = f" (among {len(rows):,} rows that were compared)" if len(rows) < len(features) else ""
    return [make_finding("outliers", f"{look} unlike all others{among}, such as {named[0]}.", named)]


def _measure_neighbour_distances(axes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the squared distance (n_rows,) of each row to its fifth neighbour."""
    squares = np.square(axes).sum(axis=1)
    distances = np.empty(len(axes))
    for start in range(0, len(axes), 500):
        block = axes[start : start + 500]
        all_distances = squares[start : start + 500, None] + squares - 2 * block @ axes.T
        near = np.partition(all_distances, SETTINGS.outlier_neighbour, axis=1)
        distances[start : start + 500] = near[:, SETTINGS.outlier_neighbour]
    return distances
