"""Strata, which are spread evenly over training rows, test rows and folds; and labels too rare to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headstart.data.settings import SETTINGS
from headstart.errors import list_offenders
from headstart.records import TEST, AnyTable, Index, Table
from headstart.results.findings import make_finding
from headstart.task_types import TASK_TYPES


def number_strata(table: Table) -> Index:
    """Return the stratum of each row: its class, its rarest label, or the bin of its number.

    Parameters
    ----------
    table : Table
        With labels.

    Returns
    -------
    Index, shape (n_rows,)
        0 .. n_strata - 1; classes in the order of their names.

    Notes
    -----
    Assigning rows by their rarest label first is the core of iterative stratification (Sechidis, Tsoumakas and
    Vlahavas 2011): frequent labels come out even by themselves.

    Examples
    --------
    Label b is the rarer one, so the row that has both belongs to b; the last row has none:

    >>> from headstart.records import make_column
    >>> marks = np.array([[1, 0], [1, 0], [1, 1], [0, 0]], dtype=np.float32)
    >>> texts = make_column(["", "", "", ""])
    >>> number_strata(Table(modality="text", ids=texts, inputs=texts, hashes=texts, labels=texts, splits=texts,
    ...                     task="multi-label", targets=marks, target_names=("a", "b"))).tolist()
    [1, 1, 2, 0]
    """
    return _STRATA[table.task](table)


def _stratify_by_class(table: Table) -> Index:
    labels = [""] * len(table) if table.labels is None else [str(label) for label in table.labels]
    return np.unique(np.array(labels, dtype=str), return_inverse=True)[1].astype(np.intp)


def _stratify_by_rarest_label(table: Table) -> Index:
    assert table.targets is not None
    label_mask = table.targets == 1
    ranked = np.argsort(label_mask.sum(axis=0), kind="stable")
    first = label_mask[:, ranked].argmax(axis=1)
    rarest = np.where(label_mask.any(axis=1), ranked[first] + 1, 0)
    return np.unique(rarest, return_inverse=True)[1].astype(np.intp)


def _stratify_by_size(table: Table) -> Index:
    """Cut the numbers into up to ten bins of equal size; equal numbers share a bin."""
    assert table.targets is not None
    values = table.targets[:, 0]
    n_bins = int(np.clip(len(values) // SETTINGS.rows_per_bin, 1, SETTINGS.number_bins))
    if len(values) == 0:
        return np.zeros(0, dtype=np.intp)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1].astype(np.intp)


_STRATA: dict[str, Callable[[Table], Index]] = {
    "classification": _stratify_by_class,
    "ordinal": _stratify_by_class,
    "multi-label": _stratify_by_rarest_label,
    "regression": _stratify_by_size,
}


def drop_unlearnable_labels(table: AnyTable) -> AnyTable:
    """Return the table without labels that no training row has, or all of them; a finding names them.

    Parameters
    ----------
    table : AnyTable
        Of a task other than "multi-label" it is returned unchanged. Rows always stay.
    """
    if not TASK_TYPES[table.task].has_label_sets or table.targets is None:
        return table
    train = table.targets[table.splits != TEST]
    counts = (train == 1).sum(axis=0)
    rare, always = counts < SETTINGS.min_label_rows, (counts == len(train)) & (counts >= SETTINGS.min_label_rows)
    if not (rare | always).any():
        return table
    findings = table.findings
    for which, why in (
        (rare, "apply to no row to learn from"),
        (always, "apply to every row"),
    ):
        out = [name for name, left_out in zip(table.target_names, which, strict=True) if left_out]
        if out:
            summary = f"Labels that {why} are left out: {list_offenders(out)}."
            findings += (make_finding("label-left-out", summary),)
    retained = np.flatnonzero(~(rare | always))
    names = tuple(table.target_names[at] for at in retained)
    return replace(table, targets=table.targets[:, retained], target_names=names, findings=findings)
