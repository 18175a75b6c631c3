"""Search for the first examples of a rare kind: by words, or by an example."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart import data
from headstart.errors import make_unknown_name
from headstart.flow.labelling.likeness import find_alike
from headstart.flow.labelling.project_rows import ProjectRows, read_project_rows
from headstart.flow.vectors.search import embed_queries
from headstart.index import Hit, VectorIndex, join_rankings
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import SearchOptions, parse
from headstart.projects import ExampleFilter, Project


def search_examples(
    project: Project, index: VectorIndex, query: str | int, k: int = 20, is_offline: bool = False
) -> list[int]:
    """Return the examples most like some words or like an example, best first.

    Parameters
    ----------
    project : Project
    index : VectorIndex
    query : str or int
        Words, or the id of an example, which is not among the answers. Texts are found by meaning and by the words
        themselves; photos and series by the words in their name.
    k : int
    is_offline : bool
        Whether the base that reads the words must not be fetched.

    Raises
    ------
    UnknownName
        The example has no vector.
    HeadstartError
        The base that reads the words is not here.
    """
    rows = read_project_rows(project, index)
    if isinstance(query, int):
        place = rows.find([query])
        if len(place) == 0:
            raise make_unknown_name("example", str(query), index.ids, " in the index")
        ids = _rank_by_vector(rows, np.asarray(rows.vectors[place[0]]), k + 1)
        return [number for number in ids if number != query][:k]
    literal = project.list_ids(ExampleFilter(state="in", text_contains=query))
    if not query.strip():
        return []
    if not MODALITIES[index.about.modality].has_words:
        return literal[:k]
    table = data.make_ordered_inputs([query], "text", {}).table
    with offline(is_offline):
        vector = embed_queries(index, table, parse(SearchOptions, offline=is_offline))[0]
    by_meaning = _rank_by_vector(rows, vector, len(rows.ids))
    has_words = set(literal)
    by_words = [number for number in by_meaning if number in has_words]
    rankings = [[Hit(number, 0.0) for number in ranking] for ranking in (by_meaning, by_words)]
    return [hit.row for hit in join_rankings(rankings, k)]


def _rank_by_vector(rows: ProjectRows, query: NDArray[np.floating], n: int) -> list[int]:
    best, _ = find_alike(rows.vectors, query, np.flatnonzero(rows.is_in), n)
    ids: list[int] = rows.ids[best].tolist()
    return ids
