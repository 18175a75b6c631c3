"""The examples of a project as a `Table`, made as the readers make it from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data.labels.task_type import LabelSpec
from headstart.data.reading.rows import ParsedRows, ReadPolicy, build_table, make_row_ids
from headstart.errors import DataError
from headstart.projects.examples import iterate_examples
from headstart.projects.models import get_setting
from headstart.projects.records import Example, ExampleFilter
from headstart.projects.store import ProjectStore
from headstart.records import InputColumns, Table, make_column


@dataclass(frozen=True, kw_only=True)
class ProjectTable:
    """Examples as rows.

    Parameters
    ----------
    table : Table
        Without what cannot be read at this moment, such as a file that was moved.
    examples : tuple of Example, shape (n_rows,)
        That of each row of `table`.
    """

    table: Table
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class TableRequest:
    """Which examples become rows, and how their labels are read.

    Parameters
    ----------
    include_unlabelled : bool
        Rows without a label then have "".
    merge_labels : bool
        Whether labels that differ only in spelling become one.
    task : str
        One of `TASK_TYPES`, or "auto" for the project's own.
    order : tuple of str
        Grades, the lowest first; empty for the project's own.
    known : tuple of str
        Labels of the training data.
    """

    include_unlabelled: bool = False
    merge_labels: bool = False
    task: str = "auto"
    order: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


LABELLED_ROWS = TableRequest()


def read_project_table(store: ProjectStore, request: TableRequest) -> ProjectTable:
    """Return the examples that are in, as `data.read_table` returns the rows of a file.

    Parameters
    ----------
    store : ProjectStore
    request : TableRequest

    Raises
    ------
    DataError
        There is no example, or none with a label.
    """
    modality = get_setting(store, "modality", "")
    chosen = ExampleFilter(state="in", labelled=None if request.include_unlabelled else True)
    examples = list(iterate_examples(store, chosen)) if modality else []
    folder = store.path.parent
    if not examples:
        what = "no examples" if not modality or request.include_unlabelled else "no example with a label"
        raise DataError(f"The project {folder} has {what} yet.", f"Add some: headstart project add {folder} DATA.")
    parsed_rows = _make_parsed_rows(store, modality, examples)
    task = get_setting(store, "task", "auto") if request.task == "auto" else request.task
    spec = LabelSpec(
        task=task,
        order=request.order or tuple(get_setting(store, "order", ())),
        known=request.known,
        merge=request.merge_labels,
    )
    policy = ReadPolicy(
        merge_labels=request.merge_labels,
        drop_unlabelled=True,
        expects_labels=not request.include_unlabelled,
        label_spec=spec,
    )
    is_drawn = get_setting(store, "split_kind", "drawn") == "drawn"
    table = replace(build_table(parsed_rows, str(folder), policy), is_split_drawn=is_drawn)
    by_name = dict(zip(make_row_ids(parsed_rows), examples, strict=True))
    return ProjectTable(table=table, examples=tuple(by_name[name] for name in table.ids))


def _make_parsed_rows(store: ProjectStore, modality: str, examples: Sequence[Example]) -> ParsedRows:
    names = list(dict.fromkeys(key for example in examples for key in example.metadata))
    document = get_setting(store, "input_columns", None)
    return ParsedRows(
        modality=modality,
        inputs=[Path(example.name) if example.input is None else example.input for example in examples],
        ids=[example.name for example in examples],
        labels=[example.label or "" for example in examples],
        splits=[example.split for example in examples],
        metadata={name: make_column([example.metadata.get(name, "") for example in examples]) for name in names},
        columns=get_setting(store, "columns", {}),
        input_columns=None if document is None else InputColumns.from_dict(document),
        left_out=get_setting(store, "left_out_columns", {}),
    )
