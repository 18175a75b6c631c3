"""What labels are: one class, several labels, a number or a grade. Found out from how they are written, or as the
user says; what was found out is told in a finding of the kind `task`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing
from headstart.data.columns.one_hot import NO, YES, classes_of_marks
from headstart.data.columns.written_numbers import may_be_thousands, read_amounts
from headstart.data.labels import label_cells
from headstart.data.labels.label_cells import Writing
from headstart.data.labels.label_doubts import find_class_doubts
from headstart.data.labels.label_numbers import is_quantity, numbers_of
from headstart.errors import DataError, OptionError, offenders
from headstart.records import Finding, FloatMatrix
from headstart.spellings import fold, match_names

_FIRST_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is known about the labels before they are read.

    Parameters
    ----------
    task : str
        "auto" or one of `headstart.records.TASKS`.
    order : tuple of str
        Grades, the lowest first.
    empty_is_none : bool
        Whether an empty cell says that no label applies.
    known : tuple of str
        Labels of the data that a model learns or learnt from: cells are taken apart into these.
    merge : bool
        Whether a grade in another spelling is the grade.
    """

    task: str = "classification"
    order: tuple[str, ...] = ()
    empty_is_none: bool = False
    known: tuple[str, ...] = ()
    merge: bool = False


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Labels as they were written.

    Parameters
    ----------
    labels : list of str, shape (n_rows,)
    ids : list of str, shape (n_rows,)
    usable : bool array, shape (n_rows,)
        Rows whose input can be read; the others are not looked at.
    marks : mapping of str to list of str, each of shape (n_rows,)
        Columns of 0 and 1, one a label, where the labels are written so.
    column : str
        Name of the label column; empty where folders say the class.
    """

    labels: list[str]
    ids: list[str]
    usable: NDArray[np.bool_]
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    column: str = ""

    @property
    def called(self) -> str:
        """The label column as messages name it."""
        return f"'{self.column}'" if self.column else "The label"

    def written(self) -> list[str]:
        """Give the labels that say something, of the usable rows."""
        return [label.strip() for label, good in zip(self.labels, self.usable, strict=True) if good and label.strip()]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Labels as they were understood; `missing` (n_rows,) are rows that say nothing (see `Table` for the others)."""

    task: str
    labels: list[str]
    missing: NDArray[np.bool_]
    targets: FloatMatrix | None = None
    names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def understand(raw: Raw, wish: Wish) -> Answers:
    """Find out what the labels are, or read them as the user says.

    Raises
    ------
    DataError
        Labels that are not what the user says; names the rows.
    OptionError
        Several label columns for a task that has one.
    """
    if raw.marks and wish.task == "classification":
        raw = replace(raw, labels=classes_of_marks(raw.marks, raw.ids, raw.usable), marks={})
    if raw.marks and wish.task not in {"auto", "multi-label"}:
        problem = f"--task {wish.task} takes one label column, but several were named ({offenders(list(raw.marks))})."
        raise OptionError(problem, "Name one with --label, or pass --task multi-label.")
    unwrapped = _without_brackets(raw) if wish.task != "multi-label" else raw
    task = infer(unwrapped, wish) if wish.task == "auto" else wish.task
    made = _READ[task](unwrapped, wish)
    if unwrapped is raw:
        return made
    summary = f"{raw.called} holds lists of one label each, which are read without their brackets."
    told = Finding(
        kind="task",
        severity="note",
        rows=(),
        summary=summary,
        advice="Pass --task multi-label if a row may have several.",
    )
    return replace(made, findings=(*made.findings, told))


def _without_brackets(raw: Raw) -> Raw:
    """Take labels out of lists where every row has a list of exactly one."""
    written = raw.written()
    if raw.marks or not label_cells.has_lists(written) or not label_cells.are_single(written):
        return raw
    cells = [label_cells.parse_list(label) for label in raw.labels]
    labels = [label if cell is None else "".join(cell.items) for cell, label in zip(cells, raw.labels, strict=True)]
    return replace(raw, labels=["" if label.strip() in label_cells.MISSING else label for label in labels])


def infer(raw: Raw, wish: Wish) -> str:
    """Find out the task from how the labels are written.

    Folders are classes. Numbers are a quantity where they could hardly be classes: most of at least ten different
    values stand in one row only, or there are more than 20 with decimals among them. Several labels a row are seen
    only where splitting makes the vocabulary smaller: "rust; severe" in every third row is one class.

    Examples
    --------
    >>> def seen(labels):
    ...     raw = Raw(labels, [""] * len(labels), np.ones(len(labels), dtype=bool), column="y")
    ...     return infer(raw, Wish("auto"))
    >>> seen(["1", "2", "3"] * 5), seen([f"{n / 7:.3f}" for n in range(30)]), seen(["a", "b", "c", "a;b", "a;c", "b;c"])
    ('classification', 'regression', 'multi-label')
    """
    if raw.marks:
        return "multi-label"
    if wish.order:
        return "ordinal"
    if not raw.column:
        return "classification"
    written = raw.written()
    if label_cells.has_lists(written):
        return "multi-label"
    numbers, bad = numbers_of(written)
    if not bad:
        return "regression" if is_quantity(numbers[np.isfinite(numbers)]) else "classification"
    return "multi-label" if label_cells.find_separator(written) else "classification"


def _told(summary: str, advice: str) -> tuple[Finding, ...]:
    return (Finding(kind="task", severity="note", rows=(), summary=summary, advice=advice),)


def _blank(raw: Raw) -> NDArray[np.bool_]:
    return np.array([not label.strip() for label in raw.labels], dtype=bool)


def _classes(raw: Raw, wish: Wish) -> Answers:
    doubting = bool(raw.column) and wish.task == "auto"
    findings = find_class_doubts(raw.called, raw.labels, raw.ids, raw.written()) if doubting else ()
    return Answers(task="classification", labels=raw.labels, missing=_blank(raw), findings=findings)


def _numbers(raw: Raw, wish: Wish) -> Answers:
    numbers, bad = numbers_of(raw.labels)
    named = [f"{raw.ids[row]}: {raw.labels[row][:20]!r}" for row in bad if raw.usable[row]]
    if named:
        is_none = "label is no number" if len(named) == 1 else "labels are no numbers"
        raise DataError(
            f"{len(named)} {is_none} ({offenders(named)}).",
            "Correct them (write 1234.5), name another column with --label, or pass --task classification.",
        )
    name = raw.column or "value"
    findings: tuple[Finding, ...] = ()
    example = read_amounts([label for label in raw.written() if not is_missing(label)]).example
    read_as = f" ({example} is read as {numbers_of([*raw.written(), example])[0][-1]:.12g})" if example else ""
    if wish.task == "auto" or example:
        advice = "Pass --task classification if it is a class."
        findings = _told(f"'{name}' is read as a number: regression{read_as}.", advice)
    doubtful = may_be_thousands(raw.written())
    if doubtful:
        value = numbers_of([*raw.written(), doubtful])[0][-1]
        summary = f"'{name}' holds numbers such as {doubtful} beside whole ones: it was read as {value:g}."
        advice = f"Write {re.sub('[.,]', '', doubtful)} in the file if the mark parts thousands."
        findings += (Finding(kind="task", severity="warn", rows=(), summary=summary, advice=advice),)
    missing = ~np.isfinite(numbers)
    return Answers(
        task="regression",
        labels=raw.labels,
        missing=missing,
        targets=numbers[:, None].astype(np.float32),
        names=(name,),
        findings=findings,
    )


def _grades(raw: Raw, wish: Wish) -> Answers:
    written = raw.written()
    spelled = match_names(wish.order, list(dict.fromkeys(written)), merge=True).renamed
    grades = grades_in_order(set(written), tuple(spelled.get(grade, grade) for grade in wish.order))
    matches = match_names(written, grades, wish.merge)
    labels = [matches.renamed.get(label.strip(), label) for label in raw.labels]
    known = set(grades)
    strange = [row for row, label in enumerate(labels) if raw.usable[row] and label.strip() and label not in known]
    if strange:
        named = offenders([f"{raw.ids[row]}: {raw.labels[row][:40]!r}" for row in strange])
        have = "1 row has a grade" if len(strange) == 1 else f"{len(strange)} rows have grades"
        spelling = " Pass --merge-labels if only the spelling differs." if matches.similar else ""
        raise DataError(
            f"{have} that --order does not name ({named}).", f"Name every grade, the lowest first.{spelling}"
        )
    there = tuple(grade for grade in grades if grade in set(labels))
    order = " < ".join(there[:20]) + (" ..." if len(there) > 20 else "")
    findings = _told(f"{raw.called} holds grades, lowest first: {order}.", "Pass --order if this is not their order.")
    return Answers(task="ordinal", labels=labels, missing=_blank(raw), names=there, findings=findings)


def grades_in_order(grades: set[str], order: tuple[str, ...]) -> tuple[str, ...]:
    """Give grades from the lowest to the highest: as the user says, else by the number that each of them names first.

    Raises
    ------
    DataError
        Their order is not known.

    Examples
    --------
    >>> grades_in_order({"10", "2", "1"}, ()), grades_in_order({"aged 20-39", "aged 5-19"}, ())
    (('1', '2', '10'), ('aged 5-19', 'aged 20-39'))
    """
    if order:
        return order
    numbers, bad = numbers_of(sorted(grades))
    if not bad and np.isfinite(numbers).all():
        return tuple(np.array(sorted(grades), dtype=object)[np.argsort(numbers, kind="stable")])
    first = {grade: _FIRST_NUMBER.search(grade) for grade in grades}
    ranks = {grade: float(found[0]) for grade, found in first.items() if found}
    if len(ranks) < len(grades) or len(set(ranks.values())) < len(grades):
        shown = offenders(sorted(grades))
        raise DataError(
            f"The order of the grades is not known ({shown}).", "Give it, the lowest first: --order low,medium,high."
        )
    return tuple(sorted(grades, key=lambda grade: ranks[grade]))


def _several(raw: Raw, wish: Wish) -> Answers:
    return _from_marks(raw) if raw.marks else _from_parts(raw, wish)


def _from_parts(raw: Raw, wish: Wish) -> Answers:
    """Take one column such as "water;food"; an empty cell says "none" only where the user says what the column is."""
    writing = _writing(raw.written(), wish)
    sets = [writing.labels_in(label) for label in raw.labels]
    good = [labels for labels, usable in zip(sets, raw.usable, strict=True) if usable]
    names = tuple(sorted(frozenset().union(*good)))
    blank = _blank(raw) | np.array([writing.lists and label.strip() in label_cells.MISSING for label in raw.labels])
    empty = np.zeros(len(sets), dtype=bool) if wish.empty_is_none else blank
    targets = marked(sets, names)
    targets[empty] = np.nan
    how = "lists of labels" if writing.lists else f"several labels a row, separated by {writing.separator!r}"
    findings = _told(
        f"{raw.called} holds {how}: multi-label ({len(names)} labels).",
        "Pass --task classification if each of these texts is one class.",
    )
    labels = [";".join(sorted(labels)) for labels in sets] if writing.lists else raw.labels
    return Answers(task="multi-label", labels=labels, missing=empty, targets=targets, names=names, findings=findings)


def _writing(written: Sequence[str], wish: Wish) -> Writing:
    """Find how a column writes several labels."""
    known = {fold(name): name for name in wish.known}
    lists = label_cells.has_lists(written)
    others = [cell for cell in written if label_cells.parse_list(cell) is None] if lists else written
    if wish.task == "auto":
        separator = (None if lists else label_cells.find_separator(written)) or ""
    else:
        separator = "" if lists and not known else label_cells.asked_separator(others, known)
    return Writing(lists, separator, known)


def marked(sets: Sequence[frozenset[str]], names: Sequence[str]) -> FloatMatrix:
    """Give 1 where a row has a label, else 0: (n_rows, n_labels)."""
    place = {name: at for at, name in enumerate(names)}
    made = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, found in enumerate(sets):
        made[row, [place[name] for name in found if name in place]] = 1.0
    return made


def marks_in(values: Sequence[str]) -> int:
    """Count how many of 0 and 1, of false and true, or of nothing and x a column holds; 0 if it holds anything else."""
    found = {value.strip().removesuffix(".0").casefold() for value in values}
    pairs = ({"0", "1"}, {"false", "true"}, {"", "x"}, {"", "✓"})
    return next((len(found) for pair in pairs if found <= pair and found != {""}), 0)


def _from_marks(raw: Raw) -> Answers:
    """Take a column of 0 and 1 for each label; where a column has ones only, what is empty is 0."""
    columns, bad = [], []
    for name, values in raw.marks.items():
        words = [value.strip().casefold() for value in values]
        empty = 0.0 if NO.isdisjoint(words) else np.nan
        made = np.array([1.0 if w in YES else 0.0 if w in NO else empty if not w else np.inf for w in words])
        bad += [f"{raw.ids[row]}, {name}: {values[row][:20]!r}" for row in np.flatnonzero(np.isinf(made) & raw.usable)]
        columns.append(made)
    if bad:
        is_none = "1 cell of the label columns is" if len(bad) == 1 else f"{len(bad)} cells of the label columns are"
        raise DataError(
            f"{is_none} neither 0 nor 1 ({offenders(bad)}).", "Correct them, or leave out a column that is no label."
        )
    targets = np.column_stack(columns).astype(np.float32)
    names = tuple(raw.marks)
    labels = [";".join(np.array(names, dtype=object)[row == 1]) for row in targets]
    one_each = len(targets) > 0 and bool(((targets == 1).sum(axis=1) == 1).all())
    findings = _told(
        f"Each of {len(names)} columns is read as a label of its own: multi-label ({offenders(names)}).",
        f"Every row has exactly one: if they are classes, pass --task classification --label '{','.join(names)}'."
        if one_each else "Name the label column with --label if it is another.",
    )  # fmt: skip
    missing = np.asarray(np.isnan(targets).any(axis=1), dtype=bool)
    return Answers(task="multi-label", labels=labels, missing=missing, targets=targets, names=names, findings=findings)


_READ: dict[str, Callable[[Raw, Wish], Answers]] = {
    "classification": _classes,
    "multi-label": _several,
    "regression": _numbers,
    "ordinal": _grades,
}
