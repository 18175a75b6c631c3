"""Activations at a cut: what the frozen trunk of a base says of each row, kept on disk in half precision.

Every row may have several views: the first as it is, the others augmented. All are content-addressed, like features, so
that a second run and other folds find them; reading maps the files into memory instead of loading them.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart import progress
from headstart.array_files import DamagedArrays, map_array, write_arrays
from headstart.bases import Backbone, cutting
from headstart.errors import DataError
from headstart.features.cache import LOST_TRIES, round_to_half
from headstart.features.chunks import cut_batches, is_unreadable, make_loader, prepare_chunks
from headstart.features.extraction import choose_runtime
from headstart.features.extractors import PREPARATION_VERSION, Extractor, make_backbone_extractor
from headstart.features.runtimes import Run, open_runtime
from headstart.features.settings import SETTINGS
from headstart.features.views import make_view
from headstart.home import NO_PERMISSION, NO_SPACE, find_home
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Index, Table
from headstart.row_cache import RowCache, RowsLost

ACTIVATIONS_VERSION = 2
"""Version 1 was written scrambled where batches did not lie in C order."""
VALUES, STARTS = "values", "starts"


class CannotCache(Exception):
    """The base cannot be cut, or its activations do not fit; the message is the reason, as part of a sentence."""


class ActivationCache(RowCache):
    """The activations of one key: for each row an array (units, ...) of half precision."""

    def add_rows(self, hashes: Sequence[str], rows: Sequence[Array]) -> None:
        """Write one shard."""
        starts = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
        self._add_shard(hashes, {STARTS: starts, VALUES: np.concatenate(rows)})

    def read_rows(self, hashes: Sequence[str]) -> list[Array]:
        """Return each row's array, mapped from disk; all must have been found or added.

        Raises
        ------
        RowsLost
            A shard has gone since.
        """
        opened: dict[Path, tuple[Array, Array]] = {}
        arrays = []
        for item in hashes:
            path, row = self._places[bytes.fromhex(item)]
            if path not in opened:
                opened[path] = self._map_shard(path)
            values, starts = opened[path]
            arrays.append(values[starts[row] : starts[row + 1]])
        self.touch()
        return arrays

    def _map_shard(self, path: Path) -> tuple[Array, Array]:
        try:
            return map_array(path, VALUES), np.array(map_array(path, STARTS))
        except (OSError, DamagedArrays) as error:
            self._forget(path)
            raise RowsLost(str(path)) from error

    def _write_shard(self, path: Path, arrays: Mapping[str, Any]) -> None:
        """Write one shard; activations are too large to be kept in memory instead."""
        try:
            write_arrays(path, arrays)
        except OSError as error:
            if error.errno not in NO_SPACE | NO_PERMISSION:
                raise
            raise CannotCache(f"its activations cannot be kept in {self.folder} ({error.strerror})") from error


@dataclass(frozen=True)
class Activations:
    """Activations of the trunk.

    Parameters
    ----------
    views : list of list of float16 arrays
        `views[v][row]`: (1, channels, height, width) for images, (tokens, n_dims) for texts; the first view is plain.
    n_bytes : int
    """

    views: list[list[Array]]
    n_bytes: int

    def load_batch(self, view: int, rows: Sequence[int]) -> tuple[torch.Tensor, ...]:
        """Return the inputs of the tail for some rows of one view, in float32: activations, and for texts the mask."""
        chosen = [self.views[view][row] for row in rows]
        if chosen[0].ndim == 4:
            images = torch.from_numpy(np.concatenate(chosen)).float()
            return (images.contiguous(memory_format=torch.channels_last),)
        width = max(len(row) for row in chosen)
        values = np.zeros((len(chosen), width, chosen[0].shape[1]), dtype=np.float32)
        mask = np.zeros((len(chosen), width), dtype=np.int64)
        for number, row in enumerate(chosen):
            values[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return torch.from_numpy(values), torch.from_numpy(mask)


@dataclass
class _Trunk:
    """The module of a trunk, cut when it is first needed."""

    backbone: Backbone
    n_tail: int
    built: list[Any] = field(default_factory=list)

    def __call__(self) -> Any:
        if not self.built:
            assert self.backbone.module is not None
            halves = cutting.cut_network(self.backbone.module(), self.n_tail)
            if halves is None:
                raise CannotCache("this base model cannot be cut between its blocks")
            self.built.append(halves.trunk.eval())
        return self.built[0]


def make_trunk(backbone: Backbone, n_tail: int) -> Backbone:
    """Make the part before a cut a backbone of its own, so that every runtime can run it."""
    fingerprint = hashlib.sha256(f"{backbone.fingerprint}|trunk|{n_tail}|{ACTIVATIONS_VERSION}".encode()).hexdigest()
    return replace(backbone, fingerprint=fingerprint, network="", module=_Trunk(backbone, n_tail))


@dataclass(frozen=True)
class TrunkPass:
    """Settings of a pass through the trunk.

    Parameters
    ----------
    n_tail : int
        Blocks behind the cut.
    n_views : int
        Augmented views wanted beside the plain one; fewer are made where time or disk do not do.
    precision : str
        "auto" or "float32".
    seconds : float
        About how long it may take.
    """

    n_tail: int
    n_views: int
    precision: str
    seconds: float


class _TrunkRunner:
    """Trunk, opened once, over the rows of a table."""

    def __init__(self, table: Table, backbone: Backbone, settings: TrunkPass) -> None:
        self.table, self.settings = table, settings
        self.modality = MODALITIES[table.modality]
        self.trunk = make_trunk(backbone, settings.n_tail)
        runtime = choose_runtime(table, backbone, settings.precision)  # What suits the whole suits its first part.
        if runtime is None:
            raise CannotCache("no row could be read")
        self.runtime = runtime
        self.extractor: Extractor = make_backbone_extractor(self.trunk, runtime)
        self.opened: list[Run] = []
        self.load_row = make_loader(table, backbone.spec)

    def open_cache(self, view: int) -> ActivationCache:
        """Open the cache of one view."""
        key = f"{self.trunk.fingerprint}|{self.runtime.numerics}|{PREPARATION_VERSION}|{view}|{ACTIVATIONS_VERSION}"
        about = {"base": f"{self.extractor.name}, before its last {self.settings.n_tail} blocks"}
        return ActivationCache(hashlib.sha256(key.encode()).hexdigest(), about)

    def prepare(self, row: int, views: Sequence[int]) -> Any:
        """Load one row once and prepare its views; a string where it cannot be read."""
        item = self.load_row(row)
        if is_unreadable(item):
            return str(item[0])
        return tuple(self.modality.prepare(make_view(self.table, row, view, item), self.trunk.spec) for view in views)

    def run(self, rows: Sequence[tuple[Array, ...]]) -> list[Array]:
        """Run prepared rows; each comes back as (units, ...), without its padding."""
        if not self.opened:
            self.opened.append(open_runtime(self.trunk, self.runtime))
        activations_by_row: list[Array] = [np.empty(0)] * len(rows)
        for index in cut_batches([self.extractor.cost(row) for row in rows], self.extractor):
            out = round_to_half(self.opened[0](*self.extractor.collate([rows[i] for i in index]))[0])
            for place, values in zip(index, out, strict=True):
                activations_by_row[place] = values[: len(rows[place][0])] if values.ndim == 2 else values[None]
        return activations_by_row


def compute_activations(table: Table, backbone: Backbone, settings: TrunkPass) -> Activations:
    """Return the activations of all rows at a cut, running the trunk only for rows and views that are not kept yet.

    Parameters
    ----------
    table : Table
        Rows that can all be read.
    backbone : Backbone
    settings : TrunkPass

    Raises
    ------
    CannotCache
        If the base cannot be cut, or even one view fits neither time nor disk.
    """
    runner = _TrunkRunner(table, backbone, settings)
    hashes = [str(item) for item in table.hashes]
    seconds_each, n_bytes = _measure_cost(runner, backbone)
    caches = _open_affordable_caches(runner, hashes, seconds_each, n_bytes)
    for _ in range(LOST_TRIES):
        with suppress(RowsLost):
            _fill_missing(runner, caches, hashes)
            return Activations([cache.read_rows(hashes) for cache in caches], n_bytes * len(caches))
    raise CannotCache("other processes keep removing its activations from the cache")


def _fill_missing(runner: _TrunkRunner, caches: Sequence[ActivationCache], hashes: Sequence[str]) -> None:
    """Run the rows that are not in the caches, each content once."""
    lacking = [set(cache.find_missing(hashes)) for cache in caches]
    first: dict[str, int] = {}
    for row, item in enumerate(hashes):
        first.setdefault(item, row)
    todo = [row for item, row in first.items() if any(item in missing for missing in lacking)]
    if todo:
        _fill_caches(runner, caches, lacking, np.asarray(todo, dtype=np.intp))


def _measure_cost(runner: _TrunkRunner, backbone: Backbone) -> tuple[float, int]:
    """Return seconds and bytes that one view of one row costs, from a few rows; and check that the cut is true."""
    table = runner.table
    some = np.random.default_rng(0).permutation(len(table))[: SETTINGS.sample_rows]
    rows = [runner.prepare(int(row), (0,))[0] for row in some[:2]]
    tensors = [torch.from_numpy(np.ascontiguousarray(part)) for part in runner.extractor.collate(rows)]
    assert backbone.module is not None
    halves = cutting.cut_network(backbone.module(), runner.settings.n_tail)
    if halves is None or not cutting.halves_agree(backbone.module(), halves, tensors):
        raise CannotCache("this base model cannot be cut between its blocks")
    runner.run(rows)
    began = time.monotonic()
    arrays = runner.run([runner.prepare(int(row), (0,))[0] for row in some])
    seconds_each = (time.monotonic() - began) / len(some)
    return seconds_each, int(np.mean([row.nbytes for row in arrays]) * len(table))


def _open_affordable_caches(
    runner: _TrunkRunner, hashes: Sequence[str], seconds_each: float, n_bytes: int
) -> list[ActivationCache]:
    """Open the caches of as many views as fit time and disk; the plain one first."""
    n_views = runner.settings.n_views if runner.modality.augment is not None else 0
    find_home().mkdir(parents=True, exist_ok=True)
    seconds, room = runner.settings.seconds, shutil.disk_usage(find_home()).free * SETTINGS.free_disk_share
    caches = []
    for view in range(1 + n_views):
        cache = runner.open_cache(view)
        share = len(cache.find_missing(hashes)) / max(1, len(hashes))
        seconds -= share * seconds_each * len(hashes)
        room -= share * n_bytes
        if seconds < 0 or room < 0:
            break
        caches.append(cache)
    if not caches:
        what = "the time" if seconds < 0 else "the free disk"
        raise CannotCache(f"one pass through the frozen part does not fit {what}")
    return caches


def _fill_caches(
    runner: _TrunkRunner, caches: Sequence[ActivationCache], lacking: Sequence[set[str]], todo: Index
) -> None:
    """Run the rows `todo` into the caches that lack them; each shard is written whole."""
    hashes = runner.table.hashes
    waiting: list[list[tuple[str, Array]]] = [[] for _ in caches]
    views = range(len(caches))
    written = time.monotonic()

    def flush(least_bytes: int) -> None:
        for cache, rows in zip(caches, waiting, strict=True):
            if rows and sum(row.nbytes for _, row in rows) >= least_bytes:
                cache.add_rows([item for item, _ in rows], [row for _, row in rows])
                rows.clear()

    def prepare(row: int) -> Any:
        return runner.prepare(row, [view for view in views if hashes[row] in lacking[view]])

    with progress.open_bar("Frozen part", len(todo), runner.modality.plural) as progress_bar:
        for chunk, items in prepare_chunks(prepare, todo):
            if any(isinstance(item, str) for item in items):
                raise DataError("A row can no longer be read.", "Run the command again.")
            flat = [(int(row), view) for row in chunk for view in views if hashes[row] in lacking[view]]
            ready: list[Any] = [arrays for item in items for arrays in item]
            for (row, view), values in zip(flat, runner.run(ready), strict=True):
                waiting[view].append((str(hashes[row]), values))
            late = time.monotonic() - written > SETTINGS.shard_seconds
            flush(0 if late else SETTINGS.shard_bytes)
            written = time.monotonic() if late else written
            progress_bar.advance(len(chunk))
    flush(0)
