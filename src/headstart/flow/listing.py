"""What there is: base models by name, the cache, the rows of each class, and the demo that goes through all of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

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


def list_bases(modality: str) -> list[tuple[BaseRecord, bool]]:
    """Return the base models known by name, each with whether it is its modality's default.

    Parameters
    ----------
    modality : str
        "image", "text", "series" or "auto" for all.
    """
    from headstart.bases.catalogue import CATALOGUE, DEFAULTS

    return [
        (record, DEFAULTS[record.modality] == record.name)
        for record in CATALOGUE.values()
        if modality in ("auto", record.modality)
    ]


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
