"""Columns of a table that hold the text: those named, those of training, or the best filled free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from headstart.data.columns.cells import is_missing
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import ROLES, ColumnSpec, fold_column_name
from headstart.data.columns.survey_columns import list_added_columns, match_question
from headstart.data.reading.table_files import RawTable
from headstart.errors import UnknownName, make_unknown_name
from headstart.records import Finding
from headstart.results.findings import make_finding

TEXT_ROLE = "text"
PART_ROLE = "text "
"""Begin of the role of each of several text columns: "text 1", "text 2" ..."""
_PLAIN_NAMES = frozenset(
    ("text", "texts", "sentence", "sentences", "content", "message", "messages", "tweet", "body", "utterance")
)
"""Names of a column that is the text wherever it is about as well filled as any other."""
_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class TextColumns:
    """The columns that are the text, in the order in which they are joined, and findings on the choice."""

    names: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    def roles(self) -> dict[str, str]:
        """Return the columns by role."""
        if len(self.names) == 1:
            return {TEXT_ROLE: self.names[0]}
        return {f"{PART_ROLE}{number}": name for number, name in enumerate(self.names, start=1)}


@dataclass(frozen=True)
class _TextCandidate:
    """A column that may be the text."""

    name: str
    filled: int
    median_length: float

    def rank(self, n_rows: int) -> tuple[float, float]:
        """Return what the best is the largest of: the share of rows filled in whole percent, then the length."""
        return round(self.filled / n_rows, 2), self.median_length


def list_text_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the text columns of training, in their order.

    Parameters
    ----------
    columns : mapping of str to str
        Columns by role (`Table.columns`).

    Examples
    --------
    >>> list_text_columns({"text 2": "reason", "text 1": "title", "label": "y"}), list_text_columns({"label": "y"})
    (('title', 'reason'), ())
    """
    parts = sorted((int(role.removeprefix(PART_ROLE)), name) for role, name in columns.items() if _is_part(role))
    return tuple(name for _, name in parts) or ((columns[TEXT_ROLE],) if TEXT_ROLE in columns else ())


def _is_part(role: str) -> bool:
    return role.startswith(PART_ROLE) and role.removeprefix(PART_ROLE).isdecimal()


def find_text_columns(raw_table: RawTable, spec: ColumnSpec, others: Iterable[str | None]) -> TextColumns | None:
    """Return the columns that hold the text; None where there is none.

    Parameters
    ----------
    raw_table : RawTable
    spec : ColumnSpec
    others : iterable of str
        Columns that serve as something else.

    Raises
    ------
    UnknownName
        A column that the user named, or that the model was trained on, is not there.
    """
    if spec.texts:
        return _bind_columns(_expand_names(raw_table, spec.texts), raw_table, _make_unknown_error)
    known = list_text_columns(spec.training_columns)
    return _bind_columns(known, raw_table, _make_missing_error) if known else _choose_column(raw_table, set(others))


def _expand_names(raw_table: RawTable, requested: Sequence[str]) -> list[str]:
    """Split "title,reason" into two columns where no column has this name."""
    known_keys = {fold_column_name(name) for name in raw_table.names}
    names = []
    for text in requested:
        names += (
            [text]
            if fold_column_name(text) in known_keys
            else [part.strip() for part in text.split(",") if part.strip()]
        )
    return list(dict.fromkeys(names))


def _bind_columns(
    names: Sequence[str], raw_table: RawTable, refuse: Callable[[str, RawTable], UnknownName]
) -> TextColumns:
    """Find columns by name: exactly, or in another letter case, with other blanks, or in another Unicode form."""
    bound, notes = [], []
    for name in names:
        matching = (
            [name]
            if name in raw_table.names
            else [other for other in raw_table.names if fold_column_name(other) == fold_column_name(name)]
        )
        if not matching and (question := match_question(name, raw_table.names)) is not None:
            matching = [question]
        if len(matching) != 1:
            raise refuse(name, raw_table)
        bound.append(matching[0])
        if matching[0] != name:
            notes.append(f"'{matching[0]}' for '{name}'")
    if not notes:
        return TextColumns(tuple(bound))
    summary = (
        f"{raw_table.name}: the column {', '.join(notes)} was taken: the names differ only in how they are written, or "
        "by a group of questions before them."
    )
    return TextColumns(tuple(bound), (make_finding("text-column", summary, advice="nothing"),))


def _make_unknown_error(name: str, raw_table: RawTable) -> UnknownName:
    return make_unknown_name("column", name, raw_table.names, f" in {raw_table.name}")


def _make_missing_error(name: str, raw_table: RawTable) -> UnknownName:
    close_names = get_close_matches(name.casefold(), [other.casefold() for other in raw_table.names], n=1)
    guess = next((other for other in raw_table.names if close_names and other.casefold() == close_names[0]), None)
    chosen = _choose_column(raw_table, set()) if guess is None else None
    guess = chosen.names[0] if chosen is not None else guess
    names_text = ", ".join(raw_table.names[:20]) + (
        f" and {len(raw_table.names) - 20} more" if len(raw_table.names) > 20 else ""
    )
    problem = f"{raw_table.name} has no column '{name}'; it has {names_text}."
    hint = "The model reads the column of training: name the one that stands for it with --text COLUMN."
    return UnknownName(problem, f"Did you mean --text '{guess}'? {hint}" if guess else hint)


def _choose_column(raw_table: RawTable, others: set[str | None]) -> TextColumns | None:
    """Choose the free-text column filled in most rows, then the longest; a plain name wins if it is filled as well."""
    usual = set(ROLES[TEXT_ROLE])
    others = others | list_added_columns(raw_table.names)
    measured = [
        _measure_column(raw_table, name, fold_column_name(name) in usual)
        for name in raw_table.names
        if name not in others
    ]
    candidates = [item for item in measured if item is not None]
    if not candidates:
        return None
    n_rows = len(raw_table.rows)
    best = max(candidates, key=lambda item: item.rank(n_rows))
    plain = [item for item in candidates if fold_column_name(item.name) in _PLAIN_NAMES]
    plain.sort(key=lambda item: ROLES[TEXT_ROLE].index(fold_column_name(item.name)))
    plain += [
        item for item in candidates if item not in plain and _PLAIN_NAMES & set(_WORDS.split(item.name.casefold()))
    ]
    chosen = next(
        (item for item in plain if item.filled >= best.filled - COLUMN_RULES.filled_tolerance_share * n_rows), best
    )
    not_chosen = [item for item in candidates if item is not chosen]
    return TextColumns(
        (chosen.name,), _describe_choice(chosen, not_chosen, n_rows, fold_column_name(chosen.name) in usual)
    )


def _measure_column(raw_table: RawTable, name: str, is_usual: bool) -> _TextCandidate | None:
    """Return how well a column is filled and how long its texts are; None where it is no free text."""
    if raw_table.columns[name].dtype.kind == "f":
        return None
    texts = raw_table.texts(name)
    filled = [text for text in texts if not is_missing(text)]
    some = [
        filled[at]
        for at in np.linspace(0, len(filled) - 1, min(len(filled), COLUMN_RULES.text_sample_rows)).astype(int)
    ]
    length = float(np.median([len(text) for text in some])) if some else 0.0
    like_header = _count_words(name) >= COLUMN_RULES.min_text_words and 2 * len(name) >= length
    if not is_usual and (like_header or not is_free_text(some)):  # A first row that is a text itself is no header.
        return None
    return _TextCandidate(name, len(filled), length)


def is_free_text(texts: Sequence[str]) -> bool:
    """Return whether people wrote the texts: mostly different ones, mostly of several words.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> is_free_text(["the pump is dry", "no water here", "all is well"]), is_free_text(["water", "roads"] * 9)
    (True, False)
    """
    if len(texts) < 2 or len(set(texts)) < COLUMN_RULES.min_different_share * len(texts):
        return False
    letters = sum(sum(map(str.isalpha, text)) for text in texts)
    links = sum("://" in text and len(text.split()) == 1 for text in texts)
    records = sum(text.lstrip()[:1] == "{" and text.rstrip()[-1:] == "}" for text in texts)
    if 2 * letters < sum(map(len, texts)) or 2 * max(links, records) > len(texts):
        return False
    return float(np.median([_count_words(text) for text in texts])) >= COLUMN_RULES.min_text_words


def _count_words(text: str) -> float:
    """Count words; where a writing has no blanks between them, two characters count as one."""
    dense = sum(ch >= "\u0e00" and (ch < "\u1100" or "\u3040" <= ch < "\uac00") for ch in text)
    return max(len(text.split()), dense / 2)


def _describe_choice(
    chosen: _TextCandidate, others: Sequence[_TextCandidate], n_rows: int, is_usual: bool
) -> tuple[Finding, ...]:
    """Return a finding: the chosen column, how many rows it fills, and which others were left out."""
    half_empty = chosen.filled <= COLUMN_RULES.min_filled_share * n_rows
    if not others and is_usual and not half_empty:
        return ()
    filled = f"filled in {chosen.filled:,} of {n_rows:,} rows"
    names_text = ", ".join(f"'{item.name}' ({item.filled:,} rows)" for item in others)
    others_text = f"; other columns of text were left out: {names_text}" if others else ""
    summary = f"The text was taken from '{chosen.name}', {filled}{others_text}."
    names, advice = ",".join([chosen.name, *(item.name for item in others)][:2]), "others" if others else ""
    return (
        make_finding("text-column", summary, severity="warn" if half_empty else "note", advice=advice, names=names),
    )


def join_texts(raw_table: RawTable, names: Sequence[str]) -> list[str]:
    """Return the text of each row: several columns one below the other, empty ones left out.

    Parameters
    ----------
    raw_table : RawTable
    names : sequence of str
        The text columns, at least one.
    """
    if len(names) == 1:
        return raw_table.texts(names[0])
    rows = zip(*(raw_table.texts(name) for name in names), strict=True)
    return ["\n".join(part for part in row if not is_missing(part)) for row in rows]
