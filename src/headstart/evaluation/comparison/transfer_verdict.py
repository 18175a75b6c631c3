"""Did transfer help? The paired difference between two models on the same test rows, and what to say about it.

Only rows on which exactly one of the two is right tell anything, so a handful of them is never evidence, however sure
a bootstrap of them looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.intervals import (
    RESAMPLES,
    Z,
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
from headstart.evaluation.wording import format_amount
from headstart.evaluation.wording import format_points as _points
from headstart.records import Index, Interval, Predictions
from headstart.results import Figure, Verdict

_POWER = 0.8416212335729143
_SMALL = 0.005
_EXACT_ROWS = 1000
_MANY_ROWS = 100_000


@dataclass(frozen=True)
class NamedPredictions:
    """A strategy's name and what it predicted on the test rows."""

    name: str
    predictions: Predictions


@dataclass(frozen=True)
class _Paired:
    """The difference in words, and how it would shrink with more rows: `variance` of one row, `n` independent rows.

    `n` is 0 where nobody can say; `sentence` has places for {ours} and {theirs}.
    """

    interval: Interval
    variance: float
    n: float
    sentence: str


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
    (5 %, two-sided) cannot tell the two apart, the interval is stretched to 0: it takes six rows on one side.

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
    assert len(drawn) == RESAMPLES
    low, high = percentiles((drawn[:, :1] / drawn[:, 1:]).astype(np.float64))
    value, variance = float(gain.mean(dtype=np.float64)), float(gain.var(dtype=np.float64))
    n = float(len(gain)) if numbers is None else _effective_rows(cluster_sums.astype(np.float64), value, variance)
    share_better, share_worse = float((gain > 0).mean()), float((gain < 0).mean())
    wald = _agresti_min(share_better * n, share_worse * n, n)
    is_significant = _is_significant(int(share_better * n + 1e-6), int(share_worse * n + 1e-6))
    zero = (np.nan, np.nan) if is_significant else (0.0, 0.0)
    interval = envelope(value, (low[0], high[0]), wald, zero, within=(-1.0, 1.0))
    if abs(value) < 0.0005:
        sentence = "{ours} and {theirs} were right equally often"
    else:
        sentence = (
            f"{{ours}} was right {_points(abs(value))} points {'more' if value > 0 else 'less'} often than {{theirs}}"
        )
    return _Paired(interval, variance, n, f"{sentence}; {_interval(interval, _points)} points")


def _interval(interval: Interval, written: Callable[[float], str]) -> str:
    return f"the 95 % interval is {written(interval.low)} to {written(interval.high)}"


def _pair_macro_f1(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    interval = compare_macro_f1(truth, a, b, clusters=clusters, seed=seed)
    size = abs(interval.value)
    relation = (
        f"{_points(size)} points {'higher' if interval.value > 0 else 'lower'} than"
        if size >= 0.0005
        else "the same as"
    )
    sentence = f"the macro-F1 of {{ours}} was {relation} that of {{theirs}}; {_interval(interval, _points)} points"
    return _Paired(interval, 0.0, 0.0, sentence)


def _pair_kappa(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    interval = compare_kappa(truth, a, b, clusters=clusters, seed=seed)
    size = abs(interval.value)
    relation = (
        f"{format_amount(size)} {'higher' if interval.value > 0 else 'lower'} than" if size >= 0.0005 else "the same as"
    )
    sentence = (
        f"the quadratic kappa of {{ours}} was {relation} that of {{theirs}}; {_interval(interval, format_amount)}"
    )
    return _Paired(interval, 0.0, 0.0, sentence)


def _pair_absolute_errors(truth: Truth, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> _Paired:
    interval, variance, first, second = compare_absolute_errors(truth, a, b, clusters=clusters, seed=seed)
    word = "less" if interval.value > 0 else "more"
    relation = f"{{ours}} was off by {format_amount(abs(interval.value))} {word} on average than {{theirs}}"
    if format_amount(first) == format_amount(second):
        relation = "{ours} and {theirs} were off by the same on average"
    numbers = number_clusters(clusters)
    n_units = len(truth) if numbers is None else int(numbers.max()) + 1
    sentence = (
        f"{relation} ({format_amount(first)} against {format_amount(second)}, in the unit of the label); "
        f"the 95 % interval of its advantage is {format_amount(interval.low)} to {format_amount(interval.high)}"
    )
    return _Paired(interval, variance, float(n_units), sentence)


@dataclass(frozen=True)
class _TransferMeasure:
    """In what two models are compared; a difference below `least` is not worth proving."""

    name: str
    paired: Callable[[Truth, Predictions, Predictions, Index | None, int], _Paired]
    least: float = 0.0


_MEASURES: dict[str, _TransferMeasure] = {
    "classification": _TransferMeasure("accuracy", _pair_accuracy, _SMALL),
    "ordinal": _TransferMeasure("quadratic kappa", _pair_kappa),
    "multi-label": _TransferMeasure("macro-F1", _pair_macro_f1),
    "regression": _TransferMeasure("mean absolute error", _pair_absolute_errors),
}


def _is_significant(better: int, worse: int) -> bool:
    """McNemar's exact test at 5 %; with very many rows the other intervals say the same."""
    n = better + worse
    if n > _EXACT_ROWS:
        return True
    tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return bool(2 * tail / 2**n <= 0.05)


def _agresti_min(better: float, worse: float, n: float) -> tuple[float, float]:
    """Adjusted Wald interval from the numbers of rows on which one model alone is right."""
    better, worse, n = better + 0.5, worse + 0.5, n + 2
    centre = (better - worse) / n
    half = Z * math.sqrt(better + worse - (better - worse) ** 2 / n) / n
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
    return size * (Z / t_quantile(n_units - 1)) ** 2


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
    transfer : Entry or None
        The best strategy that uses the base model, chosen inside the training rows.
    against : Entry or None
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
    names = {
        "strategy": transfer.name if transfer else None,
        "against": against.name if against else None,
    }
    either = transfer or against
    measure = _MEASURES[either.predictions.task if either else "classification"]
    names["measure"] = measure.name
    if transfer is None or against is None or _count_units(truth, clusters) < 2:
        sentence = _describe_missing_side(len(truth), transfer, against, pretrained)
        document = {"transfer": "no evidence", "difference": None, "sentence": sentence, **names}
        return Verdict.model_validate(document)
    paired = measure.paired(truth, transfer.predictions, against.predictions, clusters, seed)
    interval = paired.interval
    word = "helped" if interval.low > 0 else "hurt" if interval.high < 0 else "no evidence"
    word = word if pretrained else "no evidence"
    measured = _describe_comparison(
        len(truth), transfer.name, against.name, comparison=paired.sentence, pretrained=pretrained
    )
    ending = _ENDINGS[word] if pretrained else ". Nothing pre-trained was used, so this says nothing about transfer."
    more = _describe_rows_needed(len(truth), paired, measure.least) if pretrained and word == "no evidence" else ""
    return Verdict.model_validate(
        {"transfer": word, "difference": Figure.from_interval(interval), "sentence": measured + ending + more, **names}
    )


_ENDINGS = {
    "helped": ", so transfer helped.",
    "hurt": ", so transfer hurt.",
    "no evidence": ", which includes no difference, so there is no evidence that transfer helped or hurt.",
}


def _count_units(truth: Truth, clusters: Index | None) -> int:
    """Return how many independent test rows there are."""
    return len(truth) if clusters is None else len(np.unique(clusters))


def _describe_missing_side(
    n_rows: int, transfer: NamedPredictions | None, against: NamedPredictions | None, pretrained: bool
) -> str:
    """Return the sentence that says why nothing could be compared."""
    if n_rows == 0:
        why = "There were no test rows"
    elif transfer is None:
        why = "No strategy that uses the base model was trained"
    elif against is None:
        why = "No model without the base was trained to compare with"
    else:
        rows = "There was one test row" if n_rows == 1 else f"The {n_rows:,} test rows belong together"
        why = f"{rows}, which says nothing of others"
    also = "" if pretrained else " Nothing pre-trained was used either."
    return f"{why}, so it cannot be said whether transfer helped.{also}"


def _describe_comparison(n_rows: int, name: str, against: str, comparison: str, pretrained: bool) -> str:
    """Return the sentence that says what was measured, up to the conclusion."""
    rows = f"{n_rows:,} test row{'' if n_rows == 1 else 's'}"
    ours = f"the adapted model ({name})" if pretrained else f"the model on the untrained base ({name})"
    theirs = f"the best model without {'pre-training' if pretrained else 'it'} ({against})"
    return f"On {rows} {comparison.format(ours=ours, theirs=theirs)}"


def _describe_rows_needed(n_rows: int, paired: _Paired, least: float) -> str:
    """Return the sentence on how many test rows would settle such a difference (80 % power); "" where nothing would."""
    size = abs(paired.interval.value)
    if size <= least or paired.n <= 0:
        return ""
    needed = (Z + _POWER) ** 2 * max(paired.variance, min(size, 1.0) - size**2) / size**2 * n_rows / paired.n
    if not n_rows < needed <= _MANY_ROWS:
        return " More test rows would show whether the difference is real."
    digits = 2 - len(str(int(needed)))
    return f" If the difference is real, about {int(round(needed, digits)):,} test rows would show it."
