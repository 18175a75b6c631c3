"""Near-duplicate rows: candidate pairs from buckets, verified one by one and joined into groups.

A group stays on one side of every split, as exact copies do. An implausibly large group is not one: in such data all
rows are similar, which is reported, and the rows are split like any others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.duplicates.components import find_connected_rows
from headstart.data.row_facts import describe_rows
from headstart.data.settings import SETTINGS
from headstart.modalities.record import Fingerprint
from headstart.records import AnyTable, Column, Finding, Index, Table, make_column
from headstart.results.findings import make_finding

MOST_ROWS = {"image": SETTINGS.image_rows, "text": SETTINGS.text_rows, "series": SETTINGS.series_rows}
"""Rows compared at most, for each modality; a finding reports that the rest was not."""
BLOCK_ROWS = 4000
MUCH_ALIKE = "much-alike"
"""Kind of the finding that near copies cannot be told from other rows."""


@dataclass(frozen=True)
class NearDuplicates:
    """Groups of near-duplicate rows.

    Parameters
    ----------
    groups : Column, shape (n_rows,)
        Name of the group of each row, "" for none; exact copies have the same group.
    implausible_groups : tuple of tuple of int
        Row numbers of each group that is too large to be one.
    n_compared : int
        Rows that were compared.
    """

    groups: Column
    implausible_groups: tuple[tuple[int, ...], ...]
    n_compared: int


def find_near_duplicates(table: Table, seed: int = 0) -> NearDuplicates:
    """Find groups of near-duplicate rows.

    Parameters
    ----------
    table : Table
    seed : int
        Of the sample that is compared where there are too many rows.

    Returns
    -------
    NearDuplicates

    Notes
    -----
    Not quadratic: above 4,000 different rows each is compared with the rows of the two nearest of n / 1,000 buckets,
    around rows drawn by chance (an inverted file, as in similarity search).
    """
    first_row: dict[str, int] = {}
    for row, digest in enumerate(table.hashes):
        first_row.setdefault(str(digest), row)
    rows = np.fromiter(first_row.values(), dtype=np.intp, count=len(first_row))
    most = MOST_ROWS[table.modality]
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    fingerprints = [facts.fingerprint for facts in describe_rows(table.take(rows))]
    groups = find_connected_rows(len(rows), _PAIRS[table.modality](fingerprints, seed))
    largest_group = max(SETTINGS.largest_group_rows, SETTINGS.largest_group_share * len(rows))
    hashes = [str(table.hashes[row]) for row in rows]
    group_of_hash = {hashes[at]: hashes[group[0]] for group in groups if len(group) <= largest_group for at in group}
    implausible_groups = tuple(tuple(int(rows[at]) for at in group) for group in groups if len(group) > largest_group)
    return NearDuplicates(
        make_column([group_of_hash.get(str(digest), "") for digest in table.hashes]), implausible_groups, len(rows)
    )


def add_near_duplicate_groups(table: AnyTable, seed: int = 0) -> AnyTable:
    """Return the table with its near-duplicate groups and the findings of the search.

    Parameters
    ----------
    table : AnyTable
        Returned unchanged if it has `near_duplicate_groups` already.
    seed : int
    """
    if table.near_duplicate_groups is not None or len(table) < 2:
        return table
    near_duplicates = find_near_duplicates(table, seed)
    return replace(
        table,
        near_duplicate_groups=near_duplicates.groups,
        findings=(*table.findings, *_report_search(table, near_duplicates)),
    )


def _report_search(table: Table, near_duplicates: NearDuplicates) -> list[Finding]:
    findings = []
    if near_duplicates.implausible_groups:
        rows = tuple(str(table.ids[row]) for group in near_duplicates.implausible_groups for row in group)
        summary = f"{len(rows)} rows are so much alike that copies among them cannot be told (such as {rows[0]})."
        findings.append(make_finding(MUCH_ALIKE, summary, rows))
    n_different = len(set(map(str, table.hashes)))
    if near_duplicates.n_compared < n_different:
        summary = f"Near copies were looked for among {near_duplicates.n_compared:,} of {n_different:,} different rows."
        findings.append(make_finding("not-compared", summary))
    return findings


def _yield_blocks(firsts: NDArray[np.float32], views: NDArray[np.float32], seed: int) -> Iterator[tuple[Index, Index]]:
    """Yield pairs of row sets to compare: rows by their first view, and rows by their other views."""
    n = len(firsts)
    if n <= BLOCK_ROWS:
        everything = np.arange(n, dtype=np.intp)
        yield everything, everything
        return
    centres = firsts[np.random.default_rng(seed).permutation(n)[: n // SETTINGS.bucket_rows]]
    nearest_bucket = (firsts @ centres.T).argmax(axis=1)
    nearest_buckets = np.argpartition(-(views @ centres.T), SETTINGS.probed_buckets - 1, axis=1)[
        :, : SETTINGS.probed_buckets
    ]
    for number in range(len(centres)):
        members, visitors = (
            np.flatnonzero(nearest_bucket == number),
            np.flatnonzero((nearest_buckets == number).any(axis=1)),
        )
        for start in range(0, len(members), BLOCK_ROWS):
            block = members[start : start + BLOCK_ROWS]
            for other in range(0, len(visitors), BLOCK_ROWS):
                if len(members) <= BLOCK_ROWS or start == other:
                    yield block, visitors[other : other + BLOCK_ROWS]


def find_similar_pairs(fingerprints: Sequence[Fingerprint], least_cosine: float, seed: int) -> list[tuple[int, int]]:
    """Return pairs of rows where a view of one is similar to the other row.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
    least_cosine : float
    seed : int

    Returns
    -------
    list of (int, int)
        The smaller number first, each pair once, at most 50 for each row and block.
    """
    firsts = (
        np.stack([fingerprint.vectors[0] for fingerprint in fingerprints])
        if fingerprints
        else np.zeros((0, 1), dtype=np.float32)
    )
    pairs: set[tuple[int, int]] = set()
    for view in range(fingerprints[0].vectors.shape[0] if fingerprints else 0):
        views = np.stack([fingerprint.vectors[view] for fingerprint in fingerprints])
        for mine, visitors in _yield_blocks(firsts, views, seed):
            for start in range(0, len(mine), 1_000):
                rows = mine[start : start + 1_000]
                hits = firsts[rows] @ views[visitors].T >= least_cosine
                one, other = np.nonzero(hits)
                retained = _cap_repeats(one)
                ends = np.sort(np.stack([rows[one[retained]], visitors[other[retained]]]), axis=0)
                pairs.update((int(a), int(b)) for a, b in ends.T if a != b)
    return sorted(pairs)


def _cap_repeats(rows: Index) -> Index:
    """Return the places of at most `pairs_of_row` + 1 entries of each value of sorted `rows` (with the row itself)."""
    starts = np.searchsorted(rows, rows, side="left")
    return np.flatnonzero(np.arange(len(rows)) - starts <= SETTINGS.pairs_of_row).astype(np.intp)


def _find_image_pairs(fingerprints: Sequence[Fingerprint], seed: int) -> list[tuple[int, int]]:
    return find_similar_pairs(fingerprints, SETTINGS.image_cosine, seed)


def _find_text_pairs(fingerprints: Sequence[Fingerprint], seed: int) -> list[tuple[int, int]]:
    def share(a: int, b: int) -> float:
        one, other = fingerprints[a].shingles, fingerprints[b].shingles
        assert one is not None and other is not None
        both = len(np.intersect1d(one, other, assume_unique=True))
        return both / max(len(one) + len(other) - both, 1)

    return [
        pair
        for pair in find_similar_pairs(fingerprints, SETTINGS.text_cosine, seed)
        if share(*pair) >= SETTINGS.text_jaccard
    ]


def _find_series_pairs(fingerprints: Sequence[Fingerprint], seed: int) -> list[tuple[int, int]]:
    """Return similar pairs of series of one size; the limit depends on typical distances in the data."""
    sizes = Counter(fingerprint.vectors.shape[1] for fingerprint in fingerprints)
    pairs = []
    for size in sizes:
        rows = [at for at, fingerprint in enumerate(fingerprints) if fingerprint.vectors.shape[1] == size]
        same_size = [fingerprints[at] for at in rows]
        largest_distance = min(
            SETTINGS.series_distance, SETTINGS.series_typical_share * measure_typical_distance(same_size, seed)
        )
        half = size // 2 + 1  # not a cut at the exact middle: shape has one step more than slopes a channel
        for a, b in find_similar_pairs(same_size, 1 - largest_distance**2 / 4, seed):
            difference = same_size[a].vectors[0].astype(np.float64) - same_size[b].vectors[0]
            if 2 * max(np.square(difference[:half]).sum(), np.square(difference[half:]).sum()) <= largest_distance**2:
                pairs.append((rows[a], rows[b]))
    return pairs


def measure_typical_distance(fingerprints: Sequence[Fingerprint], seed: int) -> float:
    """Return the median distance of up to 300 rows to their tenth neighbour among up to 2,000 rows.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
        At least one; the first view of each is used.
    seed : int
        Of the sample.
    """
    rng = np.random.default_rng(seed)
    vectors = np.stack([fingerprints[at].vectors[0] for at in np.sort(rng.permutation(len(fingerprints))[:2_000])])
    cosine = vectors[:300] @ vectors.T
    nth = min(SETTINGS.series_neighbour, max(1, len(vectors) // 4), len(vectors) - 1)
    tenth = -np.partition(-cosine, nth, axis=1)[:, nth]
    return float(np.median(np.sqrt(np.maximum(0.0, 2 - 2 * tenth))))


_PAIRS = {"image": _find_image_pairs, "text": _find_text_pairs, "series": _find_series_pairs}


__all__ = [
    "NearDuplicates",
    "add_near_duplicate_groups",
    "find_near_duplicates",
    "find_similar_pairs",
    "measure_typical_distance",
]
