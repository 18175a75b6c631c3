"""Choose the columns whose values are compared: those that are named, and by itself every column of few values.

Nothing here becomes an input of a model, and no row is moved to another side of a split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonpath
from pathlib import Path

import numpy as np

from headstart.data.columns.names import parse_split_word
from headstart.data.grouping.association import share_of_common_information
from headstart.data.grouping.bands import name_periods, name_thirds, read_dates, read_numbers
from headstart.data.grouping.personal import is_personal, is_row_number
from headstart.data.grouping.settings import SETTINGS
from headstart.errors import make_unknown_name
from headstart.modalities import MODALITIES
from headstart.modalities.languages import detect_languages, detect_scripts, knows_languages
from headstart.records import Column, Index, Table, make_column
from headstart.results import GroupOrigin, LeftAloneReason
from headstart.task_types import TASK_TYPES

NONE = "none"
"""What `--compare` takes to compare only the columns of `--group`."""


@dataclass(frozen=True, kw_only=True)
class ComparedColumn:
    """A column whose values are compared, with the rows that are.

    Parameters
    ----------
    name : str
    origin : str
        Where its values come from: one of `GroupOrigin`.
    values : Column, shape (n_rows,)
        Words; "" where a row has none.
    """

    name: str
    origin: GroupOrigin
    values: Column


@dataclass(frozen=True, kw_only=True)
class ColumnsToCompare:
    """The columns to compare, those that are named first, and why others are not.

    Parameters
    ----------
    columns : tuple of ComparedColumn
    left_alone : mapping of str to str
        Reason by column: one of `LeftAloneReason`.
    """

    columns: tuple[ComparedColumn, ...] = ()
    left_alone: dict[str, LeftAloneReason] = field(default_factory=dict)

    def take(self, rows: Index) -> ColumnsToCompare:
        """Return the columns with the values of `rows`, in that order."""
        return replace(self, columns=tuple(replace(item, values=item.values[rows]) for item in self.columns))


def choose_compared_columns(
    table: Table, rows: Index, groups: Sequence[str] = (), compare: Sequence[str] = ()
) -> ColumnsToCompare:
    """Return the columns that tell groups of rows apart, with the values of all rows.

    Parameters
    ----------
    table : Table
        All rows: bounds of bands are taken from them.
    rows : Index
        Those that will be compared, such as the test rows: periods are such that they have enough of them.
    groups : sequence of str
        Columns named with --group: compared as they are, where the table has them.
    compare : sequence of str
        Columns named with --compare; empty: every column of few values; "none": no other than `groups`.

    Raises
    ------
    UnknownName
        The table has no such column.
    """
    named = [
        ComparedColumn(name=name, origin="named", values=table.metadata[name])
        for name in groups
        if name in table.metadata
    ]
    requested = find_compared_names(table, compare)
    if requested is None:
        chosen, left_alone = _choose_unasked(table, rows, groups)
    else:
        chosen, left_alone = [_read_requested(table, rows, name) for name in requested if name not in groups], {}
    return ColumnsToCompare(columns=(*named, *chosen), left_alone=left_alone)


def find_compared_names(table: Table, compare: Sequence[str]) -> list[str] | None:
    """Return the columns that --compare names; None where it is not given.

    Parameters
    ----------
    table : Table
    compare : sequence of str
        Names, or several with commas between; "none" for no column.

    Raises
    ------
    UnknownName
        The table has no such column; the nearest name is suggested.
    """
    if not compare:
        return None
    known = {*table.metadata, *_DERIVED}
    if [word.strip().casefold() for word in compare] == [NONE] and NONE not in known:
        return []
    names = [name for text in compare for name in ([text] if text in known else text.split(","))]
    names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in names:
        if name not in known:
            choices = dict.fromkeys([*table.metadata, *_DERIVED])
            raise make_unknown_name("column to compare", name, choices, f" in {table.source}")
    return names


def _read_requested(table: Table, rows: Index, name: str) -> ComparedColumn:
    """Return a column that the user named: in bands where it holds many dates or numbers, else as it is."""
    if name not in table.metadata:
        return ComparedColumn(name=name, origin=name, values=_DERIVED[name](table))  # type: ignore[arg-type]
    texts = _read_texts(table.metadata[name])
    return (_as_bands(name, texts, rows) if len(set(texts) - {""}) > SETTINGS.max_values else None) or ComparedColumn(
        name=name, origin="column", values=make_column(texts)
    )


def _choose_unasked(
    table: Table, rows: Index, groups: Sequence[str]
) -> tuple[list[ComparedColumn], dict[str, LeftAloneReason]]:
    """Return the columns of few values, periods and thirds, with those that are left alone and why."""
    chosen: list[ComparedColumn] = []
    left_alone: dict[str, LeftAloneReason] = {}
    known = [make_column(_read_texts(table.metadata[name])) for name in groups if name in table.metadata]
    for column in _read_candidates(table, rows, groups, left_alone):
        reason = _find_reason_to_skip(table, column, known)
        if reason is None and len(chosen) >= SETTINGS.max_columns:
            reason = "limit"
        if reason is not None:
            if column.name in table.metadata:
                left_alone[column.name] = reason
            continue
        known.append(column.values)
        chosen.append(column)
    return chosen, left_alone


def _read_candidates(
    table: Table, rows: Index, groups: Sequence[str], left_alone: dict[str, LeftAloneReason]
) -> Iterable[ComparedColumn]:
    """Yield columns of few words, then what is derived from the inputs, then periods and thirds."""
    banded: list[ComparedColumn] = []
    for name, values in table.metadata.items():
        if name in groups or parse_role(table, name):
            continue
        texts = _read_texts(values)
        column = _read_column(name, texts, rows)
        if isinstance(column, str):
            left_alone[name] = column
        elif column.origin == "column":
            yield column
        else:
            banded.append(column)
    for name, read in _DERIVED.items():
        values = read(table)
        if len(set(values) - {""}) > 1:
            own = f"{name} (detected)" if name in table.metadata else name
            yield ComparedColumn(name=own, origin=name, values=values)  # type: ignore[arg-type]
    yield from banded


def parse_role(table: Table, name: str) -> bool:
    """Return whether a column of the metadata serves as something else, such as the label."""
    return name in table.columns.values()


def _read_column(name: str, texts: list[str], rows: Index) -> ComparedColumn | LeftAloneReason:
    """Return a column as groups, or why it has none."""
    filled = [text for text in texts if text]
    n_values = len(set(filled))
    if n_values < 2:
        return "one-value"
    if is_personal(name, filled):
        return "personal"
    if n_values <= SETTINGS.max_values and len(filled) >= SETTINGS.min_value_rows * n_values:
        is_long = sum(map(len, set(filled))) > SETTINGS.long_value * n_values
        return "free-text" if is_long else ComparedColumn(name=name, origin="column", values=make_column(texts))
    return _as_bands(name, texts, rows) or "many-values"


def _as_bands(name: str, texts: list[str], rows: Index) -> ComparedColumn | None:
    """Return a column of dates as periods, or of numbers as thirds."""
    seconds = read_dates(texts)
    if seconds is not None:
        periods = name_periods(seconds, rows)
        return None if periods is None else ComparedColumn(name=name, origin="date", values=periods)
    numbers = read_numbers(texts)
    if numbers is None or is_row_number(name, numbers[np.isfinite(numbers)].tolist()):
        return None
    thirds = name_thirds(numbers)
    return None if thirds is None else ComparedColumn(name=name, origin="number", values=thirds)


def _find_reason_to_skip(table: Table, column: ComparedColumn, known: Sequence[Column]) -> LeftAloneReason | None:
    """Return why a column tells nothing of its own; None where it does."""
    if _equals_label(table, column):
        return "label"
    is_same = any(share_of_common_information(column.values, other) >= SETTINGS.same_information for other in known)
    return "same" if is_same else None


def _equals_label(table: Table, column: ComparedColumn) -> bool:
    if TASK_TYPES[table.task].is_number and column.name in table.metadata and table.targets is not None:
        numbers = read_numbers(_read_texts(table.metadata[column.name]))
        return numbers is not None and _are_proportional(numbers, table.targets[:, 0].astype(np.float64))
    if table.labels is None:
        return False
    return share_of_common_information(column.values, table.labels) >= SETTINGS.same_information


def _are_proportional(a: np.ndarray[tuple[int], np.dtype[np.float64]], b: Column) -> bool:
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3 or not np.ptp(a[known]) or not np.ptp(b[known]):
        return False
    return abs(float(np.corrcoef(a[known], b[known])[0, 1])) >= SETTINGS.same_number


def _read_texts(values: Column) -> list[str]:
    return ["" if value is None or value != value else str(value).strip() for value in values]  # noqa: PLR0124


def find_languages(table: Table) -> Column:
    """Return the language of each text, such as "Swahili"; "" where it cannot be told, and for other modalities.

    Parameters
    ----------
    table : Table
        Of more than 5,000 rows an even sample is looked at, and the others count as not told.
    """
    return _read_inputs(table, detect_languages)


def count_languages(table: Table) -> dict[str, int]:
    """Count texts by language, the most frequent first; empty for other modalities and where no library tells them.

    Parameters
    ----------
    table : Table
        With more than 5,000 rows an even sample of them is looked at.

    Returns
    -------
    dict of str to int
        Number of rows by English name; under "" those whose language cannot be told.
    """
    if not MODALITIES[table.modality].has_words or not knows_languages():
        return {}
    counts = Counter(find_languages(table).tolist())
    unknown = counts.pop("", 0)
    return {**dict(counts.most_common()), **({"": unknown} if unknown else {})}


def find_scripts(table: Table) -> Column:
    """Return the script of each text, such as "Latin"; "" without letters, and for other modalities.

    Parameters
    ----------
    table : Table
        Of more than 5,000 rows an even sample is looked at, and the others count as not told.
    """
    return _read_inputs(table, detect_scripts)


def _read_inputs(table: Table, detect: Callable[[Sequence[str]], list[str]]) -> Column:
    values = make_column([""] * len(table))
    if MODALITIES[table.modality].has_words and len(table):
        sampled = np.linspace(0, len(table) - 1, min(len(table), SETTINGS.language_rows)).astype(np.intp)
        values[sampled] = detect([str(text) for text in table.inputs[sampled]])
    return values


def find_source_folders(table: Table) -> Column:
    """Return the folder that each file came from where folders are neither classes nor splits; else "" everywhere.

    Parameters
    ----------
    table : Table
    """
    nothing = make_column([""] * len(table))
    paths = [path for path in table.inputs if isinstance(path, Path)]
    if not MODALITIES[table.modality].is_file or len(table) < 2 or len(paths) < len(table):
        return nothing
    top = commonpath([path.parent for path in paths])
    folders = [path.parent.relative_to(top).parts for path in paths]
    for level in range(max(map(len, folders))):
        values = make_column([parts[level] if len(parts) > level else "" for parts in folders])
        n_values = len(set(values) - {""})
        is_split = all(parse_split_word(word) for word in set(values) - {""})
        if 2 <= n_values <= SETTINGS.max_values and not is_split and not _tells_label(table, values):
            return values
    return nothing


def _tells_label(table: Table, values: Column) -> bool:
    return table.labels is not None and share_of_common_information(values, table.labels) >= SETTINGS.same_information


_DERIVED: dict[str, Callable[[Table], Column]] = {
    "language": find_languages,
    "script": find_scripts,
    "folder": find_source_folders,
}
"""Columns that are read off the inputs, by the name of their origin."""
