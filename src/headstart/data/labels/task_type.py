"""The task of labels: classes, several labels a row, numbers or grades; inferred from the labels, or as the user says.

A finding with the code `task` reports what was inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing
from headstart.data.columns.one_hot import NO, YES, read_one_hot_classes
from headstart.data.columns.written_numbers import find_possible_thousands, read_amounts
from headstart.data.labels import label_cells
from headstart.data.labels.label_cells import LabelFormat
from headstart.data.labels.label_doubts import find_class_doubts
from headstart.data.labels.label_numbers import is_quantity, parse_numbers
from headstart.errors import DataError, OptionError, list_offenders
from headstart.records import Finding, FloatMatrix
from headstart.results.findings import make_finding
from headstart.spellings import fold_label, match_names
from headstart.task_types import OWN_FLOWS

_FIRST_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class LabelSpec:
    """The labels that are expected, from options and from other data.

    Parameters
    ----------
    task : str
        "auto" or one of `headstart.task_types.TASK_TYPES`.
    order : tuple of str
        Grades, the lowest first.
    empty_is_none : bool
        Whether an empty cell means that no label applies.
    known : tuple of str
        Labels of the training data: cells are cut into these.
    merge : bool
        Whether a grade in another spelling is accepted.
    """

    task: str = "classification"
    order: tuple[str, ...] = ()
    empty_is_none: bool = False
    known: tuple[str, ...] = ()
    merge: bool = False


@dataclass(frozen=True, kw_only=True)
class RawLabels:
    """Labels as they are written in the data.

    Parameters
    ----------
    labels : list of str, shape (n_rows,)
    ids : list of str, shape (n_rows,)
    usable : bool array, shape (n_rows,)
        Rows whose input can be read; the others are ignored.
    indicator_columns : mapping of str to list of str, each of shape (n_rows,)
        Columns of 0 and 1, one per label; empty unless the labels are written so.
    column : str
        Name of the label column; empty where folders are the classes.
    """

    labels: list[str]
    ids: list[str]
    usable: NDArray[np.bool_]
    indicator_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    column: str = ""

    @property
    def display_name(self) -> str:
        """Return the name of the label column as messages write it."""
        return f"'{self.column}'" if self.column else "The label"

    def non_empty_labels(self) -> list[str]:
        """Return the labels of usable rows that are not empty."""
        return [label.strip() for label, good in zip(self.labels, self.usable, strict=True) if good and label.strip()]


@dataclass(frozen=True, kw_only=True)
class ParsedLabels:
    """Labels as they were parsed; `missing` (n_rows,) marks rows without a label (see `Table` for the other fields)."""

    task: str
    labels: list[str]
    missing: NDArray[np.bool_]
    targets: FloatMatrix | None = None
    names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def parse_labels(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    """Parse labels as the task asks; infer the task first where the user leaves it open.

    Parameters
    ----------
    raw : RawLabels
    spec : LabelSpec

    Returns
    -------
    ParsedLabels

    Raises
    ------
    DataError
        Labels that do not fit the task; names the rows.
    OptionError
        Several label columns for a task that has one.
    """
    if spec.task in OWN_FLOWS:
        raise OptionError(
            f"--task {spec.task} is not for rows with one label column.",
            "Give marked texts to adapt, predict or check: CoNLL, JSONL, or an export of Doccano or Label Studio.",
        )
    if raw.indicator_columns and spec.task == "classification":
        labels = read_one_hot_classes(raw.indicator_columns, raw.ids, raw.usable)
        raw = replace(raw, labels=labels, indicator_columns={})
    if raw.indicator_columns and spec.task not in {"auto", "multi-label"}:
        columns = list_offenders(list(raw.indicator_columns))
        problem = f"--task {spec.task} takes one label column, but several were named ({columns})."
        raise OptionError(problem, "Name one with --label, or pass --task multi-label.")
    unwrapped = _unwrap_single_lists(raw) if spec.task != "multi-label" else raw
    task = infer_task(unwrapped, spec) if spec.task == "auto" else spec.task
    parsed = _READ[task](unwrapped, spec)
    if unwrapped is raw:
        return parsed
    summary = f"{raw.display_name} holds lists of one label each, which are read without their brackets."
    note = make_finding("task", summary, advice="lists")
    return replace(parsed, findings=(*parsed.findings, note))


def _unwrap_single_lists(raw: RawLabels) -> RawLabels:
    """Return labels without their brackets where every row holds a list of exactly one label."""
    written = raw.non_empty_labels()
    if (
        raw.indicator_columns
        or not label_cells.contains_lists(written)
        or not label_cells.are_single_item_lists(written)
    ):
        return raw
    cells = [label_cells.parse_list(label) for label in raw.labels]
    labels = [label if cell is None else "".join(cell.items) for cell, label in zip(cells, raw.labels, strict=True)]
    return replace(raw, labels=["" if label.strip() in label_cells.MISSING else label for label in labels])


def infer_task(raw: RawLabels, spec: LabelSpec) -> str:
    """Return the task that the labels are written for.

    Folders are classes. Numbers are a quantity where they could hardly be classes: most of at least ten different
    values stand in one row only, or there are more than 20 with decimals among them. Several labels a row are seen
    only where splitting makes the vocabulary smaller: "rust; severe" in every third row is one class.

    Examples
    --------
    >>> def infer(labels):
    ...     ids, usable = [""] * len(labels), np.ones(len(labels), dtype=bool)
    ...     return infer_task(RawLabels(labels=labels, ids=ids, usable=usable, column="y"), LabelSpec(task="auto"))
    >>> numbers = [f"{n / 7:.3f}" for n in range(30)]
    >>> infer(["1", "2", "3"] * 5), infer(numbers), infer(["a", "b", "c", "a;b", "a;c", "b;c"])
    ('classification', 'regression', 'multi-label')
    """
    if raw.indicator_columns:
        return "multi-label"
    if spec.order:
        return "ordinal"
    if not raw.column:
        return "classification"
    written = raw.non_empty_labels()
    if label_cells.contains_lists(written):
        return "multi-label"
    numbers, bad = parse_numbers(written)
    if not bad:
        return "regression" if is_quantity(numbers[np.isfinite(numbers)]) else "classification"
    return "multi-label" if label_cells.find_separator(written) else "classification"


def _find_blank_rows(raw: RawLabels) -> NDArray[np.bool_]:
    return np.array([not label.strip() for label in raw.labels], dtype=bool)


def _parse_classes(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    is_inferred = bool(raw.column) and spec.task == "auto"
    findings = find_class_doubts(raw.display_name, raw.labels, raw.ids, raw.non_empty_labels()) if is_inferred else ()
    return ParsedLabels(task="classification", labels=raw.labels, missing=_find_blank_rows(raw), findings=findings)


def _parse_numbers(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    numbers, bad = parse_numbers(raw.labels)
    named = [f"{raw.ids[row]}: {raw.labels[row][:20]!r}" for row in bad if raw.usable[row]]
    if named:
        is_none = "label is no number" if len(named) == 1 else "labels are no numbers"
        raise DataError(
            f"{len(named)} {is_none} ({list_offenders(named)}).",
            "Correct them (write 1234.5), name another column with --label, or pass --task classification.",
        )
    name = raw.column or "value"
    findings: tuple[Finding, ...] = ()
    example = read_amounts([label for label in raw.non_empty_labels() if not is_missing(label)]).example
    read_as = (
        f" ({example} is read as {parse_numbers([*raw.non_empty_labels(), example])[0][-1]:.12g})" if example else ""
    )
    if spec.task == "auto" or example:
        summary = f"'{name}' is read as a number: regression{read_as}."
        findings = (make_finding("task", summary, advice="number"),)
    doubtful = find_possible_thousands(raw.non_empty_labels())
    if doubtful:
        value = parse_numbers([*raw.non_empty_labels(), doubtful])[0][-1]
        summary = f"'{name}' holds numbers such as {doubtful} beside whole ones: it was read as {value:g}."
        findings += (
            make_finding("task", summary, severity="warn", advice="thousands", number=re.sub("[.,]", "", doubtful)),
        )
    missing = ~np.isfinite(numbers)
    return ParsedLabels(
        task="regression",
        labels=raw.labels,
        missing=missing,
        targets=numbers[:, None].astype(np.float32),
        names=(name,),
        findings=findings,
    )


def _parse_grades(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    written = raw.non_empty_labels()
    spelled = match_names(spec.order, list(dict.fromkeys(written)), merge=True).renamed
    grades = order_grades(set(written), tuple(spelled.get(grade, grade) for grade in spec.order))
    matches = match_names(written, grades, spec.merge)
    labels = [matches.renamed.get(label.strip(), label) for label in raw.labels]
    known = set(grades)
    bad_rows = [row for row, label in enumerate(labels) if raw.usable[row] and label.strip() and label not in known]
    if bad_rows:
        named = list_offenders([f"{raw.ids[row]}: {raw.labels[row][:40]!r}" for row in bad_rows])
        have = "1 row has a grade" if len(bad_rows) == 1 else f"{len(bad_rows)} rows have grades"
        spelling = " Pass --merge-labels if only the spelling differs." if matches.similar else ""
        raise DataError(
            f"{have} that --order does not name ({named}).", f"Name every grade, the lowest first.{spelling}"
        )
    present_grades = tuple(grade for grade in grades if grade in set(labels))
    order = " < ".join(present_grades[:20]) + (" ..." if len(present_grades) > 20 else "")
    summary = f"{raw.display_name} holds grades, lowest first: {order}."
    findings = (make_finding("task", summary, advice="grades"),)
    return ParsedLabels(
        task="ordinal", labels=labels, missing=_find_blank_rows(raw), names=present_grades, findings=findings
    )


def order_grades(grades: set[str], order: tuple[str, ...]) -> tuple[str, ...]:
    """Return grades from the lowest to the highest: in the order of the user, else by the first number in each.

    Parameters
    ----------
    grades : set of str
    order : tuple of str
        Lowest first; empty where the user gives none.

    Raises
    ------
    DataError
        Their order is not known.

    Examples
    --------
    >>> order_grades({"10", "2", "1"}, ()), order_grades({"aged 20-39", "aged 5-19"}, ())
    (('1', '2', '10'), ('aged 5-19', 'aged 20-39'))
    """
    if order:
        return order
    numbers, bad = parse_numbers(sorted(grades))
    if not bad and np.isfinite(numbers).all():
        return tuple(np.array(sorted(grades), dtype=object)[np.argsort(numbers, kind="stable")])
    first = {grade: _FIRST_NUMBER.search(grade) for grade in grades}
    ranks = {grade: float(match[0]) for grade, match in first.items() if match}
    if len(ranks) < len(grades) or len(set(ranks.values())) < len(grades):
        grade_names = list_offenders(sorted(grades))
        raise DataError(
            f"The order of the grades is not known ({grade_names}).",
            "Give it, the lowest first: --order low,medium,high.",
        )
    return tuple(sorted(grades, key=lambda grade: ranks[grade]))


def _parse_multilabel(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    return _parse_indicator_columns(raw) if raw.indicator_columns else _parse_combined_cells(raw, spec)


def _parse_combined_cells(raw: RawLabels, spec: LabelSpec) -> ParsedLabels:
    """Parse one column such as "water;food"; an empty cell means "no label" only if the spec says so."""
    label_format = _detect_label_format(raw.non_empty_labels(), spec)
    sets = [label_format.split_cell(label) for label in raw.labels]
    good = [labels for labels, usable in zip(sets, raw.usable, strict=True) if usable]
    names = tuple(sorted(frozenset().union(*good)))
    blank = _find_blank_rows(raw) | np.array(
        [label_format.holds_lists and label.strip() in label_cells.MISSING for label in raw.labels]
    )
    empty = np.zeros(len(sets), dtype=bool) if spec.empty_is_none else blank
    targets = make_label_mask(sets, names)
    targets[empty] = np.nan
    description = (
        "lists of labels"
        if label_format.holds_lists
        else f"several labels a row, separated by {label_format.separator!r}"
    )
    summary = f"{raw.display_name} holds {description}: multi-label ({len(names)} labels)."
    findings = (make_finding("task", summary, advice="one-class-each"),)
    labels = [";".join(sorted(labels)) for labels in sets] if label_format.holds_lists else raw.labels
    return ParsedLabels(
        task="multi-label", labels=labels, missing=empty, targets=targets, names=names, findings=findings
    )


def _detect_label_format(labels: Sequence[str], spec: LabelSpec) -> LabelFormat:
    """Return how a column writes several labels in one cell."""
    known = {fold_label(name): name for name in spec.known}
    lists = label_cells.contains_lists(labels)
    others = [cell for cell in labels if label_cells.parse_list(cell) is None] if lists else labels
    if spec.task == "auto":
        separator = (None if lists else label_cells.find_separator(labels)) or ""
    else:
        separator = "" if lists and not known else label_cells.choose_separator(others, known)
    return LabelFormat(lists, separator, known)


def make_label_mask(sets: Sequence[frozenset[str]], names: Sequence[str]) -> FloatMatrix:
    """Return 1 where a row has a label, else 0: (n_rows, n_labels)."""
    place = {name: at for at, name in enumerate(names)}
    label_mask = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, labels in enumerate(sets):
        label_mask[row, [place[name] for name in labels if name in place]] = 1.0
    return label_mask


def count_indicator_values(values: Sequence[str]) -> int:
    """Return how many indicator values (0/1, false/true, empty/x) a column holds; 0 if it holds anything else."""
    values_seen = {value.strip().removesuffix(".0").casefold() for value in values}
    pairs = ({"0", "1"}, {"false", "true"}, {"", "x"}, {"", "✓"})
    return next((len(values_seen) for pair in pairs if values_seen <= pair and values_seen != {""}), 0)


def _parse_indicator_columns(raw: RawLabels) -> ParsedLabels:
    """Parse one column of 0 and 1 per label; in a column that holds ones only, an empty cell is 0."""
    columns, bad = [], []
    for name, values in raw.indicator_columns.items():
        words = [value.strip().casefold() for value in values]
        empty = 0.0 if NO.isdisjoint(words) else np.nan
        indicators = np.array([1.0 if w in YES else 0.0 if w in NO else empty if not w else np.inf for w in words])
        bad += [
            f"{raw.ids[row]}, {name}: {values[row][:20]!r}" for row in np.flatnonzero(np.isinf(indicators) & raw.usable)
        ]
        columns.append(indicators)
    if bad:
        is_none = "1 cell of the label columns is" if len(bad) == 1 else f"{len(bad)} cells of the label columns are"
        raise DataError(
            f"{is_none} neither 0 nor 1 ({list_offenders(bad)}).",
            "Correct them, or leave out the columns that are not labels.",
        )
    targets = np.column_stack(columns).astype(np.float32)
    names = tuple(raw.indicator_columns)
    labels = [";".join(np.array(names, dtype=object)[row == 1]) for row in targets]
    one_each = len(targets) > 0 and bool(((targets == 1).sum(axis=1) == 1).all())
    summary = f"Each of {len(names)} columns is read as a label of its own: multi-label ({list_offenders(names)})."
    advice = "one-hot" if one_each else "label-columns"
    findings = (make_finding("task", summary, advice=advice, names=",".join(names)),)
    missing = np.asarray(np.isnan(targets).any(axis=1), dtype=bool)
    return ParsedLabels(
        task="multi-label", labels=labels, missing=missing, targets=targets, names=names, findings=findings
    )


_READ: dict[str, Callable[[RawLabels, LabelSpec], ParsedLabels]] = {
    "classification": _parse_classes,
    "multi-label": _parse_multilabel,
    "regression": _parse_numbers,
    "ordinal": _parse_grades,
}
