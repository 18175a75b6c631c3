"""Vectors of the kinds' names and descriptions, beside those of the examples: for guesses without labels."""

from __future__ import annotations

import numpy as np

from headstart import data
from headstart.flow.labelling.coding_frames import list_described_kinds
from headstart.flow.labelling.kind_vectors import open_kind_vectors
from headstart.flow.vectors.search import embed_queries
from headstart.index import IndexDraft, VectorIndex, write_index
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import SearchOptions, parse
from headstart.projects import Project
from headstart.projects.places import KIND_VECTORS


def embed_kinds(project: Project, index: VectorIndex, is_offline: bool = False) -> VectorIndex | None:
    """Compute the vectors of the kinds' names and descriptions, unless they are there; None where rows are no texts.

    Parameters
    ----------
    project : Project
    index : VectorIndex
        Of the examples: its base reads the names, too.
    is_offline : bool
        Whether nothing may be fetched.

    Raises
    ------
    HeadstartError
        The base is not here.
    """
    kinds = list_described_kinds(project)
    if len(kinds) < 2 or not MODALITIES[index.about.modality].has_words:
        return None
    texts = [f"{kind.name}: {kind.description}" if kind.description else kind.name for kind in kinds]
    stored = open_kind_vectors(project, index)
    if stored is not None and list(stored.ids) == [kind.name for kind in kinds] and list(stored.texts) == texts:
        return stored
    table = data.make_ordered_inputs(texts, "text", {}).table
    with offline(is_offline):
        vectors = embed_queries(index, table, parse(SearchOptions, offline=is_offline))
    draft = IndexDraft(
        ids=[kind.name for kind in kinds], vectors=vectors.astype(np.float16), about=index.about, texts=texts
    )
    return write_index(project.folder / KIND_VECTORS, draft)
