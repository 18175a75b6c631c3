"""Rows that are nearly the same: found in buckets, verified one by one, and gathered into families.

A family stays on one side of every split, as exact copies do. What grows implausibly large is no family but data in
which everything looks alike: it is reported and split like any other rows.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart import progress
from headstart.modalities.looks import LOOKS, Look
from headstart.records import TEST, TRAIN, Column, Finding, Index, Table, make_column

MOST_ROWS = {"image": 20_000, "text": 50_000, "series": 20_000}
"""Rows compared at most, of each modality; further ones are not, and a finding says so."""
BUCKET, PROBES, PIECE_ROWS = 1_000, 2, 4_000
MOST_PAIRS = 50
"""A row is tied to at most so many others of its bucket: a hundred copies need no 4,950 pairs."""
LARGEST_FAMILY, LARGEST_SHARE = 20, 0.10
"""A family larger than both is not believed."""
GRAVE_SHARE = 0.01
"""From this share of test rows on that are nearly the same as training rows people are warned."""
_LONG_JOB = 2_000

IMAGE_CLOSE = 0.96
"""Cosine: re-compressed, resized, brighter or slightly cropped copies reach it; two X-rays reach 0.955 at most."""
TEXT_LIKELY, TEXT_CLOSE = 0.6, 0.7
"""Cosine of hashed pieces from which on a pair is verified, and the share of pieces in common (Jaccard) it needs."""
SERIES_FAR, SERIES_TYPICAL, NEIGHBOUR = 0.1, 0.15, 10
"""Series: a copy is nearer than 0.1, and than 0.15 of the usual distance to the tenth neighbour in these data."""


@dataclass(frozen=True)
class Near:
    """What a search found.

    Parameters
    ----------
    families : Column, shape (n_rows,)
        Rows with the same text that is not empty are copies of each other, exact ones included.
    alike : tuple of tuple of int
        Row numbers of each group that is too large to be believed.
    n_compared : int
        Rows that were compared.
    """

    families: Column
    alike: tuple[tuple[int, ...], ...]
    n_compared: int


def search(table: Table, seed: int = 0) -> Near:
    """Look for rows that are nearly the same.

    Parameters
    ----------
    table : Table
    seed : int
        Of the rows that are compared where there are too many.

    Returns
    -------
    Near

    Notes
    -----
    Not quadratic: above 4,000 different rows each is compared with the rows of the two nearest of n / 1,000 buckets,
    around rows drawn by chance (an inverted file, as in similarity search).
    """
    first: dict[str, int] = {}
    for row, digest in enumerate(table.hashes):
        first.setdefault(str(digest), row)
    rows = np.fromiter(first.values(), dtype=np.intp, count=len(first))
    most = MOST_ROWS[table.modality]
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    found = _look(table, rows)
    groups = components(len(rows), _PAIRS[table.modality](found, seed))
    limit = max(LARGEST_FAMILY, LARGEST_SHARE * len(rows))
    digests = [str(table.hashes[row]) for row in rows]
    family_of = {digests[at]: digests[group[0]] for group in groups if len(group) <= limit for at in group}
    alike = tuple(tuple(int(rows[at]) for at in group) for group in groups if len(group) > limit)
    return Near(make_column([family_of.get(str(digest), "") for digest in table.hashes]), alike, len(rows))


def with_families(table: Table, seed: int = 0) -> Table:
    """Search, and note the families and what was found in the table; a table that has families is left as it is."""
    if table.near_duplicate_groups is not None or len(table) < 2:
        return table
    near = search(table, seed)
    return replace(table, near_duplicate_groups=near.families, findings=(*table.findings, *_remarks(table, near)))


def copies(table: Table) -> list[Finding]:
    """Report families: across the splits, across labels, and within.

    Parameters
    ----------
    table : Table
        With `families`; without them nothing is reported. Exact copies are reported elsewhere.
    """
    if table.near_duplicate_groups is None:
        return []
    families: dict[str, list[int]] = {}
    for row, name in enumerate(table.near_duplicate_groups):
        if name:
            families.setdefault(name, []).append(row)
    return [*_across(table, list(families.values())), *_labels(table, families), *_within(table, families)]


def _across(table: Table, families: list[list[int]]) -> list[Finding]:
    learnt = {table.hashes[row] for rows in families for row in rows if table.splits[row] == TRAIN}
    found = [
        table.ids[row]
        for rows in families
        if {TRAIN, TEST} <= {table.splits[row] for row in rows}
        for row in rows
        if table.splits[row] == TEST and table.hashes[row] not in learnt
    ]
    if not found:
        return []
    n_test = int((table.splits == TEST).sum())
    summary = f"{len(found)} of {n_test} test rows are nearly the same as training rows (such as {found[0]})."
    advice = "They make the test score too good. Take them out of one side, or let Headstart split the data."
    severity = "warn" if len(found) >= GRAVE_SHARE * n_test else "note"
    return [
        Finding(
            kind="near-duplicates-across-splits", severity=severity, rows=tuple(found), summary=summary, advice=advice
        )
    ]


def _labels(table: Table, families: dict[str, list[int]]) -> list[Finding]:
    if table.labels is None or table.task == "regression":
        return []
    odd = []
    for rows in families.values():
        by_hash = {table.hashes[row]: table.labels[row] for row in rows}
        if len(set(by_hash.values())) > 1:
            odd.append(rows)
    if not odd:
        return []
    first = odd[0][0]
    other = next(row for row in odd[0] if table.labels[row] != table.labels[first])
    example = f"{table.ids[first]} is {table.labels[first]}, {table.ids[other]} is {table.labels[other]}"
    sets = "1 set of nearly equal rows has" if len(odd) == 1 else f"{len(odd)} sets of nearly equal rows have"
    named = tuple(str(table.ids[row]) for rows in odd for row in rows)
    advice = "Look at them: one label may be wrong, or the classes differ in what is hard to see."
    summary = f"{sets} different labels ({example})."
    return [Finding(kind="near-duplicates-across-labels", severity="warn", rows=named, summary=summary, advice=advice)]


def _within(table: Table, families: dict[str, list[int]]) -> list[Finding]:
    named = [row for rows in families.values() for row in rows]
    if not named:
        return []
    largest = max(len(rows) for rows in families.values())
    sets = "1 set" if len(families) == 1 else f"{len(families)} sets"
    summary = f"{len(named)} rows are nearly the same as another ({sets}, the largest of {largest})."
    advice = "Where Headstart splits, each set is kept on one side; count them as one row when you plan for more."
    return [
        Finding(
            kind="near-duplicates",
            severity="note",
            rows=tuple(str(table.ids[row]) for row in named),
            summary=summary,
            advice=advice,
        )
    ]


def _remarks(table: Table, near: Near) -> list[Finding]:
    found = []
    if near.alike:
        rows = tuple(str(table.ids[row]) for group in near.alike for row in group)
        summary = f"{len(rows)} rows are so much alike that copies among them cannot be told (such as {rows[0]})."
        advice = "They are split like all others. If they come from one film, patient or place, name it with --group."
        found.append(Finding(kind="much-alike", severity="warn", rows=rows, summary=summary, advice=advice))
    n_different = len(set(map(str, table.hashes)))
    if near.n_compared < n_different:
        summary = f"Near copies were looked for among {near.n_compared:,} of {n_different:,} different rows."
        found.append(
            Finding(
                kind="not-compared",
                severity="note",
                rows=(),
                summary=summary,
                advice="Exact copies were looked for among all rows.",
            )
        )
    return found


def _look(table: Table, rows: Index) -> list[Look]:
    """Describe rows; pictures in threads, with a bar where it takes long."""
    one, long = LOOKS[table.modality], len(rows) > _LONG_JOB
    shown = progress.bar("Looking for near copies", len(rows), f"{table.modality}s") if long else nullcontext(None)
    made: list[Look] = []
    with shown as bar, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(rows), 256):
            part = [table.inputs[row] for row in rows[start : start + 256]]
            made += pool.map(one, part) if table.modality == "image" else map(one, part)
            if bar is not None:
                bar.advance(len(part))
    return made


def _blocks(firsts: NDArray[np.float32], views: NDArray[np.float32], seed: int) -> Iterator[tuple[Index, Index]]:
    """Give pairs of row sets to be compared: whose first view, and whose other views."""
    n = len(firsts)
    if n <= PIECE_ROWS:
        everything = np.arange(n, dtype=np.intp)
        yield everything, everything
        return
    centres = firsts[np.random.default_rng(seed).permutation(n)[: n // BUCKET]]
    home = (firsts @ centres.T).argmax(axis=1)
    near = np.argpartition(-(views @ centres.T), PROBES - 1, axis=1)[:, :PROBES]
    for number in range(len(centres)):
        mine, visitors = np.flatnonzero(home == number), np.flatnonzero((near == number).any(axis=1))
        for start in range(0, len(mine), PIECE_ROWS):
            piece = mine[start : start + PIECE_ROWS]
            for other in range(0, len(visitors), PIECE_ROWS):
                if len(mine) <= PIECE_ROWS or start == other:
                    yield piece, visitors[other : other + PIECE_ROWS]


def likely(found: Sequence[Look], close: float, seed: int) -> list[tuple[int, int]]:
    """Give pairs of rows of which one view of one is close to the other as it is.

    Parameters
    ----------
    found : sequence of Look
    close : float
        Smallest cosine.
    seed : int

    Returns
    -------
    list of (int, int)
        The smaller number first, each pair once, at most 50 for each row and block.
    """
    firsts = np.stack([look.vectors[0] for look in found]) if found else np.zeros((0, 1), dtype=np.float32)
    pairs: set[tuple[int, int]] = set()
    for view in range(found[0].vectors.shape[0] if found else 0):
        views = np.stack([look.vectors[view] for look in found])
        for mine, visitors in _blocks(firsts, views, seed):
            for start in range(0, len(mine), 1_000):
                rows = mine[start : start + 1_000]
                hits = firsts[rows] @ views[visitors].T >= close
                one, other = np.nonzero(hits)
                kept = _few(one)
                ends = np.sort(np.stack([rows[one[kept]], visitors[other[kept]]]), axis=0)
                pairs.update((int(a), int(b)) for a, b in ends.T if a != b)
    return sorted(pairs)


def _few(rows: Index) -> Index:
    """Keep at most `MOST_PAIRS` + 1 entries for each value of sorted `rows` (a row also meets itself)."""
    starts = np.searchsorted(rows, rows, side="left")
    return np.flatnonzero(np.arange(len(rows)) - starts <= MOST_PAIRS).astype(np.intp)


def _image_pairs(found: Sequence[Look], seed: int) -> list[tuple[int, int]]:
    return likely(found, IMAGE_CLOSE, seed)


def _text_pairs(found: Sequence[Look], seed: int) -> list[tuple[int, int]]:
    def share(a: int, b: int) -> float:
        one, other = found[a].whole, found[b].whole
        assert one is not None and other is not None
        both = len(np.intersect1d(one, other, assume_unique=True))
        return both / max(len(one) + len(other) - both, 1)

    return [pair for pair in likely(found, TEXT_LIKELY, seed) if share(*pair) >= TEXT_CLOSE]


def _series_pairs(found: Sequence[Look], seed: int) -> list[tuple[int, int]]:
    """Compare only series of one number of channels, and with a limit that these data set themselves."""
    sizes = Counter(look.vectors.shape[1] for look in found)
    pairs = []
    for size in sizes:
        rows = [at for at, look in enumerate(found) if look.vectors.shape[1] == size]
        some = [found[at] for at in rows]
        far = min(SERIES_FAR, SERIES_TYPICAL * usual_distance(some, seed))
        half = size // 2 + 1  # not a cut at the exact middle: shape has one step more than slopes a channel
        for a, b in likely(some, 1 - far**2 / 4, seed):
            apart = some[a].vectors[0].astype(np.float64) - some[b].vectors[0]
            if 2 * max(np.square(apart[:half]).sum(), np.square(apart[half:]).sum()) <= far**2:
                pairs.append((rows[a], rows[b]))
    return pairs


def usual_distance(found: Sequence[Look], seed: int) -> float:
    """Median distance of up to 300 rows to their tenth neighbour among up to 2,000."""
    rng = np.random.default_rng(seed)
    pool = np.stack([found[at].vectors[0] for at in np.sort(rng.permutation(len(found))[:2_000])])
    cosine = pool[:300] @ pool.T
    place = min(NEIGHBOUR, max(1, len(pool) // 4), len(pool) - 1)
    tenth = -np.partition(-cosine, place, axis=1)[:, place]
    return float(np.median(np.sqrt(np.maximum(0.0, 2 - 2 * tenth))))


_PAIRS = {"image": _image_pairs, "text": _text_pairs, "series": _series_pairs}


def components(n_rows: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Give the sets of two or more rows that pairs tie together, each in order."""
    parent = list(range(n_rows))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[int]] = {}
    for row in sorted({row for pair in pairs for row in pair}):
        groups.setdefault(root(row), []).append(row)
    return list(groups.values())


__all__ = ["Near", "components", "copies", "likely", "search", "usual_distance", "with_families"]
