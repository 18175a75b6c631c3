"""How far off grades are: quadratic kappa and the mean distance in grades, next to everything known of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    draw_bootstrap_weights,
    envelope,
    jackknife_interval,
    mean_interval,
    number_clusters,
    percentiles,
    sum_by_cluster,
)
from headstart.evaluation.metrics.classification import score_classes
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval, Predictions
from headstart.results import Figure, OrdinalMetrics


def score_grades(codes: Index, predictions: Predictions, clusters: Index | None, seed: int) -> OrdinalMetrics:
    """Score grades; classes stand in the order of the grades.

    Parameters
    ----------
    codes : Index, shape (n_rows,), n_rows >= 1
        True grade of each row, 0 the lowest.
    predictions : Predictions
        Of the task "ordinal", whose answer is the median grade.
    clusters : Index or None, shape (n_rows,)
    seed : int

    Returns
    -------
    OrdinalMetrics
        As `evaluate`, and `quadratic_kappa` (1 is perfect, 0 is chance; None where all grades are one) and
        `mean_grade_error` (grades; lower is better).

    Notes
    -----
    Cohen (1968) with squared distances as weights; percentile bootstrap over rows or clusters. Where every row is
    right, kappa is not known better than accuracy.

    Examples
    --------
    One of four rows is off by one grade: squared distance 1/4, by chance 9/8:

    >>> predictions = Predictions(ids=np.arange(4).astype(object),
    ...     classes=("1", "2", "3"), probabilities=np.eye(3)[[0, 1, 1, 2]], task="ordinal")
    >>> result = score_grades(np.array([0, 0, 1, 2]), predictions, None, 0)
    >>> result.mean_grade_error.value, round(result.quadratic_kappa.value, 4)
    (0.25, 0.8)
    """
    predicted = predictions.class_indices
    numbers = number_clusters(clusters)
    distance = np.abs(predicted - codes).astype(np.float64)
    most = max(len(predictions.classes) - 1, 1)
    point, drawn = _kappas(_sum_grades(codes, [predicted], numbers), seed)
    of_classes, kappa = score_classes(codes, predictions, clusters, seed), None
    if np.isfinite(point[0]):
        low, high = percentiles(drawn)
        least = of_classes.accuracy.low if point[0] == 1.0 else np.nan
        kappa = Figure.from_interval(envelope(float(point[0]), (low[0], high[0]), (least, least), within=(-1.0, 1.0)))
    return OrdinalMetrics(
        **of_classes.model_dump(),
        quadratic_kappa=kappa,
        mean_grade_error=Figure.from_interval(mean_interval(distance, numbers, seed, (0.0, float(most)))),
    )


def _sum_grades(codes: Index, predicted_grades: list[Index], clusters: Index | None) -> NDArray[np.float32]:
    """Return the sums that kappa is made of, for each row or cluster: (n_units, 3 + 3 m) for m answers."""
    true = codes.astype(np.float64)
    columns = [np.ones_like(true), true, true**2]
    for answers in predicted_grades:
        grades = answers.astype(np.float64)
        columns += [grades, grades**2, (grades - true) ** 2]
    return sum_by_cluster(np.column_stack(columns).astype(np.float32), clusters)


def _kappas(grade_sums: NDArray[np.float32], seed: int) -> tuple[Floats, Floats]:
    """Quadratic kappa of each of m answers: (m,) and for bootstrap samples (resamples, m)."""
    drawn = np.concatenate([times @ grade_sums for times in draw_bootstrap_weights(len(grade_sums), seed)]).astype(
        np.float64
    )
    return _kappa(grade_sums.sum(axis=0, keepdims=True, dtype=np.float64))[0], _kappa(drawn)


def _adjust_kappas(codes: Index, grade_sums: NDArray[np.float32]) -> tuple[float, float]:
    """Return the jackknife interval of a difference of kappas with two rows added, each right by one answer alone.

    The other answer is a grade off there. As half a row in each cell does for accuracy (Agresti and Min 2005), they
    stand for rows on which the two differ and that a small test did not draw.
    """
    grade = int(np.median(codes))
    both = [np.array([grade, grade + 1]), np.array([grade + 1, grade])]
    added = _sum_grades(np.array([grade, grade]), both, None)
    rows = np.vstack([grade_sums, added]).astype(np.float64)
    totals = rows.sum(axis=0, keepdims=True)
    whole, left_out = (np.nan_to_num(_kappa(part)) for part in (totals, totals - rows))
    return jackknife_interval(float(whole[0, 0] - whole[0, 1]), left_out[:, 0] - left_out[:, 1])


def _kappa(totals: Floats) -> Floats:
    """Kappa from sums over rows: by chance two grades are as far apart as their means and spreads say."""
    means = totals / totals[:, :1]
    kappas = []
    for at in range(3, totals.shape[1], 3):
        mean_grade, mean_square, distance = means[:, at], means[:, at + 1], means[:, at + 2]
        chance = means[:, 2] + mean_square - 2 * means[:, 1] * mean_grade
        with np.errstate(divide="ignore", invalid="ignore"):
            kappas.append(np.where(chance > 1e-9, 1 - distance / chance, np.nan))
    return np.round(np.column_stack(kappas), 12) + 0.0  # no -1e-16 for a model that always says the same


def compare_kappa(codes: Index, a: Predictions, b: Predictions, clusters: Index | None, seed: int) -> Interval:
    """Return the quadratic kappa of `a` minus that of `b` on the same rows (positive: `a` is better).

    Envelope of the paired bootstrap and an adjusted jackknife (decision 0033). With fewer than six rows on which the
    two differ the interval is stretched to 0.
    """
    grade_sums = _sum_grades(codes, [a.class_indices, b.class_indices], number_clusters(clusters))
    point, drawn = _kappas(grade_sums, seed)
    value = float(np.nan_to_num(point[0]) - np.nan_to_num(point[1]))
    low, high = percentiles(drawn[:, :1] - drawn[:, 1:])
    adjusted = _adjust_kappas(codes, grade_sums)
    few = zero_if_few_differ(a.class_indices != b.class_indices)
    return envelope(value, (low[0], high[0]), adjusted, few, within=(-2.0, 2.0))


def zero_if_few_differ(different: NDArray[np.bool_]) -> tuple[float, float]:
    """Return 0 for an interval to reach, where two models differ on too few rows; else nothing."""
    return (np.nan, np.nan) if int(different.sum()) >= SETTINGS.min_different_rows else (0.0, 0.0)
