"""Summary of how data was read: the role of each column, the number of series, channels and steps; facts only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from headstart.data.columns.cells import parse_number
from headstart.data.columns.text_columns import list_text_columns
from headstart.data.grouping.columns import count_languages
from headstart.records import Column, InputColumns, Table

MOST_NAMED = 30
"""So many value columns are named one by one in the JSON form; of more the first and the last."""


@dataclass(frozen=True, kw_only=True)
class InputSummary:
    """The role of each column, and the sizes of the data.

    Parameters
    ----------
    modality, layout : str
        Of series the layout is one of `headstart.records.LAYOUTS`; else empty.
    n_rows : int
    n_lines : int
        Lines of the files that the rows were read from, headers and empty lines included; 0 where they have none.
    n_set_aside : int
    channels : tuple of str
        Names, in order; empty where they have none.
    n_channels, fewest_steps, most_steps : int
        Of series; else 0.
    value_columns : tuple of str
        Columns read as values, channel by channel.
    roles : mapping of str to str
        Which column serves as what: label, text, file, id, series, time, split.
    is_labelled : bool
        Whether rows have labels, from a column or from folders and files.
    labels : tuple of str
        Several label columns, where there are several.
    texts : tuple of str
        Text columns, in the order in which they are joined.
    groups, metadata : tuple of str
        Columns named with --group, and those that serve as nothing else.
    number_columns : tuple of str
        Those of the metadata that hold numbers only, and were not read as values.
    left_out : mapping of str to str
        Columns that serve as nothing, and why.
    languages : mapping of str to int
        Texts by language; under "" those whose language cannot be told. Empty for other modalities.
    """

    modality: str
    layout: str = ""
    n_rows: int
    n_lines: int = 0
    n_set_aside: int = 0
    channels: tuple[str, ...] = ()
    n_channels: int = 0
    fewest_steps: int = 0
    most_steps: int = 0
    value_columns: tuple[str, ...] = ()
    roles: dict[str, str]
    is_labelled: bool = False
    labels: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    number_columns: tuple[str, ...] = ()
    left_out: dict[str, str]
    languages: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        names = self.value_columns
        ends = {"first": names[0], "last": names[-1]} if names else {"first": None, "last": None}
        values = {"n": len(names), **ends, "names": list(names) if len(names) <= MOST_NAMED else None}
        return {**asdict(self), "layout": self.layout or None, "value_columns": values}


_NO_ROLES = ("values", "channel ", "label ", "text ")


def summarise_inputs(table: Table, groups: Sequence[str] = ()) -> InputSummary:
    """Return how a table was read.

    Parameters
    ----------
    table : Table
    groups : sequence of str
        Columns that the user named as groups.
    """
    input_columns = table.input_columns or InputColumns()
    values = tuple(name for steps in input_columns.values for name in steps if name)
    roles = {role: name for role, name in table.columns.items() if not role.startswith(_NO_ROLES)}
    metadata = tuple(name for name in table.metadata if name not in groups)
    return InputSummary(
        modality=table.modality,
        layout=input_columns.layout,
        n_rows=len(table),
        n_lines=table.n_lines,
        n_set_aside=len(table.set_aside),
        channels=tuple(filter(None, input_columns.channels)),
        n_channels=input_columns.n_channels,
        fewest_steps=input_columns.fewest_steps,
        most_steps=input_columns.most_steps,
        value_columns=values or tuple(filter(None, input_columns.channels)),
        roles=roles,
        is_labelled=table.labels is not None or table.targets is not None,
        labels=tuple(name for role, name in table.columns.items() if role.startswith("label ")),
        texts=tuple(list_text_columns(table.columns)),
        groups=tuple(name for name in groups if name in table.metadata),
        metadata=metadata,
        number_columns=tuple(name for name in metadata if _is_numbers(table.metadata[name])),
        left_out=dict(table.left_out),
        languages=count_languages(table),
    )


def _is_numbers(values: Column) -> bool:
    try:
        numbers = [parse_number(str(value), decimal_comma=True) for value in values]
    except ValueError:
        return False
    return any(not math.isnan(number) for number in numbers)
