"""Rows in projects."""

from __future__ import annotations

from pathlib import Path

from headstart.flow.forgetting.person_rows import KEY_CHARACTERS, PersonRows
from headstart.projects import Project


def forget_in_project(folder: Path, person: PersonRows, apply: bool) -> int:
    """Remove examples of a project: content, name, metadata, labels, and what was made from them.

    Parameters
    ----------
    folder : Path
        Of the project.
    person : PersonRows
    apply : bool
        False: only count.

    Returns
    -------
    int
        Examples that are there (or were).
    """
    with Project.open(folder) as project:
        ids = [
            example.id
            for example in project.iterate_examples()
            if example.name in person.ids or example.content_hash[:KEY_CHARACTERS] in person.keys
        ]
        if ids and apply:
            project.forget_examples(ids)
            project.export_labels()
    return len(ids)
