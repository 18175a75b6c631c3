"""Measuring a learning curve: a cheap head on growing parts of the training rows, scored on the same held-out rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.learning_curve import MeasuredLosses
from headstart.flow.adaptation.settings import SETTINGS
from headstart.records import FloatMatrix, Index, list_held_out_folds
from headstart.strategies.linear.ridge_loo import fit_ridge_loo, reduce_to_axes
from headstart.strategies.point_scoring import SCORINGS, Scoring
from headstart.strategies.record import Clock, StrategyRows, Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOutRows:
    """Rows that growing parts are drawn from, and the rows they are scored on: numbers into one feature matrix."""

    pool: Index
    rows: Index


@dataclass(frozen=True, kw_only=True)
class CurveData:
    """All that measuring needs.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_axes)
    targets : Floats, shape (n_rows, n_outputs)
    strata, clusters : Index, shape (n_rows,)
        Classes (or strata of a number), and which rows belong together.
    held_out : tuple of HeldOutRows
        One where there are test rows, else one a fold.
    scoring : Scoring
    """

    features: FloatMatrix
    targets: Floats
    strata: Index
    clusters: Index
    held_out: tuple[HeldOutRows, ...]
    scoring: Scoring


def order_nested(strata: Index, clusters: Index, rng: np.random.Generator) -> Index:
    """Order rows so that every beginning is a stratified draw, rows that belong together one after the other.

    Parameters
    ----------
    strata, clusters : Index, shape (n_rows,)
    rng : numpy.random.Generator

    Returns
    -------
    Index, shape (n_rows,)
        A permutation; one row of every stratum comes first.

    Examples
    --------
    >>> order = order_nested(np.array([0, 0, 0, 0, 1, 1]), np.arange(6), np.random.default_rng(0))
    >>> np.bincount(np.array([0, 0, 0, 0, 1, 1])[order[:3]]).tolist()
    [2, 1]
    """
    names, owner = np.unique(clusters, return_inverse=True)
    rank = rng.permutation(len(names))[owner]
    places = np.empty(len(strata))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        ordered = rows[np.lexsort((rng.random(len(rows)), rank[rows]))]
        places[ordered] = (np.arange(len(rows)) + rng.uniform(0.25, 0.75)) / len(rows)
        places[ordered[0]] = -rng.random() - 1
    return np.argsort(places, kind="stable").astype(np.intp)


def choose_sizes(n_rows: int, least: int) -> list[int]:
    """Return the sizes to learn from, ascending: all rows, a half, a quarter ... down to `least`.

    Examples
    --------
    >>> choose_sizes(100, 10)
    [12, 25, 50, 100]
    """
    descending = [n_rows]
    while descending[-1] // 2 >= max(least, 2):
        descending.append(n_rows // 2 ** len(descending))
    return descending[::-1]


def _fit_once(curve_data: CurveData, size: int, orders: Sequence[Index], n_pool: int) -> tuple[Floats, Floats]:
    """Learn from the first rows of each order and give the losses and sizes of all held-out rows."""
    losses, divisors = [], []
    for held, order in zip(curve_data.held_out, orders, strict=True):
        rows = held.pool[order[: max(2, round(size / n_pool * len(held.pool)))]]
        fitted = curve_data.targets[rows]
        head = fit_ridge_loo(curve_data.features[rows], fitted)
        outputs = head.predict(curve_data.features[held.rows])
        loss, divisor = curve_data.scoring.losses(head, fitted, outputs, curve_data.targets[held.rows])
        losses.append(loss)
        divisors.append(divisor)
    return np.concatenate(losses), np.concatenate(divisors)


def _iterate_draws(
    curve_data: CurveData, numbers: Sequence[int], clock: Clock, seed: int
) -> Iterator[tuple[int, Floats, Floats]]:
    """Return size, losses and divisors of every fit: all sizes of one draw, then of the next, while time is left."""
    rng = np.random.default_rng(seed)
    for draw in range(SETTINGS.curve_draws):
        orders = [
            order_nested(curve_data.strata[held.pool], curve_data.clusters[held.pool], rng)
            for held in curve_data.held_out
        ]
        for size in numbers if draw == 0 else numbers[:-1]:
            if draw >= SETTINGS.min_curve_draws and size > SETTINGS.few_curve_labels:
                continue
            if clock.remaining_seconds() <= 0:
                return
            yield (size, *_fit_once(curve_data, size, orders, numbers[-1]))


def measure_points(curve_data: CurveData, clock: Clock, seed: int) -> list[MeasuredLosses]:
    """Measure the curve: several draws of every size but the last, which is all rows.

    Parameters
    ----------
    curve_data : CurveData
    clock : Clock
        Further draws are left out when it has run down.
    seed : int

    Returns
    -------
    list of Measured
        Ascending; empty where there was no time for four draws of every size.
    """
    n_pool = round(float(np.mean([len(held.pool) for held in curve_data.held_out])))
    numbers = choose_sizes(n_pool, len(np.unique(curve_data.strata)))
    rows = np.concatenate([held.rows for held in curve_data.held_out])
    _, cluster_ids = np.unique(curve_data.clusters[rows], return_inverse=True)
    n_clusters = int(cluster_ids.max()) + 1
    draws_by_size: dict[int, list[tuple[Floats, Floats]]] = {size: [] for size in numbers}
    for size, *parts in _iterate_draws(curve_data, numbers, clock, seed):
        losses, divisors = (np.bincount(cluster_ids, part, minlength=n_clusters).astype(np.float64) for part in parts)
        draws_by_size[size].append((losses, divisors))
    if any(len(draws_by_size[size]) < SETTINGS.min_curve_draws for size in numbers[:-1]):
        return []
    return [
        MeasuredLosses(size, *(np.stack(part) for part in zip(*draws, strict=True)))
        for size, draws in draws_by_size.items()
    ]


def gather_curve_data(
    train: StrategyRows, task: Task, clusters: Index, test: StrategyRows | None, test_targets: Floats | None
) -> CurveData:
    """Return training and test rows in one matrix; without test rows, every fold is held out in turn.

    Parameters
    ----------
    train : StrategyRows
        With features, or descriptors where there are none.
    task : Task
    clusters : Index, shape (n_train + n_test,)
    test : StrategyRows or None
    test_targets : Floats or None, shape (n_test, n_outputs)
        In the form of `SCORINGS[task.kind].targets`.
    """
    scoring, n = SCORINGS[task.kind], len(train)
    parts, targets, strata = [_select_features(train)], [scoring.targets(task)], [task.codes]
    if test is not None and test_targets is not None and len(test):
        parts.append(_select_features(test))
        targets.append(test_targets)
        strata.append(np.zeros(len(test), dtype=np.intp))
        held_out: tuple[HeldOutRows, ...] = (HeldOutRows(np.arange(n), np.arange(n, n + len(test))),)
    else:
        clusters = clusters[:n]
        held_out = tuple(
            HeldOutRows(np.flatnonzero(task.folds != fold), np.flatnonzero(task.folds == fold))
            for fold in list_held_out_folds(task.folds)
        )
    features = reduce_to_axes(np.concatenate(parts), task.seed, np.arange(n))
    return CurveData(
        features=features,
        targets=np.concatenate(targets),
        strata=np.concatenate(strata),
        clusters=clusters,
        held_out=held_out,
        scoring=scoring,
    )


def _select_features(rows: StrategyRows) -> FloatMatrix:
    features = rows.features or rows.descriptors
    assert features is not None
    return features.final
