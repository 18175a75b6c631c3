"""What abstaining brings: how many rows get an answer, how often answers are right, and what is paid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    draw_bootstrap_weights,
    envelope,
    mean_interval,
    number_clusters,
    percentiles,
)
from headstart.evaluation.settings import SETTINGS
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.records import Index, Interval
from headstart.results import Figure, RiskCoverage, RiskPoint


def measure_risk_coverage(right: NDArray[np.bool_], sure: Floats, clusters: Index | None, seed: int) -> RiskCoverage:
    """Return the share of wrong answers when only the surest rows are answered, for every share of rows.

    Parameters
    ----------
    right : array of bool, shape (n_rows,), n_rows >= 1
    sure : Floats, shape (n_rows,)
        Higher: answered earlier. Equal ones are answered together: each counts with their average.
    clusters : Index or None, shape (n_rows,)
    seed : int
        Of the bootstrap.

    Returns
    -------
    RiskCoverage
        `area` (AURC, Geifman and El-Yaniv 2017, arXiv:1705.08500): the mean share of wrong answers over all shares of
        rows answered, 0-1, lower is better; at most the error rate where being sure says anything.

    Examples
    --------
    Three of four right, the wrong one the least sure: wrong are 0, 0, 0 and 1/4 of the first 1, 2, 3, 4 rows.

    >>> result = measure_risk_coverage(np.array([True, True, True, False]), np.array([0.9, 0.8, 0.7, 0.6]), None, 0)
    >>> result.area.value
    0.0625
    """
    numbers = number_clusters(clusters)
    order = np.argsort(-sure, kind="stable")
    wrong = _average_ties((~right).astype(np.float64)[order], sure[order])
    n = len(order)
    counts = np.unique(np.ceil(np.linspace(0, n, min(n, SETTINGS.selective_steps) + 1)[1:]).astype(int))
    risks = np.cumsum(wrong)[counts - 1] / counts
    value = float(risks.mean())
    points = [
        _point(wrong, order, -(-n * at // SETTINGS.selective_points), sure=sure, numbers=numbers)
        for at in range(1, SETTINGS.selective_points + 1)
    ]
    return RiskCoverage(area=Figure.from_interval(_area(wrong, order, numbers, value=value, seed=seed)), points=points)


def _average_ties(wrong: Floats, sure: Floats) -> Floats:
    """Return rows that are equally sure the average of what they are (both in order)."""
    places = np.cumsum(np.diff(sure, prepend=sure[:1]) != 0)
    return np.asarray((np.bincount(places, weights=wrong) / np.bincount(places))[places])


def _point(wrong: Floats, order: Index, count: int, sure: Floats, numbers: Index | None) -> RiskPoint:
    answered = order[:count]
    wrong_share = share_interval(wrong[:count], None if numbers is None else numbers[answered])
    return RiskPoint(
        answered_share=count / len(order),
        n_rows=count,
        wrong_share=Figure.from_interval(wrong_share),
        least_sure=float(sure[answered[-1]]),
    )


def _area(wrong: Floats, order: Index, numbers: Index | None, value: float, seed: int) -> Interval:
    """Bootstrap the area over rows or clusters, of very many rows over an even part; rows stay in their order."""
    thin = slice(None, None, -(-len(order) // SETTINGS.selective_rows))
    wrong, order = wrong[thin], order[thin]
    answer_clusters = np.arange(len(order)) if numbers is None else np.unique(numbers[order], return_inverse=True)[1]
    areas = []
    for times in draw_bootstrap_weights(int(answer_clusters.max()) + 1, seed):
        weights = times[:, answer_clusters].astype(np.float64)
        reached = np.cumsum(weights, axis=1)
        risks = np.cumsum(weights * wrong, axis=1) / np.maximum(reached, 1.0)
        areas.append((risks * weights).sum(axis=1) / np.maximum(reached[:, -1], 1.0))
    low, high = percentiles(np.concatenate(areas)[:, None])
    return envelope(value, (float(low[0]), float(high[0])))


def rows_per_hundred(hits: NDArray[np.bool_], clusters: Index | None) -> Figure:
    """Return how many of a hundred rows, with interval.

    Parameters
    ----------
    hits : array of bool, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.

    Examples
    --------
    >>> rows_per_hundred(np.array([True, False, False, False]), None).value
    25.0
    """
    interval = share_interval(hits, clusters)
    return Figure(value=100 * interval.value, low=100 * interval.low, high=100 * interval.high)


def mean_cost_interval(paid: Floats, clusters: Index | None, seed: int, most: float) -> Figure:
    """Return the mean cost of a row (n_rows,), with interval.

    Parameters
    ----------
    paid : Floats, shape (n_rows,)
        Cost of each row.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together.
    seed : int
        Of the bootstrap.
    most : float
        The largest cost a row can have.
    """
    return Figure.from_interval(mean_interval(paid, number_clusters(clusters), seed, (0.0, most)))
