"""Splits are stratified, seeded and keep copies and groups together; draws are nested; folds keep clusters whole."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart import checks, data
from headstart.data.reading import rows
from headstart.errors import DataError, UnknownName
from headstart.options import AdaptOptions, parse
from headstart.records import Table, make_column


def options(**values: object) -> AdaptOptions:
    return parse(AdaptOptions, **values)


def made(counts: dict[str, int], **columns: list[str]) -> Table:
    labels = [label for label, count in counts.items() for _ in range(count)]
    table = data.from_arrays([f"text {row}" for row in range(len(labels))], labels)
    return with_columns(table, **columns)


def with_columns(table: Table, **columns: list[str]) -> Table:
    return Table(**{**vars(table), "metadata": {name: make_column(values) for name, values in columns.items()}})


def counts(table: Table, split: str) -> Counter[str]:
    assert table.labels is not None
    return Counter(table.labels[table.splits == split])


def test_a_quarter_of_every_class_tests_and_the_seed_decides() -> None:
    table = made({"a": 100, "b": 40, "c": 8})
    one = data.assign_splits(table, options())
    assert counts(one, "test") == {"a": 25, "b": 10, "c": 2}
    assert one.splits.tolist() == data.assign_splits(table, options()).splits.tolist()
    assert one.splits.tolist() != data.assign_splits(table, options(seed=1)).splits.tolist()


def test_every_class_keeps_two_training_rows() -> None:
    parts = data.assign_splits(made({"a": 20, "b": 2, "c": 3}), options())
    assert counts(parts, "train")["b"] == 2 and counts(parts, "train")["c"] == 2 and counts(parts, "test")["c"] == 1


def test_copies_stay_on_one_side() -> None:
    texts = [f"text {row // 3}" for row in range(120)]
    parts = data.assign_splits(data.from_arrays(texts, ["x", "y"] * 60), options())
    sides: dict[str, set[str]] = {}
    for digest, side in zip(parts.hashes, parts.splits, strict=True):
        sides.setdefault(digest, set()).add(side)
    assert all(len(each) == 1 for each in sides.values())
    assert 0.2 <= (parts.splits == "test").mean() <= 0.3


def test_groups_stay_on_one_side_even_when_two_columns_chain_them() -> None:
    patient = [f"p{row // 4}" for row in range(160)]
    site = [f"s{row // 10}" if row % 10 < 5 else "" for row in range(160)]
    table = with_columns(made({"a": 80, "b": 80}), patient=patient, site=site)
    parts = data.assign_splits(table, options(group=["patient", "site"]))
    for name in ("patient", "site"):
        tested = set(parts.metadata[name][parts.splits == "test"]) - {""}
        trained = set(parts.metadata[name][parts.splits == "train"]) - {""}
        assert tested and not tested & trained


def test_an_unknown_group_column_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match=r"no group column 'patiens'.*Did you mean 'patient'"):
        data.assign_splits(made({"a": 2, "b": 2}, patient=list("wxyz")), options(group=["patiens"]))


def test_rows_that_all_belong_together_leave_a_warning() -> None:
    parts = data.assign_splits(made({"a": 10, "b": 10}, farm=["one"] * 20), options(group=["farm"]))
    assert (parts.splits == "train").all() and parts.findings[-1].kind == "no-test-rows"


def test_a_given_test_split_is_kept_and_undecided_rows_train() -> None:
    table = made({"a": 3, "b": 3})
    table = Table(**{**vars(table), "splits": make_column(["train", "test", "", "train", "test", ""])})
    assert data.assign_splits(table, options()).splits.tolist() == ["train", "test", "train"] * 2


def test_separate_test_data_is_joined_under_its_own_ids() -> None:
    test = data.from_arrays(["text 1", "new"], ["a", "b"])
    parts = data.assign_splits(made({"a": 3, "b": 3}, site=list("nnnsss")), options(), test)
    assert parts.ids.tolist()[-2:] == ["test/0", "test/1"] and parts.splits.tolist() == ["train"] * 6 + ["test"] * 2
    assert parts.metadata["site"].tolist() == [*"nnnsss", "", ""]
    kinds = [finding.kind for finding in checks.check_table(parts)]
    assert "duplicates-across-splits" in kinds
    dropped = data.assign_splits(made({"a": 3, "b": 3}), options(duplicates="drop"), test)
    assert "1" not in dropped.ids and dropped.set_aside[0].id == "1" and len(dropped) == 7


def test_test_data_of_another_kind_is_refused() -> None:
    with pytest.raises(DataError, match="holds series data"):
        data.assign_splits(made({"a": 2, "b": 2}), options(), data.from_arrays(np.zeros((2, 9)), ["a", "b"]))
    with pytest.raises(DataError, match="no labels"):
        data.assign_splits(made({"a": 2, "b": 2}), options(), data.from_arrays(["x"]))


def test_test_rows_of_an_unknown_class_are_set_aside() -> None:
    parts = data.assign_splits(made({"a": 3, "b": 3}), options(), data.from_arrays(["new", "newer"], ["a", "c"]))
    assert [item.id for item in parts.set_aside] == ["test/1"] and parts.findings[-1].kind == "class-only-in-test"


def test_labels_of_the_test_data_are_merged_into_those_of_training() -> None:
    parts = data.assign_splits(made({"a": 3, "b": 3}), options(merge_labels=True), data.from_arrays(["new"], ["A "]))
    assert parts.labels is not None and parts.labels[-1] == "a"


def test_draws_are_nested_seeded_and_leave_the_test_rows() -> None:
    parts = data.assign_splits(made({"a": 40, "b": 40, "c": 4}), options())
    small, large = data.draw_rows_per_class(parts, 2, seed=3), data.draw_rows_per_class(parts, 5, seed=3)
    assert counts(small, "train") == {"a": 2, "b": 2, "c": 2} and counts(large, "train") == {"a": 5, "b": 5, "c": 3}
    assert set(small.ids) < set(large.ids) and counts(small, "test") == counts(parts, "test")
    assert set(data.draw_rows_per_class(parts, 2, seed=4).ids) != set(small.ids)


def test_a_class_smaller_than_the_folds_is_spread_over_them() -> None:
    codes = np.array([0] * 30 + [1] * 3)
    made = data.assign_folds(codes, np.arange(33), 5, 0)
    assert made.max() == 4
    assert len(set(made[codes == 1])) == 3, "so no training part lacks it"
    assert data.assign_folds(codes, np.arange(33) // 11, 5, 0).max() == 2, "as many folds as clusters at most"


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=4, max_size=80),
    st.integers(2, 6),
    st.integers(0, 5),
)
def test_folds_keep_clusters_whole_and_are_seeded(rows: list[tuple[int, int]], n_folds: int, seed: int) -> None:
    codes = np.array([code for code, _ in rows])
    clusters = np.array([cluster for _, cluster in rows])
    made = data.assign_folds(codes, clusters, n_folds, seed)
    assert np.array_equal(made, data.assign_folds(codes, clusters, n_folds, seed))
    assert made.shape == codes.shape and made.min() >= 0 and made.max() < n_folds
    assert all(len(set(made[clusters == cluster])) == 1 for cluster in set(clusters))


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=5), st.integers(0, 5))
def test_folds_of_single_rows_share_every_class_evenly(sizes: list[int], seed: int) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    made = data.assign_folds(codes, np.arange(len(codes)), 5, seed)
    for code in range(len(sizes)):
        dealt = np.bincount(made[codes == code], minlength=made.max() + 1)
        assert dealt.max() - dealt.min() <= 1, "so every fold's training part keeps every class"


def test_ids_stay_unique_whatever_the_id_column_says() -> None:
    table = rows.make_unique(["a", "a#2", "a", "a"])
    assert len(set(table)) == 4 and table[:2] == ["a", "a#2"]


def test_a_hundred_thousand_rows_are_split_and_checked() -> None:
    table = data.from_arrays(
        [f"text {row % 90_000}" for row in range(100_000)], [str(row % 7) for row in range(100_000)]
    )
    parts = data.assign_splits(table, options())
    assert abs((parts.splits == "test").mean() - 0.25) < 0.01
    assert "duplicates" in {finding.kind for finding in checks.check_table(parts)}
    folds = data.assign_folds(np.arange(100_000) % 7, data.number_clusters(parts, ()), 5, 0)
    assert np.bincount(folds).std() < 200


def test_two_sexes_do_not_count_as_two_rows_where_noise_is_measured_but_patients_count_once() -> None:
    rows = made({"a": 20, "b": 20}, sex=["F", "M"] * 20, patient=[str(row // 2) for row in range(40)])
    assert len(np.unique(data.find_dependence(rows, ("sex",)).for_resampling)) == 40
    assert len(np.unique(data.find_dependence(rows, ("sex", "patient")).for_resampling)) == 20
    with pytest.raises(UnknownName, match="patiens"):
        data.find_dependence(rows, ("patiens",))
