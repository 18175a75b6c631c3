"""Vectors for Python users: make an index, in memory or in a folder, and search in it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

from headstart import data
from headstart.api.keywords import EmbedKeywords, SearchKeywords
from headstart.errors import InputTypeError, OptionError
from headstart.flow.vectors.embed import embed_data, embed_project, embed_table
from headstart.flow.vectors.project_rows import find_index_folder
from headstart.flow.vectors.queries import read_queries
from headstart.flow.vectors.search import SearchHit, search_opened
from headstart.index import VectorIndex, open_index
from headstart.options import EmbedOptions, SearchOptions, parse
from headstart.projects import Project, is_project
from headstart.records import Table


def embed(source: Any, output: str | Path | None = None, **options: Unpack[EmbedKeywords]) -> VectorIndex:
    """Turn rows into vectors of unit length.

    Parameters
    ----------
    source : str, Path, Project, Table, sequence or array
        Folder, table or zip; a project; what `read` gave; or texts, image files, images or series in memory.
    output : str, Path or None
        Folder of the index. None: it stays in memory; that of a project is written into the project.
    **options
        Fields of `headstart.options.EmbedOptions`: base, text, id, hybrid, offline ...

    Returns
    -------
    VectorIndex
        With `.ids`, `.vectors` (n_rows, n_dims) in float16, and `.about`.

    Raises
    ------
    HeadstartError
        What the user can fix.

    Examples
    --------
    >>> index = embed(["the pump is dry", "no books"])  # doctest: +SKIP
    >>> search(index, "hakuna maji", k=1)[0].text  # doctest: +SKIP
    'the pump is dry'
    """
    chosen = parse(EmbedOptions, **options)
    out = None if output is None else Path(output)
    if isinstance(source, Project):
        return embed_project(source, chosen, out).index
    if isinstance(source, str | PathLike):
        path = Path(source)
        if out is not None or is_project(path):
            return embed_data(path, out, chosen).index
        return embed_table(data.read_rows_as_they_are(path, chosen.modality, chosen), None, chosen).index
    modality = None if chosen.modality == "auto" else chosen.modality
    if isinstance(source, Table):
        return embed_table(source, out, chosen).index
    with data.remove_saved_images():
        return embed_table(data.from_arrays(source, None, modality, axes=chosen.axes), out, chosen).index


def search(index: Any, queries: Any = (), **options: Unpack[SearchKeywords]) -> list[SearchHit]:
    """Find the rows of an index that are most like queries, or like rows of its own (`like=ID`).

    Parameters
    ----------
    index : VectorIndex, Project, str or Path
        What `embed` gave, or where it wrote.
    queries : str, Path, or sequence
        Words; for images and series files, or what `embed` takes in memory. A `Path` is a file of queries.
    **options
        Fields of `headstart.options.SearchOptions`: k, filter, like, base, offline ...

    Returns
    -------
    list of SearchHit
        Query by query, best first, each with `.query`, `.rank`, `.id`, `.score` and `.text`.

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    file = queries if isinstance(queries, PathLike) else None
    chosen = parse(SearchOptions, queries=file, **options)
    opened = _open(index)
    items = [] if file is not None else [queries] if isinstance(queries, str) else list(queries)
    if not (items or chosen.like or chosen.queries):
        raise OptionError("There is nothing to search for.", 'Give words, such as search(index, "no water").')
    with data.remove_saved_images():
        return list(search_opened(opened, _read_items(opened, items, chosen), chosen).hits)


def _open(index: Any) -> VectorIndex:
    if isinstance(index, VectorIndex):
        return index
    if isinstance(index, Project):
        return open_index(find_index_folder(index))
    if not isinstance(index, str | PathLike):
        raise InputTypeError(f"{type(index).__name__} is no index.", "Give what embed() returned, or its folder.")
    folder = Path(index)
    if is_project(folder):
        with Project.open(folder) as project:
            folder = find_index_folder(project)
    return open_index(folder)


def _read_items(index: VectorIndex, items: Sequence[Any], options: SearchOptions) -> Table | None:
    """Return queries as rows; None where there is none."""
    if all(isinstance(item, str | PathLike) for item in items):
        return read_queries(index, list(map(str, items)), options) if items or options.queries else None
    return data.make_ordered_inputs(items, index.about.modality, {}).table
