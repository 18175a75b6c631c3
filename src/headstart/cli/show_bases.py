"""The list of base models on a terminal: one table a modality, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table as Grid

from headstart.bases.catalogue_loading import NO_READER, NO_SAFETENSORS
from headstart.bases.record import BaseRecord, find_fact_source, find_licence_class
from headstart.cli.surface import news
from headstart.flow.listing import ListedBase

_OBSTACLES = {NO_READER: "missing: no loader yet", NO_SAFETENSORS: "missing: no safetensors"}
_NOTES = (
    "* is taken where no other is named; for texts that are not English multilingual-e5-small, where it is here.",
    "Another: --base NAME; --base auto compares those that are here.",
    "here: loads without a connection. Every other is fetched once. ~ is from memory, not checked.",
    "licence: permissive and attribution allow every use. Read the others first; --json has name and page.",
    "Any other: timm:NAME, hf:REPO-OR-FOLDER, file:FOLDER",
    "Which suits your data best: headstart bases --for DATA",
)


def show_bases(listed: Sequence[ListedBase]) -> None:
    """Show what each base is good for, its size, the class of its licence, and whether it is here.

    Parameters
    ----------
    listed : sequence of ListedBase
        Bases of one modality stand together.
    """
    for modality, group in groupby(listed, key=lambda item: item.record.modality):
        news.print(f"[bold]{modality.capitalize()}[/bold]")
        grid = Grid(box=None, header_style="dim", pad_edge=False, show_edge=False)
        grid.add_column("base", no_wrap=True, min_width=24)
        grid.add_column("good for", ratio=1)
        grid.add_column("MB", justify="right", no_wrap=True)
        grid.add_column("licence", no_wrap=True)
        grid.add_column("here", no_wrap=True)
        for item in group:
            grid.add_row(
                f"{item.record.name}{' *' if item.is_default else ''}",
                _describe_use(item),
                _format_size(item.record),
                f"{_mark_unread(item.record, 'licence')}{find_licence_class(item.record)}",
                "yes" if item.is_present else "",
            )
        news.print(grid)
    for note in _NOTES:
        news.print(note, markup=False)


def _describe_use(item: ListedBase) -> str:
    """Say what a base is good for, and what keeps it from being used."""
    if item.is_present:
        return item.record.good_for
    hindrance = _OBSTACLES.get(item.obstacle) or ("gated: ask for access first" if item.record.gated else "")
    return f"{item.record.good_for} ({hindrance})" if hindrance else item.record.good_for


def _format_size(record: BaseRecord) -> str:
    """Write the size in MB."""
    return f"{_mark_unread(record, 'size_bytes')}{record.size_bytes / 1e6:,.0f}"


def _mark_unread(record: BaseRecord, field_name: str) -> str:
    """Return the sign of a fact that was not read in a source."""
    return "" if find_fact_source(record, field_name) == "read" else "~"
