"""Labels that are hard to learn or may be mistakes: small classes, missing values, extreme numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from headstart.checks.record import list_ids
from headstart.checks.settings import SETTINGS
from headstart.checks.trainability import count_training_rows
from headstart.data.labels.label_numbers import parse_numbers
from headstart.data.settings import SETTINGS as DATA_SETTINGS
from headstart.errors import list_offenders
from headstart.records import TEST, Finding, Table
from headstart.results.findings import make_finding
from headstart.task_types import TASK_TYPES

_MISSING_WORDS = frozenset(("na", "n/a", "nan", "null", "none", "?", "-"))


def report_missing_words(table: Table) -> list[Finding]:
    """Report classes whose name is a word for a missing value.

    Parameters
    ----------
    table : Table
        With labels.
    """
    if not TASK_TYPES[table.task].has_one_class:
        return []
    assert table.labels is not None
    labels = table.labels.tolist()
    counts = Counter(labels)
    words = sorted(label for label in counts if label.strip().casefold() in _MISSING_WORDS)
    if not words:
        return []
    rows = tuple(name for name, label in zip(table.ids, labels, strict=True) if label in words)
    named = list_offenders([f"'{word}' ({counts[word]} row{'s' * (counts[word] > 1)})" for word in words])
    summary = f"These classes may stand for a missing label: {named}."
    return [make_finding("missing-labels", summary, rows)]


def report_single_row_classes(table: Table) -> list[Finding]:
    """Report classes with one training row: they are learnt, but cannot be scored.

    Parameters
    ----------
    table : Table
        With labels.
    """
    if not TASK_TYPES[table.task].has_one_class:
        return []
    assert table.labels is not None
    counts = count_training_rows(table)
    single = sorted(label for label, count in counts.items() if count < DATA_SETTINGS.min_class_rows)
    if not single:
        return []
    names = set(single)
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in names)
    have = "1 class has" if len(single) == 1 else f"{len(single)} classes have"
    summary = f"{have} a single row to learn from: {list_offenders(single)}."
    is_most_rows = len(single) >= DATA_SETTINGS.min_number_rows and 2 * len(single) > int((table.splits != TEST).sum())
    is_number = (
        len(single) >= DATA_SETTINGS.min_number_rows and len(single) == len(counts) and not parse_numbers(single)[1]
    )
    keys = {(True, True): "most-rows-numbers", (True, False): "most-rows", (False, True): "numbers"}
    advice = keys.get((is_most_rows, is_number), "")
    return [make_finding("single-row-class", summary, rows, advice=advice)]


def report_small_classes(table: Table) -> list[Finding]:
    """Report classes, or labels of a multi-label task, with few training rows.

    Parameters
    ----------
    table : Table
        With labels.
    """
    return _REPORT_SMALL_CLASSES[table.task](table)


def _report_small_classes(table: Table) -> list[Finding]:
    assert table.labels is not None
    counts = count_training_rows(table)
    few = {
        label: count
        for label, count in counts.items()
        if DATA_SETTINGS.min_class_rows <= count < SETTINGS.small_class_rows
    }
    if not few:
        return []
    named = list_offenders([f"{label}: {count}" for label, count in sorted(few.items(), key=lambda item: item[1])])
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in few)
    have = "1 class has" if len(few) == 1 else f"{len(few)} classes have"
    return [
        make_finding("small-class", f"{have} fewer than {SETTINGS.small_class_rows} training rows ({named}).", rows)
    ]


def _report_small_labels(table: Table) -> list[Finding]:
    assert table.targets is not None
    counts = (table.targets[table.splits != TEST] == 1).sum(axis=0)
    few = sorted(
        (int(n), name)
        for name, n in zip(table.target_names, counts, strict=True)
        if DATA_SETTINGS.min_label_rows <= n < SETTINGS.small_class_rows
    )
    if not few:
        return []
    named = list_offenders([f"{name}: {n}" for n, name in few])
    apply = "1 label applies" if len(few) == 1 else f"{len(few)} labels apply"
    return [make_finding("small-class", f"{apply} to fewer than {SETTINGS.small_class_rows} training rows ({named}).")]


def _report_nothing(table: Table) -> list[Finding]:
    return []


_REPORT_SMALL_CLASSES: dict[str, Callable[[Table], list[Finding]]] = {
    "classification": _report_small_classes,
    "ordinal": _report_small_classes,
    "multi-label": _report_small_labels,
    "regression": _report_nothing,
}


def report_imbalance(table: Table) -> list[Finding]:
    """Report classes of very different size.

    Parameters
    ----------
    table : Table
        With labels.
    """
    counts = count_training_rows(table)
    if not TASK_TYPES[table.task].has_one_class or len(counts) < 2:
        return []
    (large, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
    if most < SETTINGS.imbalance_ratio * least:
        return []
    summary = f"The classes are uneven: {most} training rows of {large}, {least} of {small}."
    return [make_finding("imbalance", summary)]


def report_extreme_numbers(table: Table) -> list[Finding]:
    """Report numbers far from all others: often a code for a missing value, or a slip.

    Parameters
    ----------
    table : Table
        With labels.
    """
    if not TASK_TYPES[table.task].is_number:
        return []
    assert table.targets is not None
    values = table.targets[:, 0]
    low, high = np.quantile(values, [0.25, 0.75])
    far = np.flatnonzero(np.maximum(low - values, values - high) > SETTINGS.far_quartiles * (high - low))
    if high == low or len(far) == 0 or len(far) > SETTINGS.max_far_share * len(values):
        return []
    rows = list_ids(table, far.tolist())
    lie = "1 number lies" if len(far) == 1 else f"{len(far)} numbers lie"
    summary = f"{lie} far from all others (such as {values[far[0]]:g} in {rows[0]})."
    return [make_finding("extreme-number", summary, rows, severity="note")]
