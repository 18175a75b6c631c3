"""Final features of rows, and of views of them, by a network that is not cached: one tuned to a user's data."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from headstart.bases import Backbone
from headstart.errors import DataError
from headstart.features.chunks import is_unreadable, make_loader, prepare_chunks, run_rows
from headstart.features.extractors import make_backbone_extractor
from headstart.features.runtimes import REFERENCE, RUNTIMES, ChosenRuntime, open_runtime
from headstart.features.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.records import FloatMatrix, Index, Table


def make_view(table: Table, row: int, view: int, item: Any) -> Any:
    """Return one view of a loaded row; the row itself where the modality has no augmentation.

    Parameters
    ----------
    table : Table
    row : int
        Number of the row in `table`.
    view : int
        0 is the row as it is; the others are seeded by the row's hash and this number.
    item : loaded row
        What the modality's `load` gives.
    """
    augment = MODALITIES[table.modality].augment
    if view == 0 or augment is None:
        return item
    return augment(item, np.random.default_rng([view, zlib.crc32(str(table.hashes[row]).encode())]))


def compute_final_features(
    table: Table, backbone: Backbone, n_views: int = 0, runtime: str = REFERENCE
) -> list[FloatMatrix]:
    """Run rows and views of them through a backbone.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    n_views : int
        Augmented views beside the plain one; none where the modality has no augmentation.
    runtime : str
        Key of `headstart.features.runtimes.RUNTIMES`, for many rows; plain torch where it is not available.

    Returns
    -------
    list of FloatMatrix, each (n_rows, n_dims)
        The plain rows first.

    Raises
    ------
    DataError
        If a row cannot be read.
    """
    modality = MODALITIES[table.modality]
    views = range(1 + (n_views if modality.augment is not None else 0))
    runtime_name = (
        runtime if len(table) * (1 + n_views) >= SETTINGS.min_converted_rows and runtime in RUNTIMES else REFERENCE
    )
    chosen_runtime = ChosenRuntime(runtime_name if RUNTIMES[runtime_name].available() else REFERENCE, "float32", 0.0)
    extractor, load_row = make_backbone_extractor(backbone, chosen_runtime), make_loader(table, backbone.spec)
    run = open_runtime(backbone, chosen_runtime)
    features: list[list[FloatMatrix]] = []

    def prepare(row: int) -> object:
        item = load_row(row)
        if is_unreadable(item):
            return str(item[0])
        return tuple(modality.prepare(make_view(table, row, view, item), backbone.spec) for view in views)

    rows: Index = np.arange(len(table), dtype=np.intp)
    for _, items in prepare_chunks(prepare, rows):  # type: ignore[arg-type]
        for item in items:
            if isinstance(item, str):
                raise DataError(f"A row of {table.source} cannot be read: {item}.", "Leave it out.")
        by_view = list(zip(*items, strict=True))
        features.append([run_rows(extractor, run, list(view))[-1] for view in by_view])
    return [np.concatenate(parts) for parts in zip(*features, strict=True)]
