"""What is wrong with the data, found before any time is spent on it. Nothing is changed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from headstart.errors import DataError, offenders
from headstart.records import TEST, Finding, Table

MIN_CLASS_ROWS, FEW_CLASS_ROWS, IMBALANCE = 2, 10, 10
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
    found = [*_stops(table), *_corrupt(table), *_copies(table), *_conflicts(table)]
    found += [*_missing_words(table), *_small(table), *_imbalance(table)]
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
        No rows, no labels, fewer than two classes, a class with fewer than two training rows, labels that are
        really numbers, or series with different numbers of channels.
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
    if _are_measurements(table.labels.tolist()):
        summary = f"The {len(set(table.labels))} labels are mostly different numbers (such as {table.labels[0]})."
        return [_stop("numeric-labels", (), summary, "Predicting numbers is not supported yet; give classes.")]
    counts = _training_counts(table)
    if len(counts) < 2:
        found = f"only one class to learn ({next(iter(counts))})" if counts else "no class to learn"
        advice = "Add rows of another class, or name the right column with --label."
        return [_stop("one-class", (), f"There is {found}; at least 2 are needed.", advice)]
    return [*_uneven_channels(table), *_rare(table, counts)]


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


def _rare(table: Table, counts: Counter[str]) -> list[Finding]:
    assert table.labels is not None
    rare = sorted(label for label, count in counts.items() if count < MIN_CLASS_ROWS)
    if not rare:
        return []
    named = set(rare)
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in named)
    have = "1 class has" if len(rare) == 1 else f"{len(rare)} classes have"
    summary = f"{have} fewer than {MIN_CLASS_ROWS} rows to learn from: {offenders(rare)}."
    return [_stop("small-class", rows, summary, "Add rows to these classes, or remove or rename them.")]


def _stop(kind: str, rows: tuple[str, ...], summary: str, advice: str) -> Finding:
    return Finding(kind, "stop", rows, summary, advice)


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


def _are_measurements(labels: Sequence[str]) -> bool:
    """Whether labels are numbers of which most occur once: a quantity, not a class."""
    distinct = set(labels)
    if len(distinct) < 10 or len(distinct) <= len(labels) / 2:
        return False
    try:
        return all(np.isfinite(float(label.replace(",", "."))) for label in distinct)
    except ValueError:
        return False


def _corrupt(table: Table) -> list[Finding]:
    rows = tuple(item.id for item in table.set_aside)
    if not rows:
        return []
    named = offenders([f"{item.id}: {item.reason}" for item in table.set_aside])
    summary = f"{len(rows)} input{'s were' if len(rows) > 1 else ' was'} set aside ({named})."
    return [Finding("corrupt", "warn", rows, summary, "Repair or remove them; everything else is used.")]


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
        found.append(Finding("duplicates-across-splits", "warn", tests, summary, advice))
    if within:
        named = tuple(table.ids[row] for rows in within for row in rows)
        occur = "1 input occurs" if len(within) == 1 else f"{len(within)} inputs occur"
        summary = f"{occur} more than once ({len(named)} rows, such as {named[0]})."
        found.append(Finding("duplicates", "note", named, summary, "Copies are kept on one side of every split."))
    return found


def _conflicts(table: Table) -> list[Finding]:
    if table.labels is None:
        return []
    odd = [rows for rows in _families(table) if len({table.labels[row] for row in rows}) > 1]
    if not odd:
        return []
    named = tuple(table.ids[row] for rows in odd for row in rows)
    first = odd[0]
    example = f"{table.ids[first[0]]} is {table.labels[first[0]]}"
    other = next(row for row in first if table.labels[row] != table.labels[first[0]])
    have = "1 input has" if len(odd) == 1 else f"{len(odd)} inputs have"
    summary = f"{have} two labels ({example}, {table.ids[other]} is {table.labels[other]})."
    return [Finding("conflicting-labels", "warn", named, summary, "Decide on one label, or remove these rows.")]


def _missing_words(table: Table) -> list[Finding]:
    """Point out classes named as programs write a missing value."""
    if table.labels is None:
        return []
    labels = table.labels.tolist()
    counts = Counter(labels)
    words = sorted(label for label in counts if label.strip().casefold() in _MISSING_WORDS)
    if not words:
        return []
    rows = tuple(name for name, label in zip(table.ids, labels, strict=True) if label in words)
    named = offenders([f"'{word}' ({counts[word]} row{'s' * (counts[word] > 1)})" for word in words])
    summary = f"These classes may stand for a missing label: {named}."
    advice = "If so, empty these cells and pass --unlabelled drop; if they are classes, leave them."
    return [Finding("missing-labels", "warn", rows, summary, advice)]


def _small(table: Table) -> list[Finding]:
    if table.labels is None:
        return []
    counts = _training_counts(table)
    few = {label: count for label, count in counts.items() if MIN_CLASS_ROWS <= count < FEW_CLASS_ROWS}
    if not few:
        return []
    named = offenders([f"{label}: {count}" for label, count in sorted(few.items(), key=lambda item: item[1])])
    rows = tuple(row for row, label in zip(table.ids, table.labels, strict=True) if label in few)
    summary = (
        f"{len(few)} class{'es have' if len(few) > 1 else ' has'} fewer than {FEW_CLASS_ROWS} training rows ({named})."
    )
    return [Finding("small-class", "warn", rows, summary, "Label more of them if you can; their scores are uncertain.")]


def _imbalance(table: Table) -> list[Finding]:
    counts = _training_counts(table) if table.labels is not None else Counter()
    if len(counts) < 2:
        return []
    (large, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
    if most < IMBALANCE * least:
        return []
    summary = f"The classes are uneven: {most} training rows of {large}, {least} of {small}."
    return [Finding("imbalance", "note", (), summary, "Look at macro-F1 and balanced accuracy, not at accuracy alone.")]
