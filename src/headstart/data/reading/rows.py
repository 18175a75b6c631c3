"""From the rows that a reader parsed to a checked `Table`: unique ids, rows set aside, tidy labels and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.coding_frames import CodingFrame, looks_like_paths
from headstart.data.coding.framed_labels import frame_labels
from headstart.data.columns.names import parse_split_word
from headstart.data.labels.label_spelling import report_similar_labels
from headstart.data.labels.task_type import LabelSpec, ParsedLabels, RawLabels, make_label_mask, parse_labels
from headstart.data.reading.content import CONTENT_READERS
from headstart.errors import DataError, list_offenders
from headstart.records import TRAIN, Column, Finding, InputColumns, SetAside, Table, make_column
from headstart.results.findings import make_finding
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class ParsedRows:
    """Rows as a reader parsed them: all lists and metadata columns have one length."""

    modality: str
    inputs: Sequence[Any]
    ids: Sequence[str]
    labels: Sequence[str] | None = None
    splits: Sequence[str] | None = None
    metadata: Mapping[str, Column] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    indicators: Mapping[str, Sequence[str]] = field(default_factory=dict)
    input_columns: InputColumns | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    n_lines: int = 0


@dataclass(frozen=True, kw_only=True)
class ReadPolicy:
    """Strictness of reading: rows to predict need no labels; `label_spec` says what labels are, `frame` their codes."""

    merge_labels: bool = False
    drop_unlabelled: bool = False
    expects_labels: bool = True
    label_spec: LabelSpec = field(default_factory=LabelSpec)
    frame: CodingFrame | None = None
    level_mark: str = ""


def build_table(parsed_rows: ParsedRows, source: str, policy: ReadPolicy) -> Table:
    """Build a table from parsed rows.

    Parameters
    ----------
    parsed_rows : ParsedRows
    source : str
        Path or name that the table keeps.
    policy : ReadPolicy

    Raises
    ------
    DataError
        Rows without a label (where labels are needed and `how` does not drop them).
    """
    n = len(parsed_rows.ids)
    ids = make_row_ids(parsed_rows)
    content_reader = CONTENT_READERS[parsed_rows.modality]
    inputs = content_reader.normalise(parsed_rows.inputs)
    contents = content_reader.inspect(inputs)
    reasons = [content.problem for content in contents]
    labels = None if parsed_rows.labels is None else list(map(make_encodable, parsed_rows.labels))
    answers: ParsedLabels | None = None
    if labels is not None and policy.expects_labels:
        usable = np.array([reason is None for reason in reasons], dtype=bool)
        answers = parse_labels(
            RawLabels(
                labels=labels,
                ids=ids,
                usable=usable,
                indicator_columns=parsed_rows.indicators,
                column=make_encodable(parsed_rows.columns.get("label", "")),
            ),
            policy.label_spec,
        )
        labels = answers.labels
        errors = [item.summary for item in parsed_rows.findings if item.kind == "spreadsheet-errors"]
        reasons = _refuse_unlabelled(answers, ids, reasons, policy=policy, error_notes=errors)
    splits, notes = _read_splits(parsed_rows.splits or [""] * n, ids)
    usable_rows = np.flatnonzero([reason is None for reason in reasons]).astype(np.intp)
    set_aside = tuple(SetAside(ids[row], str(reason)) for row, reason in enumerate(reasons) if reason is not None)
    table = Table(
        modality=parsed_rows.modality,
        ids=make_column(ids),
        inputs=make_column(inputs),
        hashes=make_column([content.digest for content in contents]),
        labels=None if labels is None else make_column(labels),
        splits=make_column(splits),
        metadata=dict(parsed_rows.metadata),
        set_aside=(
            *(SetAside(make_encodable(item.id), make_encodable(item.reason)) for item in parsed_rows.set_aside),
            *set_aside,
        ),
        findings=(*map(_make_finding_encodable, parsed_rows.findings), *notes, *(answers.findings if answers else ())),
        source=make_encodable(source),
        columns=dict(parsed_rows.columns),
        task=answers.task if answers else "classification",
        targets=answers.targets if answers else None,
        target_names=answers.names if answers else (),
        input_columns=_measure_series(parsed_rows.input_columns, [parsed_rows.inputs[row] for row in usable_rows]),
        left_out=dict(parsed_rows.left_out),
        n_lines=parsed_rows.n_lines,
    ).take(usable_rows)
    return _frame_table(table, policy) if policy.expects_labels else table


def _frame_table(table: Table, policy: ReadPolicy) -> Table:
    """Return a table with tidy labels, as paths of a coding frame where they have levels."""
    known = policy.label_spec.known
    if policy.frame is not None or policy.level_mark:
        table = frame_labels(table, policy.frame, mark=policy.level_mark)
    elif looks_like_paths(known):
        table = frame_labels(table, CodingFrame.from_names(known), keeps_unknown=True)
    return frame_labels(tidy_table_labels(table, policy.merge_labels), None)


def _measure_series(columns: InputColumns | None, inputs: Sequence[Any]) -> InputColumns | None:
    """Add how many channels and steps the series that can be used have."""
    if columns is None or not inputs:
        return columns
    steps = [values.shape[1] for values in inputs]
    counts = Counter(len(values) for values in inputs)
    return replace(columns, n_channels=counts.most_common(1)[0][0], fewest_steps=min(steps), most_steps=max(steps))


def make_row_ids(parsed_rows: ParsedRows) -> list[str]:
    """Return the ids of rows as the table will have them: unique, and such that they can be written.

    Parameters
    ----------
    parsed_rows : ParsedRows
    """
    return make_unique(list(map(make_encodable, parsed_rows.ids)))


def _make_finding_encodable(finding: Finding) -> Finding:
    return replace(finding, rows=tuple(map(make_encodable, finding.rows)), summary=make_encodable(finding.summary))


def tidy_table_labels(table: Table, merge: bool) -> Table:
    """Report, or merge, labels that differ only in spelling; numbers are not changed.

    Parameters
    ----------
    table : Table
    merge : bool
        Whether to merge them.
    """
    if table.labels is None:
        return table
    return _TIDY[table.task](table, merge)


def _is_odd_label_warning(finding: Finding) -> bool:
    return finding.kind == "odd-label" and finding.severity == "warn"


def _tidy_classes(table: Table, merge: bool) -> Table:
    assert table.labels is not None
    labels, label_findings = report_similar_labels(table.labels.tolist(), table.ids.tolist(), merge)
    findings = tuple(finding for finding in table.findings if merge or not _is_odd_label_warning(finding))
    remaining_labels = set(labels)
    grades = tuple(name for name in table.target_names if name in remaining_labels)
    return replace(table, labels=make_column(labels), findings=findings + label_findings, target_names=grades)


def _tidy_label_sets(table: Table, merge: bool) -> Table:
    """Tidy the labels of a table whose rows may have several."""
    assert table.targets is not None
    rows, class_indices = np.nonzero(table.targets == 1)
    old_names = [table.target_names[code] for code in class_indices]
    tidied_names, label_findings = report_similar_labels(old_names, [str(table.ids[row]) for row in rows], merge)
    findings = tuple(finding for finding in table.findings if merge or not _is_odd_label_warning(finding))
    if tidied_names == old_names:
        return replace(table, findings=findings + label_findings)
    renamed = dict(zip(old_names, tidied_names, strict=True))
    names = tuple(name for name in table.target_names if renamed.get(name, name) == name)
    label_sets: list[set[str]] = [set() for _ in range(len(table))]
    for row, name in zip(rows, tidied_names, strict=True):
        label_sets[row].add(name)
    return replace(
        table,
        findings=findings + label_findings,
        target_names=names,
        targets=make_label_mask([*map(frozenset, label_sets)], names),
    )


_TIDY: dict[str, Callable[[Table, bool], Table]] = {
    "classification": _tidy_classes,
    "ordinal": _tidy_classes,
    "multi-label": _tidy_label_sets,
    "regression": lambda table, merge: table,
}


def make_encodable(text: str) -> str:
    r"""Make a text one that can be written as UTF-8: bytes of a file name that are none become the replacement sign.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> make_encodable("caf\udce9.jpg"), make_encodable("rust")
    ('caf�.jpg', 'rust')
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _replace_undecodable(text)
    return text


def _replace_undecodable(text: str) -> str:
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # half a character, as JSON may hold
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def make_unique(ids: Sequence[str]) -> list[str]:
    """Make ids unique by numbering repeats.

    Parameters
    ----------
    ids : sequence of str

    Examples
    --------
    >>> make_unique(["a", "b", "a"])
    ['a', 'b', 'a#2']
    """
    if len(set(ids)) == len(ids):
        return list(ids)
    used_ids, counts, unique_ids = set(ids), dict.fromkeys(ids, 0), []
    for name in ids:
        counts[name] += 1
        candidate = name
        while counts[name] > 1 and (candidate == name or candidate in used_ids):
            candidate = f"{name}#{counts[name]}"
            counts[name] += candidate in used_ids
        used_ids.add(candidate)
        unique_ids.append(candidate)
    return unique_ids


def join_parsed_rows(parsed_parts: Sequence[ParsedRows]) -> ParsedRows:
    """Join rows of one modality one after the other; a column that one lacks is empty there.

    Parameters
    ----------
    parsed_parts : sequence of ParsedRows
        At least one.
    """
    first_part = parsed_parts[0]
    if len(parsed_parts) == 1:
        return first_part
    modalities = sorted({parsed_rows.modality for parsed_rows in parsed_parts})
    if len(modalities) > 1:
        raise DataError(
            f"The files hold different kinds of data ({', '.join(modalities)}).", "Give one kind at a time."
        )
    names = list(dict.fromkeys(name for parsed_rows in parsed_parts for name in parsed_rows.metadata))
    labelled = any(parsed_rows.labels is not None for parsed_rows in parsed_parts)
    split = any(parsed_rows.splits is not None for parsed_rows in parsed_parts)
    return ParsedRows(
        modality=first_part.modality,
        inputs=[value for parsed_rows in parsed_parts for value in parsed_rows.inputs],
        ids=[value for parsed_rows in parsed_parts for value in parsed_rows.ids],
        labels=[value for parsed_rows in parsed_parts for value in parsed_rows.labels or [""] * len(parsed_rows.ids)]
        if labelled
        else None,
        splits=[value for parsed_rows in parsed_parts for value in parsed_rows.splits or [""] * len(parsed_rows.ids)]
        if split
        else None,
        metadata={
            name: join_columns((parsed_rows.metadata.get(name), len(parsed_rows.ids)) for parsed_rows in parsed_parts)
            for name in names
        },
        set_aside=tuple(item for parsed_rows in parsed_parts for item in parsed_rows.set_aside),
        findings=tuple(item for parsed_rows in parsed_parts for item in parsed_rows.findings),
        indicators={
            name: join_columns(
                (parsed_rows.indicators.get(name), len(parsed_rows.ids)) for parsed_rows in parsed_parts
            ).tolist()
            for name in dict.fromkeys(name for parsed_rows in parsed_parts for name in parsed_rows.indicators)
        },
        columns={role: name for parsed_rows in reversed(parsed_parts) for role, name in parsed_rows.columns.items()},
        input_columns=first_part.input_columns,
        left_out={
            name: reason for parsed_rows in reversed(parsed_parts) for name, reason in parsed_rows.left_out.items()
        },
        n_lines=sum(parsed_rows.n_lines for parsed_rows in parsed_parts)
        if all(parsed_rows.n_lines for parsed_rows in parsed_parts)
        else 0,
    )


def join_columns(columns_with_lengths: Iterable[tuple[Column | Sequence[str] | None, int]]) -> Column:
    """Join columns given with their lengths; an absent one is filled with empty strings.

    Parameters
    ----------
    columns_with_lengths : iterable of (column or None, int)
        Each column with its number of rows.
    """
    return make_column(
        [value for part, n in columns_with_lengths for value in (part if part is not None else [""] * n)]
    )


_ADD_LABELS = "Add the labels, or pass --unlabelled drop to leave these rows out."
_ADD_LABELS_OR_NONE = f"{_ADD_LABELS} If no label applies to them, pass --task multi-label."


def _refuse_unlabelled(
    answers: ParsedLabels, ids: Sequence[str], reasons: list[str | None], policy: ReadPolicy, error_notes: Sequence[str]
) -> list[str | None]:
    unlabelled_rows = [int(row) for row in np.flatnonzero(answers.missing) if reasons[row] is None]
    if unlabelled_rows and not policy.drop_unlabelled:
        have = "rows have" if len(unlabelled_rows) > 1 else "row has"
        problem = f"{len(unlabelled_rows)} {have} no label ({list_offenders([ids[row] for row in unlabelled_rows])})."
        raise DataError(
            " ".join([problem, *error_notes]),
            _ADD_LABELS_OR_NONE
            if TASK_TYPES[answers.task].has_label_sets and not policy.label_spec.empty_is_none
            else _ADD_LABELS,
        )
    unlabelled_set = set(unlabelled_rows)
    return ["the row has no label" if row in unlabelled_set else reason for row, reason in enumerate(reasons)]


def _read_splits(words: Sequence[str], ids: Sequence[str]) -> tuple[list[str], tuple[Finding, ...]]:
    split_by_word = {word: parse_split_word(word) or "" for word in set(words)}
    splits = [split_by_word[word] for word in words]
    validation_ids = tuple(row for row, word in zip(ids, splits, strict=True) if word == "validation")
    if not validation_ids:
        return splits, ()
    summary = f"{len(validation_ids)} validation rows are used for training; choices are made by cross-validation."
    note = make_finding("validation-rows", summary, validation_ids, advice="nothing")
    return [TRAIN if word == "validation" else word for word in splits], (note,)
