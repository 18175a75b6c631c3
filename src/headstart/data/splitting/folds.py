"""Stratified assignment of rows to folds or parts: classes in equal proportions, clusters whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index


def assign_folds(codes: Index, clusters: Index, n_folds: int, seed: int) -> Index:
    """Return the fold of each row: classes in equal proportions, clusters whole.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Class indices or strata.
    clusters : Index, shape (n_rows,)
        From `number_clusters`.
    n_folds : int
        At least 2; fewer where there are fewer clusters. A class with fewer rows than folds is absent from
        the held-out part of some, but its rows are spread, so that no training part lacks it if it has 2 clusters.
    seed : int
        Same seed, same folds.

    Returns
    -------
    Index, shape (n_rows,)
        Fold of each row, 0 .. n - 1.

    Examples
    --------
    >>> folds = assign_folds(np.array([0, 0, 1, 1]), np.arange(4), 5, seed=0)
    >>> bool(folds[0] != folds[1]), bool(folds[2] != folds[3])
    (True, True)
    """
    n = max(2, min(n_folds, len(np.unique(clusters))))
    return assign_parts(codes, clusters, np.full(n, 1 / n), seed, least_kept=0)


def assign_parts(codes: Index, clusters: Index, part_shares: NDArray[np.float64], seed: int, least_kept: int) -> Index:
    """Return the part of each row: parts get these shares of every class, clusters stay whole.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Class indices or strata.
    clusters : Index, shape (n_rows,)
        From `number_clusters`.
    part_shares : float64 array, shape (n_parts,)
        They sum to 1.
    seed : int
    least_kept : int
        Rows of each class that stay in the first part at least, where possible; 0: no such limit.

    Returns
    -------
    Index, shape (n_rows,)

    Notes
    -----
    Large clusters are placed one by one where their classes lack most; single rows then fill up each class exactly.
    """
    rng = np.random.default_rng(seed)
    n_parts, n_classes = len(part_shares), int(codes.max(initial=-1)) + 1
    totals = np.bincount(codes, minlength=n_classes).astype(np.float64)
    lacking = part_shares[:, None] * totals
    spare = np.maximum(totals - least_kept, 0.0) if least_kept else np.full(n_classes, np.inf)
    parts = np.zeros(len(codes), dtype=np.intp)
    _, owner, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    for members in _large_clusters(owner, sizes, rng):
        counts = np.bincount(codes[members], minlength=n_classes)
        part = _choose_part(counts, totals, lacking, spare=spare, keep=bool(least_kept))
        parts[members] = part
        lacking[part] -= counts
        spare -= counts * (part > 0)
    singles = sizes[owner] == 1
    for code in range(n_classes):
        rows = rng.permutation(np.flatnonzero(singles & (codes == code)))
        parts[rows] = np.repeat(
            np.arange(n_parts),
            _compute_quotas(lacking[:, code], len(rows), spare[code], rng=rng, keep=bool(least_kept)),
        )
    return parts


def _large_clusters(owner: Index, sizes: NDArray[np.intp], rng: np.random.Generator) -> list[Index]:
    """Return the rows of every cluster of two or more, the largest first, equal sizes in random order."""
    large = np.flatnonzero(sizes > 1)
    shuffled = rng.permutation(large)
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ranked = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    return [order[starts[number] : starts[number + 1]] for number in ranked]


def _choose_part(
    counts: Index, totals: NDArray[np.float64], lacking: NDArray[np.float64], spare: NDArray[np.float64], keep: bool
) -> int:
    """Return the part whose shortfall (squared, relative to each class) a cluster reduces most."""
    has_rows = counts > 0
    if keep and (counts[has_rows] > spare[has_rows]).any():
        return 0
    gain = ((2 * lacking[:, has_rows] - counts[has_rows]) * (counts[has_rows] / totals[has_rows])).sum(axis=1)
    return int(gain.argmax())


def _compute_quotas(
    lacking: NDArray[np.float64], n: int, spare: float, rng: np.random.Generator, keep: bool
) -> Sequence[int]:
    """Return the number of rows for each part: they sum to `n` and are nearest to what each part lacks."""
    targets = np.maximum(lacking, 0.0)
    targets = targets * (n / targets.sum()) if targets.sum() > 0 else np.full(len(lacking), n / len(lacking))
    quotas = np.floor(targets + 1e-9).astype(int)
    tie = np.zeros(len(quotas)) if keep else rng.random(len(quotas)) * 1e-6
    order = np.argsort(-(targets - quotas + tie), kind="stable")
    quotas[order[: n - quotas.sum()]] += 1
    if keep and quotas[1:].sum() > spare:
        quotas[1] = int(max(spare, 0))
        quotas[0] = n - quotas[1]
    return [int(value) for value in quotas]
