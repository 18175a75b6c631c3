"""How far off predicted numbers are: mean and typical errors in the unit of the label, R2, rank correlation."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.intervals import (
    Floats,
    draw_bootstrap_weights,
    envelope,
    mean_interval,
    number_clusters,
    percentiles,
    sum_by_cluster,
    t_quantile,
)
from headstart.evaluation.settings import SETTINGS
from headstart.records import FloatMatrix, Index, Interval, Predictions
from headstart.results import Figure, ObservedPredicted, RegressionMetrics, WorstRow

SHOWN_POINTS = 500


def score_numbers(truth: FloatMatrix, predictions: Predictions, clusters: Index | None, seed: int) -> RegressionMetrics:
    """Score predicted numbers.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, 1), n_rows >= 1
    predictions : Predictions
        Every row predicted (no NaN).
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together and are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    RegressionMetrics
        Errors in the unit of the label (lower is better); `r2` and `spearman` (1 is perfect) or None.

    Notes
    -----
    Mean errors: envelope of the percentile bootstrap over rows or clusters and Student's t (of the squares for the
    root). `r2` is 1 - squared error / squared distance from the mean of these rows, so it may be negative; bootstrap
    and Student's t of its linearised form. `spearman`
    is Pearson's correlation of ranks; its interval is the envelope of the bootstrap with ranks kept and Fisher's with
    the variance of Fieller, Hartley and Pearson (1957). Quantiles of the error: binomial intervals of their ranks.

    Examples
    --------
    Off by 1, 0, 0 and 3; the mean of the truth is 2, its squared distance 4 + 1 + 1 + 4:

    >>> predictions = Predictions(ids=np.arange(4).astype(object),
    ...     classes=("y",), probabilities=np.array([[1.0], [1], [3], [1]]), task="regression")
    >>> result = score_numbers(np.array([[0], [1], [3], [4]], dtype=np.float32), predictions, None, 0)
    >>> result.mean_absolute_error.value, round(result.root_mean_squared_error.value, 4), round(result.r2.value, 4)
    (1.0, 1.5811, 0.0)
    """
    true, predicted = truth[:, 0].astype(np.float64), predictions.values
    assert len(true) == len(predicted) >= 1 and np.isfinite(predicted).all(), (
        "rows without a prediction cannot be evaluated"
    )
    numbers = number_clusters(clusters)
    errors = np.abs(predicted - true)
    absolute = mean_interval(errors, numbers, seed, (0.0, np.inf))
    squared = mean_interval(errors**2, numbers, seed, (0.0, np.inf))
    root = [float(np.sqrt(end)) for end in (squared.value, squared.low, squared.high)]
    root[1] = max(root[1], min(absolute.low, root[0]))  # the root is never below the mean of the same errors
    n_units = len(true) if numbers is None else int(numbers.max()) + 1
    return RegressionMetrics(
        n_rows=len(true),
        mean_absolute_error=Figure.from_interval(absolute),
        root_mean_squared_error=Figure(value=root[0], low=root[1], high=root[2]),
        median_absolute_error=_quantile(errors, 0.5, n_units),
        absolute_error_90=_quantile(errors, 0.9, n_units),
        r2=_r2(true, predicted, numbers, seed),
        spearman=_spearman(true, predicted, numbers, seed=seed, n_units=n_units),
    )


def _quantile(errors: Floats, share: float, n_units: int) -> Figure:
    half = SETTINGS.interval_quantile * np.sqrt(share * (1 - share) / n_units)
    places = np.clip([share, share - half, share + half], 0.0, 1.0)
    value, low, high = (float(end) for end in np.quantile(errors, places))
    return Figure(value=value, low=min(low, value), high=max(high, value))


def _moments(a: Floats, b: Floats, clusters: Index | None, seed: int) -> tuple[Floats, Floats]:
    """Means of 1, a, b, aa, bb and ab over all rows (6,), and over bootstrap samples (resamples, 6)."""
    columns = np.column_stack([np.ones_like(a), a, b, a * a, b * b, a * b])
    cluster_sums = sum_by_cluster(columns.astype(np.float32), clusters)
    drawn = np.concatenate([times @ cluster_sums for times in draw_bootstrap_weights(len(cluster_sums), seed)]).astype(
        np.float64
    )
    return columns.mean(axis=0), drawn / drawn[:, :1]


def _r2(true: Floats, predicted: Floats, clusters: Index | None, seed: int) -> Figure | None:
    spread = float(true.std())
    if spread == 0:
        return None
    point, drawn = _moments((true - true.mean()) / spread, (predicted - true) / spread, clusters, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = drawn[:, 3] - drawn[:, 1] ** 2
        values = np.where(variance > 1e-9, 1 - drawn[:, 4] / variance, np.nan)
    low, high = percentiles(values[:, None])
    r2 = float(1 - point[4])
    pull = ((predicted - true) ** 2 - (1 - r2) * (true - true.mean()) ** 2) / spread**2
    around = mean_interval(pull, clusters, seed, (-np.inf, np.inf))
    return Figure.from_interval(
        envelope(r2, (low[0], high[0]), (r2 - around.high, r2 - around.low), within=(-np.inf, 1.0))
    )


def mean_ranks(values: Floats) -> Floats:
    """Return mean ranks from 1, ties alike (n,).

    Examples
    --------
    >>> mean_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)


def _spearman(true: Floats, predicted: Floats, clusters: Index | None, seed: int, n_units: int) -> Figure | None:
    first, second = mean_ranks(true), mean_ranks(predicted)
    if first.std() == 0 or second.std() == 0:
        return None
    a, b = ((part - part.mean()) / part.std() for part in (first, second))
    point, drawn = _moments(a, b, clusters, seed)
    value = float(np.clip(point[5], -1.0, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = drawn[:, 5] - drawn[:, 1] * drawn[:, 2]
        spread = (drawn[:, 3] - drawn[:, 1] ** 2) * (drawn[:, 4] - drawn[:, 2] ** 2)
        values = np.where(spread > 1e-9, covariance / np.sqrt(np.maximum(spread, 1e-9)), np.nan)
    low, high = percentiles(values[:, None])
    half = t_quantile(n_units - 1) * np.sqrt(1.06 / (n_units - 3)) if n_units > 3 else np.inf
    middle = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    fisher = float(np.tanh(middle - half)), float(np.tanh(middle + half))
    return Figure.from_interval(envelope(value, (low[0], high[0]), fisher, within=(-1.0, 1.0)))


def compare_absolute_errors(
    truth: FloatMatrix, a: Predictions, b: Predictions, clusters: Index | None, seed: int
) -> tuple[Interval, float, float, float]:
    """Return how much smaller the mean absolute error of `a` is than that of `b` on the same rows, and both errors.

    Returns
    -------
    interval : Interval
        In the unit of the label; positive: `a` is better. Envelope of the paired bootstrap and Student's t.
    variance : float
        Of the difference of one row.
    first, second : float
        Mean absolute errors of `a` and `b`.
    """
    first, second = (np.abs(part.values - truth[:, 0]) for part in (a, b))
    gain = second - first
    interval = mean_interval(gain, number_clusters(clusters), seed, (-np.inf, np.inf))
    return interval, float(gain.var()), float(first.mean()), float(second.mean())


def pair_observed_predicted(truth: FloatMatrix, predictions: Predictions) -> ObservedPredicted:
    """Pair true and predicted numbers, at most `SHOWN_POINTS`, evenly over the order of the truth.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, 1)
    predictions : Predictions
    """
    order = np.argsort(truth[:, 0], kind="stable")
    sample = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), SHOWN_POINTS)).astype(int))]
    observed, predicted = truth[sample, 0], predictions.values[sample]
    return ObservedPredicted(n_rows=len(truth), observed=observed.tolist(), predicted=predicted.tolist())


def worst_number_rows(truth: FloatMatrix, predictions: Predictions, limit: int) -> list[WorstRow]:
    """List the rows that are furthest off."""
    errors = np.abs(predictions.values - truth[:, 0])
    return [
        WorstRow(
            id=str(predictions.ids[at]),
            label=f"{truth[at, 0]:.4g}",
            predicted=f"{predictions.values[at]:.4g}",
            probability=None,
            error=float(errors[at]),
        )
        for at in np.argsort(-errors, kind="stable")[:limit]
    ]
