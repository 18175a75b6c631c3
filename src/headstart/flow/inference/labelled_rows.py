"""Data for a bundle that stands already: labelled rows in the words of the model, or rows without labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart import checks, data, progress
from headstart.bundle import Bundle
from headstart.bundle.prints import find_near_copies
from headstart.data.row_facts import describe_rows
from headstart.errors import DataError, list_offenders
from headstart.flow.data_check.reading_notes import NAMES, describe_reading
from headstart.flow.inference.lining_up import order_inputs, report_reading
from headstart.modalities import MODALITIES
from headstart.options import ColumnOptions, EvaluateOptions, ReadOptions, parse
from headstart.projects import read_rows
from headstart.records import TEST, Table
from headstart.task_types import TASK_TYPES

_READ_AS = {"ordinal": "classification"} | {name: name for name, task in TASK_TYPES.items() if not task.is_ordered}
"""The order of grades stands in the bundle; in the data they are just labels."""


def read_rows_to_score(bundle: Bundle, path: Path, options: EvaluateOptions) -> tuple[Table, Counter[str]]:
    """Read labelled rows, of which those that the model can know are kept.

    Parameters
    ----------
    bundle : Bundle
    path : Path
    options : EvaluateOptions

    Returns
    -------
    Table
        With labels among the bundle's classes, or targets in their order; only test rows where there are some.
    Counter
        The labels that the model does not know, and how many rows bear them.

    Raises
    ------
    DataError
        There are no labels, the model knows none of them, or the data is of another kind.
    """
    table = _read_labelled(bundle, path, options)
    checks.require_labels(table)
    return _select_known_labels(bundle, _select_test_rows(table, path), path, options.merge_labels)


def read_rows_to_evaluate(bundle: Bundle, path: Path, options: EvaluateOptions) -> tuple[Table, Counter[str] | None]:
    """Read rows with labels where there are some, as `read_rows_to_score`; None for the second where there are none.

    A label column that the user named must be there.

    Parameters
    ----------
    bundle : Bundle
    path : Path
    options : EvaluateOptions
    """
    try:
        table = _read_labelled(bundle, path, options)
    except DataError:
        if options.label:
            raise
        unlabelled = _read_unlabelled(bundle, path, options)
        if unlabelled.labels is not None:
            raise
        return unlabelled, None
    if options.label or len(table) == 0 or table.labels is not None or table.targets is not None:
        checks.require_labels(table)
        return _select_known_labels(bundle, _select_test_rows(table, path), path, options.merge_labels)
    return table, None


def _read_labelled(bundle: Bundle, path: Path, options: EvaluateOptions) -> Table:
    names = ("label", "text", "group", "merge_labels", *ColumnOptions.model_fields)
    shared = {name: getattr(options, name) for name in names}
    read_options = parse(ReadOptions, modality=bundle.modality, unlabelled="drop", task=_READ_AS[bundle.task], **shared)
    trained_as = TASK_TYPES.get(bundle.training_facts.task)
    blank = trained_as is not None and trained_as.has_label_sets
    labels = () if TASK_TYPES[bundle.task].is_number else bundle.classes
    table = read_rows(
        path, read_options, bundle.columns, empty_is_none=blank, labels=labels, inputs=bundle.known_input_columns
    )
    report_reading(bundle, table)
    data.require_groups(table, options.group)
    data.require_use(options, table)
    if table.modality != bundle.modality:
        raise DataError(
            f"{path} holds {table.modality} data; the bundle reads {bundle.modality}.", "Give data of that kind."
        )
    return table


def _read_unlabelled(bundle: Bundle, path: Path, options: EvaluateOptions) -> Table:
    table = order_inputs(bundle, [path], options, {}).table
    data.require_groups(table, options.group)
    return table


def _select_test_rows(table: Table, path: Path) -> Table:
    if not (table.splits == TEST).any():
        return table
    progress.say(f"Only the test rows of {path} are scored.")
    return table.select_split(TEST)


def _select_known_labels(bundle: Bundle, table: Table, path: Path, merge: bool) -> tuple[Table, Counter[str]]:
    """Keep what the model knows: rows of its classes, or its labels; gives the others with their numbers of rows."""
    if TASK_TYPES[bundle.task].is_number:
        return table, Counter()
    matched = data.match_labels(replace(table, source=str(path)), bundle.classes, merge)
    if matched.has_no_known_label:
        raise DataError(
            f"The model knows none of the labels in {path} ({matched.name_unknown()}).",
            f"It knows {list_offenders(bundle.classes)}. {matched.hint}",
        )
    describe_reading(matched.table.findings, NAMES)
    if matched.similar:
        progress.warn(
            f"{path}: labels are unknown to the model and differ from its labels only in spelling "
            f"({matched.describe_similar()}). Pass --merge-labels, or write them in the same way."
        )
    unknown_labels = Counter({name: matched.counts[name] for name in matched.unknown})
    spelled = replace(matched.table, source=table.source)
    if table.targets is not None:
        return _reorder_labels(bundle, spelled, path), unknown_labels
    assert spelled.labels is not None
    known = np.asarray([str(label) in bundle.classes for label in spelled.labels], dtype=bool)
    return spelled.take(np.flatnonzero(known)), unknown_labels


def _reorder_labels(bundle: Bundle, table: Table, path: Path) -> Table:
    """Return the table with its labels in the model's order; unknown ones are left out, rows stay."""
    assert table.targets is not None
    place = {name: at for at, name in enumerate(table.target_names)}
    absent = [name for name in bundle.classes if name not in place]
    if absent and any(role.startswith("label ") for role in table.columns):
        raise DataError(
            f"{path} lacks {len(absent)} label columns that the model knows ({list_offenders(absent)}).",
            "Add them, with 0 or 1 in every row.",
        )
    targets = np.zeros((len(table), len(bundle.classes)), dtype=np.float32)
    for at, name in enumerate(bundle.classes):
        if name in place:
            targets[:, at] = table.targets[:, place[name]]
    return replace(table, targets=targets, target_names=bundle.classes)


@dataclass(frozen=True, kw_only=True)
class NewRows:
    """The rows of a table that no model has learnt from.

    Parameters
    ----------
    table : Table
    n_learnt : int
        Rows that were left out.
    n_near_copies : int
        Of these, images that are nearly the same as a training image.
    n_tested : int
        Rows in `table` that were test rows when the model was made.
    """

    table: Table
    n_learnt: int = 0
    n_near_copies: int = 0
    n_tested: int = 0


def leave_out_training_rows(table: Table, bundles: Sequence[Bundle]) -> NewRows:
    """Return the rows that none of the bundles was trained on, and how many others there were.

    A bundle keeps a short hash of the content of each training row; one of an older version keeps none.

    Parameters
    ----------
    table : Table
    bundles : sequence of Bundle

    Raises
    ------
    DataError
        All rows are training rows: a model knows their answers by heart.
    """
    seen = find_seen_rows(table, bundles)
    is_learnt = seen.is_learnt | seen.is_near_copy
    n_learnt = int(is_learnt.sum())
    if n_learnt and n_learnt == len(table):
        many = MODALITIES[table.modality].nouns[1]
        raise DataError(
            f"The model learnt from every one of these {n_learnt:,} {many}, so they cannot show how good it is.",
            f"Give {many} that it has never seen. What it scored on such stands in the report of its run.",
        )
    return NewRows(
        table=table.take(np.flatnonzero(~is_learnt)),
        n_learnt=n_learnt,
        n_near_copies=int(seen.is_near_copy.sum()),
        n_tested=int((seen.was_tested & ~is_learnt).sum()),
    )


@dataclass(frozen=True, kw_only=True)
class RowsSeenBefore:
    """What bundles know of the rows of a table; each field of shape (n_rows,).

    Parameters
    ----------
    is_learnt : NDArray of bool
        The content of a training row.
    is_near_copy : NDArray of bool
        An image that is nearly a training image, and is neither a training row nor a test row itself.
    was_tested : NDArray of bool
        The content of a test row of the training.
    """

    is_learnt: NDArray[np.bool_]
    is_near_copy: NDArray[np.bool_]
    was_tested: NDArray[np.bool_]


def find_seen_rows(table: Table, bundles: Sequence[Bundle]) -> RowsSeenBefore:
    """Return which rows of a table were used when some bundles were made.

    Parameters
    ----------
    table : Table
    bundles : sequence of Bundle
    """
    known = [bundle.seen_rows for bundle in bundles if bundle.seen_rows is not None]
    is_learnt, near, tested = (np.zeros(len(table), dtype=bool) for _ in range(3))
    for seen in known:
        is_learnt |= seen.contains(table.hashes)
        tested |= seen.was_tested_on(table.hashes)
    rows = np.flatnonzero(~(is_learnt | tested))
    if len(rows) and any(len(seen.prints) for seen in known):
        fingerprints = [facts.fingerprint for facts in describe_rows(table.take(rows))]
        for seen in known:
            near[rows] |= find_near_copies(fingerprints, seen.prints)
    return RowsSeenBefore(is_learnt=is_learnt, is_near_copy=near, was_tested=tested)
