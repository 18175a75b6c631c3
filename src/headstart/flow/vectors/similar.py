"""`similar`: rows that say or show nearly the same, the most typical of each group first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart import data
from headstart.csv_files import format_csv
from headstart.errors import DataError, OptionError
from headstart.extras import require
from headstart.flow.vectors.project_rows import read_examples
from headstart.flow.vectors.search_base import embed_rows, open_search_base
from headstart.home import write_text
from headstart.index import NearGroup, choose_least_score, group_near_rows, is_index, order_by_likeness
from headstart.index.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import SimilarOptions
from headstart.projects import Project, is_project
from headstart.records import SetAside, Table


@dataclass(frozen=True, kw_only=True)
class SimilarGroup:
    """Near-equal rows.

    Parameters
    ----------
    ids : tuple of str
        The most typical row first, then by likeness to it.
    scores : tuple of float
        Cosine of each with the first.
    text : str
        Beginning of the first, where rows are texts.
    """

    ids: tuple[str, ...]
    scores: tuple[float, ...]
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class SimilarRows:
    """Groups of near-equal rows of data.

    Parameters
    ----------
    groups : tuple of SimilarGroup
        The largest first; groups of one size such that neighbours are alike.
    n_rows : int
        Rows that were compared.
    least_score : float
        Cosine from which on rows were near-equal.
    base : str
    set_aside : tuple of SetAside
    """

    groups: tuple[SimilarGroup, ...]
    n_rows: int
    least_score: float
    base: str
    set_aside: tuple[SetAside, ...] = ()


def find_similar(source: Path, options: SimilarOptions) -> SimilarRows:
    """Find groups of near-equal rows.

    Parameters
    ----------
    source : Path
        A folder of images, a table of texts or series, a zip, a project.
    options : SimilarOptions

    Raises
    ------
    HeadstartError
        The data or the base cannot be used, or there are too many rows.
    """
    require("adapt", "Comparing rows")
    table = _read_rows(source, options)
    if len(table) > SETTINGS.similar_rows:
        raise DataError(
            f"{source} has {len(table):,} rows; at most {SETTINGS.similar_rows:,} are compared with each other.",
            "Give a part of them.",
        )
    with offline(options.offline):
        base = open_search_base(options.base, table, options.offline)
        embedded = embed_rows(table, base.backbone, options.precision)
    least = choose_least_score(embedded.vectors) if options.at_least is None else options.at_least
    groups = group_near_rows(embedded.vectors, least)
    firsts = np.asarray([group.rows[0] for group in groups], dtype=np.intp)
    along_likeness = [groups[at] for at in order_by_likeness(embedded.vectors[firsts])]
    ordered = sorted(along_likeness, key=lambda group: -len(group.rows))
    return SimilarRows(
        groups=tuple(_name_rows(group, embedded.table) for group in ordered),
        n_rows=len(embedded.table),
        least_score=least,
        base=base.backbone.record.name,
        set_aside=(*table.set_aside, *embedded.set_aside),
    )


def write_groups(similar: SimilarRows, path: Path) -> None:
    """Write groups as a CSV file with the columns group, size, place, id and score; place 1 stands for the group.

    Parameters
    ----------
    similar : SimilarRows
    path : Path
    """
    lines = [
        (number, len(group.ids), place, name, f"{score:.6f}")
        for number, group in enumerate(similar.groups, 1)
        for place, (name, score) in enumerate(zip(group.ids, group.scores, strict=True), 1)
    ]
    write_text(path, format_csv([("group", "size", "place", "id", "score"), *lines]))


def _read_rows(source: Path, options: SimilarOptions) -> Table:
    if is_project(source):
        with Project.open(source) as project:
            return read_examples(project)
    if is_index(source):
        raise OptionError(
            f"{source} is an index; similar reads data, since rows are compared in another way than they are searched.",
            "Give the data or the project that the index was made of.",
        )
    return data.read_rows_as_they_are(source, options.modality, options)


def _name_rows(group: NearGroup, table: Table) -> SimilarGroup:
    text = str(table.inputs[group.rows[0]]) if MODALITIES[table.modality].has_words else ""
    ids = tuple(str(table.ids[row]) for row in group.rows)
    return SimilarGroup(ids=ids, scores=group.scores, text=text[: SETTINGS.text_characters])
