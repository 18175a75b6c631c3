"""Which example of a project each row of a run is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from headstart.home import read_json
from headstart.projects import Project

FILE = "examples.json"
"""In the run folder: ids of examples by id of the row; written by `adapt` on a project."""


def find_examples(project: Project, run: Path, rows: Collection[str]) -> dict[str, int]:
    """Return the examples of rows, by the id of the row; rows that are none of the project's are left out.

    Parameters
    ----------
    project : Project
    run : Path
        The output folder of `adapt`.
    rows : collection of str
        Ids of rows.

    Notes
    -----
    A run without the list of its rows is matched by name; a name that several examples have then belongs to the first.
    """
    try:
        document = read_json(run / FILE)
        known = {str(name): int(number) for name, number in document["examples"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = _match_names(project)
    return {name: known[name] for name in rows if name in known}


def _match_names(project: Project) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for example in project.iterate_examples():
        numbers.setdefault(example.name, example.id)
    return numbers
