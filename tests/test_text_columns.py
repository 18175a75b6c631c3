"""Which columns are the text: the best filled, those asked for, or those of training by name; none half empty."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from headstart import data
from headstart.bundle import standalone
from headstart.data.columns.text_columns import is_free_text
from headstart.errors import HeadstartError, UnknownName
from headstart.flow.adaptation.prepare import read_like
from headstart.options import AdaptOptions, ColumnOptions, ReadOptions, parse
from headstart.records import Table

_NO_GRAPH = {"ok": False, "reason": "only tables are read"}
SHORT, LONG = "no water in block {}", "the pump in block {} is broken and nobody came to repair it since monday"


def written(path: Path, columns: dict[str, list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def recalls(path: Path, **more: list[str]) -> Path:
    """Write twenty rows with a title, a longer reason, and a description that is there in every third row only."""
    n = range(20)
    columns = {
        "id": [str(row) for row in n],
        "title": [SHORT.format(row) for row in n],
        "description": [LONG.format(row) * 2 if row % 3 == 0 else "" for row in n],
        "reason": [LONG.format(row) for row in n],
        "label": [("a", "b")[row % 2] for row in n],
    }
    return written(path, {**columns, **more})


def read(path: Path, **options: object) -> Table:
    return data.read_table(path, parse(ReadOptions, **options))


def told(table: Table) -> str:
    (found,) = [item for item in table.findings if item.kind == "text-column"]
    return f"{found.severity}: {found.summary} {found.advice}"


def test_the_column_filled_in_most_rows_is_taken_then_the_longest(tmp_path: Path) -> None:
    table = read(recalls(tmp_path / "a.csv"))
    assert table.columns["text"] == "reason" and len(table) == 20 and table.set_aside == ()
    assert told(table).startswith(
        "note: The text was taken from 'reason', filled in 20 of 20 rows; other columns of text were left out: "
        "'title' (20 rows), 'description' (7 rows)."
    )
    assert "--text 'reason,title'" in told(table)
    assert set(table.metadata) == {"title", "description"}


def test_a_usual_name_is_a_hint_but_never_picks_a_half_empty_column(tmp_path: Path) -> None:
    full = [SHORT.format(row) for row in range(20)]
    assert read(recalls(tmp_path / "a.csv", text=full)).columns["text"] == "text"
    half = [text if row % 2 else "" for row, text in enumerate(full)]
    assert read(recalls(tmp_path / "b.csv", text=half)).columns["text"] == "reason"
    words = [text if row % 2 else "NaN" for row, text in enumerate(full)]
    assert read(recalls(tmp_path / "c.csv", text=words)).columns["text"] == "reason"


def test_the_only_column_of_text_is_taken_and_warned_of_where_it_is_half_empty(tmp_path: Path) -> None:
    texts = [LONG.format(row) if row % 3 == 0 else "" for row in range(20)]
    table = read(written(tmp_path / "a.csv", {"text": texts, "label": ["a", "b"] * 10}))
    assert told(table).startswith("warn: The text was taken from 'text', filled in 7 of 20 rows.")


def test_a_column_without_a_usual_name_is_found_by_its_content(tmp_path: Path) -> None:
    columns = {"ref": [str(n) for n in range(20)], "site": ["north", "south"] * 10}
    columns |= {"grievance": [LONG.format(n) for n in range(20)], "label": ["a", "b"] * 10}
    table = read(written(tmp_path / "a.csv", columns))
    assert table.modality == "text" and table.columns["text"] == "grievance"
    assert "'grievance', filled in 20 of 20 rows" in told(table)


def test_a_table_without_a_header_is_not_taken_for_one_with(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", {SHORT.format(0): [SHORT.format(n) for n in range(1, 9)], "a": ["a", "b"] * 4})
    with pytest.raises(HeadstartError, match="first row does not look like a header"):
        read(path)


def test_one_text_column_needs_no_word(tmp_path: Path) -> None:
    table = read(written(tmp_path / "a.csv", {"text": [SHORT.format(n) for n in range(8)], "label": ["a", "b"] * 4}))
    assert not [item for item in table.findings if item.kind == "text-column"]


@pytest.mark.parametrize(
    ("texts", "free"),
    [
        ([SHORT.format(n) for n in range(9)], True),
        (["water", "roads", "health"] * 3, False),
        ([f"https://example.org/a/{n}" for n in range(9)], False),
        ([f"2026-01-{n:02d} 10:00 12 7 3" for n in range(1, 9)], False),
        (["water and roads office"] * 9, False),
        ([f"水泵坏了没有人来修理{n}" for n in "一二三四五"], True),
    ],
)
def test_free_text_is_told_from_names_links_and_numbers(texts: list[str], free: bool) -> None:
    assert is_free_text(texts) == free


def test_several_columns_are_joined_only_when_asked_in_the_order_asked(tmp_path: Path) -> None:
    path = recalls(tmp_path / "a.csv")
    for asked in ("reason,title", ["reason", "title"], "reason, title"):
        table = read(path, text=asked)
        assert table.inputs[3] == f"{LONG.format(3)}\n{SHORT.format(3)}"
        assert {"text 1": "reason", "text 2": "title"}.items() <= table.columns.items()
    assert read(path, text="title,description").inputs[1] == SHORT.format(1)


def test_a_column_whose_own_name_holds_a_comma_is_one_column(tmp_path: Path) -> None:
    texts = [SHORT.format(n) for n in range(8)]
    path = written(tmp_path / "a.csv", {"title, reason": texts, "title": texts[::-1], "label": ["a", "b"] * 4})
    assert read(path, text="title, reason").columns["text"] == "title, reason"
    with pytest.raises(UnknownName, match="no column 'reason'"):
        read(path, text="title,reason,label")


def test_new_data_is_read_by_the_name_of_the_column_of_training(tmp_path: Path) -> None:
    known = {"text": "complaint"}
    exact = written(tmp_path / "a.csv", {"text": ["usual"], "complaint": ["the pump is dry"]})
    assert data.read_inputs([exact], "text", known).inputs.tolist() == ["the pump is dry"]
    capital = written(tmp_path / "b.csv", {"Complaint ": ["the pump is dry"]})
    table = data.read_inputs([capital], "text", known)
    assert table.inputs.tolist() == ["the pump is dry"] and "'Complaint' for 'complaint'" in told(table)
    other = written(tmp_path / "c.csv", {"id": ["1"], "description": ["a photo"], "complaints": ["the pump is dry"]})
    with pytest.raises(UnknownName, match=r"c.csv has no column 'complaint'; it has id, description, complaints") as no:
        data.read_inputs([other], "text", known)
    assert "Did you mean --text 'complaints'?" in no.value.hint
    rows = ["the pump is dry since Sunday", "no water here at all"]
    unlike = written(tmp_path / "d.csv", {"id": ["1", "2"], "said": rows})
    with pytest.raises(UnknownName) as no:
        data.read_inputs([unlike], "text", known)
    assert "Did you mean --text 'said'?" in no.value.hint
    chosen = parse(ColumnOptions, text="complaints")
    asked = data.read_ordered_inputs([other], "text", known, {}, options=chosen).table
    assert asked.inputs.tolist() == ["the pump is dry"]


def test_joined_columns_are_joined_again_in_new_data(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", {"reason": ["it leaks"], "Title": ["pump"], "label": ["a"]})
    known = {"text 1": "title", "text 2": "reason", "label": "label"}
    assert data.read_inputs([path], "text", known).inputs.tolist() == ["pump\nit leaks"]
    with pytest.raises(UnknownName, match="no column 'reason'"):
        data.read_inputs([written(tmp_path / "b.csv", {"title": ["pump"]})], "text", known)


def test_test_data_has_the_text_column_of_training(tmp_path: Path) -> None:
    made = read(recalls(tmp_path / "a.csv"))
    other = {"title": ["short words here"], "Reason": ["the pump is dry"], "label": ["a"]}
    more = read_like(made, written(tmp_path / "b.csv", other), parse(AdaptOptions))
    assert more.inputs.tolist() == ["the pump is dry"]
    with pytest.raises(HeadstartError, match="has no column 'reason'"):
        read_like(made, written(tmp_path / "c.csv", {"title": ["x"], "label": ["a"]}), parse(AdaptOptions))


def predict_script(folder: Path) -> ModuleType:
    """Import predict.py as it would lie beside a bundle of texts."""
    config = {"task": "classification", "modality": "text", "classes": ["a", "b"], "thresholds": []}
    (folder / "config.json").write_text(
        json.dumps({**config, "columns": {"text": "text"}, "portable": _NO_GRAPH}), encoding="utf-8"
    )
    (folder / "predict.py").write_text(standalone.build_script("text"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("predict_of_texts", folder / "predict.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_predict_py_binds_columns_as_headstart_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = predict_script(tmp_path)
    path = written(tmp_path / "a.csv", {"reason": ["it leaks"], "Title": ["pump"]})
    known = {"text 1": "title", "text 2": "reason"}
    found = [text for _, text in script.iterate_rows(path, {"columns": known})]
    assert found == data.read_inputs([path], "text", known).inputs.tolist()
    assert "'Title' for 'title'" in capsys.readouterr().err
    with pytest.raises(
        script.RefusedInput, match=r"has no column 'titel'; it has reason, Title. Did you mean 'Title'\?"
    ):
        list(script.iterate_rows(path, {"columns": {"text": "titel"}}))
