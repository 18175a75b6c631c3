"""A project in the place of data: whoever reads a path reads a project's folder by these functions as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from headstart import data
from headstart.errors import OptionError
from headstart.options import ReadOptions, flag, parse
from headstart.projects.project import Project, is_project
from headstart.projects.tables import TableRequest
from headstart.records import InputColumns, Table

_COLUMN_OPTIONS = ("text", "label", "id", "values", "channels", "time_column", "sheet", "encoding")


def read_rows(
    path: Path | str,
    options: ReadOptions | None = None,
    known: Mapping[str, str] | None = None,
    empty_is_none: bool | None = None,
    labels: tuple[str, ...] = (),
    inputs: InputColumns | None = None,
) -> Table:
    """Read labelled data as `data.read_table` does; of a project its labelled examples.

    Parameters
    ----------
    path : Path or str
        A project's folder, or what `data.read_table` takes.
    options, known, empty_is_none, labels, inputs
        As for `data.read_table`; a project knows its columns itself.

    Raises
    ------
    HeadstartError
        The data cannot be read, or a column is named for a project.
    """
    if not is_project(path):
        return data.read_table(path, options, known, empty_is_none, labels=labels, inputs=inputs)
    options = options or parse(ReadOptions)
    named = [name for name in _COLUMN_OPTIONS if known is None and getattr(options, name)]
    if named:
        raise OptionError(f"{flag(named[0])}: a project knows its columns.", "Leave it out.")
    with Project.open(path) as project:
        request = TableRequest(merge_labels=options.merge_labels, task=options.task, order=options.order, known=labels)
        table = project.read_rows(request).table
    data.require_modality(options, table.modality, f"{path} holds")
    return table


def read_unlabelled_rows(table: Table, unlabelled: str) -> Table | None:
    """Return the examples without a label of the project that a table is from; None where it is from files.

    Parameters
    ----------
    table : Table
        Labelled rows.
    unlabelled : str
        The option of this name.
    """
    if unlabelled != "use" or not is_project(table.source):
        return None
    with Project.open(table.source) as project:
        rows = project.read_table(include_unlabelled=True)
    assert rows.labels is not None
    return rows.take(np.flatnonzero(rows.labels == ""))


def read_project_inputs(paths: Sequence[Path | str], modality: str) -> data.OrderedInputs | None:
    """Return all examples of a project as inputs in their order; None where the paths are no project.

    Parameters
    ----------
    paths : sequence of Path or str
    modality : str
        Of the model.

    Raises
    ------
    OptionError
        It stands beside other inputs, or holds another modality.
    """
    projects = [path for path in paths if is_project(path)]
    if not projects:
        return None
    if len(paths) > 1:
        raise OptionError(f"{projects[0]} is a project, and stands beside other inputs.", "Give it alone.")
    with Project.open(projects[0]) as project:
        table = project.read_table(include_unlabelled=True)
    if table.modality != modality:
        raise OptionError(f"{projects[0]} holds {table.modality} data; the model reads {modality}.", "Give another.")
    failed = [(item.id, None) for item in table.set_aside]
    return data.OrderedInputs(table, (*((str(name), row) for row, name in enumerate(table.ids)), *failed))
