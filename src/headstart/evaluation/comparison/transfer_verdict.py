"""Did transfer help? The paired difference between two models on the same test rows.

Only rows on which exactly one of the two is right count, so a handful of them is never evidence, however sure
a bootstrap of them looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.intervals import (
    draw_bootstrap_weights,
    envelope,
    number_clusters,
    percentiles,
    sum_by_cluster,
    t_quantile,
)
from headstart.evaluation.metrics.multilabel import compare_macro_f1
from headstart.evaluation.metrics.ordinal import compare_kappa
from headstart.evaluation.metrics.per_task import Truth
from headstart.evaluation.metrics.regression import compare_absolute_errors
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval, Predictions
from headstart.results import Figure, Verdict


@dataclass(frozen=True)
class NamedPredictions:
    """A strategy's name and what it predicted on the test rows."""

    name: str
    predictions: Predictions


@dataclass(frozen=True)
class _Paired:
    """The difference, and how it would shrink with more rows: `variance` of one row, `n` independent rows.

    `n` is 0 where nobody can say; `errors` are the mean absolute errors of the two where numbers are compared.
    """

    interval: Interval
    variance: float = 0.0
    n: float = 0.0
    errors: tuple[float | None, float | None] = (None, None)


def compare_accuracy(codes: Index, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> Interval:
    """Compare the accuracy of two models on the same rows.

    Parameters
    ----------
    codes : Index, shape (n_rows,), n_rows >= 1
        True class of each row.
    a, b : Predictions
        Of the same rows in the same order.
    clusters : Index or None, shape (n_rows,)
        Rows with one number belong together and are resampled together.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Interval
        Accuracy of `a` minus accuracy of `b`, -1 to 1; positive: `a` is better.

    Notes
    -----
    Envelope of the paired percentile bootstrap (2,000 resamples) and the adjusted Wald interval of Agresti and Min
    (2005, half a row added to each of the four cells) at the effective number of rows. Where McNemar's exact test
    (5 %, two-sided) is not significant, the interval is widened to 0: it takes six rows on one side.

    Examples
    --------
    Right on 4 more of 28 rows and never wrong where the other is right is not yet evidence:

    >>> def predict(n):
    ...     return Predictions(ids=np.arange(28).astype(object),
    ...         classes=("a", "b"), probabilities=np.eye(2)[[0] * n + [1] * (28 - n)])
    >>> result = compare_accuracy(np.zeros(28, dtype=int), predict(24), predict(20), None, 0)
    >>> round(result.value, 4), result.low < 0
    (0.1429, True)
    """
    return _pair_accuracy(codes, a, b, clusters=clusters, seed=seed).interval


def _pair_accuracy(codes: Index, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    """Return the comparison of `compare_accuracy` with its variance."""
    assert len(codes) == len(a.ids) == len(b.ids) >= 1 and bool(np.all(a.ids == b.ids)), "not the same rows"
    numbers = number_clusters(clusters)
    gain = (a.class_indices == codes).astype(np.float32) - (b.class_indices == codes).astype(np.float32)
    cluster_sums = sum_by_cluster(np.column_stack([gain, np.ones_like(gain)]), numbers)
    drawn = np.concatenate([weights @ cluster_sums for weights in draw_bootstrap_weights(len(cluster_sums), seed)])
    assert len(drawn) == SETTINGS.resamples
    low, high = percentiles((drawn[:, :1] / drawn[:, 1:]).astype(np.float64))
    value, variance = float(gain.mean(dtype=np.float64)), float(gain.var(dtype=np.float64))
    n = float(len(gain)) if numbers is None else _effective_rows(cluster_sums.astype(np.float64), value, variance)
    share_better, share_worse = float((gain > 0).mean()), float((gain < 0).mean())
    wald = _agresti_min(share_better * n, share_worse * n, n)
    is_significant = _is_significant(int(share_better * n + 1e-6), int(share_worse * n + 1e-6))
    zero = (np.nan, np.nan) if is_significant else (0.0, 0.0)
    interval = envelope(value, (low[0], high[0]), wald, zero, within=(-1.0, 1.0))
    return _Paired(interval, variance, n)


def _pair_macro_f1(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    return _Paired(compare_macro_f1(truth, a, b, clusters=clusters, seed=seed))


def _pair_kappa(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    return _Paired(compare_kappa(truth, a, b, clusters=clusters, seed=seed))


def _pair_absolute_errors(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    interval, variance, first, second = compare_absolute_errors(truth, a, b, clusters=clusters, seed=seed)
    numbers = number_clusters(clusters)
    n_units = len(truth) if numbers is None else int(numbers.max()) + 1
    return _Paired(interval, variance, float(n_units), (first, second))


@dataclass(frozen=True)
class _TransferMeasure:
    """In what two models are compared; a difference below `least` is not worth proving."""

    name: str
    paired: Callable[[Truth, Predictions, Predictions, Index | None, int], _Paired]
    least: float = 0.0


_MEASURES: dict[str, _TransferMeasure] = {
    "classification": _TransferMeasure("accuracy", _pair_accuracy, SETTINGS.small_difference),
    "ordinal": _TransferMeasure("quadratic kappa", _pair_kappa),
    "multi-label": _TransferMeasure("macro-F1", _pair_macro_f1),
    "regression": _TransferMeasure("mean absolute error", _pair_absolute_errors),
}


def _is_significant(better: int, worse: int) -> bool:
    """McNemar's exact test at 5 %; with very many rows the other intervals say the same."""
    n = better + worse
    if n > SETTINGS.max_exact_rows:
        return True
    tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return bool(2 * tail / 2**n <= SETTINGS.level)


def _agresti_min(better: float, worse: float, n: float) -> tuple[float, float]:
    """Adjusted Wald interval from the numbers of rows on which one model alone is right."""
    better, worse, n = better + 0.5, worse + 0.5, n + 2
    centre = (better - worse) / n
    half = SETTINGS.interval_quantile * math.sqrt(better + worse - (better - worse) ** 2 / n) / n
    return centre - half, centre + half


def _effective_rows(
    cluster_sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]], mean: float, variance: float
) -> float:
    """Return the number of independent rows that clusters (gain, n_rows) are worth; see `intervals.effective_sizes`."""
    n_units, n_rows = len(cluster_sums), float(cluster_sums[:, 1].sum())
    kish = n_rows**2 / float(np.square(cluster_sums[:, 1]).sum())
    residual = float(np.square(cluster_sums[:, 0] - mean * cluster_sums[:, 1]).sum()) * n_units / max(n_units - 1, 1)
    known = n_units > 1 and residual > 0 and variance > 0
    size = min(max(variance * n_rows**2 / residual, min(kish, n_rows)), n_rows) if known else kish
    return size * (SETTINGS.interval_quantile / t_quantile(n_units - 1)) ** 2


def assess_transfer(
    truth: Truth,
    transfer: NamedPredictions | None,
    against: NamedPredictions | None,
    clusters: Index | None,
    seed: int,
    pretrained: bool = True,
) -> Verdict:
    """Compare the best strategy with the base with the best without it.

    Parameters
    ----------
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
        True classes of the test rows, or what their `targets` hold; may be empty.
    transfer : NamedPredictions or None
        The best strategy that uses the base model, chosen inside the training rows.
    against : NamedPredictions or None
        The best strategy that does without (`classic` or `scratch`), chosen likewise.
    clusters : Index or None, shape (n_rows,)
        As in `compare_accuracy`.
    seed : int
        Of the bootstrap.
    pretrained : bool
        False where the base model has never learnt from other data; transfer can then neither help nor hurt.

    Returns
    -------
    Verdict
        `helped` only if the whole 95 % interval of the paired difference lies above 0, `hurt` only if below. The
        difference is in accuracy for classes, quadratic kappa for grades, macro-F1 for several labels, and for numbers
        in the mean absolute error (positive: transfer is less far off).
    """
    either = transfer or against
    measure = _MEASURES[either.predictions.task if either else "classification"]
    verdict = Verdict(
        measure=measure.name,  # type: ignore[arg-type]
        transfer="no evidence",
        strategy=transfer.name if transfer else None,
        against=against.name if against else None,
        difference=None,
        n_rows=len(truth),
        pretrained=pretrained,
        n_rows_needed=None,
    )
    if transfer is None or against is None or _count_units(truth, clusters) < 2:
        return verdict
    paired = measure.paired(truth, transfer.predictions, against.predictions, clusters, seed)
    interval = paired.interval
    outcome = "helped" if interval.low > 0 else "hurt" if interval.high < 0 else "no evidence"
    is_open = pretrained and outcome == "no evidence"
    return verdict.model_copy(
        update={
            "transfer": outcome if pretrained else "no evidence",
            "difference": Figure.from_interval(interval),
            "strategy_error": paired.errors[0],
            "against_error": paired.errors[1],
            "n_rows_needed": _count_rows_needed(len(truth), paired, measure.least) if is_open else None,
        }
    )


def _count_units(truth: Truth, clusters: Index | None) -> int:
    """Return how many independent test rows there are."""
    return len(truth) if clusters is None else len(np.unique(clusters))


def _count_rows_needed(n_rows: int, paired: _Paired, least: float) -> int | None:
    """Return how many test rows would settle such a difference (80 % power); 0: more, None: no number would."""
    size = abs(paired.interval.value)
    if size <= least or paired.n <= 0:
        return None
    needed = (
        (SETTINGS.interval_quantile + SETTINGS.power_quantile) ** 2
        * max(paired.variance, min(size, 1.0) - size**2)
        / size**2
        * n_rows
        / paired.n
    )
    if not n_rows < needed <= SETTINGS.max_needed_rows:
        return 0
    return int(round(needed, 2 - len(str(int(needed)))))
