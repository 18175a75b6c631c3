"""Rows that the base model takes for nearly the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart import data
from headstart.checks import add_row_shares
from headstart.data.duplicates.feature_duplicates import KIND, add_feature_duplicates
from headstart.records import Finding, Table, make_column


def rows(n: int, modality: str = "text", splits: list[str] | None = None) -> Table:
    names = [f"row {at}" for at in range(n)]
    parts = (names, names, names, ["x"] * n, splits or ["train"] * n)
    names_of = ("ids", "inputs", "hashes", "labels", "splits")
    return Table(modality=modality, **{name: make_column(part) for name, part in zip(names_of, parts, strict=True)})


def features(n: int, copies: dict[int, int], noise: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(0)
    made = rng.normal(size=(n, 24)).astype(np.float32)
    for copy, original in copies.items():
        made[copy] = made[original] + noise * rng.normal(size=24)
    return made


def test_rows_with_nearly_the_same_features_become_one_family_and_share_a_fold() -> None:
    table, found = add_feature_duplicates(rows(80), features(80, {10: 0, 20: 0, 31: 30}), 0)
    assert [item.kind for item in found] == [KIND] and len(found[0].rows) == 5 and found[0].severity == "note"
    assert table.near_duplicate_groups is not None
    assert (
        len({table.near_duplicate_groups[row] for row in (0, 10, 20)}) == 1
        and table.near_duplicate_groups[30] == table.near_duplicate_groups[31] != ""
    )
    assert table.near_duplicate_groups[1] == ""
    folds = data.assign_folds(np.arange(80) % 2, data.number_clusters(table), 5, 0)
    assert len({int(folds[row]) for row in (0, 10, 20)}) == 1


def test_unrelated_rows_are_left_alone() -> None:
    table = rows(80)
    assert add_feature_duplicates(table, features(80, {}), 0) == (table, [])


def test_a_test_row_like_a_training_row_is_a_warning() -> None:
    splits = ["train"] * 60 + ["test"] * 20
    _, found = add_feature_duplicates(rows(80, splits=splits), features(80, {70: 3}), 0)
    assert found[0].severity == "warn" and "test rows like training rows" in found[0].summary


def test_families_that_were_known_grow_and_are_not_reported_again() -> None:
    known = replace(rows(80), near_duplicate_groups=make_column(["a" if at in (0, 10) else "" for at in range(80)]))
    table, found = add_feature_duplicates(known, features(80, {10: 0}), 0)
    assert found == [] and table is known
    table, found = add_feature_duplicates(known, features(80, {20: 10}), 0)
    assert (
        table.near_duplicate_groups is not None and len({table.near_duplicate_groups[row] for row in (0, 10, 20)}) == 1
    )
    assert found[0].rows == ("row 10", "row 20")


def test_series_are_compared_as_they_are_and_not_by_features() -> None:
    table = rows(80, "series")
    assert add_feature_duplicates(table, features(80, {10: 0}), 0) == (table, [])


@pytest.mark.parametrize(("kind", "share"), [("outliers", 2 / 100), ("duplicates-across-splits", 2 / 25)])
def test_a_finding_says_what_share_of_rows_it_concerns(kind: str, share: float) -> None:
    table = rows(100, splits=["train"] * 75 + ["test"] * 25)
    made = add_row_shares([Finding(kind=kind, severity="note", rows=("row 1", "row 2"), summary="", advice="")], table)[
        0
    ].measure
    assert made is not None and made.value == pytest.approx(share) and made.low < share < made.high
    assert (
        add_row_shares([Finding(kind=kind, severity="note", rows=(), summary="", advice="")], table)[0].measure is None
    )
