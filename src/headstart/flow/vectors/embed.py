"""`embed`: an index of the vectors of rows, for search, for labelling, and for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from headstart import data
from headstart.bundle import list_versions
from headstart.errors import OptionError
from headstart.extras import require
from headstart.flow.vectors.hybrid import count_words, needs_words
from headstart.flow.vectors.project_rows import find_index_folder, read_examples
from headstart.flow.vectors.search_base import change_prefix, embed_rows, open_search_base
from headstart.home import require_place
from headstart.index import IndexDraft, IndexFacts, VectorIndex, is_index, make_index, may_hold_index, write_index
from headstart.modalities import MODALITIES
from headstart.offline import offline
from headstart.options import EmbedOptions
from headstart.projects import Project, is_project
from headstart.records import SetAside, Table


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """What `embed` wrote.

    Parameters
    ----------
    folder : Path or None
        Of the index; None where it is in memory only.
    index : VectorIndex
    n_computed : int
        Rows that went through the base now; the others were in the feature cache.
    set_aside : tuple of SetAside
        Rows that could not be read.
    parquet : Path or None
        The file for other programs.
    """

    folder: Path | None
    index: VectorIndex
    n_computed: int
    set_aside: tuple[SetAside, ...]
    parquet: Path | None = None


def embed_data(source: Path, out: Path | None, options: EmbedOptions) -> Embedding:
    """Make an index of the rows of a path.

    Parameters
    ----------
    source : Path
        A folder of images, a table of texts or series, a zip, a project.
    out : Path or None
        Folder of the index; one that is there is replaced. None for a project: its own.
    options : EmbedOptions

    Raises
    ------
    HeadstartError
        The data, the base or the output cannot be used.
    """
    if is_project(source):
        with Project.open(source) as project:
            return embed_project(project, options, out)
    if out is None:
        raise OptionError("No folder was given for the index.", "Name one with -o, such as -o vectors.")
    _require_output(out)
    return embed_table(data.read_rows_as_they_are(source, options.modality, options), out, options)


def embed_project(project: Project, options: EmbedOptions, out: Path | None = None) -> Embedding:
    """Make the index of a project's examples; only what is new goes through the base.

    Parameters
    ----------
    project : Project
    options : EmbedOptions
    out : Path or None
        Another folder for the index than the project's own.

    Raises
    ------
    HeadstartError
        There are no examples, or the base or the output cannot be used.
    """
    folder = find_index_folder(project) if out is None else out
    _require_output(folder)
    return embed_table(read_examples(project), folder, options)


def embed_table(table: Table, out: Path | None, options: EmbedOptions) -> Embedding:
    """Make an index of rows that were read.

    Parameters
    ----------
    table : Table
        Its ids are those of the index.
    out : Path or None
        Folder of the index; one that is there is replaced. None: it is not written.
    options : EmbedOptions

    Raises
    ------
    HeadstartError
        The rows, the base or the output cannot be used.
    """
    require("adapt", "Embedding rows")
    with offline(options.offline):
        base = open_search_base(options.base, table, options.offline)
        embedded = embed_rows(table, change_prefix(base.backbone, base.row_prefix), options.precision)
    about = IndexFacts(
        modality=table.modality,
        base=base.reference,
        base_name=base.backbone.record.name,
        fingerprint=base.backbone.fingerprint,
        prefix=base.row_prefix,
        query_prefix=base.query_prefix,
        input_spec=base.input_spec,
        source=table.source,
        made_with=list_versions()["headstart"],
    )
    has_words = needs_words(base.backbone, embedded.table, options.hybrid)
    draft = IndexDraft(
        ids=list(map(str, embedded.table.ids)),
        vectors=embedded.vectors,
        about=about,
        columns=_list_columns(embedded.table),
        texts=list(map(str, embedded.table.inputs)) if MODALITIES[table.modality].has_words else (),
        words=count_words(list(map(str, embedded.table.inputs))) if has_words else {},
    )
    index = make_index(draft) if out is None else write_index(out, draft)
    parquet = None if out is None else WRITERS[options.to](out, index)
    set_aside = (*table.set_aside, *embedded.set_aside)
    return Embedding(folder=out, index=index, n_computed=embedded.n_computed, set_aside=set_aside, parquet=parquet)


def _require_output(out: Path) -> None:
    """Refuse a folder that is of something else: files of ours would lie among them."""
    require_place(out)
    if not (may_hold_index(out) or is_index(out)):
        raise OptionError(f"The folder {out} holds something else.", "Name a folder of its own with -o.")


def _list_columns(table: Table) -> Mapping[str, Sequence[str]]:
    """Return the cells of the columns that rows can be filtered by."""
    columns = {name: list(map(str, cells)) for name, cells in table.metadata.items()}
    if table.labels is not None:
        columns.setdefault(table.columns.get("label") or "label", list(map(str, table.labels)))
    return columns


def _write_parquet(folder: Path, index: VectorIndex) -> Path:
    parquet = import_module("headstart.flow.vectors.parquet")  # pyarrow is loaded only where it is needed.
    path: Path = parquet.write_parquet(folder, index)
    return path


WRITERS: Mapping[str, Callable[[Path, VectorIndex], Path | None]] = {
    "safetensors": lambda folder, index: None,
    "parquet": _write_parquet,
}
"""What is written beside the index, by the word of `--to`."""
