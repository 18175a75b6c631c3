"""Classes that may be something else: measured numbers, or several labels in one cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from headstart.data.columns.cells import is_missing
from headstart.data.columns.written_numbers import is_comma_doubtful
from headstart.data.labels import label_cells
from headstart.data.labels.label_numbers import is_quantity, parse_numbers
from headstart.data.settings import SETTINGS
from headstart.records import Finding
from headstart.results.findings import make_finding


def find_class_doubts(
    called: str, labels: Sequence[str], ids: Sequence[str], cells: Sequence[str]
) -> tuple[Finding, ...]:
    """Report classes that may be numbers, or several labels in one cell.

    Parameters
    ----------
    called : str
        Name of the label column as messages write it.
    labels, ids : sequence of str, shape (n_rows,)
    cells : sequence of str
        Labels of usable rows that are not empty.
    """
    written = sorted(set(cells))
    numbers = [label for label in written if not is_missing(label)]
    if len(written) > SETTINGS.few_numbers and is_comma_doubtful(numbers):
        example = next(label for label in numbers if "," in label)
        whole, cut = example.replace(",", ""), example.replace(",", ".")
        summary = (
            f"{called} holds {len(written)} different numbers such as {example}, which may be {whole} or {cut}: "
            "they are read as classes."
        )
        return (make_finding("task", summary, severity="warn", advice="decimal-comma", whole=whole, cut=cut),)
    if len(written) > SETTINGS.many_numbers and not parse_numbers(written)[1]:
        summary = f"{called} holds {len(written)} different numbers, which are read as classes."
        return (make_finding("task", summary, advice="numbers"),)
    return _report_measured_numbers(called, cells, written) or _report_composite_classes(labels, ids, written)


def _report_measured_numbers(called: str, cells: Sequence[str], classes: Sequence[str]) -> tuple[Finding, ...]:
    """Report classes that are numbers with a unit or a sign, such as "12 kg"."""
    matched = [_MEASURE.fullmatch(label) for label in cells]
    values = np.array([float(one[1].replace(",", "")) for one in matched if one is not None])
    if len(classes) < SETTINGS.few_numbers or 2 * len(values) < len(matched) or not is_quantity(values):
        return ()
    example = next(one[0] for one in matched if one is not None)
    summary = (
        f"{called} holds {len(classes)} different texts that look like measured numbers, such as '{example}': they "
        "are read as classes."
    )
    return (make_finding("task", summary, severity="warn", advice="units"),)


_MEASURE = re.compile(r"[<>~≤≥(]?\s*[-+]?(\d+(?:,\d{3})*(?:\.\d+)?)\s*[^\W\d_]{0,6}[²³)]?(?:/[^\W\d_]{1,4}[²³]?)?")
"""A number with a unit, a bracket or a sign of comparison."""


def _report_composite_classes(labels: Sequence[str], ids: Sequence[str], classes: Sequence[str]) -> tuple[Finding, ...]:
    parts_of_class = label_cells.find_composite_classes(classes)
    if not parts_of_class:
        return ()
    rows = tuple(name for name, label in zip(ids, labels, strict=True) if label.strip() in parts_of_class)
    first, parts = next(iter(parts_of_class.items()))
    are = "1 class looks" if len(parts_of_class) == 1 else f"{len(parts_of_class)} classes look"
    plain = len(parts_of_class) > 1 or any(
        mark in name for mark in label_cells.REQUESTED_SEPARATORS for name in parts_of_class
    )
    summary = f"{are} like several labels in one cell: '{first}', where {' and '.join(map(repr, parts))} stand alone."
    return (make_finding("composite-class", summary, rows, severity="warn" if plain else "note"),)
