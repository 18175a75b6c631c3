"""Inputs that a model met become examples of its project: corrections, and rows that people answer themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import DataError
from headstart.flow.using.open_models import ReadInput
from headstart.home import write_whole
from headstart.projects import NewExample, NewLabel, Project
from headstart.projects.places import ORIGINALS

ROLE = "in use"
"""Role of the source of corrections."""
_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


def add_correction(project: Project, item: ReadInput, label: str, who: str) -> int:
    """Take an input into a project under the kind that a person says is right; return its id.

    Parameters
    ----------
    project : Project
    item : ReadInput
    label : str
        One of the project's kinds.
    who : str
        Name of the person.

    Raises
    ------
    DataError
        The project has no such kind.
    """
    kinds = [kind.name for kind in project.list_kinds()]
    if kinds and label not in kinds:
        raise DataError(f"There is no kind '{label}' here.", "Choose one of the kinds, or add it on the page Label.")
    example = add_unlabelled(project, item)
    project.add_labels([NewLabel(example=example, label=label, who=who, chosen="use")])
    return example


def add_unlabelled(project: Project, item: ReadInput) -> int:
    """Take an input into a project as an example without an answer, unless it is there already; return its id.

    Parameters
    ----------
    project : Project
    item : ReadInput
    """
    known = project.find_ids_of_hashes([item.content_hash])
    if known:
        return known[0]
    fields = _FIELDS[str(project.get_setting("modality", "text"))](project, item)
    name = item.name or f"in use {item.content_hash[:8]}"
    new = NewExample(name=name, content_hash=item.content_hash, source=_get_source(project), **fields)
    (example,) = project.add_examples([new])
    return example


def _get_source(project: Project) -> int:
    known = (source.id for source in project.list_sources() if source.role == ROLE)
    return next(known, None) or project.add_source(ROLE, ROLE)


def _store_image(project: Project, item: ReadInput) -> Mapping[str, Any]:
    content: bytes = item.value
    suffix = next((ending for magic, ending in _SUFFIXES if content.startswith(magic)), ".tif")
    path = Path(ORIGINALS) / f"{item.content_hash[:32]}{suffix}"
    with write_whole(project.folder / path) as partial:
        partial.write_bytes(content)
    return {"path": path}


_FIELDS: Mapping[str, Callable[[Project, ReadInput], Mapping[str, Any]]] = {
    "image": _store_image,
    "text": lambda project, item: {"text": item.value},
    "series": lambda project, item: {"series": item.value},
}
"""How an input is kept, by modality."""


def list_answered(project: Project, examples: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Return what people answered, or what came with the data: the answer and who gave it, by name of the input.

    Parameters
    ----------
    project : Project
    examples : mapping of str to int
        Id of the example of each input.
    """
    none = {"none": "none of these"}
    answers = {
        item.id: (item.label or none[item.answer], item.label_by or item.label_origin)
        for item in project.get_examples(list(examples.values()))
        if item.label_origin in ("person", "import") and (item.label or item.answer in none)
    }
    return {name: answers[example] for name, example in examples.items() if example in answers}
