"""Do rows of another place look different to the model? A classifier two-sample test.

Numpy only: ridge regression separates new rows from training rows, cross-validated, against permuted labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import Floats, compute_wilson_interval, envelope
from headstart.evaluation.settings import SETTINGS
from headstart.records import FloatMatrix, Index, Interval
from headstart.results import Drift, Figure
from headstart.shared_settings import SHARED_SETTINGS


def measure_drift(
    trained: FloatMatrix, new: FloatMatrix, clusters_trained: Index, clusters_new: Index, seed: int
) -> Drift | None:
    """Train a classifier to separate new rows from training rows.

    Parameters
    ----------
    trained, new : FloatMatrix, shape (n_trained, n_dims) and (n_new, n_dims)
        What the model reads of rows, made alike on both sides.
    clusters_trained, clusters_new : Index, shape (n_trained,) and (n_new,)
        Rows with one number belong together: they share a fold and change sides together.
    seed : int

    Returns
    -------
    Drift or None
        `auroc`: how often a new row is ranked above a training row (0.5: no better than chance, 1: always separated
        apart). None with fewer than `min_rows` rows or `min_clusters` clusters on a side.

    Notes
    -----
    Classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545) with ridge regression of fixed strength on
    standardised columns; five folds; ranks are compared within folds only. The p-value comes from 499 fits with sides
    permuted among whole clusters. The interval is Wilson's at the effective number of rows, from the variance of DeLong
    et al. (1988) over clusters (Obuchowski 1997). `found` needs both: p at most 5 %, and an interval above 0.5; else
    the interval is stretched to 0.5. A linear classifier: differences of another kind may stay unseen.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    >>> moved = rows[40:] + np.float32(9)
    >>> result = measure_drift(rows[:40], moved, np.arange(40), np.arange(40), 0)
    >>> result.auroc.value, result.p_value, result.found
    (1.0, 0.002, True)
    """
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(len(new))[: SETTINGS.drift_rows])
    new, clusters_new = new[sample], np.unique(clusters_new[sample], return_inverse=True)[1]
    clusters_trained = np.unique(clusters_trained, return_inverse=True)[1]
    sides = [(len(trained), clusters_trained), (len(new), clusters_new)]
    if any(n < SETTINGS.min_rows or int(clusters.max()) + 1 < SETTINGS.min_clusters for n, clusters in sides):
        return None
    n_units = [int(clusters.max()) + 1 for _, clusters in sides]
    clusters = np.concatenate([clusters_trained, n_units[0] + clusters_new]).astype(np.intp)
    is_new = np.arange(len(clusters)) >= len(trained)
    folds = _assign_folds(n_units, rng)[clusters]
    scores = _score_matrix(np.concatenate([trained, new]), folds)
    value, interval = _auroc(scores, is_new, clusters, folds)
    p_value = _p_value(scores, is_new, clusters, folds=folds, rng=rng)
    is_significant = p_value <= SETTINGS.level and interval.low > 0.5
    if not is_significant:
        interval = envelope(value, (interval.low, interval.high), (0.5, 0.5))
    return Drift(
        n_rows=len(new), n_rows_trained=len(trained), auroc=Figure.from_interval(interval), p_value=p_value,
        found=is_significant,
    )  # fmt: skip


def _assign_folds(n_units: list[int], rng: np.random.Generator) -> Index:
    """Return each cluster a fold, those of each side in equal shares."""
    return np.concatenate([rng.permutation(n) % SHARED_SETTINGS.n_folds for n in n_units])


def _score_matrix(values: FloatMatrix, folds: Index) -> NDArray[np.float32]:
    """Return the matrix that turns sides (n_rows,) into held-out scores (n_rows,)."""
    spread = values.std(axis=0, dtype=np.float64)
    varies = spread > 1e-6 * np.maximum(np.abs(values).max(axis=0), 1e-12)
    x = (values[:, varies] - values[:, varies].mean(axis=0, dtype=np.float64)) / spread[varies]
    matrix = np.zeros((len(x), len(x)), dtype=np.float32)
    for fold in range(SHARED_SETTINGS.n_folds):
        rest, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        inside = x[rest] - x[rest].mean(axis=0)
        gram = inside.T @ inside + SETTINGS.drift_penalty * len(rest) * np.eye(x.shape[1])
        matrix[np.ix_(held, rest)] = x[held] @ np.linalg.solve(gram, inside.T)
    return matrix


def _auroc(
    scores: NDArray[np.float32], is_new: NDArray[np.bool_], clusters: Index, folds: Index
) -> tuple[float, Interval]:
    """Return the share of pairs in the right order and its interval."""
    held_out_scores = scores @ is_new.astype(np.float32)
    above, won, pairs = np.zeros(len(held_out_scores)), 0.0, 0
    for fold in range(SHARED_SETTINGS.n_folds):
        ours, theirs = (np.flatnonzero((folds == fold) & side) for side in (is_new, ~is_new))
        if len(ours) and len(theirs):
            order = (np.sign(held_out_scores[ours][:, None] - held_out_scores[theirs][None]) + 1.0) / 2.0
            above[ours], above[theirs] = order.mean(axis=1), order.mean(axis=0)
            won, pairs = won + float(order.sum()), pairs + order.size
    value = won / pairs
    variance = sum(_variance(above[side], clusters[side]) for side in (is_new, ~is_new))
    least = float(min(len(np.unique(clusters[side])) for side in (is_new, ~is_new)))
    most = max(value * (1 - value) / variance, least) if variance > 0 and 0 < value < 1 else least
    low, high = compute_wilson_interval(np.array([value * most]), np.array([most]))
    return value, envelope(value, (float(low[0]), float(high[0])))


def _variance(placed: Floats, clusters: Index) -> float:
    """Return the variance of a mean over clusters."""
    sums = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=placed - placed.mean())
    return float(np.square(sums).sum()) * len(sums) / max(len(sums) - 1, 1) / len(placed) ** 2


def _p_value(
    scores: NDArray[np.float32],
    is_new: NDArray[np.bool_],
    clusters: Index,
    folds: Index,
    rng: np.random.Generator,
) -> float:
    """Return the share of permutations that separate the sides as well as the true labels."""
    sides = np.zeros(int(clusters.max()) + 1, dtype=bool)
    sides[clusters[is_new]] = True
    permuted = np.stack([sides, *(rng.permutation(sides) for _ in range(SETTINGS.drift_permutations))], axis=1)[
        clusters
    ]
    held_out_scores = scores @ permuted.astype(np.float32)
    won, pairs = np.zeros(permuted.shape[1]), np.zeros(permuted.shape[1])
    for fold in range(SHARED_SETTINGS.n_folds):
        rows = np.flatnonzero(folds == fold)
        order = np.argsort(held_out_scores[rows], axis=0, kind="stable")
        new = np.take_along_axis(permuted[rows], order, axis=0)
        n_new = new.sum(axis=0)
        won += np.where(new, np.cumsum(~new, axis=0), 0).sum(axis=0)
        pairs += n_new * (len(rows) - n_new)
    shares = won / np.maximum(pairs, 1)
    return float((shares >= shares[0] - 1e-9).sum()) / len(shares)
