"""What labels are - one class, several labels, a number, a grade - is found out, told, and can be overridden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart import checks, data
from headstart.data.labels.task_type import LabelSpec, RawLabels, parse_labels
from headstart.errors import DataError, OptionError, UnknownName
from headstart.options import AdaptOptions, ReadOptions, parse
from headstart.records import TEST, Table


def seen(labels: list[str], wish: LabelSpec | None = None, column: str = "y") -> str:
    ids = [str(row) for row in range(len(labels))]
    return parse_labels(
        RawLabels(labels=labels, ids=ids, usable=np.ones(len(labels), dtype=bool), indicator_columns={}, column=column),
        wish or LabelSpec(task="auto"),
    ).task


def written(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text(f"{header}\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def read(path: Path, **options: object) -> Table:
    return data.read_table(path, parse(ReadOptions, **options))


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([f"{n * 0.37:.2f}" for n in range(40)], "regression"),
        ([f"{n * 0.37:.2f}".replace(".", ",") for n in range(40)], "regression"),
        ([str(n * n) for n in range(40)], "regression"),
        (["0"] * 60 + [str(n * 7) for n in range(1, 40)], "regression"),
        (["", "NA", *(f"{n / 7:.3f}" for n in range(40))], "regression"),
        ([str(n % 10) for n in range(200)], "classification"),
        ([str(n % 200) for n in range(1000)], "classification"),
        (["0.5", "1", "1.5", "2"] * 20, "classification"),
        ([f"{n:04d}" for n in range(9)], "classification"),
        (["1,234", "5,678", "9,012"] * 20, "classification"),
        (["water;food", "water", "food;roads", "roads", "food"] * 3, "multi-label"),
        (["water|food", "water", "food | roads", "roads", "food"] * 3, "multi-label"),
        (["rust; severe", "healthy"] * 20, "classification"),
        (["rust; severe", "rust; mild", "healthy"] * 20, "classification"),
        (["a;x", "a;y", "b;x", "b;y"] * 20, "classification"),
        (["Dear all; thanks"] + ["x", "y"] * 20, "classification"),
    ],
)
def test_the_task_is_found_out_from_how_the_labels_are_written(labels: list[str], task: str) -> None:
    assert seen(labels) == task


def test_folders_are_classes_whatever_they_are_called() -> None:
    assert seen([f"{n / 7:.3f}" for n in range(40)], column="") == "classification"


def test_what_was_found_out_is_told_and_can_be_overridden(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,damage", [f"message {n},{n / 7:.3f}" for n in range(30)])
    found = read(table, label="damage")
    assert found.task == "regression" and found.target_names == ("damage",)
    assert found.targets is not None and found.labels is not None
    np.testing.assert_allclose(found.targets[:, 0], [round(n / 7, 3) for n in range(30)], rtol=1e-6)
    assert found.labels[1] == "0.143"
    (told,) = [item for item in checks.check_table(found) if item.kind == "task"]
    assert told.summary == "'damage' is read as a number: regression." and "--task classification" in told.advice
    assert read(table, label="damage", task="classification").targets is None


def test_many_different_numbers_that_stay_classes_are_told(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,label", [f"message {n},{n % 30}" for n in range(150)])
    (told,) = [item for item in read(table).findings if item.kind == "task"]
    assert "30 different numbers" in told.summary and "--task regression" in told.advice


def test_texts_as_numbers_name_the_rows(tmp_path: Path) -> None:
    rows = [f"message {n},{n}" for n in range(20)] + [f"bad {n},much{n}" for n in range(7)]
    table = written(tmp_path / "a.csv", "text,label", rows)
    with pytest.raises(DataError, match=r"7 labels are no numbers \(a.csv:22: 'much0', .* and 2 more\)"):
        read(table, task="regression")


def test_a_missing_number_is_a_row_without_label(tmp_path: Path) -> None:
    rows = [f"message {n},{n / 7:.3f}" for n in range(30)] + ["late,NA", "later,"]
    table = written(tmp_path / "a.csv", "text,label", rows)
    with pytest.raises(DataError, match="2 rows have no label"):
        read(table)
    assert len(read(table, unlabelled="drop")) == 30


def test_several_columns_of_yes_and_no_are_labels(tmp_path: Path) -> None:
    rows = [f"message {n},{n % 2},{int(n % 3 == 0)},{'yes' if n % 5 == 0 else 'no'}" for n in range(20)]
    table = written(tmp_path / "a.csv", "text,tag_water,tag_food,urgent", rows)
    found = read(table, label="tag_*,urgent")
    assert found.task == "multi-label" and found.target_names == ("tag_water", "tag_food", "urgent")
    assert found.targets is not None and found.targets[15].tolist() == [1, 1, 1]
    assert found.labels is not None and found.labels[3] == "tag_water;tag_food" and found.labels[2] == ""
    assert found.columns["label 3"] == "urgent" and found.metadata == {}
    again = read(table, label=["tag_water", "tag_food"])
    assert again.target_names == ("tag_water", "tag_food") and list(again.metadata) == ["urgent"]


def test_a_column_whose_name_has_a_comma_is_found(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", 'text,"label, final"', ["one,a", "two,b"])
    assert read(table, label="label, final").columns["label"] == "label, final"


def test_columns_of_0_and_1_are_found_where_no_label_column_is(tmp_path: Path) -> None:
    rows = [f"message {n},{n % 2},{int(n % 3 == 0)},{int(n % 5 == 0)},0,{n}" for n in range(20)]
    table = written(tmp_path / "a.csv", "text,water,food,roads,never,age", rows)
    found = read(table)
    assert found.task == "multi-label" and found.target_names == ("water", "food", "roads", "never")
    assert list(found.metadata) == ["age"]
    left = data.assign_splits(found, parse(AdaptOptions))
    assert left.target_names == ("water", "food", "roads")
    assert any(item.kind == "label-left-out" and "never" in item.summary for item in left.findings)
    labelled = written(tmp_path / "b.csv", "text,water,food,roads,label", [f"m {n},{n % 2},1,0,x" for n in range(4)])
    assert read(labelled).task == "classification"
    assert read(table, group=["food"], label=["water", "roads"]).target_names == ("water", "roads")


def test_what_is_neither_0_nor_1_is_named(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,water,food", ["one,1,0", "two,2,0", "three,1,perhaps"])
    with pytest.raises(DataError, match=r"2 cells .* neither 0 nor 1 \(a.csv:3, water: '2', a.csv:4, food: 'perhaps'"):
        read(table, label="water,food")


def test_ticks_leave_the_rest_empty(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,water,food", ["one,x,", "two,,x", "three,,"])
    targets = read(table, label="water,food").targets
    assert targets is not None and targets.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_an_empty_cell_says_none_only_where_the_user_says_what_the_column_is(tmp_path: Path) -> None:
    rows = [f"{n},{tags}" for n, tags in enumerate(["water;food", "water", "food;roads", "roads", "food"] * 3)]
    table = written(tmp_path / "a.csv", "text,tags", [*rows, "quiet,"])
    with pytest.raises(DataError, match=r"1 row has no label .*--task multi-label"):
        read(table, label="tags")
    targets = read(table, label="tags", task="multi-label").targets
    assert targets is not None and targets[-1].tolist() == [0, 0, 0]


def test_spellings_of_one_label_are_reported_and_merged(tmp_path: Path) -> None:
    rows = [f"{n},{tags}" for n, tags in enumerate(["water;food", "Water", "food;roads", "roads", "food"] * 4)]
    table = written(tmp_path / "a.csv", "text,tags", rows)
    assert "odd-label" in {item.kind for item in read(table, label="tags").findings}
    merged = read(table, label="tags", merge_labels=True)
    assert merged.targets is not None and len(merged.target_names) == 3
    assert merged.targets.sum(axis=0).tolist() == [8, 12, 8]


def test_grades_are_ordered_by_their_numbers_or_by_the_user(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,label", [f"{n},{(10, 9, 2)[n % 3]}" for n in range(9)])
    assert read(table, task="ordinal").target_names == ("2", "9", "10")
    words = written(tmp_path / "b.csv", "text,label", [f"{n},{('low', 'high', 'mid')[n % 3]}" for n in range(9)])
    with pytest.raises(DataError, match=r"order of the grades is not known \(high, low, mid\).*--order"):
        read(words, task="ordinal")
    found = read(words, order="low,mid,high")
    assert found.task == "ordinal" and found.target_names == ("low", "mid", "high")
    assert any("low < mid < high" in item.summary for item in found.findings)
    with pytest.raises(DataError, match=r"3 rows have grades that --order does not name \(b.csv:4: 'mid'"):
        read(words, order="low,high")


def test_several_columns_need_a_task_that_has_several(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "text,water,food", ["one,1,0", "two,0,1"])
    with pytest.raises(OptionError, match="--task regression takes one label column"):
        read(table, label="water,food", task="regression")
    with pytest.raises(UnknownName, match="no column 'waterr'"):
        read(table, label="waterr,food")


def test_numbers_come_from_arrays_of_series_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(30, 1, 20)).astype("float32"), y=rng.normal(size=30))
    assert read(tmp_path / "a.npz").task == "regression"


def number_table(n: int) -> Table:
    found = data.from_arrays([f"message {row}" for row in range(n)], ["x"] * n)
    targets = np.random.default_rng(0).lognormal(size=(n, 1)).astype(np.float32)
    return replace(found, task="regression", targets=targets, target_names=("y",))


def test_test_rows_cover_the_whole_range_of_a_number() -> None:
    found = data.assign_splits(number_table(200), parse(AdaptOptions))
    assert found.targets is not None
    test = found.targets[found.splits == TEST, 0]
    assert len(test) == pytest.approx(50, abs=5)
    edges = np.quantile(found.targets, [0, 0.2, 0.4, 0.6, 0.8, 1])
    assert np.histogram(test, edges)[0].min() >= 8


def test_rare_labels_stand_on_both_sides_of_the_split() -> None:
    targets = (np.random.default_rng(0).random((200, 4)) < (0.6, 0.3, 0, 0)).astype(np.float32)
    targets[:8, 2], targets[6:10, 3] = 1, 1
    table = data.from_arrays([f"message {row}" for row in range(200)], ["x"] * 200)
    found = data.assign_splits(
        replace(table, task="multi-label", targets=targets, target_names=tuple("abcd")), parse(AdaptOptions)
    )
    assert found.targets is not None and found.target_names == tuple("abcd")
    for at in range(4):
        train = int(found.targets[found.splits != TEST, at].sum())
        total = int(found.targets[:, at].sum())
        assert 2 <= train < total and abs(train / total - 0.75) < 0.2


def test_numbers_cannot_be_drawn_by_class_and_need_two_values() -> None:
    table = data.assign_splits(number_table(40), parse(AdaptOptions))
    with pytest.raises(OptionError, match="there are no classes"):
        data.draw_rows_per_class(table, 5, 0)
    flat = replace(table, targets=np.ones((40, 1), dtype=np.float32))
    with pytest.raises(DataError, match="only the number 1"):
        checks.require_trainable(flat)


def test_a_number_far_from_all_others_is_pointed_out() -> None:
    targets = np.r_[np.linspace(0, 1, 99), -999.0].astype(np.float32)[:, None]
    table = replace(number_table(100), targets=targets)
    (found,) = [item for item in checks.check_table(table) if item.kind == "extreme-number"]
    assert "-999" in found.summary and found.rows == ("99",)


def test_other_test_data_with_other_labels_is_lined_up(tmp_path: Path) -> None:
    tags = ["water;food", "water", "food;roads", "roads", "food"] * 4
    table = read(written(tmp_path / "a.csv", "text,tags", [f"{n},{t}" for n, t in enumerate(tags)]), label="tags")
    other = written(tmp_path / "b.csv", "text,tags", ["x,roads;fire", "y,fire", "z,water"])
    test = read(other, label="tags", task="multi-label")
    found = data.assign_splits(table, parse(AdaptOptions), test)
    assert found.target_names == ("food", "roads", "water") and found.targets is not None
    assert found.targets[found.splits == TEST].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
