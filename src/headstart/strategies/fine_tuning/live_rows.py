"""Model inputs for training a whole network: rows are decoded once, cached in memory, and prepared for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.bases import Backbone
from headstart.features.views import make_view
from headstart.modalities import MODALITIES
from headstart.records import Table
from headstart.strategies.fine_tuning.records import SETTINGS, RowSource

WORKERS = 2


class LiveRows:
    """Rows loaded on demand.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    most_bytes : float
        Size of the cache; rows beyond it are loaded again every time.
    """

    def __init__(self, table: Table, backbone: Backbone, most_bytes: float) -> None:
        self.table, self.spec = table, backbone.spec
        self.modality = MODALITIES[table.modality]
        self.cache: dict[int, Any] = {}
        self.bytes_left = most_bytes

    def _load(self, row: int) -> Any:
        if row not in self.cache:
            item = self.modality.load(self.table.inputs[row], self.spec)
            size = len(item) if isinstance(item, str) else np.asarray(item).nbytes
            if size > self.bytes_left:
                return item
            self.bytes_left -= size
            self.cache[row] = item
        return self.cache[row]

    def _prepare(self, row: int, view: int) -> tuple[Any, ...]:
        return self.modality.prepare(make_view(self.table, row, view, self._load(row)), self.spec)

    def load_batch(self, view: int, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Return the model inputs of some rows."""
        with ThreadPoolExecutor(WORKERS) as pool:
            prepared = list(pool.map(lambda row: self._prepare(row, view), rows))
        tensors = (torch.from_numpy(np.ascontiguousarray(part)) for part in self.modality.collate(prepared, self.spec))
        return tuple(part.contiguous(memory_format=torch.channels_last) if part.ndim == 4 else part for part in tensors)


def make_live_source(table: Table, backbone: Backbone, most_bytes: float) -> RowSource:
    """Return the source of rows for training a whole network; every batch may see another view.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    most_bytes : float
        Memory for decoded rows.
    """
    rows = LiveRows(table, backbone, most_bytes)
    return RowSource(0, SETTINGS.fresh_views if rows.modality.augment is not None else 0, rows.load_batch)
