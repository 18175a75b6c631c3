"""Choose the rows that the report shows one by one: test rows by outcome, and a few examples of each class."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import chain, zip_longest

import numpy as np

from headstart.evaluation import Truth
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.inference.answer_tables import format_truth
from headstart.flow.inference.answers import Answer, make_answers
from headstart.flow.run_records import AdaptedRun, Prepared
from headstart.records import Index, Table
from headstart.results import GroupColumn
from headstart.results.report_rows import Outcome, ReportRow, ReportRows
from headstart.strategies.record import StrategyRows
from headstart.task_types import TASK_TYPES

_OUTCOMES: tuple[Outcome, ...] = ("wrong", "not_answered", "right")
"""In the order in which they are shown."""


def gather_report_rows(run: AdaptedRun, groups: Sequence[GroupColumn]) -> ReportRows:
    """Return the rows of gallery and map, and the ids of a few examples of each class.

    Parameters
    ----------
    run : AdaptedRun
    groups : sequence of GroupColumn
        The columns that were compared.
    """
    columns = [part.column for part in groups]
    test_rows = _list_test_rows(run, columns)
    gallery = choose_gallery(test_rows, SETTINGS.gallery_rows)
    chosen = {row.id for row in gallery}
    examples = choose_examples(run)
    others = [row for row in test_rows if row.id not in chosen]
    n_places = SETTINGS.map_rows - len(test_rows)
    training = _list_training_rows(run.prepared, columns, set(chain.from_iterable(examples.values())), n_places)
    counts = {name: sum(row.outcome == name for row in test_rows) for name in _OUTCOMES}
    return ReportRows(
        rows=[*gallery, *others, *training][: SETTINGS.map_rows],
        n_test=len(test_rows),
        n_shown=len(gallery),
        n_outcomes=counts if any(counts.values()) else {},
        examples=examples,
    )


def choose_gallery(rows: Sequence[ReportRow], n_most: int) -> list[ReportRow]:
    """Choose test rows to show: wrong ones first, then those without an answer, then a draw of the right ones.

    Wrong rows are taken from all pairs of classes in turn, the surest first; the others from all classes in turn.

    Parameters
    ----------
    rows : sequence of ReportRow
        All test rows.
    n_most : int

    Examples
    --------
    >>> rows = [
    ...     ReportRow(id=str(at), split="test", true="a", predicted="b", outcome=name, probability=at / 10)
    ...     for at, name in enumerate(("right", "wrong", "wrong", "not_answered"))
    ... ]
    >>> [row.id for row in choose_gallery(rows, 3)]
    ['2', '1', '3']
    """
    if all(row.outcome is None for row in rows):
        return sorted(rows, key=lambda row: -(row.error or 0.0))[:n_most]
    parts = [_order_rows([row for row in rows if row.outcome == name], name) for name in _OUTCOMES]
    places = share_places([len(part) for part in parts], SETTINGS.gallery_shares, n_most)
    return list(chain.from_iterable(part[:n] for part, n in zip(parts, places, strict=True)))


def share_places(counts: Sequence[int], shares: Sequence[float], n_places: int) -> list[int]:
    """Share places between parts: each gets its share at most, and what is left over goes to the first in need.

    Parameters
    ----------
    counts : sequence of int
        What each part could use.
    shares : sequence of float
        Share (0-1) of each part.
    n_places : int

    Examples
    --------
    >>> share_places([90, 10, 400], (0.5, 0.25, 0.25), 140)
    [90, 10, 40]
    """
    places = [min(count, int(share * n_places)) for count, share in zip(counts, shares, strict=True)]
    for part, count in enumerate(counts):
        places[part] = min(count, places[part] + n_places - sum(places))
    return places


def _order_rows(rows: Sequence[ReportRow], outcome: Outcome) -> list[ReportRow]:
    """Take rows of all classes (wrong ones: of all pairs of classes) in turn."""
    groups: dict[tuple[str, str], list[ReportRow]] = defaultdict(list)
    for row in sorted(rows, key=(lambda row: _draw(row.id)) if outcome == "right" else _rank):
        groups[row.true, row.predicted if outcome == "wrong" else ""].append(row)
    turns = zip_longest(*(groups[name] for name in sorted(groups, key=lambda name: (-len(groups[name]), name))))
    return [row for turn in turns for row in turn if row is not None]


def _rank(row: ReportRow) -> tuple[float, float, str]:
    return -(row.probability or 0.0), -(row.error or 0.0), row.id


def _draw(name: str) -> str:
    """Return a key that orders rows as if by chance, and always alike."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def choose_examples(run: AdaptedRun) -> dict[str, list[str]]:
    """Return ids of a few training rows of each class or label: from the middle of the class, and no copies.

    Parameters
    ----------
    run : AdaptedRun
    """
    train, task = run.prepared.train, run.prepared.task
    kind, classes = TASK_TYPES[task.kind], task.classes
    if kind.is_number or len(classes) > SETTINGS.example_classes:
        return {}
    doubted = {item.id for item in run.checks.label_errors}
    per_class = max(1, min(SETTINGS.examples_per_class, SETTINGS.example_rows // len(classes)))
    usable = np.array([str(name) not in doubted for name in train.table.ids], dtype=bool)
    examples = {}
    for at, name in enumerate(classes):
        members = np.flatnonzero(task.codes == at if task.truth is None else task.truth[:, at] == 1)
        places = _order_by_typicality(train, members[usable[members]] if usable[members].any() else members)
        examples[name] = [str(train.table.ids[row]) for row in _spread(_skip_copies(train.table, places), per_class)]
    return {name: ids for name, ids in examples.items() if ids}


def _order_by_typicality(train: StrategyRows, members: Index) -> Index:
    """Order rows of one class by their distance from its centre; as they are where there are no features."""
    if train.features is None or len(members) < 2:
        return members
    values = train.features.final[members].astype(np.float64)
    distances = np.linalg.norm(values - values.mean(axis=0), axis=1)
    return members[np.argsort(np.round(distances, 6), kind="stable")]


def _skip_copies(table: Table, places: Index) -> Index:
    """Leave out rows whose content, or whose set of near-duplicates, came before."""
    seen: set[str] = set()
    distinct = []
    for row in places:
        group = "" if table.near_duplicate_groups is None else str(table.near_duplicate_groups[row])
        names = {f"hash {table.hashes[row]}", *([f"group {group}"] if group else [])}
        if not names & seen:
            distinct.append(row)
        seen |= names
    return np.asarray(distinct, dtype=np.intp)


def _spread(places: Index, n: int) -> Index:
    """Take `n` rows from the more typical half: the first, and others at even steps."""
    half = places[: max(n, len(places) // 2)]
    return half[np.unique(np.linspace(0, max(len(half) - 1, 0), min(n, len(half))).astype(np.intp))]


def _list_training_rows(
    prepared: Prepared, columns: Sequence[str], first: Collection[str], n_most: int
) -> list[ReportRow]:
    """List training rows: the examples, then others drawn as if by chance."""
    table, task = prepared.train.table, prepared.task
    labels = format_truth(task.codes if task.truth is None else task.truth, task.classes, task.kind)
    names = [str(name) for name in table.ids]
    order = sorted(range(len(names)), key=lambda at: (names[at] not in first, _draw(names[at])))
    groups = _read_groups(prepared, columns, table)
    return [
        ReportRow(id=names[at], split="train", true=labels[at], groups=groups[at]) for at in order[: max(n_most, 0)]
    ]


def _read_groups(prepared: Prepared, columns: Sequence[str], table: Table) -> list[dict[str, str]]:
    """Return the values of the compared columns for each row of a part of the table, in its order."""
    rows = np.flatnonzero(np.isin(prepared.table.ids, table.ids))
    values_by_name = {item.name: item.values[rows] for item in prepared.compared.columns if item.name in columns}
    return [{name: str(values[at]) for name, values in values_by_name.items()} for at in range(len(rows))]


def _list_test_rows(run: AdaptedRun, columns: Sequence[str]) -> list[ReportRow]:
    """List all test rows with the answers of the chosen model, in the order of the data."""
    predictions, decisions = run.scores.predictions.get(run.strategies.chosen), run.decided.decisions
    if predictions is None or decisions is None:
        return []
    truth, groups = run.prepared.truth, _read_groups(run.prepared, columns, run.prepared.test.table)
    labels = format_truth(truth, predictions.classes, predictions.task)
    single, is_number = TASK_TYPES[predictions.task].has_one_class, TASK_TYPES[predictions.task].is_number
    rows = []
    for at, answer in enumerate(make_answers(predictions, decisions)):
        second = answer.top[1:2] if single else []
        rows.append(
            ReportRow(
                id=str(predictions.ids[at]),
                split="test",
                true=labels[at],
                predicted=answer.predicted,
                second=second[0][0] if second else "",
                probability=answer.top[0][1] if single else None,
                outcome=None if is_number else _judge(answer, labels[at]),
                error=None if single else _measure_error(answer, truth[at]),
                groups=groups[at],
            )
        )
    return rows


def _judge(answer: Answer, label: str) -> Outcome:
    if answer.outcome != "answered":
        return "not_answered"
    return "right" if answer.text == label else "wrong"


def _measure_error(answer: Answer, truth: Truth) -> float:
    """Return the absolute error of a number, or how many labels are wrong."""
    if answer.value is not None:
        return abs(answer.value - float(truth[0]))
    return float(len({answer.classes[at] for at in np.flatnonzero(truth == 1)} ^ set(answer.labels)))
