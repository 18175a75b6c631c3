"""Slices: kinds of rows on which the chosen model fails, found on training rows out of fold, looked up on test rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation import has_too_many_values
from headstart.evaluation.fairness.groups import sample_one_per_cluster
from headstart.evaluation.fairness.slices import (
    FailingCluster,
    compute_row_errors,
    find_failing_clusters,
    mean_error_interval,
    median_shift,
)
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.audit.settings import SETTINGS
from headstart.flow.run_records import Prepared, TestScores
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.ranking.typicality import RowClusters, cluster_rows, find_nearest_centres, scale_to_unit_length
from headstart.records import Column, FloatMatrix, Index, Predictions, Table
from headstart.results import Figure, Slice, SliceGroup, SliceMistake, Slices, SliceShift
from headstart.task_types import TASK_TYPES

Properties = Callable[[Table], Mapping[str, NDArray[np.float64]]]
"""Plain numbers of each row of a table (n_rows,), NaN where unknown, by name."""


def find_slices(
    prepared: Prepared,
    strategies: FittedStrategies,
    scores: TestScores,
    properties: Properties,
    options: AdaptOptions,
) -> Slices:
    """Find kinds of rows on which the chosen model fails more than their classes explain.

    Parameters
    ----------
    prepared : Prepared
    strategies : FittedStrategies
    scores : TestScores
    properties : function
        Gives plain numbers of rows, by which a slice may be described; called for slices only.
    options : AdaptOptions
    """
    seed = options.seed
    task, features = prepared.task, prepared.train.features
    out_of_fold = strategies.fitted[strategies.chosen].out_of_fold
    measure = MEASURES[task.kind].name
    rows = np.flatnonzero(np.isfinite(out_of_fold).all(axis=1))
    rows = rows[sample_one_per_cluster(prepared.train_dependence.copies[rows], seed)] if len(rows) else rows
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[: SETTINGS.max_slice_rows])
    if features is None or len(rows) < SETTINGS.min_slice_rows:
        return Slices(
            n_rows=len(rows), n_clusters=0, measure=measure,  # type: ignore[arg-type]
            has_features=features is not None, n_rows_needed=SETTINGS.min_slice_rows,
        )  # fmt: skip
    truth = task.codes if task.truth is None else task.truth
    predictions = Predictions(
        ids=prepared.train.table.ids[rows], classes=task.classes, probabilities=out_of_fold[rows], task=task.kind,
        thresholds=scores.thresholds,
    )  # fmt: skip
    errors = compute_row_errors(truth[rows], predictions)
    centre = features.final[rows].mean(axis=0)
    directions = scale_to_unit_length(features.final[rows] - centre)
    clusterings = [
        cluster_rows(directions, k, seed)
        for k in SETTINGS.slice_clusters
        if k * SETTINGS.rows_per_cluster <= len(rows) or k == SETTINGS.slice_clusters[0]
    ]
    failing = find_failing_clusters(errors, [item.owner for item in clusterings], task.codes[rows], seed)
    n_clusters = sum(int((np.bincount(item.owner) >= EVALUATION_SETTINGS.min_rows).sum()) for item in clusterings)
    test = _locate_test_rows(prepared, scores.predictions.get(strategies.chosen), centre)
    table = prepared.train.table
    columns = {name: table.metadata[name] for name in options.group if name in table.metadata}
    columns = {name: values for name, values in columns.items() if not has_too_many_values(values)}
    describer = _SliceDescriber(
        rows=rows,
        directions=directions,
        errors=errors,
        predictions=predictions,
        table=table,
        test=test,
        properties=properties,
        columns=columns,
    )
    described = [describer.describe(item, clusterings[item.clustering]) for item in failing]
    return Slices(
        n_rows=len(rows), n_clusters=n_clusters, measure=measure, found=described,  # type: ignore[arg-type]
        has_features=True, n_rows_needed=None,
    )  # fmt: skip


def _locate_test_rows(
    prepared: Prepared, predictions: Predictions | None, centre: NDArray[np.float32]
) -> tuple[FloatMatrix, NDArray[np.float64]] | None:
    features = prepared.test.features
    if predictions is None or features is None or len(prepared.test) == 0:
        return None
    return scale_to_unit_length(features.final - centre), compute_row_errors(prepared.truth, predictions)


@dataclass(frozen=True, kw_only=True)
class _SliceDescriber:
    """Training rows with their predictions, and test rows, by which slices are described."""

    rows: Index
    directions: FloatMatrix
    errors: NDArray[np.float64]
    predictions: Predictions
    table: Table
    test: tuple[FloatMatrix, NDArray[np.float64]] | None
    properties: Properties
    columns: Mapping[str, Column]

    def describe(self, item: FailingCluster, clustering: RowClusters) -> Slice:
        """Describe one slice."""
        upper = np.inf if TASK_TYPES[self.predictions.task].is_number else 1.0
        others = np.setdiff1d(np.arange(len(self.rows)), item.rows)
        n_test, on_test, off_test = self._measure_on_test_rows(item, clustering, upper)
        errors = self.errors
        typical = item.rows[np.argsort(-(self.directions[item.rows] @ clustering.centres[item.cluster]), kind="stable")]
        wrong = [row for row in typical if errors[row] > np.median(errors)] or list(typical)
        here, elsewhere = self.rows[item.rows], self.rows[others]
        return Slice(
            n_rows=len(item.rows),
            error=Figure.from_interval(mean_error_interval(errors[item.rows], upper)),
            elsewhere=Figure.from_interval(mean_error_interval(errors[others], upper)),
            p_value=item.p_value,
            n_test_rows=n_test,
            test_error=on_test,
            test_elsewhere=off_test,
            measure=MEASURES[self.predictions.task].name,  # type: ignore[arg-type]
            mistakes=_count_mistakes(self.table.labels, here, self.predictions, at=item.rows, errors=errors),
            frequent_groups=_find_frequent_groups(self.columns, here, elsewhere),
            shifted_properties=_find_shifted_properties(self.properties, self.table, here, elsewhere),
            examples=[str(self.table.ids[self.rows[row]]) for row in wrong[: SETTINGS.slice_examples]],
        )

    def _measure_on_test_rows(
        self, item: FailingCluster, clustering: RowClusters, upper: float
    ) -> tuple[int, Figure | None, Figure | None]:
        """Measure the error on the test rows nearest to the centre of a slice."""
        if self.test is None:
            return 0, None, None
        here = find_nearest_centres(self.test[0], clustering.centres)[0] == item.cluster
        n_test = int(here.sum())
        if n_test < EVALUATION_SETTINGS.min_rows or len(here) - n_test < EVALUATION_SETTINGS.min_rows:
            return n_test, None, None
        pair = (mean_error_interval(self.test[1][part], upper) for part in (here, ~here))
        on_test, off_test = (Figure.from_interval(each) for each in pair)
        return n_test, on_test, off_test


def _find_frequent_groups(columns: Mapping[str, Column], rows: Index, others: Index) -> list[SliceGroup]:
    """Return the groups that a slice holds far more of than the other rows."""
    groups = []
    for name, values in columns.items():
        here, elsewhere = Counter(map(str, values[rows])), Counter(map(str, values[others]))
        for value, n in here.items():
            share, share_elsewhere = n / len(rows), elsewhere[value] / max(len(others), 1)
            if value and share - share_elsewhere > SETTINGS.group_difference:
                groups.append(SliceGroup(column=name, value=value, share=share, elsewhere=share_elsewhere))
    return groups


def _count_mistakes(
    labels: Column | None, rows: Index, predictions: Predictions, at: Index, errors: NDArray[np.float64]
) -> list[SliceMistake]:
    """Count the most frequent mistakes of a slice."""
    if labels is None or not TASK_TYPES[predictions.task].has_one_class:
        return []
    pairs = Counter(
        (str(label), str(answer))
        for label, answer, error in zip(labels[rows], predictions.labels[at], errors[at], strict=True)
        if error > 0
    )
    return [SliceMistake(label=label, answer=answer, n_rows=n) for (label, answer), n in pairs.most_common(3)]


def _find_shifted_properties(properties: Properties, table: Table, rows: Index, others: Index) -> list[SliceShift]:
    """Return the properties in which a slice differs most, from at most 200 rows on either side."""
    described_rows = [np.random.default_rng(0).permutation(part)[: SETTINGS.described_rows] for part in (rows, others)]
    measured = properties(table.take(np.concatenate(described_rows)))
    inside, outside = (
        np.arange(len(described_rows[0])),
        np.arange(len(described_rows[0]), len(described_rows[0]) + len(described_rows[1])),
    )
    differences = {
        name: median_shift(values, inside, outside)
        for name, values in measured.items()
        if np.isfinite(values[inside]).any() and np.isfinite(values[outside]).any()
    }
    ranked = sorted(
        (name for name in differences if abs(differences[name]) >= SETTINGS.property_spreads),
        key=lambda name: -abs(differences[name]),
    )
    return [
        SliceShift(
            name=name,
            is_higher=differences[name] > 0,
            median=float(np.nanmedian(measured[name][inside])),
            elsewhere=float(np.nanmedian(measured[name][outside])),
        )
        for name in ranked[:3]
    ]
