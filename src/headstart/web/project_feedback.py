"""Corrections that people send, entered into the journal of a project."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.data.reading.content import hash_series, hash_text
from headstart.errors import HeadstartError
from headstart.home import write_whole
from headstart.http.errors import RequestRefused
from headstart.projects import NewExample, NewLabel, Project
from headstart.projects.places import ORIGINALS
from headstart.web.models import ServedModel

CHOSEN = "feedback"
"""How these examples came to be asked about: somebody looked at an answer. They are not put away for the check."""
_HASHES: dict[str, Callable[[Any], str]] = {
    "image": lambda content: hashlib.sha256(content).hexdigest(),
    "text": hash_text,
    "series": hash_series,
}


class ProjectCorrections:
    """The corrections of all models that are served, as examples and labels of a project.

    Parameters
    ----------
    project : Project
    choose_suffix : (content) -> str
        Ending of the file of an image.
    most_bytes : int
        Images are refused once the project's copies have so many.
    """

    def __init__(self, project: Project, choose_suffix: Callable[[bytes], str], most_bytes: int) -> None:
        self.project, self.choose_suffix, self.most_bytes = project, choose_suffix, most_bytes
        self.originals = project.folder / ORIGINALS
        self.n_bytes = sum(path.stat().st_size for path in self.originals.glob("*")) if self.originals.is_dir() else 0
        self._corrected: dict[str, set[int]] = {}
        for event in project.iterate_events(origin="person"):
            if event.chosen == CHOSEN:
                self._corrected.setdefault(event.who, set()).add(event.example)

    def add(self, model: ServedModel, value: Any, label: str) -> int:
        """Enter a correction; return how many inputs of this model were corrected so far.

        Parameters
        ----------
        model : ServedModel
        value : bytes, str or series
        label : str

        Raises
        ------
        RequestRefused
            The project holds another kind of data, or cannot be written to.
        """
        modality = self.project.get_setting("modality")
        if modality not in (None, model.modality):
            raise RequestRefused(422, f"The project of corrections holds {modality} data.", "Tell the owner.")
        who = f"page of {model.name}"
        try:
            if modality is None:
                self.project.set_setting("modality", model.modality)
                self.project.set_setting("columns", dict(model.columns) or None)
            example = self._find_or_add(model, value)
            newest = self.project.get_example(example)
            if newest.label != label or newest.label_origin != "person":
                self.project.add_labels([NewLabel(example=example, label=label, who=who, chosen=CHOSEN)])
        except HeadstartError as error:
            raise RequestRefused(503, error.problem, "Tell the owner of the server.", {"Retry-After": "60"}) from error
        corrected = self._corrected.setdefault(who, set())
        corrected.add(example)
        return len(corrected)

    def _find_or_add(self, model: ServedModel, value: Any) -> int:
        digest = _HASHES[model.modality](value)
        known = self.project.find_ids_of_hashes([digest])
        if known:
            return known[0]
        is_file = isinstance(value, bytes)
        path = self._write_file(value, digest) if is_file else None
        item = NewExample(
            name=f"{CHOSEN} {digest[:12]}" if path is None else path.name,
            content_hash=digest,
            path=path,
            text=value if isinstance(value, str) else None,
            series=None if isinstance(value, bytes | str) else value,
            source=self._find_source(model),
        )
        self.project.add_examples([item])
        return self.project.find_ids_of_hashes([digest])[0]

    def _find_source(self, model: ServedModel) -> int:
        for source in self.project.list_sources():
            if source.role == CHOSEN and source.path == model.name:
                return source.id
        return self.project.add_source(model.name, CHOSEN)

    def _write_file(self, content: bytes, digest: str) -> Path:
        if self.n_bytes + len(content) > self.most_bytes:
            raise RequestRefused(403, "The folder of corrections is full.", "Adapt with them, and empty it.")
        path = self.originals / f"{CHOSEN}-{digest[:32]}{self.choose_suffix(content)}"
        if not path.exists():
            with write_whole(path) as partial:
                partial.write_bytes(content)
            self.n_bytes += len(content)
        return path
