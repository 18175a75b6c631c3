"""Several labels in one cell, and numbers as people write them: one parser each, whatever program wrote the file."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from headstart import data
from headstart.bundle import standalone
from headstart.data.columns.cells import parse_number
from headstart.data.columns.written_numbers import parse_amount, read_amounts
from headstart.data.labels.label_cells import parse_list
from headstart.data.labels.label_numbers import parse_numbers
from headstart.data.labels.task_type import LabelSpec, ParsedLabels, RawLabels, parse_labels
from headstart.errors import DataError
from headstart.options import ReadOptions, parse
from headstart.records import Table

SETS = [("water", "roads"), ("health",), ("roads",), ("health", "water"), ("water",)] * 4


def understood(labels: list[str], **wish: object) -> ParsedLabels:
    ids = [f"row {row}" for row in range(len(labels))]
    return parse_labels(
        RawLabels(
            labels=labels, ids=ids, usable=np.ones(len(labels), dtype=bool), indicator_columns={}, column="labels"
        ),
        LabelSpec(**{"task": "auto", **wish}),
    )


def table(path: Path, cells: list[str], name: str = "labels") -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text", name], *([f"message {row}", cell] for row, cell in enumerate(cells))])
    return path


def read(path: Path, **options: object) -> Table:
    return data.read_table(path, parse(ReadOptions, **options))


WRITINGS = {
    "JSON": [json.dumps(list(labels)) for labels in SETS],
    "Python": [str(list(labels)) for labels in SETS],
    "tuples": [str(labels) for labels in SETS],
    "sets": [str(set(labels)) for labels in SETS],
    "numpy": [str(np.array(labels)) for labels in SETS],
    "numpy's repr": [repr(np.array(labels, dtype=object)) for labels in SETS],
    "numpy strings": ["[" + ", ".join(f"np.str_('{label}')" for label in labels) + "]" for labels in SETS],
    "Label Studio": [json.dumps({"choices": list(labels)}) if len(labels) > 1 else labels[0] for labels in SETS],
    "Label Studio's results": [json.dumps([{"choices": list(labels)}]) for labels in SETS],
    "semicolons": ["; ".join(labels) for labels in SETS],
    "bars": ["|".join(labels) for labels in SETS],
    "bare lists": [f"[{', '.join(labels)}]" for labels in SETS],
}


@pytest.mark.parametrize("how", WRITINGS)
def test_lists_of_labels_are_several_labels_without_being_asked(how: str, tmp_path: Path) -> None:
    found = read(table(tmp_path / "a.csv", WRITINGS[how]))
    assert found.task == "multi-label" and found.target_names == ("health", "roads", "water")
    assert found.targets is not None and found.targets.sum(axis=0).tolist() == [8, 8, 12]
    (told,) = [item for item in found.findings if item.kind == "task"]
    assert "'labels'" in told.summary and "multi-label (3 labels)" in told.summary


@pytest.mark.parametrize("how", [*WRITINGS, "commas", "blanks", "slashes"])
def test_every_writing_is_read_alike_when_asked_for(how: str, tmp_path: Path) -> None:
    marks = {"commas": ", ", "blanks": " ", "slashes": " / "}
    cells = WRITINGS.get(how) or [marks[how].join(labels) for labels in SETS]
    found = read(table(tmp_path / "a.csv", cells), task="multi-label")
    assert found.target_names == ("health", "roads", "water")
    assert found.targets is not None and found.targets[0].tolist() == [0, 1, 1]


def test_json_lines_and_parquet_hold_lists(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = [f"message {row}" for row in range(len(SETS))]
    lines = [json.dumps({"text": text, "labels": list(labels)}) for text, labels in zip(texts, SETS, strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    parquet.write_table(arrow.table({"text": texts, "labels": list(map(list, SETS))}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        assert read(tmp_path / name).target_names == ("health", "roads", "water")


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("[]", ()),
        ('["a"]', ("a",)),
        ('["it\'s", "say \\"no\\""]', ("it's", 'say "no"')),
        ("[\"it's\", 'b']", ("it's", "b")),
        ("['santé', 'école']", ("santé", "école")),
        ('["sant\\u00e9"]', ("santé",)),
        ("['a, b', 'c']", ("a, b", "c")),
        ("['a\\n b']", ("a\n b",)),
        ('["a", null, "b"]', ("a", "b")),
        ("['a', nan]", ("a",)),
        ("['a', 'a']", ("a",)),
        ("[1, 2.0]", ("1", "2")),
        ("[1 2 3]", ("1", "2", "3")),
        ('{"choices": []}', ()),
        ('{"choices": "a"}', ("a",)),
        ("  ['a']  ", ("a",)),
        ("frozenset({'a'})", ("a",)),
    ],
)
def test_the_labels_of_a_list_are_found(cell: str, labels: tuple[str, ...]) -> None:
    found = parse_list(cell)
    assert found is not None and found.items == labels


@pytest.mark.parametrize(
    "cell", ["water", "[a b]", "(see below)", "{}", "{a}", "['a'", "a]", '{"x": 1}', "[[1], [2]]", "["]
)
def test_other_cells_are_no_lists(cell: str) -> None:
    assert parse_list(cell) is None


def test_a_long_or_deep_cell_takes_no_time_and_is_no_list() -> None:
    assert parse_list("[" * 5_000 + "]" * 5_000) is None
    assert parse_list("[" + "'a" * 9_000 + "]") is None


def test_classes_in_brackets_stay_classes() -> None:
    found = understood(["[other]", "[spam]"] * 10)
    assert found.task == "classification" and found.labels[0] == "[other]"
    assert understood(["[other]", "spam"] * 10).labels[0] == "[other]"


def test_lists_of_one_label_each_are_classes_without_their_brackets() -> None:
    found = understood(['["a"]', '["b"]', "nan"] * 5)
    assert found.task == "classification" and found.labels[:3] == ["a", "b", ""]
    assert found.missing.sum() == 5 and "--task multi-label" in found.findings[0].advice
    assert understood(["[3]", "[5]"] * 5).labels[:2] == ["3", "5"]
    assert understood(['["a"]', '["b"]'] * 5, task="multi-label").task == "multi-label"


def test_an_empty_list_says_that_no_label_applies_and_a_missing_one_says_nothing() -> None:
    found = understood(['["a"]', '["b"]', "[]", "nan"] * 3)
    assert found.task == "multi-label" and found.targets is not None
    assert found.targets[2].tolist() == [0, 0] and np.isnan(found.targets[3]).all()
    assert found.missing.tolist() == [False, False, False, True] * 3


def test_one_column_a_label_may_be_written_in_many_ways(tmp_path: Path) -> None:
    for yes, no in (("1", "0"), ("TRUE", "FALSE"), ("true", "false"), ("x", ""), ("1.0", "0.0")):
        rows = [f"message {n}," + ",".join(yes if n % k == 0 else no for k in (2, 3, 5)) for n in range(12)]
        (tmp_path / "a.csv").write_text("text,water,roads,health\n" + "\n".join(rows), encoding="utf-8")
        found = read(tmp_path / "a.csv")
        assert found.target_names == ("water", "roads", "health"), yes
        assert found.targets is not None and found.targets[6].tolist() == [1, 1, 0]


def test_classes_that_look_like_several_labels_are_pointed_out_with_the_option() -> None:
    found = understood(["water", "roads", "health"] * 6 + ["water, roads"])
    assert found.task == "classification"
    (told,) = found.findings
    assert (told.kind, told.severity) == ("composite-class", "warn") and told.rows == ("row 18",)
    assert "'water, roads'" in told.summary and "--task multi-label" in told.advice
    assert understood(["north", "east", "north east"] * 6).findings[0].severity == "note"
    assert understood(["water", "roads", "sanitation, waste"] * 6).findings == ()
    assert understood(["water", "roads", "water, roads"] * 6, task="classification").findings == ()


def test_known_labels_decide_how_a_cell_is_taken_apart() -> None:
    known = ("rust, severe", "healthy")
    found = understood(["rust, severe", "healthy; rust, severe"], task="multi-label", known=known)
    assert found.names == ("healthy", "rust, severe")
    found = understood(["rust, severe"], task="multi-label", known=known)
    assert found.names == ("rust, severe",)
    found = understood(["['healthy', 'rust, severe']"], task="multi-label", known=known)
    assert found.names == ("healthy", "rust, severe")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,263.50", 1263.5, ""),
        ("1.263,50", 1263.5, ""),
        ("1 263,50", 1263.5, ""),
        ("1\u00a0263,50", 1263.5, ""),
        ("1\u202f263", 1263, ""),
        ("1'263.50", 1263.5, ""),
        ("1,234,567", 1234567, ""),
        ("€ 12", 12, "€"),
        ("12 €", 12, "€"),
        ("-$1,200.00", -1200, "$"),
        ("$-12", -12, "$"),
        ("\u221212", -12, ""),
        ("KES 1,250.00", 1250, "KES"),
        ("12 %", 12, "%"),
        ("12.5%", 12.5, "%"),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, value: float, unit: str) -> None:
    assert parse_amount(text) == (value, unit)


@pytest.mark.parametrize(
    "text", ["1,263", "12 km", "ABC 12", "1,26,3", "12,34.5", "0712 345 678", "€ 12 %", "1 2", "$", "1..2"]
)
def test_what_may_mean_something_else_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|comma|convert"):
        parse_amount(text)


def test_a_column_tells_what_its_commas_mean() -> None:
    assert parse_numbers(["1,263.50", "1,263", "980"])[0].tolist() == [1263.5, 1263, 980]
    assert parse_numbers(["1.263,50", "1,263", "980"])[0].tolist() == [1263.5, 1.263, 980]
    assert parse_numbers(["1,263", "980"])[1] == [0]
    assert read_amounts(["€ 1", "€ 2", "$ 3"]).bad_rows == [2]


def test_prices_with_thousands_separators_are_numbers(tmp_path: Path) -> None:
    for write in ("{:,.2f}", "€ {:,.2f}", "{:.2f} USD", "{:.1f} %"):
        cells = [write.format(1000.25 + 37 * row) for row in range(40)]
        found = read(table(tmp_path / "a.csv", cells, "price"), label="price")
        assert found.task == "regression" and found.targets is not None
        np.testing.assert_allclose(found.targets[1, 0], 1037.25, atol=0.1)
        (told,) = [item for item in found.findings if item.kind == "task"]
        assert cells[0] in told.summary or write == "{:,.2f}"


def test_numbers_of_which_nobody_knows_the_comma_are_told(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [f"{1 + row},{263 + row}" for row in range(40)], "price")
    (told,) = [item for item in read(path, label="price").findings if item.kind == "task"]
    assert told.severity == "warn" and "1,263" in told.summary and "Write 1263 or 1.263" in told.advice
    with pytest.raises(DataError, match="40 labels are no numbers"):
        read(path, label="price", task="regression")


def test_value_columns_may_have_currencies_and_thousands_separators(tmp_path: Path) -> None:
    rows = [["label", *(f"t{step}" for step in range(9))]]
    rows += [[str(row % 2), *(f"$1,{200 + row + step}.50" for step in range(9))] for row in range(6)]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    found = read(tmp_path / "a.csv", modality="series")
    assert found.inputs[0].tolist() == [[1200.5 + step for step in range(9)]]


def test_lists_in_memory_are_several_labels() -> None:
    for labels in ([["a", "b"], ["a"], []], [("a", "b"), ("a",), ()], np.array([["a", "b"], ["a", "a"], ["b", "b"]])):
        found = data.from_arrays(["one", "two", "three"], labels)
        assert found.task == "multi-label" and found.target_names == ("a", "b")
        assert found.targets is not None and found.targets[0].tolist() == [1, 1]
    assert data.from_arrays(["one", "two"], ["a", "b"]).task == "classification"


def test_predict_py_reads_amounts_of_series_as_headstart_does(tmp_path: Path) -> None:
    config = {"task": "regression", "modality": "series", "classes": ["y"], "thresholds": [], "columns": {}}
    config["portable"] = {"ok": False, "reason": "only numbers are read"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "predict.py").write_text(standalone.build_script("series"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("predict_of_amounts", tmp_path / "predict.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for cell in ("1,263.50", "€ 12", "1 263,50", "12 %", "-3.5", "1,234,567"):
        assert script._read_number(cell, False, "t0") == parse_number(cell, False)
    assert script._read_number("1.234,5", True, "t0") == 1234.5
    with pytest.raises(ValueError, match="1,263"):
        script._read_number("1,263", False, "t0")
