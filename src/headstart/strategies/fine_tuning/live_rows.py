"""Rows as a whole network wants them: decoded once, kept in memory where they fit, prepared anew for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.bases import Backbone
from headstart.features.views import seen
from headstart.modalities import MODALITIES
from headstart.records import Table
from headstart.strategies.fine_tuning.recipe import Source

WORKERS = 2
FRESH_VIEWS = 64
"""So many different views of a row are seen in turn; each is made from the row's content and its number alone."""


class LiveRows:
    """Loaded rows.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    most_bytes : float
        Above this, rows are loaded again every time.
    """

    def __init__(self, table: Table, backbone: Backbone, most_bytes: float) -> None:
        self.table, self.spec = table, backbone.spec
        self.modality = MODALITIES[table.modality]
        self.kept: dict[int, Any] = {}
        self.left = most_bytes

    def _load(self, row: int) -> Any:
        if row not in self.kept:
            item = self.modality.load(self.table.inputs[row], self.spec)
            size = len(item) if isinstance(item, str) else np.asarray(item).nbytes
            if size > self.left:
                return item
            self.left -= size
            self.kept[row] = item
        return self.kept[row]

    def _one(self, row: int, view: int) -> tuple[Any, ...]:
        return self.modality.prepare(seen(self.table, row, view, self._load(row)), self.spec)

    def batch(self, view: int, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Give the network's inputs for some rows."""
        with ThreadPoolExecutor(WORKERS) as pool:
            made = list(pool.map(lambda row: self._one(row, view), rows))
        tensors = (torch.from_numpy(np.ascontiguousarray(part)) for part in self.modality.collate(made, self.spec))
        return tuple(part.contiguous(memory_format=torch.channels_last) if part.ndim == 4 else part for part in tensors)


def live_source(table: Table, backbone: Backbone, most_bytes: float) -> Source:
    """Make the source of rows for training a whole network; every batch may see a view of its own."""
    rows = LiveRows(table, backbone, most_bytes)
    return Source(0, FRESH_VIEWS if rows.modality.augment is not None else 0, rows.batch)
