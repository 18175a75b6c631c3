"""From what a reader found to a checked `Table`: ids made unique, bad rows set aside, labels and splits tidied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.data.columns.names import split_of
from headstart.data.labels.label_spelling import report_similar_labels
from headstart.data.labels.task_type import LabelSpec, ParsedLabels, RawLabels, make_label_mask, parse_labels
from headstart.data.reading.content import NORMALISE, SEE
from headstart.errors import DataError, offenders
from headstart.records import TRAIN, Column, Finding, InputColumns, SetAside, Table, make_column


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Rows as a reader found them: all lists and metadata columns have one length."""

    modality: str
    inputs: Sequence[Any]
    ids: Sequence[str]
    labels: Sequence[str] | None = None
    splits: Sequence[str] | None = None
    metadata: Mapping[str, Column] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    input_columns: InputColumns | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    n_lines: int = 0


@dataclass(frozen=True)
class Finish:
    """How strict to be: predicting needs no labels; `wish` says what they are."""

    merge_labels: bool = False
    drop_unlabelled: bool = False
    labelled: bool = True
    wish: LabelSpec = field(default_factory=LabelSpec)


def finish(draft: Draft, source: str, how: Finish) -> Table:
    """Make the table.

    Raises
    ------
    DataError
        Rows without a label (where labels are needed and `how` does not drop them).
    """
    n = len(draft.ids)
    ids = names_of(draft)
    inputs = NORMALISE[draft.modality](draft.inputs)
    seen = SEE[draft.modality](inputs)
    reasons = [reason for _, reason in seen]
    labels = None if draft.labels is None else list(map(writable, draft.labels))
    answers: ParsedLabels | None = None
    if labels is not None and how.labelled:
        usable = np.array([reason is None for reason in reasons], dtype=bool)
        answers = parse_labels(
            RawLabels(
                labels=labels,
                ids=ids,
                usable=usable,
                indicator_columns=draft.marks,
                column=writable(draft.columns.get("label", "")),
            ),
            how.wish,
        )
        labels = answers.labels
        errors = [item.summary for item in draft.findings if item.kind == "spreadsheet-errors"]
        reasons = _refuse_unlabelled(answers, ids, reasons, how=how, noted=errors)
    splits, notes = _splits(draft.splits or [""] * n, ids)
    kept = np.flatnonzero([reason is None for reason in reasons]).astype(np.intp)
    aside = tuple(SetAside(ids[row], str(reason)) for row, reason in enumerate(reasons) if reason is not None)
    table = Table(
        modality=draft.modality,
        ids=make_column(ids),
        inputs=make_column(inputs),
        hashes=make_column([digest for digest, _ in seen]),
        labels=None if labels is None else make_column(labels),
        splits=make_column(splits),
        metadata=dict(draft.metadata),
        set_aside=(*(SetAside(writable(item.id), writable(item.reason)) for item in draft.set_aside), *aside),
        findings=(*map(_writable_finding, draft.findings), *notes, *(answers.findings if answers else ())),
        source=writable(source),
        columns=dict(draft.columns),
        task=answers.task if answers else "classification",
        targets=answers.targets if answers else None,
        target_names=answers.names if answers else (),
        input_columns=_measured(draft.input_columns, [draft.inputs[row] for row in kept]),
        left_out=dict(draft.left_out),
        n_lines=draft.n_lines,
    ).take(kept)
    return with_tidy_labels(table, how.merge_labels) if how.labelled else table


def _measured(columns: InputColumns | None, inputs: Sequence[Any]) -> InputColumns | None:
    """Add how many channels and steps the series that can be used have."""
    if columns is None or not inputs:
        return columns
    steps = [values.shape[1] for values in inputs]
    counts = Counter(len(values) for values in inputs)
    return replace(columns, n_channels=counts.most_common(1)[0][0], fewest_steps=min(steps), most_steps=max(steps))


def names_of(draft: Draft) -> list[str]:
    """Give the ids of a draft's rows as the table will have them: unique, and such that they can be written."""
    return unique(list(map(writable, draft.ids)))


def _writable_finding(finding: Finding) -> Finding:
    return replace(finding, rows=tuple(map(writable, finding.rows)), summary=writable(finding.summary))


def with_tidy_labels(table: Table, merge: bool) -> Table:
    """Report, or merge, labels that differ only in spelling; numbers are left as they are."""
    if table.labels is None:
        return table
    return _TIDY[table.task](table, merge)


def _is_odd_label(finding: Finding) -> bool:
    return finding.kind == "odd-label" and finding.severity == "warn"


def _tidy_classes(table: Table, merge: bool) -> Table:
    assert table.labels is not None
    labels, odd = report_similar_labels(table.labels.tolist(), table.ids.tolist(), merge)
    kept = tuple(finding for finding in table.findings if merge or not _is_odd_label(finding))
    there = set(labels)
    grades = tuple(name for name in table.target_names if name in there)
    return replace(table, labels=make_column(labels), findings=kept + odd, target_names=grades)


def _tidy_several(table: Table, merge: bool) -> Table:
    """Do the same to the labels of which a row may have several."""
    assert table.targets is not None
    rows, codes = np.nonzero(table.targets == 1)
    given = [table.target_names[code] for code in codes]
    better, odd = report_similar_labels(given, [str(table.ids[row]) for row in rows], merge)
    kept = tuple(finding for finding in table.findings if merge or not _is_odd_label(finding))
    if better == given:
        return replace(table, findings=kept + odd)
    renamed = dict(zip(given, better, strict=True))
    names = tuple(name for name in table.target_names if renamed.get(name, name) == name)
    sets: list[set[str]] = [set() for _ in range(len(table))]
    for row, name in zip(rows, better, strict=True):
        sets[row].add(name)
    return replace(
        table, findings=kept + odd, target_names=names, targets=make_label_mask([*map(frozenset, sets)], names)
    )


_TIDY: dict[str, Callable[[Table, bool], Table]] = {
    "classification": _tidy_classes,
    "ordinal": _tidy_classes,
    "multi-label": _tidy_several,
    "regression": lambda table, merge: table,
}


def writable(text: str) -> str:
    r"""Make a text one that can be written as UTF-8: bytes of a file name that are none become the replacement sign.

    Examples
    --------
    >>> writable("caf\udce9.jpg"), writable("rust")
    ('caf�.jpg', 'rust')
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _decoded(text)
    return text


def _decoded(text: str) -> str:
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # half a character, as JSON may hold
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unique(ids: Sequence[str]) -> list[str]:
    """Make ids unique by numbering repeats.

    Examples
    --------
    >>> unique(["a", "b", "a"])
    ['a', 'b', 'a#2']
    """
    if len(set(ids)) == len(ids):
        return list(ids)
    taken, counts, made = set(ids), dict.fromkeys(ids, 0), []
    for name in ids:
        counts[name] += 1
        fresh = name
        while counts[name] > 1 and (fresh == name or fresh in taken):
            fresh = f"{name}#{counts[name]}"
            counts[name] += fresh in taken
        taken.add(fresh)
        made.append(fresh)
    return made


def join(drafts: Sequence[Draft]) -> Draft:
    """Put drafts of one modality one after the other; a column that one lacks is empty there."""
    first = drafts[0]
    if len(drafts) == 1:
        return first
    kinds = sorted({draft.modality for draft in drafts})
    if len(kinds) > 1:
        raise DataError(f"The files hold different kinds of data ({', '.join(kinds)}).", "Give one kind at a time.")
    names = list(dict.fromkeys(name for draft in drafts for name in draft.metadata))
    labelled = any(draft.labels is not None for draft in drafts)
    split = any(draft.splits is not None for draft in drafts)
    return Draft(
        modality=first.modality,
        inputs=[value for draft in drafts for value in draft.inputs],
        ids=[value for draft in drafts for value in draft.ids],
        labels=[value for draft in drafts for value in draft.labels or [""] * len(draft.ids)] if labelled else None,
        splits=[value for draft in drafts for value in draft.splits or [""] * len(draft.ids)] if split else None,
        metadata={name: join_columns((draft.metadata.get(name), len(draft.ids)) for draft in drafts) for name in names},
        set_aside=tuple(item for draft in drafts for item in draft.set_aside),
        findings=tuple(item for draft in drafts for item in draft.findings),
        marks={
            name: join_columns((draft.marks.get(name), len(draft.ids)) for draft in drafts).tolist()
            for name in dict.fromkeys(name for draft in drafts for name in draft.marks)
        },
        columns={role: name for draft in reversed(drafts) for role, name in draft.columns.items()},
        input_columns=first.input_columns,
        left_out={name: reason for draft in reversed(drafts) for name, reason in draft.left_out.items()},
        n_lines=sum(draft.n_lines for draft in drafts) if all(draft.n_lines for draft in drafts) else 0,
    )


def join_columns(parts: Iterable[tuple[Column | Sequence[str] | None, int]]) -> Column:
    """Join columns given with their lengths; an absent one is filled with empty strings."""
    return make_column([value for part, n in parts for value in (part if part is not None else [""] * n)])


_ADD = "Add the labels, or pass --unlabelled drop to leave these rows out."
_NONE_APPLIES = f"{_ADD} If no label applies to them, pass --task multi-label."


def _refuse_unlabelled(
    answers: ParsedLabels, ids: Sequence[str], reasons: list[str | None], how: Finish, noted: Sequence[str]
) -> list[str | None]:
    bare = [int(row) for row in np.flatnonzero(answers.missing) if reasons[row] is None]
    if bare and not how.drop_unlabelled:
        have = "rows have" if len(bare) > 1 else "row has"
        raise DataError(
            " ".join([f"{len(bare)} {have} no label ({offenders([ids[row] for row in bare])}).", *noted]),
            _NONE_APPLIES if answers.task == "multi-label" and not how.wish.empty_is_none else _ADD,
        )
    marked = set(bare)
    return ["the row has no label" if row in marked else reason for row, reason in enumerate(reasons)]


def _splits(words: Sequence[str], ids: Sequence[str]) -> tuple[list[str], tuple[Finding, ...]]:
    read = {word: split_of(word) or "" for word in set(words)}
    named = [read[word] for word in words]
    held = tuple(row for row, word in zip(ids, named, strict=True) if word == "validation")
    if not held:
        return named, ()
    summary = f"{len(held)} validation rows are used for training; choices are made by cross-validation."
    note = Finding(kind="validation-rows", severity="note", rows=held, summary=summary, advice="Nothing to do.")
    return [TRAIN if word == "validation" else word for word in named], (note,)
