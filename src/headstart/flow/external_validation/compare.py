"""`compare`: two bundles on the same labelled rows; which rows got better and worse, and whether that is chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.csv_files import format_csv
from headstart.data.labels.targets import encode_truth
from headstart.errors import BundleError, list_offenders
from headstart.evaluation import Truth
from headstart.evaluation.comparison.model_changes import (
    RowChanges,
    compare_parts,
    compare_rows,
    measure_advantage,
)
from headstart.evaluation.intervals import mean_interval, number_clusters
from headstart.flow.external_validation.evaluate import predict_rows
from headstart.flow.external_validation.settings import SETTINGS
from headstart.flow.inference.answer_workbook import is_workbook, write_workbook
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.labelled_rows import leave_out_training_rows, read_rows_to_score
from headstart.flow.scoring.groups import find_group_dependence
from headstart.home import write_text
from headstart.offline import offline
from headstart.options import CompareOptions, EvaluateOptions
from headstart.records import Column, Index, Predictions, Table, make_column
from headstart.report import fill_sentences
from headstart.results import ChangedRow, Comparison, Figure, SetAsideRow
from headstart.spellings import NameMatches, match_names
from headstart.task_types import TASK_TYPES

_TINY = 1e-12


def compare(old: Path, new: Path, path: Path, out: Path | None, options: CompareOptions) -> Comparison:
    """Compare two bundles on the same labelled rows.

    Parameters
    ----------
    old, new : Path
    path : Path
        Labelled data that neither was trained on.
    out : Path or None
        A CSV to write with every row that got better or worse.
    options : CompareOptions

    Returns
    -------
    Comparison
        Of the most probable answers, abstaining left aside; positive: the new one is better.

    Raises
    ------
    BundleError
        The bundles read other things or know other classes.
    DataError
        There are no labels that they know, or no row can be read.
    """
    require_inputs_of_model(old, [path])
    with offline(options.offline):
        first, second = bundles.load_bundle(old), bundles.load_bundle(new)
        spelled = match_names(second.classes, first.classes, options.merge_labels)
        _require_same_classes(first, second, spelled)
        evaluate_options = EvaluateOptions.model_validate(options.model_dump())
        table, unknown = read_rows_to_score(first, path, evaluate_options)
        new_rows = leave_out_training_rows(table, [first, second])
        table = new_rows.table
        other = table
        if second.known_input_columns != first.known_input_columns:
            other = leave_out_training_rows(
                read_rows_to_score(second, path, evaluate_options)[0], [first, second]
            ).table
        predicted = [
            predict_rows(bundle, rows, options.precision, path) for bundle, rows in ((first, table), (second, other))
        ]
    both = set(predicted[0].predictions.ids) & set(predicted[1].predictions.ids)
    rows = [np.flatnonzero([name in both for name in part.predictions.ids]).astype(np.intp) for part in predicted]
    common = predicted[0].table.take(rows[0])
    before, after = (part.predictions.take(at) for part, at in zip(predicted, rows, strict=True))
    after = _reorder_classes(_rename_classes(after, spelled), first.classes)
    truth = encode_truth(common, first.classes)
    columns = tuple(name for name in options.group if name in common.metadata)
    dependence = find_group_dependence(common, columns)
    clusters = dependence.group_clusters
    row_changes, seed = compare_rows(truth, before, after), first.seed
    gained, p_value = measure_advantage(truth, before, after, clusters=clusters, seed=seed)
    answers = [_format_answers(truth, before), _format_answers(truth, after), _format_truth(common, first)]
    if out is not None:
        _write_changes(out, _list_changes(common, row_changes, answers))
    better, worse = np.flatnonzero(row_changes.gain > _TINY), np.flatnonzero(row_changes.gain < -_TINY)
    aside = {item.id: item.reason for part in predicted for item in part.set_aside} | {
        i.id: i.reason for i in table.set_aside
    }
    within = (0.0, row_changes.within[1])
    values = [
        Figure.from_interval(mean_interval(part, number_clusters(clusters), seed, within))
        for part in (row_changes.old, row_changes.new)
    ]
    comparison = Comparison(
        task=first.task,
        old=str(old),
        new=str(new),
        data=table.source,
        classes=list(first.classes),
        n_rows=len(common),
        unknown_labels=dict(sorted(unknown.items())),
        modality=first.modality,
        n_learnt=new_rows.n_learnt,
        n_near_copies=new_rows.n_near_copies,
        n_tested=new_rows.n_tested,
        measure=row_changes.measure,  # type: ignore[arg-type]
        old_value=values[0],
        new_value=values[1],
        difference=Figure.from_interval(gained),
        p_value=p_value,
        n_better=len(better),
        n_worse=len(worse),
        per_class=[]
        if common.targets is not None or common.labels is None
        else compare_parts(row_changes, "", common.labels, clusters=dependence.copies, seed=seed),
        groups=[
            part
            for name in columns
            for part in compare_parts(row_changes, name, common.metadata[name], clusters=dependence.copies, seed=seed)
        ],
        better=_list_changed_rows(common, better[: SETTINGS.changed_rows], answers),
        worse=_list_changed_rows(common, worse[: SETTINGS.changed_rows], answers),
        set_aside=[SetAsideRow(id=name, reason=reason) for name, reason in aside.items()],
    )
    return fill_sentences(comparison)


def _rename_classes(predictions: Predictions, spelled: NameMatches) -> Predictions:
    """Name classes as the other bundle does."""
    return replace(predictions, classes=tuple(spelled.renamed.get(name, name) for name in predictions.classes))


def _require_same_classes(old: Bundle, new: Bundle, spelled: NameMatches) -> None:
    wrong = [
        f"one {what} '{a}', the other '{b}'"
        for what, a, b in (("reads", old.modality, new.modality), ("is for", old.task, new.task)) if a != b
    ]  # fmt: skip
    names = {spelled.renamed.get(name, name) for name in new.classes}
    only = set(old.classes) ^ names
    if only:
        wrong.append(f"{len(only)} classes are known to one only ({list_offenders(sorted(only))})")
    if wrong:
        spelling = " Pass --merge-labels if only their spelling differs." if spelled.similar else ""
        raise BundleError(
            f"The two bundles cannot be compared: {'; '.join(wrong)}.",
            f"Compare bundles made for the same classes.{spelling}",
        )


def _reorder_classes(predictions: Predictions, classes: tuple[str, ...]) -> Predictions:
    """Return predictions with their columns in another order."""
    at = [predictions.classes.index(name) for name in classes]
    thresholds = tuple(predictions.thresholds[place] for place in at) if predictions.thresholds else ()
    return replace(predictions, classes=classes, probabilities=predictions.probabilities[:, at], thresholds=thresholds)


def _format_label_sets(predictions: Predictions) -> Column:
    return make_column(
        [
            ";".join(name for name, on in zip(predictions.classes, row, strict=True) if on)
            for row in predictions.label_mask.tolist()
        ]
    )


def _format_answers(truth: Truth, predictions: Predictions) -> Column:
    if TASK_TYPES[predictions.task].is_number:
        return make_column([f"{value:.6g}" for value in predictions.values])
    return _format_label_sets(predictions) if TASK_TYPES[predictions.task].has_label_sets else predictions.labels


def _format_truth(table: Table, bundle: Bundle) -> Column:
    """Write the truth of each row."""
    if table.targets is None:
        assert table.labels is not None
        return table.labels
    if TASK_TYPES[bundle.task].is_number:
        return make_column([f"{value:.6g}" for value in table.targets[:, 0]])
    return _format_label_sets(
        Predictions(
            ids=table.ids, classes=bundle.classes, probabilities=table.targets.astype(np.float64), task="multi-label"
        )
    )


def _list_changed_rows(table: Table, rows: Index, answers: list[Column]) -> list[ChangedRow]:
    old, new, truth = answers
    return [ChangedRow(id=str(table.ids[at]), label=str(truth[at]), old=str(old[at]), new=str(new[at])) for at in rows]


def _write_changes(out: Path, rows: list[list[str]]) -> None:
    if is_workbook(out):
        write_workbook(rows[0], rows[1:], out, numbers=(), title="changes")
    else:
        write_text(out, format_csv(rows))


def _list_changes(table: Table, row_changes: RowChanges, answers: list[Column]) -> list[list[str]]:
    rows = [["id", "label", "old", "new", "change"]]
    for at in np.flatnonzero(np.abs(row_changes.gain) > _TINY):
        old, new, truth = (str(values[at]) for values in answers)
        rows.append([str(table.ids[at]), truth, old, new, "better" if row_changes.gain[at] > 0 else "worse"])
    return rows
