"""The examples of a project as rows to embed: their ids are the ids, and their stored hashes find them in the cache."""

from __future__ import annotations

from pathlib import Path

from headstart.errors import DataError
from headstart.projects import ExampleFilter, Project
from headstart.projects.places import VECTORS
from headstart.records import InputColumns, SetAside, Table, make_column


def find_index_folder(project: Project) -> Path:
    """Return where the index of a project lies.

    Parameters
    ----------
    project : Project
    """
    return project.folder / VECTORS


def read_examples(project: Project) -> Table:
    """Return the examples that are in, as rows; no file is opened.

    Parameters
    ----------
    project : Project

    Raises
    ------
    DataError
        There is none.
    """
    examples = list(project.iterate_examples(ExampleFilter(state="in")))
    readable = [example for example in examples if example.content_hash]
    modality = project.get_setting("modality", "")
    if not readable or not modality:
        raise DataError(
            f"The project {project.folder} has no examples yet.", f"headstart project add {project.folder} DATA"
        )
    columns = list(dict.fromkeys(name for example in readable for name in example.metadata))
    document = project.get_setting("input_columns", None)
    unreadable = [example for example in examples if not example.content_hash]
    return Table(
        modality=modality,
        ids=make_column([str(example.id) for example in readable]),
        inputs=make_column([example.input for example in readable]),
        hashes=make_column([example.content_hash for example in readable]),
        labels=None,
        splits=make_column([""] * len(readable)),
        metadata={name: make_column([example.metadata.get(name, "") for example in readable]) for name in columns},
        set_aside=tuple(SetAside(str(example.id), example.reason or "it cannot be read") for example in unreadable),
        source=str(project.folder),
        input_columns=None if document is None else InputColumns.from_dict(document),
    )
