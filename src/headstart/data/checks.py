"""What is wrong with the data, found before any time is spent on it. Nothing is changed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from headstart.data.columns.missing_codes import find_missing_codes
from headstart.data.duplicates.near_duplicates import report_near_duplicates as near_copies
from headstart.data.images.depth import describe_depth
from headstart.data.labels.label_numbers import parse_numbers
from headstart.data.labels.strata import MIN_LABEL_ROWS, drop_unlearnable_labels
from headstart.errors import DataError, offenders
from headstart.records import TEST, Finding, Table

MIN_CLASS_ROWS, FEW_CLASS_ROWS, IMBALANCE = 2, 10, 10
"""Fewer rows than the first cannot be scored by cross-validation; fewer than the second are few."""
MIN_NUMBERS = 4
FAR, MOST_FAR = 10.0, 0.02
"""A number is far from the rest beyond so many times the range of the middle half, where few are."""
_MISSING_WORDS = frozenset(("na", "n/a", "nan", "null", "none", "?", "-"))
_SEVERITIES = ("stop", "warn", "note")


def check(table: Table) -> tuple[Finding, ...]:
    """Look for faults in labelled data.

    Parameters
    ----------
    table : Table
        As `read` or `split` gives it.

    Returns
    -------
    tuple of Finding
        The gravest first: what stops training, what to look at, what to know. What reading noticed is included.
    """
    known = list(table.findings)
    found = [*_stops(table), *_corrupt(table), *_copies(table), *_conflicts(table), *near_copies(table)]
    found += [*describe_depth(table), *find_missing_codes(table)]
    found += _OF_LABELS[table.task](table) if table.labels is not None and len(table) else []
    there = {(finding.kind, finding.summary) for finding in known}
    fresh = [finding for finding in found if (finding.kind, finding.summary) not in there]
    return tuple(sorted([*known, *fresh], key=lambda finding: _SEVERITIES.index(finding.severity)))


def require_labels(table: Table) -> None:
    """Raise if there is nothing that could be scored.

    Raises
    ------
    DataError
        No rows, or no labels.
    """
    for finding in _nothing(table):
        raise DataError(finding.summary, finding.advice)


def require_trainable(table: Table) -> None:
    """Raise one error with everything that makes training impossible.

    Raises
    ------
    DataError
        No rows, no labels, fewer than two classes, no label that both applies and does not, numbers that are all equal,
        inputs that are all the same, or series with different numbers of channels.
    """
    stops = _stops(table)
    if stops:
        advice = dict.fromkeys(finding.advice for finding in stops)
        raise DataError(" ".join(finding.summary for finding in stops), " ".join(advice))


def _nothing(table: Table) -> list[Finding]:
    if len(table) == 0:
        reason = f" ({len(table.set_aside)} were set aside: {table.set_aside[0].reason})" if table.set_aside else ""
        return [_stop("no-rows", (), f"No rows are left in {table.source}{reason}.", "Check the files.")]
    if table.labels is None:
        return [_stop("no-labels", (), _no_labels(table), _NO_LABELS[table.modality])]
    return []


def _stops(table: Table) -> list[Finding]:
    nothing = _nothing(table)
    if nothing or table.labels is None:
        return nothing
    unlearnable = _UNLEARNABLE[table.task](table)
    return unlearnable or [*_uneven_channels(table), *_one_input(table)]


def _too_few_classes(table: Table) -> list[Finding]:
    counts = _training_counts(table)
    if len(counts) < 2:
        found = f"only one class to learn ({next(iter(counts))})" if counts else "no class to learn"
        advice = "Add rows of another class, or name the right column with --label."
        return [_stop("one-class", (), f"There is {found}; at least 2 are needed.", advice)]
    return []


def _no_label_to_learn(table: Table) -> list[Finding]:
    """Stop where every label applies to nearly no row, or to all."""
    if drop_unlearnable_labels(table).target_names:
        return []
    summary = "No label applies to some rows to learn from and not to all of them."
    return [_stop("one-class", (), summary, "Label more rows, or name the right columns with --label.")]


def _one_number(table: Table) -> list[Finding]:
    assert table.targets is not None
    values = table.targets[table.splits != TEST, 0]
    if len(values) >= MIN_NUMBERS and len(np.unique(values)) > 1:
        return []
    found = f"{len(values)} rows with a number" if len(values) < MIN_NUMBERS else f"only the number {values[0]:g}"
    summary = f"There are {found} to learn from; at least {MIN_NUMBERS} rows and 2 different numbers are needed."
    return [_stop("one-class", (), summary, "Add rows, or name the right column with --label.")]


_UNLEARNABLE: dict[str, Callable[[Table], list[Finding]]] = {
    "classification": _too_few_classes,
    "ordinal": _too_few_classes,
    "multi-label": _no_label_to_learn,
    "regression": _one_number,
}
"""What makes training impossible, for each kind of label."""


def _uneven_channels(table: Table) -> list[Finding]:
    """Stop at series that have not the number of channels that most have."""
    if table.modality != "series":
        return []
    found = [len(values) for values in table.inputs]
    usual = Counter(found).most_common(1)[0][0]
    rows = tuple(name for name, n in zip(table.ids, found, strict=True) if n != usual)
    if not rows:
        return []
    summary = f"{len(rows)} of the {len(table)} series have another number of channels than {usual}: {offenders(rows)}."
    return [_stop("uneven-channels", rows, summary, "Give every series the same channels, or remove these.")]


def _one_input(table: Table) -> list[Finding]:
    """Stop where all rows to learn from hold the same input."""
    rows = np.flatnonzero(table.splits != TEST)
    if len(rows) < 2 or len(set(table.hashes[rows])) > 1:
        return []
    summary = f"All {len(rows)} rows to learn from hold the same input (such as {table.ids[rows[0]]})."
    advice = "Check the files, or name the columns that differ from row to row."
    return [_stop("one-input", tuple(table.ids[rows]), summary, advice)]


def _stop(kind: str, rows: tuple[str, ...], summary: str, advice: str) -> Finding:
    return Finding(kind=kind, severity="stop", rows=rows, summary=summary, advice=advice)


_NO_LABELS = {
    "image": "Put the pictures into one folder a class, or name the column with --label COLUMN.",
    "text": "Name the column with --label COLUMN.",
    "series": "Name the column with --label COLUMN.",
}


def _no_labels(table: Table) -> str:
    others = [*table.columns.values(), *table.metadata]
    found = f" (columns: {', '.join(others[:20])})" if others else ""
    return f"There is no label column in {table.source}{found}."


def _training_counts(table: Table) -> Counter[str]:
    assert table.labels is not None
    return Counter(table.labels[table.splits != TEST].tolist())


def _corrupt(table: Table) -> list[Finding]:
    rows = tuple(item.id for item in table.set_aside)
    if not rows:
        return []
    named = offenders([f"{item.id}: {item.reason}" for item in table.set_aside])
    summary = f"{len(rows)} input{'s were' if len(rows) > 1 else ' was'} set aside ({named})."
    return [
        Finding(
            kind="corrupt",
            severity="warn",
            rows=rows,
            summary=summary,
            advice="Repair or remove them; everything else is used.",
        )
    ]


def _families(table: Table) -> list[list[int]]:
    """Give the row numbers of every content that occurs more than once."""
    families: dict[str, list[int]] = {}
    for row, digest in enumerate(table.hashes):
        families.setdefault(digest, []).append(row)
    return [rows for rows in families.values() if len(rows) > 1]


def _copies(table: Table) -> list[Finding]:
    families = _families(table)
    across = [rows for rows in families if len({table.splits[row] for row in rows} & {"train", TEST}) == 2]
    within = [rows for rows in families if len(rows) > len({table.splits[row] for row in rows})]
    found = []
    if across:
        tests = tuple(table.ids[row] for rows in across for row in rows if table.splits[row] == TEST)
        summary = f"{len(tests)} test rows also stand in the training rows (such as {tests[0]})."
        advice = "The test score is too good; remove them, or pass --duplicates drop."
        found.append(
            Finding(kind="duplicates-across-splits", severity="warn", rows=tests, summary=summary, advice=advice)
        )
    if within:
        named = tuple(table.ids[row] for rows in within for row in rows)
        occur = "1 input occurs" if len(within) == 1 else f"{len(within)} inputs occur"
        summary = f"{occur} more than once ({len(named)} rows, such as {named[0]})."
        found.append(
            Finding(
                kind="duplicates",
                severity="note",
                rows=named,
                summary=summary,
                advice="Copies are kept on one side of every split.",
            )
        )
    return found


def _conflicts(table: Table) -> list[Finding]:
    if table.labels is None:
        return []
    said = table.labels if table.targets is None else [row.tobytes() for row in table.targets]
    odd = [rows for rows in _families(table) if len({said[row] for row in rows}) > 1]
    if not odd:
        return []
    named = tuple(table.ids[row] for rows in odd for row in rows)
    first = odd[0]
    example = f"{table.ids[first[0]]} is {table.labels[first[0]]}"
    other = next(row for row in first if said[row] != said[first[0]])
    have = "1 input has" if len(odd) == 1 else f"{len(odd)} inputs have"
    summary = f"{have} two labels ({example}, {table.ids[other]} is {table.labels[other]})."
    return [
        Finding(
            kind="conflicting-labels",
            severity="warn",
            rows=named,
            summary=summary,
            advice="Decide on one label, or remove these rows.",
        )
    ]


def _missing_words(table: Table) -> list[Finding]:
    """Point out classes named as programs write a missing value."""
    assert table.labels is not None
    labels = table.labels.tolist()
    counts = Counter(labels)
    words = sorted(label for label in counts if label.strip().casefold() in _MISSING_WORDS)
    if not words:
        return []
    rows = tuple(name for name, label in zip(table.ids, labels, strict=True) if label in words)
    named = offenders([f"'{word}' ({counts[word]} row{'s' * (counts[word] > 1)})" for word in words])
    summary = f"These classes may stand for a missing label: {named}."
    advice = "If so, empty these cells and pass --unlabelled drop; if they are classes, leave them."
    return [Finding(kind="missing-labels", severity="warn", rows=rows, summary=summary, advice=advice)]


def _small(table: Table) -> list[Finding]:
    assert table.labels is not None
    counts = _training_counts(table)
    few = {label: count for label, count in counts.items() if MIN_CLASS_ROWS <= count < FEW_CLASS_ROWS}
    if not few:
        return []
    named = offenders([f"{label}: {count}" for label, count in sorted(few.items(), key=lambda item: item[1])])
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in few)
    summary = (
        f"{len(few)} class{'es have' if len(few) > 1 else ' has'} fewer than {FEW_CLASS_ROWS} training rows ({named})."
    )
    return [
        Finding(
            kind="small-class",
            severity="warn",
            rows=rows,
            summary=summary,
            advice="Label more of them if you can; their scores are uncertain.",
        )
    ]


def _single(table: Table) -> list[Finding]:
    """Point out classes with one training row: they are learnt, and nobody can say how well."""
    assert table.labels is not None
    single = sorted(label for label, count in _training_counts(table).items() if count < MIN_CLASS_ROWS)
    if not single:
        return []
    named = set(single)
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in named)
    have = "1 class has" if len(single) == 1 else f"{len(single)} classes have"
    summary = f"{have} a single row to learn from: {offenders(single)}."
    advice = "How well such a class is learnt cannot be told, as no row is left to hold out. Add some if you can."
    if len(single) >= MIN_NUMBERS and 2 * len(single) > int((table.splits != TEST).sum()):
        advice = "Most rows have a label of their own: if this is not the label, name the right column with --label."
    if len(single) >= MIN_NUMBERS and len(single) == len(_training_counts(table)) and not parse_numbers(single)[1]:
        advice += " If the label is a number and no class, pass --task regression."
    return [Finding(kind="single-row-class", severity="warn", rows=rows, summary=summary, advice=advice)]


def _imbalance(table: Table) -> list[Finding]:
    counts = _training_counts(table)
    if len(counts) < 2:
        return []
    (large, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
    if most < IMBALANCE * least:
        return []
    summary = f"The classes are uneven: {most} training rows of {large}, {least} of {small}."
    return [
        Finding(
            kind="imbalance",
            severity="note",
            rows=(),
            summary=summary,
            advice="Look at macro-F1 and balanced accuracy, not at accuracy alone.",
        )
    ]


def _of_classes(table: Table) -> list[Finding]:
    return [*_missing_words(table), *_single(table), *_small(table), *_imbalance(table)]


def _of_several(table: Table) -> list[Finding]:
    """Point out labels that few training rows have."""
    assert table.targets is not None
    counts = (table.targets[table.splits != TEST] == 1).sum(axis=0)
    few = sorted(
        (int(n), name)
        for name, n in zip(table.target_names, counts, strict=True)
        if MIN_LABEL_ROWS <= n < FEW_CLASS_ROWS
    )
    if not few:
        return []
    named = offenders([f"{name}: {n}" for n, name in few])
    apply = "1 label applies" if len(few) == 1 else f"{len(few)} labels apply"
    summary = f"{apply} to fewer than {FEW_CLASS_ROWS} training rows ({named})."
    return [
        Finding(
            kind="small-class",
            severity="warn",
            rows=(),
            summary=summary,
            advice="Label more of them if you can; their scores are uncertain.",
        )
    ]


def _of_numbers(table: Table) -> list[Finding]:
    """Point out numbers far from all others: often a code for "missing", or a slip."""
    assert table.targets is not None
    values = table.targets[:, 0]
    low, high = np.quantile(values, [0.25, 0.75])
    far = np.flatnonzero(np.maximum(low - values, values - high) > FAR * (high - low))
    if high == low or len(far) == 0 or len(far) > MOST_FAR * len(values):
        return []
    rows = tuple(table.ids[row] for row in far)
    lie = "1 number lies" if len(far) == 1 else f"{len(far)} numbers lie"
    summary = f"{lie} far from all others (such as {values[far[0]]:g} in {rows[0]})."
    advice = "If they stand for a missing value, empty these cells; if they are true, leave them."
    return [Finding(kind="extreme-number", severity="note", rows=rows, summary=summary, advice=advice)]


_OF_LABELS: dict[str, Callable[[Table], list[Finding]]] = {
    "classification": _of_classes,
    "ordinal": _of_classes,
    "multi-label": _of_several,
    "regression": _of_numbers,
}
"""What to look at, for each kind of label."""
