"""Rows that a base model can hardly tell apart, though their pixels or letters differ: the third net for copies.

Takes features, whatever they come from. What it finds joins the families of near copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from headstart.data.duplicates.near_duplicates import LARGEST_FAMILY, LARGEST_SHARE, components, likely, usual_distance
from headstart.modalities.looks import Look
from headstart.records import TEST, TRAIN, Finding, FloatMatrix, Index, Table, make_column

MOST_ROWS = 10_000
"""Rows compared at most, drawn by chance."""
FEWEST_ROWS = 30
TYPICAL: Mapping[str, float] = {"image": 0.45, "text": 0.45}
"""A pair is nearly the same if its distance is below this share of the usual distance to the tenth neighbour.

Set on training rows of real pictures and texts by looking at the pairs: turned pictures, one story told twice. Series
are not looked at: they are compared as they are (`near`), and features of two beats of one heart are alike anyway."""
GRAVE_SHARE = 0.01
KIND = "alike-to-base"


def with_alike(table: Table, features: FloatMatrix, seed: int) -> tuple[Table, list[Finding]]:
    """Join rows whose features are nearly the same to families, so that folds keep them together, and report them.

    Parameters
    ----------
    table : Table
    features : FloatMatrix, shape (n_rows, n_dims)
        Of the same rows.
    seed : int

    Returns
    -------
    Table
        With `families` that hold what was found; all else is as before.
    list of Finding
        `alike-to-base`, where rows are alike that were in no family before.
    """
    rows = _different(table, seed)
    if table.modality not in TYPICAL or len(rows) < FEWEST_ROWS or features.shape[1] < 2:
        return table, []
    groups = [[int(rows[at]) for at in group] for group in _groups(features[rows], TYPICAL[table.modality], seed)]
    families = _names(table)
    groups = [group for group in groups if len({families[row] or table.hashes[row] for row in group}) > 1]
    if not groups:
        return table, []
    joined = _joined(table, families, groups)
    return replace(table, near_duplicate_groups=make_column(joined)), _told(table, groups, len(rows))


def _different(table: Table, seed: int) -> Index:
    """Give the first row of each content, and no more than are compared."""
    first: dict[str, int] = {}
    for row, digest in enumerate(table.hashes):
        first.setdefault(str(digest), row)
    rows = np.fromiter(first.values(), dtype=np.intp, count=len(first))
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])


def _groups(features: FloatMatrix, typical: float, seed: int) -> list[list[int]]:
    centred = np.asarray(features, dtype=np.float32) - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    looks = [Look(vector[None]) for vector in centred]
    far = typical * usual_distance(looks, seed)
    found = components(len(looks), likely(looks, 1 - far**2 / 2, seed))
    most = max(LARGEST_FAMILY, LARGEST_SHARE * len(looks))
    return [group for group in found if len(group) <= most]


def _names(table: Table) -> list[str]:
    return (
        [""] * len(table)
        if table.near_duplicate_groups is None
        else [str(name) for name in table.near_duplicate_groups]
    )


def _joined(table: Table, families: list[str], groups: list[list[int]]) -> list[str]:
    """Give every row its family; families that a group ties together become one."""
    tied = {row for group in groups for row in group}
    made = [name or (str(table.hashes[row]) if row in tied else "") for row, name in enumerate(families)]
    renamed: dict[str, str] = {}
    for group in groups:
        names = {made[row] for row in group}
        names |= {old for old, new in renamed.items() if new in names}
        names |= {renamed[name] for name in names if name in renamed}
        renamed |= dict.fromkeys(names, min(names))
    by_hash = {str(table.hashes[row]): name for row, name in enumerate(made) if name}
    return [renamed.get(name, name) for name in (by_hash.get(str(digest), "") for digest in table.hashes)]


def _told(table: Table, groups: list[list[int]], n_compared: int) -> list[Finding]:
    across = [
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
    if across:
        summary += f" {len(across)} of them are test rows like training rows."
    advice = "Look at them: copies make the test score too good. In cross-validation each set is kept on one side."
    grave = len(across) >= GRAVE_SHARE * max(1, int((table.splits == TEST).sum()))
    named = tuple(str(table.ids[row]) for group in groups for row in group)
    return [
        Finding(kind=KIND, severity="warn" if across and grave else "note", rows=named, summary=summary, advice=advice)
    ]


__all__ = ["KIND", "with_alike"]
