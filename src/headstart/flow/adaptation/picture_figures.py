"""What the pictures of the report are drawn from, measured once at the end of a run and bounded in size."""

from __future__ import annotations

import numpy as np

from headstart.data.grouping.bands import read_dates
from headstart.flow.adaptation.series_overview import summarise_series
from headstart.flow.run_records import AdaptedRun
from headstart.flow.scoring.decisions import ScoredRows
from headstart.flow.scoring.outcomes import (
    measure_certainty,
    measure_class_outcomes,
    measure_group_outcomes,
    measure_outcomes,
    measure_over_time,
)
from headstart.records import TEST
from headstart.results import GroupOutcomes, PictureFigures
from headstart.task_types import TASK_TYPES


def measure_picture_figures(run: AdaptedRun) -> PictureFigures:
    """Return counts, shares and quantiles; those of test rows are empty without any.

    Parameters
    ----------
    run : AdaptedRun
    """
    prepared, predictions = run.prepared, run.scores.predictions.get(run.strategies.chosen)
    series = summarise_series(prepared.train.table, prepared.task)
    if predictions is None or run.decided.decisions is None or not len(predictions.ids):
        return PictureFigures(series=series)
    rows = ScoredRows(
        table=prepared.test.table,
        truth=prepared.truth,
        predictions=predictions,
        decisions=run.decided.decisions,
        clusters=prepared.test_clusters,
    )
    guessing = None
    if TASK_TYPES[predictions.task].has_one_class:
        guessing = float(np.mean(prepared.truth == np.bincount(prepared.task.codes).argmax()))
    return PictureFigures(
        guessing=guessing,
        certainty=measure_certainty(rows),
        outcomes=measure_outcomes(rows),
        per_class=measure_class_outcomes(rows),
        per_group=_measure_groups(run, rows),
        series=series,
        over_time=measure_over_time(rows, read_dates),
    )


def _measure_groups(run: AdaptedRun, rows: ScoredRows) -> list[GroupOutcomes]:
    is_test = run.prepared.table.splits == TEST
    values = {column.name: column.values[is_test] for column in run.prepared.compared.columns}
    return measure_group_outcomes(rows, run.figures.groups if run.figures else [], values)
