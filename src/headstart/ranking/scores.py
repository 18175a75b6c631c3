"""Cheap hints of how well frozen features separate classes: three numbers, no training. Numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.ranking.settings import SETTINGS
from headstart.records import FloatMatrix, Index

Floats = NDArray[np.float64]
FLATTEST, STEEPEST = 1e-12, 1e12
"""Bounds of prior precision / noise precision: features that say nothing, or everything, have no finite one."""
SMALL = 1e-12


def compute_logme(features: FloatMatrix, truth: Index | FloatMatrix) -> float:
    """Return the log evidence of a Bayesian linear model for each class against the rest: mean over classes, per row.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
        As the base gives them, neither centred nor scaled.
    truth : Index, shape (n_rows,), or FloatMatrix, shape (n_rows, n_outputs)
        Class codes; or 0 and 1 for each of several labels; or one column of numbers, which are then standardised.

    Returns
    -------
    float
        In nats a row; higher is better; comparable only between bases on the same rows.

    Notes
    -----
    LogME, You et al. 2021 (arXiv:2102.11005): targets are 0/1, weights have precision alpha, noise has precision
    beta; both are raised to the evidence's maximum by MacKay's fixed point, on one singular value decomposition. The
    determinant counts the min(n_rows, n_dims) directions there are, so that the evidence is exact for n_rows < n_dims.

    Examples
    --------
    Features that hold the answer have more evidence than features that do not:

    >>> codes = np.array([0, 1] * 10)
    >>> right, wrong = np.eye(2)[codes], np.ones((20, 2))
    >>> compute_logme(right.astype(np.float32), codes) > compute_logme(wrong.astype(np.float32), codes)
    True
    """
    left, singular, _ = np.linalg.svd(features.astype(np.float64), full_matrices=False)
    targets = _targets(truth)
    squares = np.square(left.T @ targets)
    rest = np.maximum(np.square(targets).sum(axis=0) - squares.sum(axis=0), 0.0)
    power = np.square(singular)
    return float(
        np.mean([_compute_evidence(power, squares[:, i], float(rest[i]), len(targets)) for i in range(len(rest))])
    )


def _targets(truth: Index | FloatMatrix) -> Floats:
    if truth.ndim == 1:
        targets = np.eye(int(truth.max()) + 1)[truth]
        return np.asarray(targets[:, targets.any(axis=0)], dtype=np.float64)
    targets = truth.astype(np.float64)
    if targets.shape[1] == 1:
        targets = (targets - targets.mean()) / max(float(targets.std()), SMALL)
    return targets


def _compute_evidence(power: Floats, squares: Floats, rest: float, n_rows: int) -> float:
    """Evidence a row at its maximum, given squared singular values and the squared target along each direction."""
    ratio = 1.0
    for _ in range(SETTINGS.evidence_rounds):
        before, ratio = ratio, _next_ratio(power, squares, rest, n_rows=n_rows, ratio=ratio)
        if abs(ratio - before) <= SETTINGS.evidence_tolerance * before:
            break
    weights, residual = _fit(power, squares, rest, ratio)
    beta = n_rows / max(residual + ratio * weights, SMALL)  # The best for this ratio, also where both precisions grow.
    return float((n_rows * (np.log(beta / (2 * np.pi)) - 1) - np.log1p(power / ratio).sum()) / (2 * n_rows))


def _next_ratio(power: Floats, squares: Floats, rest: float, n_rows: int, ratio: float) -> float:
    """Return the next value of alpha / beta in the fixed-point iteration."""
    effective = float((power / (power + ratio)).sum())
    weights, residual = _fit(power, squares, rest, ratio)
    alpha = max(effective, SMALL) / max(weights, SMALL)
    beta = max(n_rows - effective, SMALL) / max(residual, SMALL)
    return float(np.clip(alpha / beta, FLATTEST, STEEPEST))


def _fit(power: Floats, squares: Floats, rest: float, ratio: float) -> tuple[float, float]:
    """Squared length of the mean weights, and squared residual."""
    shrunk = power + ratio
    weights = float((power * squares / np.square(shrunk)).sum())
    return weights, float((squares * np.square(ratio / shrunk)).sum()) + rest


def estimate_shrinkage(centred: Floats) -> float:
    """Return Ledoit and Wolf's (2004) shrinkage intensity, 0 to 1, for centred rows (n_rows, n_dims)."""
    n_rows, n_dims = centred.shape
    small = centred if n_dims <= n_rows else centred.T
    norm = float(np.square(small.T @ small).sum()) / n_rows**2
    lengths = np.square(centred).sum(axis=1)
    trace = float(lengths.sum()) / n_rows
    spread = norm - trace**2 / n_dims
    noise = (float(np.square(lengths).sum()) / n_rows - norm) / n_rows
    return 1.0 if spread <= 0 else float(np.clip(noise / spread, 0.0, 1.0))


def compute_h_score(features: FloatMatrix, codes: Index) -> float:
    """Return the share of variance between classes, summed over whitened directions; the covariance is shrunk.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    codes : Index, shape (n_rows,)

    Returns
    -------
    float
        0 to n_classes - 1; higher is better.

    Notes
    -----
    H-score: Bao et al. 2019 (doi:10.1109/ICIP.2019.8803726). With Ledoit-Wolf shrinkage `s` of the covariance and the
    between-class covariance times 1 - s: Ibrahim et al. 2021 (arXiv:2110.06893).

    Examples
    --------
    A single feature that is -1 in one class and 1 in the other varies between classes only:

    >>> round(compute_h_score(np.array([[-1.0], [-1.0], [1.0], [1.0]], dtype=np.float32), np.array([0, 0, 1, 1])), 4)
    1.0
    """
    rows = features.astype(np.float64)
    rows -= rows.mean(axis=0)
    share = estimate_shrinkage(rows) if rows.shape[1] > 1 else 0.0
    left, singular, _ = np.linalg.svd(rows, full_matrices=False)
    variances = np.square(singular) / len(rows)
    if variances.sum() <= SMALL:
        return 0.0
    total = (1 - share) * variances + share * variances.sum() / rows.shape[1]
    projected = left * singular
    score = 0.0
    known = total > SMALL * total.max()
    for code in np.unique(codes):
        inside = codes == code
        score += inside.mean() * float((np.square(projected[inside].mean(axis=0))[known] / total[known]).sum())
    return float((1 - share) * score)


def knn_accuracy(features: FloatMatrix, codes: Index, k: int = 5, clusters: Index | None = None) -> float:
    """Return the share of rows whose `k` nearest other rows, by cosine, name their class by majority.

    Parameters
    ----------
    features : FloatMatrix, shape (n_rows, n_dims)
    codes : Index, shape (n_rows,)
    k : int
        Fewer where there are fewer other rows; the lowest code wins a drawn vote.
    clusters : Index or None, shape (n_rows,)
        Rows of one cluster (copies, groups) are no neighbours of each other.

    Returns
    -------
    float
        0 to 1; higher is better. NaN for a single row.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]], dtype=np.float32)
    >>> knn_accuracy(x, np.array([0, 0, 1, 0]), k=1)
    0.5
    """
    n_rows = len(codes)
    if n_rows < 2:
        return float("nan")
    unit = features.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), SMALL)
    alike = unit @ unit.T
    own = np.arange(n_rows) if clusters is None else clusters
    alike[own[:, None] == own[None, :]] = -np.inf
    near = np.argsort(-alike, axis=1, kind="stable")[:, : min(k, n_rows - 1)]
    votes = np.eye(int(codes.max()) + 1)[codes[near]]
    votes[np.isneginf(np.take_along_axis(alike, near, axis=1))] = 0.0
    return float((votes.sum(axis=1).argmax(axis=1) == codes).mean())
