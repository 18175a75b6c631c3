"""Does the model mean its probabilities? Measured on test rows and reported; `headstart.decisions` corrects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    draw_bootstrap_weights,
    effective_sizes,
    envelope,
    mean_interval,
    number_clusters,
    percentiles,
    sum_by_cluster,
)
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval, Predictions
from headstart.results import Calibration, Figure, LabelCalibration, ReliabilityBin
from headstart.task_types import TASK_TYPES

CLIPPED = float(np.finfo(np.float64).eps)


def measure_calibration(
    truth: NDArray[Any], predictions: Predictions, clusters: Index | None, seed: int
) -> Calibration | None:
    """Compare the probability given to each answer with how often answers are right.

    Parameters
    ----------
    truth : Index, shape (n_rows,), or array, shape (n_rows, n_labels)
        True class of each row, as a position in `predictions.classes`; or 0 or 1 for each of several labels, each of
        which is then compared with its own probability.
    predictions : Predictions
        Every row predicted (no NaN).
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together and are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Calibration or None
        `error` (0-1, lower is better), `overconfidence` (-1 to 1; positive: too sure), `brier` (0-1, lower is better)
        and the bins; None with fewer than `min_rows` rows.

    Notes
    -----
    `error` is the root mean square over bins of mean probability minus share right, in up to ten bins of equal mass
    (equal probabilities are never parted), with the noise of each bin taken off: the debiased estimator of Kumar,
    Liang and Ma (2019, arXiv:1909.10155) with the variance from the bootstrap, so that clusters count. Its interval is
    the bootstrap of the squared error, moved to the debiased value, without the noise that it counts twice.
    The table puts neighbouring bins together whose means differ by less than `min_bin_distance`.
    `brier` is half of Brier's sum over all classes, for two classes the usual (probability - outcome)^2. Of several
    labels it and the log-loss are means over rows and labels, and the labels of a row are resampled together.

    Examples
    --------
    Always 75 % sure, right on 30 of 40 rows:

    >>> predictions = Predictions(ids=np.arange(40).astype(object),
    ...     classes=("a", "b"), probabilities=np.tile([0.75, 0.25], (40, 1)))
    >>> result = measure_calibration(np.array([0] * 30 + [1] * 10), predictions, None, 0)
    >>> result.error.value, result.overconfidence.value, result.brier.value
    (0.0, 0.0, 0.1875)
    """
    if len(truth) < SETTINGS.min_rows:
        return None
    if TASK_TYPES[predictions.task].has_label_sets:
        return _measure_labels(truth == 1, predictions, clusters, seed)
    codes = np.asarray(truth, dtype=np.intp)
    sure = predictions.probabilities[np.arange(len(codes)), predictions.class_indices]
    losses = np.square(predictions.probabilities - np.eye(len(predictions.classes))[codes]).sum(axis=1) / 2
    outcomes = _Outcomes(sure, predictions.class_indices == codes, number_clusters(clusters))
    return _measure_outcomes(outcomes, losses, _log_losses(codes, predictions), n_rows=len(codes), seed=seed)


@dataclass(frozen=True)
class _Outcomes:
    """Probabilities (n,), whether what they are of came true (n,), and the cluster of each (n,)."""

    sure: Floats
    right: NDArray[np.bool_]
    numbers: Index | None

    def measure_error(self, seed: int) -> Figure:
        """Return the debiased calibration error."""
        places = _assign_bins(self.sure)
        inside = np.eye(int(places.max()) + 1)[places]
        gaps = inside * (self.sure - self.right)[:, None]
        over = sum_by_cluster(np.column_stack([gaps, inside]).astype(np.float32), self.numbers)
        return Figure.from_interval(_calibration_error(over, inside.shape[1], seed))


def _measure_outcomes(outcomes: _Outcomes, squares: Floats, log_losses: Floats, n_rows: int, seed: int) -> Calibration:
    sure, right, numbers = outcomes.sure, outcomes.right.astype(np.float64), outcomes.numbers
    return Calibration(
        n_rows=n_rows,
        error=outcomes.measure_error(seed),
        overconfidence=Figure.from_interval(mean_interval(sure - right, numbers, seed, (-1.0, 1.0))),
        brier=Figure.from_interval(mean_interval(squares, numbers, seed, (0.0, 1.0))),
        log_loss=Figure.from_interval(mean_interval(log_losses, numbers, seed, (0.0, np.inf))),
        bins=_tabulate(sure, right, _merge_bins(sure, _assign_bins(sure)), numbers),
        mean_probability=float(sure.mean()),
        share_right=float(right.mean()),
    )


def _measure_labels(
    true: NDArray[np.bool_], predictions: Predictions, clusters: Index | None, seed: int
) -> Calibration:
    """Measure each label of each row, and each label by itself; of very many rows some."""
    n_labels = true.shape[1]
    some = slice(None, None, max(1, -(-true.size // SETTINGS.max_label_outcomes)))
    true, probabilities = true[some], predictions.probabilities[some]
    units = np.arange(len(true)) if clusters is None else clusters[some]
    outcomes = _Outcomes(probabilities.ravel(), true.ravel(), number_clusters(np.repeat(units, n_labels)))
    truth_probabilities = np.where(outcomes.right, outcomes.sure, 1 - outcomes.sure)
    log_losses = -np.log(np.maximum(truth_probabilities, CLIPPED))
    measured = _measure_outcomes(
        outcomes, np.square(outcomes.sure - outcomes.right), log_losses, n_rows=len(true), seed=seed
    )
    numbers = None if clusters is None else number_clusters(units)
    per_label = [
        LabelCalibration(
            label=predictions.classes[at],
            mean_probability=float(probabilities[:, at].mean()),
            share_true=float(true[:, at].mean()),
            error=_Outcomes(probabilities[:, at], true[:, at], numbers).measure_error(seed),
        )
        for at in np.flatnonzero(true.any(axis=0))
    ]
    return measured.model_copy(update={"per_label": per_label})


def _tabulate(sure: Floats, right: Floats, places: Index, numbers: Index | None) -> list[ReliabilityBin]:
    """Return the figures of each bin, by rising probability."""
    inside = np.eye(int(places.max()) + 1)[places]
    counts, gaps = inside.sum(axis=0), inside.T @ (sure - right)
    hits, sizes = (sum_by_cluster(part.astype(np.float32), numbers) for part in (inside * right[:, None], inside))
    n = effective_sizes(hits, sizes, numbers is not None)
    shares = inside.T @ right / counts
    low, high = compute_wilson_interval(shares * n, n)
    return [
        ReliabilityBin(
            n_rows=int(counts[at]),
            mean_probability=float(min(shares[at] + gaps[at] / counts[at], 1.0)),
            share_right=Figure.from_interval(envelope(float(shares[at]), (low[at], high[at]))),
        )
        for at in range(len(counts))
    ]


def _merge_bins(sure: Floats, places: Index) -> Index:
    """Put bins together whose mean probabilities are nearly one: they would say the same thing several times."""
    means = np.bincount(places, sure) / np.bincount(places)
    merged, first = np.zeros(len(means), dtype=np.intp), 0
    for at in range(1, len(means)):
        is_near = means[at] - means[first] < SETTINGS.min_bin_distance
        first = first if is_near else at
        merged[at] = merged[at - 1] + (not is_near)
    return merged[places]


def _log_losses(codes: Index, predictions: Predictions) -> Floats:
    """Log-loss of each row in nats (n_rows,); clipped as in the metrics."""
    return np.asarray(-np.log(np.maximum(predictions.probabilities[np.arange(len(codes)), codes], CLIPPED)))


def _assign_bins(sure: Floats) -> Index:
    """Return each row its bin: equal mass, equal values together, no bin empty."""
    n_bins = int(np.clip(len(sure) // SETTINGS.min_rows, 1, SETTINGS.max_calibration_bins))
    edges = np.unique(np.quantile(sure, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.asarray(np.unique(np.searchsorted(edges, sure, side="left"), return_inverse=True)[1], dtype=np.intp)


def _calibration_error(cluster_sums: NDArray[np.float32], n_bins: int, seed: int) -> Interval:
    """Debiased root mean square gap from sums of gaps and counts a unit: (n_units, 2 n_bins)."""
    total = cluster_sums.sum(axis=0, dtype=np.float64)
    weights, gaps = total[n_bins:] / total[n_bins:].sum(), total[:n_bins] / total[n_bins:]
    drawn = np.concatenate([times @ cluster_sums for times in draw_bootstrap_weights(len(cluster_sums), seed)]).astype(
        np.float64
    )
    counts = drawn[:, n_bins:]
    resampled = np.where(counts > 0, drawn[:, :n_bins] / np.maximum(counts, 1.0), gaps)
    noise = resampled.var(axis=0)
    squared = float(weights @ (gaps**2 - noise))
    squares = resampled**2 @ weights
    spread = _spread_ratio(weights, gaps**2, noise)
    low, high = percentiles(spread * (squares - squares.mean())[:, None] + squared)
    value, *ends = (float(np.sqrt(np.clip(part, 0.0, 1.0))) for part in (squared, low[0], high[0]))
    return envelope(value, (ends[0], ends[1]))


def _spread_ratio(weights: Floats, squares: Floats, noise: Floats) -> float:
    """Return how much less the error varies than its bootstrap, which adds noise to noisy gaps (0-1)."""
    true = np.square(weights) @ (4 * np.maximum(squares - noise, 0.0) * noise + 2 * noise**2)
    seen = np.square(weights) @ (4 * squares * noise + 2 * noise**2)
    return float(np.sqrt(np.minimum(true / seen, 1.0))) if seen > 0 else 1.0
