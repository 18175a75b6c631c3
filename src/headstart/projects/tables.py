"""The examples of a project as a `Table`, made as the readers make it from files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.data.labels.task_type import LabelSpec
from headstart.data.reading.rows import ParsedRows, ReadPolicy, build_table
from headstart.errors import DataError
from headstart.projects.examples import iterate_examples
from headstart.projects.models import get_setting
from headstart.projects.records import Example, ExampleFilter
from headstart.projects.store import ProjectStore
from headstart.records import InputColumns, Table, make_column


@dataclass(frozen=True)
class TableSettings:
    """What a project remembers of how its data was read (see `Table`)."""

    modality: str
    columns: dict[str, str]
    task: str
    order: tuple[str, ...]


def read_table_settings(store: ProjectStore) -> TableSettings:
    """Return how the data of a project was read."""
    return TableSettings(
        modality=get_setting(store, "modality", ""),
        columns=get_setting(store, "columns", {}),
        task=get_setting(store, "task", "auto"),
        order=tuple(get_setting(store, "order", ())),
    )


def read_project_table(store: ProjectStore, include_unlabelled: bool, merge_labels: bool) -> Table:
    """Return the examples that are in, as `data.read_table` returns those of a file.

    Parameters
    ----------
    store : ProjectStore
    include_unlabelled : bool
        Rows without a label then have "".
    merge_labels : bool
        Whether labels that differ only in spelling become one.

    Raises
    ------
    DataError
        There is no example, or none with a label.
    """
    settings = read_table_settings(store)
    chosen = ExampleFilter(state="in", labelled=None if include_unlabelled else True)
    examples = list(iterate_examples(store, chosen))
    name = store.path.parent
    if not settings.modality or not examples:
        what = "no example with a label" if settings.modality and not include_unlabelled else "no examples"
        raise DataError(f"The project {name} has {what} yet.", f"headstart project add {name} DATA, or label some.")
    columns = list(dict.fromkeys(key for example in examples for key in example.metadata))
    document = get_setting(store, "input_columns", None)
    parsed_rows = ParsedRows(
        modality=settings.modality,
        inputs=[_get_input(example) for example in examples],
        ids=[example.name for example in examples],
        labels=[example.label or "" for example in examples],
        splits=[example.split for example in examples],
        metadata={
            column: make_column([example.metadata.get(column, "") for example in examples]) for column in columns
        },
        columns=settings.columns,
        input_columns=None if document is None else InputColumns.from_dict(document),
        left_out=get_setting(store, "left_out_columns", {}),
    )
    spec = LabelSpec(task=settings.task, order=settings.order, merge=merge_labels)
    policy = ReadPolicy(merge_labels, drop_unlabelled=True, expects_labels=not include_unlabelled, label_spec=spec)
    return build_table(parsed_rows, str(name), policy)


def _get_input(example: Example) -> Any:
    """Return what a row of a table holds as its input; a lost input is one that cannot be read."""
    for value in (example.path, example.text, example.series):
        if value is not None:
            return value
    return np.zeros((1, 0), dtype=np.float32)
