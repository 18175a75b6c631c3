"""Duplicates by features: rows whose embeddings are nearly equal although pixels or letters differ.

They join the near-duplicate groups of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from headstart.data.duplicates.components import find_connected_rows
from headstart.data.duplicates.near_duplicates import (
    find_similar_pairs,
    measure_typical_distance,
)
from headstart.data.settings import SETTINGS
from headstart.modalities.record import Fingerprint
from headstart.records import TEST, TRAIN, AnyTable, Finding, FloatMatrix, Index, Table, make_column
from headstart.results.findings import make_finding

TYPICAL: Mapping[str, float] = dict.fromkeys(("image", "text"), SETTINGS.feature_typical_share)
"""Series are compared by their values only (`near_duplicates`): the features of two beats of one heart are similar."""
KIND = "alike-to-base"


def add_feature_duplicates(table: AnyTable, features: FloatMatrix, seed: int) -> tuple[AnyTable, list[Finding]]:
    """Add rows with nearly equal features to the near-duplicate groups, and report them.

    Parameters
    ----------
    table : AnyTable
    features : FloatMatrix, shape (n_rows, n_dims)
        Of the same rows.
    seed : int

    Returns
    -------
    Table
        With extended `near_duplicate_groups`; nothing else changes.
    list of Finding
        `alike-to-base`, if rows were added to a group.
    """
    rows = _first_row_of_each_content(table, seed)
    if table.modality not in TYPICAL or len(rows) < SETTINGS.min_feature_rows or features.shape[1] < 2:
        return table, []
    groups = [[int(rows[at]) for at in group] for group in _find_groups(features[rows], TYPICAL[table.modality], seed)]
    group_names = _group_names(table)
    groups = [group for group in groups if len({group_names[row] or table.hashes[row] for row in group}) > 1]
    if not groups:
        return table, []
    merged_names = _merge_groups(table, group_names, groups)
    return replace(table, near_duplicate_groups=make_column(merged_names)), _report_feature_duplicates(
        table, groups, len(rows)
    )


def _first_row_of_each_content(table: Table, seed: int) -> Index:
    """Return the first row of each content, at most `feature_rows` of them."""
    first: dict[str, int] = {}
    for row, digest in enumerate(table.hashes):
        first.setdefault(str(digest), row)
    rows = np.fromiter(first.values(), dtype=np.intp, count=len(first))
    return np.sort(np.random.default_rng(seed).permutation(rows)[: SETTINGS.feature_rows])


def _find_groups(features: FloatMatrix, typical: float, seed: int) -> list[list[int]]:
    centred = np.asarray(features, dtype=np.float32) - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    fingerprints = [Fingerprint(vector[None]) for vector in centred]
    largest_distance = typical * measure_typical_distance(fingerprints, seed)
    groups = find_connected_rows(len(fingerprints), find_similar_pairs(fingerprints, 1 - largest_distance**2 / 2, seed))
    most = max(SETTINGS.largest_group_rows, SETTINGS.largest_group_share * len(fingerprints))
    return [group for group in groups if len(group) <= most]


def _group_names(table: Table) -> list[str]:
    return (
        [""] * len(table)
        if table.near_duplicate_groups is None
        else [str(name) for name in table.near_duplicate_groups]
    )


def _merge_groups(table: Table, group_names: list[str], groups: list[list[int]]) -> list[str]:
    """Return the group name of every row; groups that share a row become one."""
    tied = {row for group in groups for row in group}
    names_with_new = [name or (str(table.hashes[row]) if row in tied else "") for row, name in enumerate(group_names)]
    renamed: dict[str, str] = {}
    for group in groups:
        names = {names_with_new[row] for row in group}
        names |= {old for old, new in renamed.items() if new in names}
        names |= {renamed[name] for name in names if name in renamed}
        renamed |= dict.fromkeys(names, min(names))
    by_hash = {str(table.hashes[row]): name for row, name in enumerate(names_with_new) if name}
    return [renamed.get(name, name) for name in (by_hash.get(str(digest), "") for digest in table.hashes)]


def _report_feature_duplicates(table: Table, groups: list[list[int]], n_compared: int) -> list[Finding]:
    test_rows = [
        row
        for group in groups
        for row in group
        if table.splits[row] == TEST and any(table.splits[other] == TRAIN for other in group)
    ]
    n_rows = sum(map(len, groups))
    first, second = (table.ids[row] for row in groups[0][:2])
    sets = "1 set" if len(groups) == 1 else f"{len(groups)} sets"
    summary = (
        f"To the base model {n_rows} of {n_compared:,} rows are nearly the same as another "
        f"({sets}; such as {first} and {second})."
    )
    if test_rows:
        summary += f" {len(test_rows)} of them are test rows like training rows."
    is_grave = len(test_rows) >= SETTINGS.grave_share * max(1, int((table.splits == TEST).sum()))
    row_ids = tuple(str(table.ids[row]) for group in groups for row in group)
    return [make_finding(KIND, summary, row_ids, severity="warn" if test_rows and is_grave else "note")]


__all__ = ["KIND", "add_feature_duplicates"]
