"""The parts of the benchmarks that can go wrong without anybody noticing: tables, sections, material."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("tables", "material"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_table_has_a_column_for_every_key_and_a_blank_where_a_row_lacks_it() -> None:
    import tables

    assert tables.table([{"a": 1}, {"a": 2, "b": "x"}]) == "| a | b |\n|---|---|\n| 1 |  |\n| 2 | x |"


def test_a_section_is_replaced_and_the_others_are_kept() -> None:
    import tables

    text = tables.replace_section(tables.replace_section("", "One", "old"), "Two", "kept")
    again = tables.replace_section(text, "One", "new")
    assert "old" not in again
    assert again.count("## One\n\nnew\n") == again.count("## Two\n\nkept\n") == 1
    assert again == tables.replace_section(again, "One", "new")


def test_percent_shows_the_interval_and_says_when_there_is_none() -> None:
    import tables

    assert tables.percent({"value": 0.5, "low": 0.25, "high": 0.755}) == "50.0 (25.0-75.5)"
    assert tables.percent(None) == "-"


def test_missing_pictures_are_topped_up_by_crops(tmp_path: Path) -> None:
    import material
    from PIL import Image

    source = tmp_path / "data" / "corn_leaf" / "train" / "rust"
    source.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (50, 40), (number * 80, 90, 10)).save(source / f"{number}.jpg")
    said = material.image_folder(tmp_path / "data", 7, tmp_path / "out")
    assert "topped up with 4" in said
    assert len(list((tmp_path / "out" / "corn_leaf-rust").glob("*.jpg"))) == 7


def test_without_a_data_folder_rows_are_generated_the_same_each_time(tmp_path: Path) -> None:
    import material

    nowhere = tmp_path / "nowhere"
    assert "generated" in material.image_folder(nowhere, 5, tmp_path / "images")
    assert len(list((tmp_path / "images").rglob("*.jpg"))) == 5
    for name in ("a.csv", "b.csv"):
        assert material.text_table(nowhere, 9, tmp_path / name).startswith("9 texts")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_official_splits_are_kept_apart(tmp_path: Path) -> None:
    import material

    table = tmp_path / "rows.csv"
    table.write_text("text,label,split\na,x,train\nNone,y,test\nc,x,train\n", encoding="utf-8")
    split = material.texts(table)
    assert (split.train, split.train_labels, split.test, split.test_labels) == (["a", "c"], ["x", "x"], ["None"], ["y"])
