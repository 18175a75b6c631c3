"""The scored rows of a run, gathered for `run/scored_rows.safetensors`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.evaluation import Truth
from headstart.flow.run_records import AdaptedRun
from headstart.flow.scoring.carefulness import DecidableRows
from headstart.flow.scoring.scored_rows import RunRows
from headstart.records import TEST, Index, list_held_out_folds
from headstart.results import GroupColumn
from headstart.task_types import TASK_TYPES


def gather_run_rows(run: AdaptedRun, columns: Sequence[GroupColumn]) -> RunRows | None:
    """Return test rows, and training rows as they were predicted out of fold; None without test rows or classes.

    Parameters
    ----------
    run : AdaptedRun
    columns : sequence of GroupColumn
        The columns that were compared.
    """
    prepared, chosen = run.prepared, run.strategies.chosen
    predictions, decisions = run.scores.predictions.get(chosen), run.decided.decisions
    if predictions is None or decisions is None or not TASK_TYPES[prepared.task.kind].has_one_class:
        return None
    test = DecidableRows(
        codes=_as_codes(prepared.truth),
        probabilities=predictions.probabilities,
        is_refused=decisions.outcomes == "none_of_these",
        clusters=prepared.test_clusters,
    )
    return RunRows(test=test, calibration=_take_held_out(run), groups=_number_groups(run, columns))


def _as_codes(truth: Truth) -> Index:
    return np.asarray(truth, dtype=np.intp)


def _take_held_out(run: AdaptedRun) -> DecidableRows | None:
    """Return the training rows that some fold held out, calibrated as test rows are."""
    prepared = run.prepared
    outputs = run.strategies.fitted[run.strategies.chosen].out_of_fold
    is_held_out = np.isfinite(outputs).all(axis=1) & np.isin(
        prepared.task.folds, list_held_out_folds(prepared.task.folds)
    )
    if not is_held_out.any():
        return None
    clusters = prepared.train_dependence.bootstrap_clusters
    return DecidableRows(
        codes=prepared.task.codes[is_held_out],
        probabilities=run.decided.policy.calibrator.apply(outputs[is_held_out]),
        is_refused=np.zeros(int(is_held_out.sum()), dtype=bool),
        clusters=None if clusters is None else clusters[is_held_out],
    )


def _number_groups(run: AdaptedRun, columns: Sequence[GroupColumn]) -> dict[str, Index]:
    """Return the place of each test row's value among those that were compared, -1 for another one."""
    is_test = run.prepared.table.splits == TEST
    values = {item.name: item.values[is_test] for item in run.prepared.compared.columns}
    numbers = {}
    for column in columns:
        if column.column in values:
            places = {item.value: at for at, item in enumerate(column.values)}
            numbers[column.column] = np.array(
                [places.get(str(name), -1) for name in values[column.column]], dtype=np.intp
            )
    return numbers
