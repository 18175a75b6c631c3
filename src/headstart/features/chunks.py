"""Rows in chunks: loaded and prepared in threads, cut into batches of similar cost, run through extractors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from headstart.errors import DataError
from headstart.features.extractors import Extractor
from headstart.features.runtimes import Run, count_cores
from headstart.features.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Index, Table

Loaded = tuple[tuple[Array, ...] | None, ...] | str
"""Prepared arrays for each extractor that misses the row (None for the others), or why the row cannot be used."""
Chunk = tuple[Index, list[tuple[Index, tuple[Array, ...]]], dict[int, str]]
"""Rows of a chunk; for each extractor the rows it ran and its outputs; the rows that failed with the reason."""


def cut_batches(costs: Sequence[int], extractor: Extractor) -> Iterator[Index]:
    """Cut rows into batches of similar cost, within the extractor's bounds."""
    order = np.argsort(np.asarray(costs), kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while (
            stop < len(order)
            and stop - start < extractor.batch_rows
            and (stop - start + 1) * costs[order[stop]] <= extractor.batch_cost
        ):
            stop += 1
        yield order[start:stop]
        start = stop


def run_rows(extractor: Extractor, run: Run, rows: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    """Run prepared rows through one extractor; outputs come back in the order of the rows."""
    outputs: list[Array] = []
    for index in cut_batches([extractor.cost(row) for row in rows], extractor):
        parts = run(*extractor.collate([rows[i] for i in index]))
        if not outputs:
            outputs = [np.empty((len(rows), part.shape[1]), dtype=np.float32) for part in parts]
        for whole, part in zip(outputs, parts, strict=True):
            whole[index] = part
    return tuple(outputs)


def make_loader(table: Table, spec: Any, custom_load: Callable[[Any], Any] | None = None) -> Callable[[int], Any]:
    """Make a function that loads one row, or says (as a string in a 1-tuple) why it cannot."""
    load = MODALITIES[table.modality].load

    def load_row(row: int) -> Any:
        try:
            return load(table.inputs[row], spec) if custom_load is None else custom_load(table.inputs[row])
        except DataError as error:
            return (error.problem,)

    return load_row


def is_unreadable(loaded: Any) -> bool:
    """Return whether `loader` gave a reason instead of a row."""
    return isinstance(loaded, tuple) and len(loaded) == 1 and isinstance(loaded[0], str)


def run_chunks(
    table: Table,
    extractors: Sequence[Extractor],
    rows: Index,
    wants: Callable[[int, int], bool] = lambda number, row: True,
    most: int = SETTINGS.max_chunk_rows,
) -> Iterator[Chunk]:
    """Decode rows once, in threads and in order, and run each through the extractors that want it.

    Parameters
    ----------
    table : Table
    extractors : sequence of Extractor
        The first one's `spec` and `load` decide how rows are decoded.
    rows : Index
        Row numbers of `table`, at least one.
    wants : (number of the extractor, row number) -> bool
        Whether the extractor runs the row; by default all run all.
    most : int
        Rows of a chunk, at most.

    Yields
    ------
    Chunk
        In the order of `rows`.
    """
    load_row = make_loader(table, extractors[0].spec, extractors[0].load)

    def prepare(row: int) -> Loaded:
        item = load_row(row)
        if is_unreadable(item):
            return str(item[0])
        try:
            return tuple(
                extractor.prepare(item) if wants(number, row) else None for number, extractor in enumerate(extractors)
            )
        except DataError as error:
            return error.problem

    opened: dict[int, Run] = {}
    for chunk, items in prepare_chunks(prepare, rows, most):
        batches = []
        for number, extractor in enumerate(extractors):
            pairs = [
                (int(row), item[number]) for row, item in zip(chunk, items, strict=True) if not isinstance(item, str)
            ]
            to_run = [(row, arrays) for row, arrays in pairs if arrays is not None]
            if to_run and number not in opened:
                opened[number] = extractor.open()
            outputs = run_rows(extractor, opened[number], [arrays for _, arrays in to_run]) if to_run else ()
            batches.append((np.asarray([row for row, _ in to_run], dtype=np.intp), outputs))
        yield chunk, batches, {int(row): item for row, item in zip(chunk, items, strict=True) if isinstance(item, str)}


def prepare_chunks(
    prepare: Callable[[int], Loaded], todo: Index, most: int = SETTINGS.max_chunk_rows
) -> Iterator[tuple[Index, list[Loaded]]]:
    """Prepare rows in threads, one chunk ahead of the one in use: about `chunk_bytes` and `most` rows at most."""
    first = prepare(int(todo[0]))
    n_bytes = 4_096 if isinstance(first, str) else sum(a.nbytes for arrays in first if arrays for a in arrays)
    size = int(np.clip(SETTINGS.chunk_bytes / max(1, n_bytes), SETTINGS.min_chunk_rows, most))
    parts = [todo[start : start + size] for start in range(0, len(todo), size)]
    with ThreadPoolExecutor(max_workers=max(2, count_cores())) as pool:
        known: Future[Loaded] = Future()
        known.set_result(first)
        ahead = [known, *(pool.submit(prepare, int(row)) for row in parts[0][1:])]
        for number, part in enumerate(parts):
            now = ahead
            following = parts[number + 1] if number + 1 < len(parts) else ()
            ahead = [pool.submit(prepare, int(row)) for row in following]
            yield part, [future.result() for future in now]
