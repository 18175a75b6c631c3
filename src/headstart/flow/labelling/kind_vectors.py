"""The stored vectors of the kinds' names and descriptions; no base model is needed to open them."""

from __future__ import annotations

from headstart.index import VectorIndex, is_index, open_index
from headstart.projects import Project
from headstart.projects.places import KIND_VECTORS


def open_kind_vectors(project: Project, index: VectorIndex) -> VectorIndex | None:
    """Return the vectors of the kinds' names; None where there are none by the base of the examples.

    Parameters
    ----------
    project : Project
    index : VectorIndex
        Of the examples.
    """
    folder = project.folder / KIND_VECTORS
    if not is_index(folder):
        return None
    names = open_index(folder)
    return names if names.about.fingerprint == index.about.fingerprint else None
