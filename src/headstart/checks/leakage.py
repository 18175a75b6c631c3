"""Leakage: how much better a score gets when copies and groups are split over folds by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.evaluation.intervals import mean_interval
from headstart.records import FloatMatrix, Index
from headstart.results import Figure, LeakageGap
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies.record import StrategyRows, Task

Floats = NDArray[np.float64]


def measure_leakage_gap(rows: StrategyRows, task: Task, groups: tuple[str, ...]) -> LeakageGap | None:
    """Return the cross-validation score of a simple head with random folds and with grouped folds.

    Parameters
    ----------
    rows : StrategyRows
        Training rows, with features or descriptors.
    task : Task
    groups : tuple of str
        Columns whose rows are kept together.

    Returns
    -------
    LeakageGap or None
        None where no two rows belong together, or nothing can be measured.
    """
    clusters = data.find_dependence(rows.table, groups).for_resampling
    sizes = np.bincount(clusters)
    dense = rows.features or rows.descriptors
    if sizes.max() == 1 or len(sizes) < 2 * SHARED_SETTINGS.n_folds or dense is None:
        return None
    from headstart.strategies.linear.ridge_loo import reduce_to_axes  # Needs the extra `adapt`.
    from headstart.strategies.point_scoring import SCORINGS

    features, scoring = reduce_to_axes(dense.final, task.seed), SCORINGS[task.kind]
    targets = scoring.targets(task)
    random_folds, grouped_folds = (
        data.assign_folds(task.codes, each, SHARED_SETTINGS.n_folds, task.seed)
        for each in (np.arange(len(rows)), clusters)
    )
    random_score, _ = _compute_losses(features, targets, random_folds, task)
    grouped_score, divisors = _compute_losses(features, targets, grouped_folds, task)
    scale = float(divisors.mean())
    if scoring.points:
        random_score, grouped_score = 1 - random_score / scale, 1 - grouped_score / scale
    bounds = (0.0, 1.0) if scoring.points else (0.0, np.inf)
    direction = 1.0 if scoring.points else -1.0
    gap = mean_interval((random_score - grouped_score) * direction, clusters, task.seed, (-np.inf, np.inf))
    n_together = int((sizes[clusters] > 1).sum())
    return LeakageGap(
        measure=scoring.metric,
        n_rows=len(rows),
        n_together=n_together,
        naive=Figure.from_interval(mean_interval(random_score, clusters, task.seed, bounds)),
        honest=Figure.from_interval(mean_interval(grouped_score, clusters, task.seed, bounds)),
        gap=Figure.from_interval(gap),
    )


def _compute_losses(features: FloatMatrix, targets: Floats, folds: Index, task: Task) -> tuple[Floats, Floats]:
    """Return each row's loss and its divisor, from a head that did not see its fold."""
    from headstart.strategies.linear.ridge_loo import fit_ridge_loo
    from headstart.strategies.point_scoring import SCORINGS

    losses, divisors = np.zeros(len(targets)), np.ones(len(targets))
    for fold in np.unique(folds):
        train, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        head = fit_ridge_loo(features[train], targets[train])
        outputs = head.predict(features[held_out])
        losses[held_out], divisors[held_out] = SCORINGS[task.kind].losses(
            head, targets[train], outputs, targets[held_out]
        )
    return losses, divisors
