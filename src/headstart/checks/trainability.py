"""Faults that make training impossible."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from headstart.data.columns.label_candidates import looks_like_labels
from headstart.data.labels.strata import drop_unlearnable_labels
from headstart.data.settings import SETTINGS as DATA_SETTINGS
from headstart.errors import DataError, list_offenders
from headstart.modalities import MODALITIES
from headstart.records import TEST, Finding, Table
from headstart.results.findings import make_finding


def require_labels(table: Table) -> None:
    """Refuse a table that cannot be scored.

    Parameters
    ----------
    table : Table

    Raises
    ------
    DataError
        No rows, or no labels.
    """
    _refuse(find_no_rows(table) or find_no_labels(table))


def require_trainable(table: Table) -> None:
    """Refuse a table that makes training impossible, with one error for everything.

    Parameters
    ----------
    table : Table

    Raises
    ------
    DataError
        No rows, no labels, fewer than two classes, no label that both applies and does not, numbers that are all equal,
        inputs that are all the same, or series with different numbers of channels.
    """
    require_labels(table)
    _refuse(find_nothing_to_learn(table) or [*find_uneven_channels(table), *find_one_input(table)])


def _refuse(stops: Sequence[Finding]) -> None:
    if stops:
        advice = dict.fromkeys(finding.advice for finding in stops)
        raise DataError(" ".join(finding.summary for finding in stops), " ".join(advice))


def count_training_rows(table: Table) -> Counter[str]:
    """Return the number of training rows of each class.

    Parameters
    ----------
    table : Table
        With labels.
    """
    assert table.labels is not None
    return Counter(table.labels[table.splits != TEST].tolist())


def find_no_rows(table: Table) -> list[Finding]:
    """Return a stop if the table has no rows.

    Parameters
    ----------
    table : Table
    """
    if len(table):
        return []
    reason = f" ({len(table.set_aside)} were set aside: {table.set_aside[0].reason})" if table.set_aside else ""
    return [make_finding("no-rows", f"No rows are left in {table.source}{reason}.")]


def find_no_labels(table: Table) -> list[Finding]:
    """Return a stop if the table has no labels.

    Parameters
    ----------
    table : Table
        With rows.
    """
    if table.labels is not None:
        return []
    others = [*table.columns.values(), *table.metadata]
    columns = f" (columns: {', '.join(others[:20])})" if others else ""
    summary = f"There is no label column in {table.source}{columns}.{_propose_label(table)}"
    return [make_finding("no-labels", summary, advice="images" if MODALITIES[table.modality].has_pixels else "")]


def _propose_label(table: Table) -> str:
    """Return the options that name the columns of few values, of which one may be the label."""
    names = [name for name, values in table.metadata.items() if looks_like_labels(list(map(str, values)))]
    options = [f"--label {shlex.quote(name)}" for name in names]
    if not options:
        return ""
    if len(options) == 1:
        return f" '{names[0]}' holds few different values; if these are the labels, add: {options[0]}"
    return f" Several hold few different values; add the one with the labels: {' or '.join(options[:5])}"


def find_nothing_to_learn(table: Table) -> list[Finding]:
    """Return a stop if the labels of the training rows do not differ.

    Parameters
    ----------
    table : Table
        With labels.
    """
    return _FIND_NOTHING_TO_LEARN[table.task](table)


def _find_too_few_classes(table: Table) -> list[Finding]:
    counts = count_training_rows(table)
    if len(counts) >= 2:
        return []
    classes = f"only one class to learn ({next(iter(counts))})" if counts else "no class to learn"
    return [make_finding("one-class", f"There is {classes}; at least 2 are needed.", advice="classes")]


def _find_no_label_to_learn(table: Table) -> list[Finding]:
    if drop_unlearnable_labels(table).target_names:
        return []
    summary = "No label applies to some rows to learn from and not to all of them."
    return [make_finding("one-class", summary, advice="labels")]


def _find_one_number(table: Table) -> list[Finding]:
    assert table.targets is not None
    values = table.targets[table.splits != TEST, 0]
    if len(values) >= DATA_SETTINGS.min_number_rows and len(np.unique(values)) > 1:
        return []
    least = DATA_SETTINGS.min_number_rows
    rows = f"{len(values)} rows with a number" if len(values) < least else f"only the number {values[0]:g}"
    summary = f"There are {rows} to learn from; at least {least} rows and 2 different numbers are needed."
    return [make_finding("one-class", summary)]


_FIND_NOTHING_TO_LEARN: dict[str, Callable[[Table], list[Finding]]] = {
    "classification": _find_too_few_classes,
    "ordinal": _find_too_few_classes,
    "multi-label": _find_no_label_to_learn,
    "regression": _find_one_number,
}


def find_uneven_channels(table: Table) -> list[Finding]:
    """Return a stop if some series have another number of channels than most.

    Parameters
    ----------
    table : Table
        With labels that differ; else nothing is reported.
    """
    if not MODALITIES[table.modality].has_channels or find_nothing_to_learn(table):
        return []
    n_channels = [len(values) for values in table.inputs]
    usual = Counter(n_channels).most_common(1)[0][0]
    rows = tuple(name for name, n in zip(table.ids, n_channels, strict=True) if n != usual)
    if not rows:
        return []
    summary = (
        f"{len(rows)} of the {len(table)} series have another number of channels than {usual}: {list_offenders(rows)}."
    )
    return [make_finding("uneven-channels", summary, rows)]


def find_one_input(table: Table) -> list[Finding]:
    """Return a stop if all training rows hold the same input.

    Parameters
    ----------
    table : Table
        With labels that differ; else nothing is reported.
    """
    rows = np.flatnonzero(table.splits != TEST)
    if len(rows) < 2 or len(set(table.hashes[rows])) > 1 or find_nothing_to_learn(table):
        return []
    summary = f"All {len(rows)} rows to learn from hold the same input (such as {table.ids[rows[0]]})."
    return [make_finding("one-input", summary, tuple(table.ids[rows]))]
