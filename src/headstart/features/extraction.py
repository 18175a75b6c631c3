"""The one pass: rows that have no features yet are decoded once, prepared, run through the frozen base, and cached.

Decoding runs in threads beside the forward pass; memory is bounded by a few chunks, however many rows there are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from headstart import progress
from headstart.bases import Backbone
from headstart.errors import DataError
from headstart.features.cache import LOST_TRIES, FeatureCache
from headstart.features.chunks import is_unreadable, make_loader, run_chunks
from headstart.features.extractors import DESCRIPTOR_EXTRACTORS, Extractor, make_backbone_extractor
from headstart.features.memory import free_large_base
from headstart.features.runtimes import ChosenRuntime, choose_fastest, count_cores, read_runtime_choice
from headstart.features.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Features, Index, SetAside, Table
from headstart.row_cache import RowsLost

NOT_USED = "not used"


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Result of a pass through the base model.

    Parameters
    ----------
    features, descriptors : Features or None
        Of the kept rows, in order; None where they are not wanted.
    readable_rows : Index
        Numbers of the rows that could be used.
    set_aside : tuple of SetAside
    runtime : str
    n_computed : int
        Rows that were not in the cache and could be read.
    forecast_seconds, seconds : float
        Of the pass itself, without the comparison of runtimes at a base's first use.
    late : tuple of str
        Ids of rows that were not reached in the time given.
    """

    features: Features | None
    descriptors: Features | None
    readable_rows: Index
    set_aside: tuple[SetAside, ...]
    runtime: str
    n_computed: int
    forecast_seconds: float
    seconds: float
    late: tuple[str, ...] = ()


class _ShardWriter:
    """Collects features of one extractor and writes a shard when enough rows or seconds have come together."""

    def __init__(self, cache: FeatureCache) -> None:
        self.cache = cache
        self.hashes: list[str] = []
        self.outputs: list[tuple[Array, ...]] = []
        self.flushed = time.monotonic()

    def add(self, hashes: Sequence[str], outputs: tuple[Array, ...]) -> None:
        self.hashes += hashes
        self.outputs.append(outputs)
        if len(self.hashes) >= SETTINGS.shard_rows or time.monotonic() - self.flushed > SETTINGS.shard_seconds:
            self.flush()

    def flush(self) -> None:
        if self.hashes:
            joined = [np.concatenate(parts) for parts in zip(*self.outputs, strict=True)]
            stages = {f"stage-{number}": part for number, part in enumerate(joined[:-1])}
            self.cache.add_features(self.hashes, joined[-1], stages)
        self.hashes, self.outputs, self.flushed = [], [], time.monotonic()


def choose_runtime(
    table: Table, backbone: Backbone, precision: str, most_seconds: float = np.inf
) -> ChosenRuntime | None:
    """Return the runtime remembered for this base and machine, or compare them on the first rows that can be read.

    Parameters
    ----------
    table : Table
        Rows to compare on; its modality is that of the base.
    backbone : Backbone
    precision : str
        "auto" or "float32".
    most_seconds : float
        No further runtime is compared after this time.

    Returns
    -------
    ChosenRuntime or None
        None if none is remembered and no row can be read.
    """
    recalled = read_runtime_choice(backbone, precision)
    if recalled is not None:
        return recalled
    modality = MODALITIES[table.modality]
    load_row = make_loader(table, backbone.spec)
    readable = (item for item in map(load_row, range(len(table))) if not is_unreadable(item))
    loaded = list(
        islice(readable, SETTINGS.hurried_rows if most_seconds < SETTINGS.hurried_seconds else SETTINGS.sample_rows)
    )
    if not loaded:
        return None
    if backbone.module is not None:
        backbone.module()  # A base that cannot be built is refused before anything is said.
    progress.say(f"First use of {backbone.record.name} on this machine: comparing the ways to run it.")
    rows = [modality.prepare(item, backbone.spec) for item in loaded]
    units = float(len(rows) * max(modality.cost(row) for row in rows))
    return choose_fastest(
        backbone,
        modality.collate(rows, backbone.spec),
        units,
        precision=precision,
        limits=(SETTINGS.runtime_seconds, most_seconds),
    )


def _find_first_rows(hashes: Sequence[str], needed: set[str]) -> Index:
    first: dict[str, int] = {}
    for row, item in enumerate(hashes):
        if item in needed:
            first.setdefault(item, row)
    return np.fromiter(first.values(), dtype=np.intp, count=len(first))


def extract_features(
    table: Table,
    backbone: Backbone,
    precision: str = "auto",
    uses: frozenset[str] = frozenset({"features", "descriptors"}),
    seconds: float = np.inf,
) -> Extraction:
    """Return the frozen features of all rows, running the base only for rows that the cache does not have.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    precision : str
        "auto" or "float32".
    uses : frozenset of str
        What is wanted: "features", also their "stages", "descriptors". Without the first two the base is not run, and
        images get their descriptors in any case, so that unreadable ones are found.
    seconds : float
        After so long no further rows are begun. What is done stays in the cache, a later run goes on from there.

    Raises
    ------
    DataError
        If not a single row could be read.
    """
    until = time.monotonic() + seconds
    for _ in range(LOST_TRIES):
        with suppress(RowsLost):  # Pruned by another process meanwhile: what is lost is computed again.
            return _extract_once(table, backbone, precision, uses=uses, seconds=until - time.monotonic())
    raise DataError("Other processes keep removing features that this run needs.", "Run the same command again.")


def _extract_once(table: Table, backbone: Backbone, precision: str, uses: frozenset[str], seconds: float) -> Extraction:
    until = time.monotonic() + seconds
    extractors, runtime = _make_extractors(
        table,
        backbone,
        precision,
        uses=uses,
        compare_seconds=max(SETTINGS.compare_seconds, SETTINGS.compare_share * seconds),
    )
    until = max(until, time.monotonic() + SETTINGS.pass_share * seconds)
    if not extractors:
        return Extraction(
            features=None,
            descriptors=None,
            readable_rows=np.arange(len(table), dtype=np.intp),
            set_aside=(),
            runtime=NOT_USED,
            n_computed=0,
            forecast_seconds=0.0,
            seconds=0.0,
        )
    began = time.monotonic()
    hashes = [str(item) for item in table.hashes]
    caches = [extractor.cache() for extractor in extractors]
    lacking = [set(cache.find_missing(hashes)) for cache in caches]
    todo = _find_first_rows(hashes, set().union(*lacking))
    forecast, bad, late = 0.0, dict[str, str](), set[str]()
    if len(todo):
        forecast = _predict_seconds(table, backbone, runtime, todo=todo, n_forward=len(lacking[0]))
        progress.expect_step("features", forecast)
        if forecast > SETTINGS.unsure_share * seconds:
            todo = np.random.default_rng(0).permutation(todo)  # Not all may be reached: every class has its share.
        most = SETTINGS.max_chunk_rows
        if forecast > SETTINGS.tight_share * seconds:  # Small chunks, so that the end is not far beyond the limit.
            rows_in_time = SETTINGS.chunk_share * seconds * len(todo) / forecast
            most = int(np.clip(rows_in_time, SETTINGS.min_chunk_rows, SETTINGS.max_chunk_rows))
        bad, late = _run_missing(table, extractors, caches, lacking=lacking, todo=todo, limits=(until, most))
        free_large_base(backbone)
    readable_rows = np.asarray(
        [row for row, item in enumerate(hashes) if item not in bad and item not in late], dtype=np.intp
    )
    if len(readable_rows) == 0:
        raise _make_nothing_readable(table)
    readable_hashes = [hashes[row] for row in readable_rows]
    features: list[Features | None] = [
        Features(table.ids[readable_rows], cache.get_features(readable_hashes), extractor.key)
        for cache, extractor in zip(caches, extractors, strict=True)
    ]
    if runtime is None:
        features.insert(0, None)
    elif "stages" in uses and features[0] is not None:
        features[0] = replace(
            features[0],
            stages={name: caches[0].get_features(readable_hashes, name) for name in caches[0].list_stage_names()},
        )
    aside = tuple(SetAside(str(table.ids[row]), bad[item]) for row, item in enumerate(hashes) if item in bad)
    return Extraction(
        features=features[0],
        descriptors=features[1] if len(features) > 1 else None,
        readable_rows=readable_rows,
        set_aside=aside,
        runtime=runtime.name if runtime else NOT_USED,
        n_computed=len(todo) - len(late) - len(bad),
        forecast_seconds=forecast,
        seconds=time.monotonic() - began,
        late=tuple(str(table.ids[row]) for row, item in enumerate(hashes) if item in late),
    )


def _make_extractors(
    table: Table, backbone: Backbone, precision: str, uses: frozenset[str], compare_seconds: float
) -> tuple[list[Extractor], ChosenRuntime | None]:
    """Make the extractors that are wanted, the base's first; and the base's runtime, None where it is not run."""
    runtime = None
    if uses & {"features", "stages"}:
        runtime = choose_runtime(table, backbone, precision, compare_seconds)
        if runtime is None:
            raise _make_nothing_readable(table)
    with_descriptors = table.modality in DESCRIPTOR_EXTRACTORS and (runtime is None or "descriptors" in uses)
    classic = [DESCRIPTOR_EXTRACTORS[table.modality](backbone.spec)] if with_descriptors else []
    return [*([make_backbone_extractor(backbone, runtime)] if runtime else []), *classic], runtime


def _make_nothing_readable(table: Table) -> DataError:
    return DataError(f"None of the {len(table)} inputs of {table.source} could be read.", "Open one of them to check.")


def _predict_seconds(
    table: Table, backbone: Backbone, runtime: ChosenRuntime | None, todo: Index, n_forward: int
) -> float:
    """Forecast the time of the pass from at most two seconds on some rows; opening the tokenizer is no part of it."""
    load_row = make_loader(table, backbone.spec)
    modality = MODALITIES[table.modality]

    def prepare_row(row: int) -> int:
        item = load_row(row)
        return 0 if is_unreadable(item) else modality.cost(modality.prepare(item, backbone.spec))

    sample = np.random.default_rng(0).permutation(todo)[: SETTINGS.sample_rows]
    prepare_row(int(sample[0]))  # A tokenizer of many languages takes seconds to open: once, not for each row.
    began, n, cost = time.monotonic(), 0, 0
    for row in sample:
        cost += prepare_row(int(row))
        n += 1
        if time.monotonic() - began > 2.0:
            break
    seconds_each = (time.monotonic() - began) / n / max(1, min(2, count_cores()))
    speed = runtime.units_per_second if runtime else 0.0
    seconds = seconds_each * len(todo) + (n_forward * cost / n / speed if speed else 0.0)
    megabytes = n_forward * max(1, backbone.record.n_dims) * 4 * 1.4 / 1e6
    unit = MODALITIES[table.modality].plural
    where = f"go through {backbone.record.name} once" if runtime else "are read once"
    how = f" ({runtime.name})" if runtime else ""
    progress.say(
        f"{len(todo)} {unit} {where}: about {max(1.0, seconds):.0f} s "
        f"and {max(1.0, megabytes):.0f} MB of cache{how}. Later runs reuse them."
    )
    return seconds


def _run_missing(
    table: Table,
    extractors: Sequence[Extractor],
    caches: Sequence[FeatureCache],
    lacking: Sequence[set[str]],
    todo: Index,
    limits: tuple[float, int],
) -> tuple[dict[str, str], set[str]]:
    """Run the rows `todo` into the caches, until a time and so many rows at once at most.

    Returns
    -------
    dict of str to str
        Hashes of the rows that could not be read, and why.
    set of str
        Hashes of the late ones.
    """
    until, most = limits
    writers = [_ShardWriter(cache) for cache in caches]
    bad: dict[str, str] = {}
    late = {str(item) for item in table.hashes[todo]}

    def wants(number: int, row: int) -> bool:
        return table.hashes[row] in lacking[number]

    with progress.open_bar("Reading and running", len(todo), MODALITIES[table.modality].plural) as progress_bar:
        for chunk, batches, failed in run_chunks(table, extractors, todo, wants=wants, most=most):
            for writer, (rows, outputs) in zip(writers, batches, strict=True):
                if len(rows):
                    writer.add([str(item) for item in table.hashes[rows]], outputs)
            bad |= {str(table.hashes[row]): reason for row, reason in failed.items()}
            late -= {str(item) for item in table.hashes[chunk]}
            progress_bar.advance(len(chunk))
            if time.monotonic() > until:
                break
    for writer in writers:
        writer.flush()
    return bad, late
