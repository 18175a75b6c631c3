"""What there is: base models by name, the cache, the rows of each class, and the demo that goes through all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart import demo as demo_data
from headstart import progress
from headstart.options import AdaptOptions, CacheOptions
from headstart.records import Table
from headstart.task_types import TASK_TYPES

if TYPE_CHECKING:
    from headstart.bases import BaseRecord
    from headstart.results import Result
    from headstart.row_cache import CacheEntry


def count_labels(table: Table) -> dict[str, int]:
    """Return the number of rows of each class or label, the largest first; a number has none.

    Parameters
    ----------
    table : Table
    """
    if TASK_TYPES[table.task].is_number or table.labels is None:
        return {}
    if table.targets is None:
        return dict(Counter(table.labels.tolist()).most_common())
    sums = zip(table.target_names, (table.targets == 1).sum(axis=0).tolist(), strict=True)
    return dict(sorted(sums, key=lambda item: -item[1]))


@dataclass(frozen=True, kw_only=True)
class ListedBase:
    """A base model known by name, as the list shows it.

    Parameters
    ----------
    record : BaseRecord
    is_default : bool
        Whether it is taken for its modality where none is named.
    is_present : bool
        Whether it can be loaded now, without a connection.
    obstacle : str
        Why it cannot be fetched and used: a code of `headstart.bases.catalogue_loading`, or "".
    revision : str
        Commit of its repository that is on this machine, or that the record names; "" before the first fetch.
    """

    record: BaseRecord
    is_default: bool
    is_present: bool
    obstacle: str
    revision: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return the JSON of `headstart bases --json`; `sources` says of each fact whether it was read."""
        from headstart.bases.record import find_fact_source, find_licence_class, is_embedded

        facts = asdict(self.record)
        stated = [name for name, value in facts.items() if name not in _OWN_WORDS and value not in ("", (), 0)]
        sources = {name: find_fact_source(self.record, name) for name in stated}
        del facts["facts_read"]
        return {
            **facts,
            "revision": self.revision,
            "licence_class": find_licence_class(self.record),
            "megabytes": round(self.record.size_bytes / 1e6, 1),
            "parameters": self.record.n_parameters,
            "embedded": is_embedded(self.record),
            "here": self.is_present,
            "obstacle": self.obstacle,
            "default": self.is_default,
            "sources": sources,
        }


_OWN_WORDS = frozenset(
    {
        "name",
        "modality",
        "source",
        "summary",
        "good_for",
        "facts_read",
        "instead",
        "files",
        "format",
        "image_size",
        "package",
        "task",
    }
)
"""Fields of a record that are choices of ours, not facts about the model."""


def list_bases(modality: str) -> list[ListedBase]:
    """Return the base models known by name; of each modality the default first, then those that are here.

    Parameters
    ----------
    modality : str
        "image", "text", "series" or "auto" for all.
    """
    from headstart.bases.catalogue import CATALOGUE, DEFAULTS
    from headstart.bases.catalogue_loading import find_obstacle, find_revision, list_present

    present = list_present(CATALOGUE.values())
    listed = [
        ListedBase(
            record=record,
            is_default=DEFAULTS[record.modality] == record.name,
            is_present=record.name in present,
            obstacle=find_obstacle(record),
            revision=find_revision(record),
        )
        for record in CATALOGUE.values()
        if modality in ("auto", record.modality)
    ]
    order = list(DEFAULTS)
    return sorted(
        listed, key=lambda item: (order.index(item.record.modality), not item.is_default, not item.is_present)
    )


def list_cache(options: CacheOptions) -> tuple[Path, list[CacheEntry], list[CacheEntry]]:
    """Return the cache's folder, what it holds, and what was removed from it now.

    Parameters
    ----------
    options : CacheOptions
    """
    from headstart.home import find_home
    from headstart.row_cache import list_entries, prune_cache

    removed = prune_cache(options.older_than) if options.prune else []
    return find_home(), list_entries(), removed


def run_demo(out: Path, options: AdaptOptions) -> dict[str, tuple[Path, Result]]:
    """Write the demo data below `out` and adapt a model to each; return the output folders and results.

    Parameters
    ----------
    out : Path
        Folder for data and runs.
    options : AdaptOptions
    """
    from headstart.flow.adaptation.run import adapt

    results = {}
    for name, path in demo_data.write_demo_data(out / "data").items():
        progress.say(f"\n{name}: {path}")
        results[name] = (out / name, adapt(path, out / name, options))
    return results
