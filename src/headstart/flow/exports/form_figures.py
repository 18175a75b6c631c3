"""Compare a form of an exported model with the model: agreement, accuracy, size and speed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import evaluation
from headstart.bundle import Bundle
from headstart.bundle.runtime.agreement import assign_labels, compare_outputs
from headstart.bundle.runtime.inputs import ModelInputs
from headstart.bundle.runtime.session import GraphRun
from headstart.bundle.settings import SETTINGS as BUNDLE_SETTINGS
from headstart.errors import list_offenders
from headstart.flow.exports.comparison_rows import ComparisonRows
from headstart.flow.exports.settings import SETTINGS
from headstart.modalities.record import Array
from headstart.records import Index, Predictions
from headstart.task_types import TASK_TYPES

Outputs = NDArray[Any]


@dataclass(frozen=True)
class RightShare:
    """Proportion of right answers (0-1; None without rows), and of how many rows."""

    share: float | None
    n_rows: int


@dataclass(frozen=True, kw_only=True)
class FormFigures:
    """How much a form agrees with the model, how right it is, and what it costs.

    Parameters
    ----------
    form : str
        The name of the form, or of the method that made it.
    same_labels, max_difference : float
        Proportion of rows with the label of the model; the largest difference of an output.
    accuracy : float or None
        None for a number.
    by_class : mapping of str to RightShare
    by_group : mapping of str to (mapping of str to RightShare)
        By column, then by value.
    calibration_error : float or None
        None without labels.
    files : list of str or None
    size_bytes : int or None
    ms_a_row : float or None
        Milliseconds that one row alone takes.
    times_as_fast : float or None
        As model.onnx. None: not measured, as all from `files` on.
    """

    same_labels: float
    max_difference: float
    accuracy: float | None
    by_class: Mapping[str, RightShare]
    by_group: Mapping[str, Mapping[str, RightShare]]
    calibration_error: float | None
    form: str
    files: list[str] | None = None
    size_bytes: int | None = None
    ms_a_row: float | None = None
    times_as_fast: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, without what was not measured."""
        always = ("accuracy", "calibration_error")
        return {name: value for name, value in asdict(self).items() if value is not None or name in always}


def run_rows(run: GraphRun, model_inputs: ModelInputs, rows: Sequence[tuple[Array, ...]]) -> Outputs:
    """Return the outputs of a graph for all rows (n_rows, n_outputs).

    Parameters
    ----------
    run : GraphRun
    model_inputs : ModelInputs
    rows : sequence of prepared rows
    """
    parts, start = [], 0
    while start < len(rows):
        stop = start + 1
        while (
            stop < len(rows)
            and stop - start < 32
            and (stop - start) * max(map(model_inputs.cost, rows[start:stop])) < 8_192
        ):
            stop += 1
        parts.append(run(*model_inputs.collate(rows[start:stop]))[0])
        start = stop
    return np.concatenate(parts)


def time_rows(
    graph_runs: Sequence[GraphRun], model_inputs: ModelInputs, rows: Sequence[tuple[Array, ...]]
) -> list[float]:
    """Return the milliseconds that one row alone takes in each form; in turns, so that a busy moment slows all.

    Parameters
    ----------
    graph_runs : sequence of GraphRun
        One a form.
    model_inputs : ModelInputs
    rows : sequence of prepared rows
    """
    seconds: list[list[float]] = [[] for _ in graph_runs]
    for row in [row for row in rows[: SETTINGS.timed_rows] for _ in range(SETTINGS.timed_rounds)]:
        arrays = model_inputs.collate([row])
        for run, times in zip(graph_runs, seconds, strict=True):
            began = time.perf_counter()
            run(*arrays)
            times.append(time.perf_counter() - began)
    return [round(1_000 * float(np.median(times)), 3) for times in seconds]


def measure_form(
    form: str, bundle: Bundle, rows: ComparisonRows, outputs: Outputs, group_columns: Sequence[str]
) -> FormFigures:  # fmt: skip
    """Return how much outputs agree with the model's, and how right they are by class and group.

    Parameters
    ----------
    form : str
    bundle : Bundle
    rows : ComparisonRows
    outputs : array, shape (n_rows, n_outputs)
    group_columns : sequence of str
    """
    agreed = compare_outputs(bundle.task, rows.expected, outputs, bundle.thresholds)
    predictions = _make_predictions(bundle, rows, outputs)
    right, classes = _mark_right(bundle, rows, predictions)
    curve = (
        evaluation.measure_calibration(rows.truth, predictions, None, bundle.seed)
        if _has_classes(bundle, rows)
        else None
    )
    return FormFigures(
        same_labels=agreed.same_labels,
        max_difference=agreed.max_difference,
        accuracy=float(right.mean()) if len(right) else None,
        by_class={name: _measure_share(right, members) for name, members in classes.items()},
        by_group=_measure_groups(rows, right, group_columns),
        calibration_error=None if curve is None else curve.error.value,
        form=form,
    )


def _has_classes(bundle: Bundle, rows: ComparisonRows) -> bool:
    return rows.truth is not None and TASK_TYPES[bundle.task].has_one_class


def _make_predictions(bundle: Bundle, rows: ComparisonRows, outputs: Outputs) -> Predictions:
    ids = np.asarray([str(row) for row in range(len(outputs))], dtype=object)
    return Predictions(
        ids=ids,
        classes=bundle.classes,
        probabilities=np.asarray(outputs, np.float64),
        task=bundle.task,
        thresholds=bundle.thresholds,
    )


def _mark_right(
    bundle: Bundle, rows: ComparisonRows, predictions: Predictions
) -> tuple[NDArray[np.float64], dict[str, Index]]:
    """Return which rows are right (n_rows,), and the rows of each class; without labels the model's answers."""
    if TASK_TYPES[bundle.task].is_number:
        return np.empty(0), {}
    answers = assign_labels(bundle.task, predictions.probabilities, bundle.thresholds)
    if TASK_TYPES[bundle.task].has_label_sets:
        truth = (
            rows.truth == 1 if rows.truth is not None else assign_labels(bundle.task, rows.expected, bundle.thresholds)
        )
        right = (answers == truth).mean(axis=1)
        return right, {name: np.flatnonzero(truth[:, at]) for at, name in enumerate(bundle.classes)}
    codes = rows.truth if rows.truth is not None else assign_labels(bundle.task, rows.expected, ())[:, 0]
    right = (answers[:, 0] == codes).astype(np.float64)
    return right, {name: np.flatnonzero(codes == at) for at, name in enumerate(bundle.classes)}


def _measure_share(right: NDArray[np.float64], rows: Index) -> RightShare:
    return RightShare(float(right[rows].mean()) if len(rows) else None, len(rows))


def _measure_groups(
    rows: ComparisonRows, right: NDArray[np.float64], group_columns: Sequence[str]
) -> dict[str, dict[str, RightShare]]:
    shares: dict[str, dict[str, RightShare]] = {}
    for name in group_columns if rows.table is not None and len(right) else ():
        values = rows.table.metadata.get(name) if rows.table is not None else None
        if values is not None:
            groups = sorted({str(value) for value in values})
            shares[name] = {one: _measure_share(right, np.flatnonzero(values.astype(str) == one)) for one in groups}
    return shares


def explain_inexact(figures: FormFigures) -> str:
    """Return why an exact form is not good enough; empty where it is.

    Parameters
    ----------
    figures : FormFigures
    """
    if (
        figures.same_labels >= BUNDLE_SETTINGS.min_same_labels
        and figures.max_difference <= BUNDLE_SETTINGS.max_difference
    ):
        return ""
    return (
        f"{100 * figures.same_labels:.1f} % of rows have the same label (at least "
        f"{100 * BUNDLE_SETTINGS.min_same_labels:.1f} % are asked for), outputs differ by up to "
        f"{figures.max_difference:.2g} (at most {BUNDLE_SETTINGS.max_difference:g})"
    )


def explain_eight_bits(figures: FormFigures, first: FormFigures, most: float) -> str:
    """Return why an int8 form is not worth writing: a class or group loses too much, or nothing is gained; else empty.

    Parameters
    ----------
    figures, first : FormFigures
        Of this form and of model.onnx, with sizes and times.
    most : float
        Largest share of right answers that a class or group may lose.
    """
    pairs = [("class", name, was, figures.by_class[name]) for name, was in first.by_class.items()]
    pairs += [
        (column, name, was, figures.by_group[column][name])
        for column, groups in first.by_group.items() for name, was in groups.items()
    ]  # fmt: skip
    unjudged = [name for kind, name, was, _ in pairs if kind == "class" and not was.n_rows]
    if unjudged:
        return f"no row tells what {list_offenders(unjudged)} would lose; give held-out rows of every class with --data"
    lost = [
        (was.share - now.share, kind, name)
        for kind, name, was, now in pairs if was.share is not None and now.share is not None
    ]  # fmt: skip
    worst = max(lost, default=(0.0, "", ""))
    if worst[0] > most + 1e-9:
        return f"{worst[1]} {worst[2]} loses {100 * worst[0]:.1f} points (at most {100 * most:g} are allowed)"
    if not pairs and figures.max_difference > most:
        return f"numbers differ by up to {100 * figures.max_difference:.1f} % of their size (at most {100 * most:g} %)"
    assert first.size_bytes and figures.size_bytes and figures.times_as_fast is not None
    smaller, faster = first.size_bytes / figures.size_bytes, figures.times_as_fast
    if smaller < SETTINGS.clearly_smaller and (faster < SETTINGS.faster or smaller < SETTINGS.a_little_smaller):
        return f"it is {smaller:.1f} times smaller and {faster:.2f} times as fast here: not worth a second form"
    return ""
