"""Classes whose names mean something to Headstart: pointed out before they are answered in an unexpected way."""

from __future__ import annotations

from collections import Counter

from headstart.decisions import ANSWER_WORDS, NONE, reserved_classes
from headstart.options import AdaptOptions, CheckOptions
from headstart.records import Finding, Table
from headstart.results.findings import make_finding
from headstart.spellings import fold_label
from headstart.task_types import TASK_TYPES


def find_reserved_names(table: Table, options: AdaptOptions | CheckOptions) -> tuple[Finding, ...]:
    """Report classes that will be answered with "none of these", and classes that are called as an answer is.

    Parameters
    ----------
    table : Table
    options : AdaptOptions or CheckOptions
        With `reserved` given, the user has decided which classes are answered so.

    Raises
    ------
    OptionError
        `reserved` names a class that is not there.
    """
    if table.labels is None:
        return ()
    if not TASK_TYPES[table.task].has_one_class:
        names = list(table.target_names) if TASK_TYPES[table.task].has_label_sets else []
        return tuple(_make_answer_word_finding(name, kind, ()) for name, kind in _find_answer_words(names))
    classes = sorted({str(label) for label in table.labels})
    reserved = reserved_classes(options.reserved, classes)
    findings = () if options.reserved else tuple(_make_reserved_finding(name, table) for name in reserved)
    return (
        *findings,
        *(_make_answer_word_finding(name, kind, _list_rows(table, name)) for name, kind in _find_answer_words(classes)),
    )


def _list_rows(table: Table, name: str) -> tuple[str, ...]:
    assert table.labels is not None
    return tuple(str(row) for row, label in zip(table.ids, table.labels, strict=True) if str(label) == name)


def _make_reserved_finding(name: str, table: Table) -> Finding:
    n_rows = Counter(str(label) for label in table.labels if label is not None)[name] if table.labels is not None else 0
    summary = (
        f"The class '{name}' ({n_rows} rows) is taken for everything that is none of the other classes: "
        f"its inputs will be answered with '{NONE}', not with '{name}'."
    )
    return make_finding("reserved-class", summary, _list_rows(table, name), advice="name", name=name)


def _find_answer_words(names: list[str]) -> list[tuple[str, str]]:
    """Return the names that are also a word for an answer without a class, each with that answer."""
    kinds = {fold_label(word): words[0] for words in ANSWER_WORDS for word in words}
    return [(name, kinds[fold_label(name)]) for name in names if fold_label(name) in kinds]


def _make_answer_word_finding(name: str, answer: str, rows: tuple[str, ...]) -> Finding:
    summary = f"The class '{name}' is called as the answer '{answer}' is, which a model gives where it knows no class."
    return make_finding("reserved-class", summary, rows, advice="answer-word")
