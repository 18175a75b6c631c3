"""Rows in projects."""

from __future__ import annotations

import hashlib
from pathlib import Path

from headstart.data.reading.stored_names import NAMES_FILE
from headstart.flow.forgetting.person_rows import KEY_CHARACTERS, PersonRows
from headstart.modalities.image import SUFFIXES
from headstart.projects import Project
from headstart.projects.places import DROPPED, ORIGINALS


def read_example_names(folder: Path) -> list[tuple[str, str]]:
    """Return the keys of the examples of a project, each with its name.

    Parameters
    ----------
    folder : Path
        Of the project.
    """
    with Project.open(folder) as project:
        examples = project.iterate_examples()
        return [(item.content_hash[:KEY_CHARACTERS], item.name) for item in examples if item.content_hash]


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
        Examples, and further copies of their photos, that are there (or were).
    """
    with Project.open(folder) as project:
        ids, known = [], set[Path | None]()
        for example in project.iterate_examples():
            known.add(example.path)
            if example.name in person.ids or example.content_hash[:KEY_CHARACTERS] in person.keys:
                ids.append(example.id)
        copies = [path for path in _list_originals(project.folder) if path not in known and _is_photo_of(path, person)]
        if ids and apply:
            project.forget_examples(ids)
            project.export_labels()
    if apply:
        for path in copies:
            path.unlink(missing_ok=True)
    return len(ids) + len(copies)


def _list_originals(folder: Path) -> list[Path]:
    return [path for path in (folder.absolute() / ORIGINALS).rglob("*") if path.is_file() and not path.is_symlink()]


def _is_photo_of(path: Path, person: PersonRows) -> bool:
    if path.suffix.lower() not in SUFFIXES:
        return False
    with path.open("rb") as handle:
        return person.has_digest(hashlib.file_digest(handle, "sha256").digest())


def list_dropped(folder: Path) -> list[Path]:
    """Return files and folders of a project that hold what people dropped as they dropped it: they are not searched.

    Parameters
    ----------
    folder : Path
        Of the project.
    """
    tables = [
        path for path in _list_originals(folder) if path.suffix.lower() not in SUFFIXES and path.name != NAMES_FILE
    ]
    return [*sorted(tables), *(folder / name for name in DROPPED if (folder / name).exists())]
