"""`embed`, `search` and `similar`: parse, call, print."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.asking import Yes, fetch_missing_bases
from headstart.cli.surface import command, news, require_data, require_path
from headstart.options import EmbedOptions, SearchOptions, SimilarOptions

if TYPE_CHECKING:
    from headstart.flow.vectors.search import SearchHit

_MOST_SHOWN, _SHOWN_CHARACTERS = 20, 90
"""Hits of a query on the terminal, and characters of each; --json and -o write all."""


@command(EmbedOptions)
def embed(
    data: Annotated[
        Path, typer.Argument(help="Folder of images, table of texts or series, a zip of either, or a project.")
    ],
    options: EmbedOptions,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the index.")] = None,
    yes: Yes = False,
) -> Any:
    """Turn rows into vectors and write them as an index, to search in and to label from."""
    from headstart import flow

    require_data(data)
    fetch_missing_bases([options.base], options.offline, yes)
    embedding = flow.embed_data(data, output, options)
    about, index = embedding.index.about, embedding.index
    news.print(
        f"{len(index):,} rows in {escape(str(embedding.folder))} ({about.base_name}, {about.n_dims} numbers each); "
        f"{embedding.n_computed:,} computed now.",
        soft_wrap=True,
    )
    failed = [vars(item) for item in embedding.set_aside]
    for item in failed[:5]:
        news.print(escape(f"Left out: {item['id']}: {item['reason']}"), soft_wrap=True)
    if len(failed) > 5:
        news.print(f"... and {len(failed) - 5} more.")
    return {
        "format": 1,
        "output": str(embedding.folder),
        "parquet": None if embedding.parquet is None else str(embedding.parquet),
        "n_computed": embedding.n_computed,
        **about.to_document(),
        "failed": failed,
    }


@command(SearchOptions)
def search(
    index: Annotated[Path, typer.Argument(help="Folder that `embed` wrote, or a project.")],
    options: SearchOptions,
    query: Annotated[
        list[str] | None, typer.Argument(help="What to search for: words, or files of photos or series.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="CSV to write: query, rank, id, score.")] = None,
) -> Any:
    """Find the rows of an index that are most like a query, across languages."""
    from headstart import flow

    answer = flow.search_index(require_path(index), query or [], options)
    if output is not None:
        flow.write_hits(answer, output)
    _show_hits(answer.hits)
    return {
        "format": 1,
        "output": None if output is None else str(output),
        "n_rows": answer.n_rows,
        "n_searched": answer.n_searched,
        "hits": [vars(hit) for hit in answer.hits],
    }


def _show_hits(hits: Sequence[SearchHit]) -> None:
    """Show the best hits of each query, those of text with its beginning."""
    for query, lines in groupby(hits, key=lambda hit: hit.query):
        news.print(f"[bold]{escape(query)}[/bold]", soft_wrap=True)
        best = list(lines)
        for hit in best[:_MOST_SHOWN]:
            news.print(f"  {hit.rank:>3}  {hit.score:.3f}  {escape(hit.id)}  {escape(_cut(hit.text))}")
        if len(best) > _MOST_SHOWN:
            news.print(f"  ... and {len(best) - _MOST_SHOWN} more.")


@command(SimilarOptions)
def similar(
    data: Annotated[
        Path, typer.Argument(help="Folder of images, table of texts or series, a zip of either, or a project.")
    ],
    options: SimilarOptions,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write: group, size, place, id, score.")
    ] = None,
    yes: Yes = False,
) -> Any:
    """Group rows that say or show nearly the same, the most typical first."""
    from headstart import flow

    require_data(data)
    fetch_missing_bases([options.base], options.offline, yes)
    groups = flow.find_similar(data, options)
    if output is not None:
        flow.write_groups(groups, output)
    n_alike = sum(len(group.ids) for group in groups.groups)
    news.print(
        f"{len(groups.groups):,} groups of near-equal rows, {n_alike:,} of {groups.n_rows:,} rows in them "
        f"(cosine {groups.least_score:.3f} or more, {escape(groups.base)})."
    )
    for group in groups.groups[:_MOST_SHOWN]:
        news.print(f"  {len(group.ids):>4}  {escape(group.ids[0])}  {escape(_cut(group.text))}")
    return {
        "format": 1,
        "output": None if output is None else str(output),
        "n_rows": groups.n_rows,
        "least_score": groups.least_score,
        "base": groups.base,
        "groups": [vars(group) for group in groups.groups],
        "failed": [vars(item) for item in groups.set_aside],
    }


def _cut(text: str) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]} ..."
