"""Columns that tables of every modality have: labels, splits, ids, and the metadata that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from headstart.data.coding.framed_labels import are_levels, join_levels
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import LABEL_ROLE, ColumnSpec, find_column, find_label_columns, parse_split_word
from headstart.data.columns.survey_columns import list_added_columns, name_options
from headstart.data.labels.task_type import count_indicator_values
from headstart.data.reading.table_files import RawTable
from headstart.records import Column, Finding
from headstart.results.findings import make_finding


@dataclass(frozen=True, kw_only=True)
class ColumnRoles:
    """Columns of a table by role; `indicators` are several label columns of 0 and 1, in place of `label`."""

    label: str | None
    split: str | None
    id: str | None
    findings: tuple[Finding, ...] = ()
    indicators: tuple[str, ...] = ()

    def by_role(self) -> dict[str, str]:
        """Return the columns of the roles that are filled."""
        filled = {"label": self.label, "split": self.split, "id": self.id}
        filled |= {f"{LABEL_ROLE}{number}": name for number, name in enumerate(self.indicators, start=1)}
        return {role: name for role, name in filled.items() if name is not None}


def find_roles(
    raw_table: RawTable, spec: ColumnSpec, used_columns: Iterable[str | None], has_classes: bool = False
) -> ColumnRoles:
    """Return the label, split and id columns of a table.

    Parameters
    ----------
    raw_table : RawTable
    spec : ColumnSpec
    used_columns : iterable of str
        Columns that serve as something else.
    has_classes : bool
        Whether rows have their class from elsewhere, such as folders.
    """
    where, used_set = f" in {raw_table.name}", set(used_columns)
    added = list_added_columns(raw_table.names)
    unused = [id_column for id_column in raw_table.names if id_column not in used_set]
    label_names = find_label_columns(unused, spec, where)
    label = (
        label_names[0] if len(label_names) == 1 else None if label_names else find_column(unused, "label", spec, where)
    )
    indicators = tuple(label_names) if len(label_names) > 1 else ()
    unused = [id_column for id_column in unused if id_column != label and id_column not in indicators]
    split = find_column(unused, "split", spec, where)
    findings: tuple[Finding, ...] = ()
    if split is not None and any(parse_split_word(word) is None for word in set(raw_table.texts(split))):
        findings, split = _find_unused_split(raw_table, split), None
    id_column = find_column(
        [id_column for id_column in unused if id_column not in spec.group_columns], "id", spec, where
    )
    if id_column is not None and not _is_unique(raw_table.texts(id_column)):
        id_column = None
    if label is None and not indicators and not has_classes and spec.may_have_indicators:
        indicators = _find_indicators(
            raw_table, [other for other in unused if other not in {split, id_column, *spec.group_columns, *added}]
        )
    return ColumnRoles(label=label, split=split, id=id_column, findings=findings, indicators=indicators)


def _find_indicators(raw_table: RawTable, names: Iterable[str]) -> tuple[str, ...]:
    """Find label columns of 0 and 1, if there are several."""
    n_values_by_name = {name: count_indicator_values(raw_table.texts(name)) for name in names}
    varied = sum(n == 2 for n in n_values_by_name.values())
    return tuple(name for name, n in n_values_by_name.items() if n) if varied >= COLUMN_RULES.min_indicators else ()


def _find_unused_split(raw_table: RawTable, name: str) -> tuple[Finding, ...]:
    """Return a finding for a split column that has other words as well; without split words it is none."""
    words = raw_table.texts(name)
    if not any(parse_split_word(word) for word in set(words)):
        return ()
    other_words = [word for word in words if parse_split_word(word) is None]
    summary = (
        f"The column '{name}' was not used as the split: {len(other_words)} rows say something else, such as "
        f"'{other_words[0]}'."
    )
    return (make_finding("split-not-used", summary),)


def read_ids(raw_table: RawTable, name: str | None) -> list[str]:
    """Return each row's id: from the id column, else the file's name and the row number.

    Parameters
    ----------
    raw_table : RawTable
    name : str, optional
        The id column.
    """
    return raw_table.texts(name) if name is not None else [f"{raw_table.name}:{row}" for row in raw_table.rows]


def read_labels(
    roles: ColumnRoles, read_texts: Callable[[str], list[str]]
) -> tuple[list[str] | None, dict[str, list[str]]]:
    """Return the labels of each row (None for no label column), and the indicator columns by name.

    Parameters
    ----------
    roles : ColumnRoles
    read_texts : function of str
        Returns a column as strings.
    """
    if roles.indicators:
        indicators = {option: read_texts(name) for name, option in name_options(roles.indicators).items()}
        if are_levels(list(indicators.values())):
            return join_levels(indicators), {}
        return [""] * len(next(iter(indicators.values()))), indicators
    return (None if roles.label is None else read_texts(roles.label)), {}


def read_optional_texts(raw_table: RawTable, name: str | None) -> list[str] | None:
    """Return a column as strings, or None for no column.

    Parameters
    ----------
    raw_table : RawTable
    name : str, optional
    """
    return None if name is None else raw_table.texts(name)


def read_metadata(raw_table: RawTable, used_columns: Iterable[str | None]) -> dict[str, Column]:
    """Return every column that has no role, but what a survey tool added.

    Parameters
    ----------
    raw_table : RawTable
    used_columns : iterable of str
        Columns that have a role.
    """
    used_set = {*used_columns, *list_added_columns(raw_table.names)}
    return {name: raw_table.column(name) for name in raw_table.names if name not in used_set}


def _is_unique(values: list[str]) -> bool:
    return len(set(values)) == len(values) and all(value.strip() for value in values)
