"""Coding frames: files, labels of rows, and what changed between two."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from headstart.bundle.standalone.levels import roll_up
from headstart.cli.main import app
from headstart.coding_frames import CodingFrame
from headstart.data import read_table
from headstart.data.coding.frame_changes import list_code_changes
from headstart.data.coding.frame_files import read_coding_frame
from headstart.decisions import DecisionPolicy, SetRule
from headstart.decisions.rolling_up import FrameRules
from headstart.errors import HeadstartError
from headstart.flow.inference.answer_tables import list_columns, write_row
from headstart.flow.inference.answers import make_answers, make_document
from headstart.flow.scoring.decisions import ScoredRows
from headstart.flow.scoring.levels import measure_levels
from headstart.options import ReadOptions, parse
from headstart.records import Predictions, make_column

FRAME = "level1,level2,id,description\nwater,pump,W1,A pump is broken\n,price,W2,\nfood,price,F1,\nother,,O,\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def read_names(path: Path) -> list[str]:
    return [code.name for code in read_coding_frame(path).codes]


def test_columns_of_levels_are_filled_down_and_a_code_may_end_at_any_level(tmp_path: Path) -> None:
    frame = read_coding_frame(write(tmp_path / "frame.csv", FRAME))
    assert [code.name for code in frame.codes] == ["water > pump", "water > price", "food > price", "other"]
    assert frame.levels == ("level1", "level2") and frame.describe("water > pump") == "A pump is broken"
    assert frame.find_paths("w2") == ("water > price",) and frame.find_paths("price") == (
        "food > price",
        "water > price",
    )


def test_a_frame_of_type_category_and_code_is_read_from_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Type", "Category", "Code"], ["Question", "Water", "=When?"], [None, None, "Where"]):
        book.active.append(row)
    book.active["C2"].data_type = "s"
    book.save(tmp_path / "frame.xlsx")
    assert read_names(tmp_path / "frame.xlsx") == ["Question > Water > =When?", "Question > Water > Where"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("code,parent,name\nW,,Water\nW1,W,Pump\n", ["Water", "Water > Pump"]),
        ("path,id\nwater/pump,1\nwater/price,2\n", ["water > pump", "water > price"]),
        ("name\nwater > pump\nwater > price\n", ["water > pump", "water > price"]),
        ("code,description\nmaji,Visima\nafya,\n", ["maji", "afya"]),
        ("level1,level2\nماء,مضخة\n", ["ماء > مضخة"]),
        ("level1,level2\na,b > c\n", ["a > b › c"]),
    ],
)
def test_frames_of_other_layouts_are_read(tmp_path: Path, text: str, names: list[str]) -> None:
    assert read_names(write(tmp_path / "frame.csv", text)) == names


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("code,parent\na,b\nb,a\n", "its own parent"),
        ("code,parent\na,\nb,\nx,a\nx,b\n", "stands under 'a' and under 'b'"),
        ("code,parent\na,b\n", "no code"),
        ("level1,level2,id\na,b,1\na,c,1\n", "the id 1 stands for"),
        ("level1,level2,level3\na,,c\n", "without a name above"),
        ("level1,level2\na,\n" + f"b,{'x' * 1_000_000}\n", "1,000,000 characters"),
        ("path\na/ /b\na/c\n", "without a name"),
    ],
)
def test_frames_with_cycles_gaps_or_two_meanings_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(HeadstartError, match=problem):
        read_coding_frame(write(tmp_path / "frame.csv", text))


def test_fifty_thousand_codes_are_read_and_compared(tmp_path: Path) -> None:
    lines = "".join(f"group {at // 100},code {at}\n" for at in range(50_000))
    frame = read_coding_frame(write(tmp_path / "frame.csv", f"level1,level2\n{lines}"))
    assert len(frame.codes) == 50_000 and frame.find_paths("code 49999") == ("group 499 > code 49999",)
    other = CodingFrame(frame.codes[1:], frame.levels)
    assert [change.kind for change in list_code_changes(frame, other)] == ["removed"]


def read_rows(path: Path, **options: object) -> object:
    return read_table(path, parse(ReadOptions, **options))


def test_labels_in_columns_of_levels_become_paths(tmp_path: Path) -> None:
    lines = "no water at all,water,pump\nit costs too much,water,price\nhello to everybody,other,\n" * 3
    path = write(tmp_path / "rows.csv", f"text,level1,level2\n{lines}")
    table = read_table(path, parse(ReadOptions, label="level1,level2"))
    assert table.task == "classification" and table.labels is not None and table.frame is not None
    assert table.labels.tolist()[:3] == ["water > pump", "water > price", "other"]
    assert table.frame.levels == ("level1", "level2")
    write(path, f"text,level1,level2\n{lines}what is this,,pump\n")
    with pytest.raises(HeadstartError, match="row 10: "):
        read_rows(path, label="level1,level2")


def test_codes_in_the_data_become_paths_of_the_frame(tmp_path: Path) -> None:
    frame = write(tmp_path / "frame.csv", FRAME)
    path = write(tmp_path / "rows.csv", "text,label\n" + "no water at all,w1\nit costs too much,F1\nhello all,O\n" * 3)
    table = read_table(path, parse(ReadOptions, frame=frame))
    assert table.labels is not None and set(table.labels) == {"water > pump", "food > price", "other"}
    assert table.frame is not None and table.frame.by_name["water > pump"].id == "W1"
    for label, problem in (("X9", "no codes of the frame"), ("price", "several places")):
        write(path, f"text,label\nno water at all,W1\nhello all,{label}\n")
        with pytest.raises(HeadstartError, match=problem):
            read_rows(path, frame=frame)
    write(path, "text,label\n" + "no water at all,water/pump\nit costs too much,water/price\n" * 3)
    marked = read_table(path, parse(ReadOptions, level_mark="/"))
    assert marked.labels is not None and set(marked.labels) == {"water > pump", "water > price"}


def test_a_row_with_several_codes_has_their_parents_too(tmp_path: Path) -> None:
    frame = write(tmp_path / "frame.csv", FRAME)
    lines = "no water at all,W1;W2\nit costs too much,F1;W1\nhello to all,O\n" * 3
    path = write(tmp_path / "rows.csv", f"text,label\n{lines}")
    table = read_table(path, parse(ReadOptions, frame=frame, task="multi-label"))
    assert table.target_names == ("food", "food > price", "other", "water", "water > price", "water > pump")
    assert table.targets is not None
    assert table.targets[:3].tolist() == [[0, 0, 0, 1, 1, 1], [1, 1, 0, 1, 0, 1], [0, 0, 1, 0, 0, 0]]


def test_columns_of_zero_and_one_are_codes_of_the_frame(tmp_path: Path) -> None:
    frame = write(tmp_path / "frame.csv", "code,parent\naid,\nwater,aid\nfood,aid\n")
    path = write(tmp_path / "rows.csv", "text,aid,water,food\nno water at all,1,1,0\nhello to all,0,0,0\nseeds,1,0,1\n")
    table = read_table(path, parse(ReadOptions, label="aid,water,food", frame=frame))
    assert table.target_names == ("aid", "aid > food", "aid > water") and table.targets is not None
    assert np.array_equal(table.targets, [[1, 0, 1], [0, 0, 0], [1, 1, 0]])


def test_codes_diff_names_the_rows_that_a_change_touches(tmp_path: Path) -> None:
    old = write(tmp_path / "old.csv", FRAME)
    new = write(tmp_path / "new.csv", "level1,level2,id\nwater,pumps,W1\nmoney,price,W2\nwater,=new,W3\nother,,O\n")
    rows = write(tmp_path / "rows.csv", "id,text,label\n" + "r1,no water,W1\nr2,it costs,W2\n=r3,no food,F1\n")
    out = tmp_path / "touched.csv"
    ran = CliRunner().invoke(
        app, ["codes", "diff", str(old), str(new), "--data", str(rows), "--label", "label", "-o", str(out), "--json"]
    )
    assert ran.exit_code == 0, ran.output
    found = {item["kind"]: item for item in json.loads(ran.stdout)["changes"]}
    assert {kind: (item["old"], item["new"], item["rows"]) for kind, item in found.items()} == {
        "removed": ("food > price", "", ["=r3"]),
        "renamed": ("water > pump", "water > pumps", ["r1"]),
        "moved": ("water > price", "money > price", ["r2"]),
        "added": ("", "water > =new", []),
    }
    assert "'=r3,removed,food > price," in out.read_text("utf-8")


FRAMED = ("food", "food > seed", "water > price > high", "water > price > low", "water > pump")


def make_rules(sets: SetRule, levels: tuple[SetRule, ...]) -> DecisionPolicy:
    return DecisionPolicy(sets=sets, frame=FrameRules(levels=("a", "b", "c"), sets=levels), answer_below=0.5)


def test_an_answer_that_is_not_sure_names_the_deepest_level_that_is() -> None:
    rows = [[0.02, 0.03, 0.48, 0.45, 0.02], [0.1, 0.1, 0.3, 0.1, 0.4], [0.45, 0.4, 0.05, 0.05, 0.05], [0.2] * 5]
    predictions = Predictions(
        ids=make_column(list("abcd")), classes=FRAMED, probabilities=np.array(rows), task="classification"
    )
    own = (False,) * 5
    levels = (SetRule(0.9, (0.3, 0.3), own[:2], 50), SetRule(0.9, (0.3,) * 4, own[:4], 50))
    rules = make_rules(SetRule(0.9, (0.2,) * 5, own, 50), levels)
    decided = rules.decide(predictions, None)
    which = "(not sure which)"
    assert decided.answers.tolist() == [f"water > price > {which}", f"water > {which}", f"food > {which}", "not sure"]
    assert set(decided.outcomes) == {"not_sure"}  # A person still has to name the code.
    documents = [make_document(answer) for answer in make_answers(predictions, decided)]
    assert [document["levels"] for document in documents] == [
        ["water", "price", ""], ["water", "", ""], ["food", "", ""], ["", "", ""]
    ]  # fmt: skip
    stored = DecisionPolicy.from_dict(rules.as_dict(), {})
    assert stored.decide(predictions, None).answers.tolist() == decided.answers.tolist()
    for row, answer in zip(rows, decided.answers, strict=True):
        script_answer = roll_up(row, list(FRAMED), rules.as_dict()["frame"], 0.5) or "not sure"
        assert script_answer == answer  # predict.py says the same.
    columns = list_columns("classification", FRAMED)
    assert columns[-4:] == ["level_1", "level_2", "level_3", "kind"] and len(
        write_row("a", make_answers(predictions, decided)[0])
    ) == len(columns)


def test_each_level_is_scored_by_itself_and_rolled_up_answers_count_where_they_end() -> None:
    probabilities = np.array([[0.02, 0.03, 0.48, 0.45, 0.02], [0.9, 0.1, 0, 0, 0], [0.1, 0.1, 0.3, 0.1, 0.4]])
    predictions = Predictions(ids=make_column(list("abc")), classes=FRAMED, probabilities=probabilities)
    own = (False,) * 5
    levels = (SetRule(0.9, (0.3, 0.3), own[:2], 50), SetRule(0.9, (0.3,) * 4, own[:4], 50))
    rules = make_rules(SetRule(0.9, (0.2,) * 5, own, 50), levels)
    table = SimpleNamespace()
    rows = ScoredRows(
        table=table, truth=np.array([3, 1, 0]), predictions=predictions, decisions=rules.decide(predictions, None),
        clusters=None,
    )  # type: ignore[arg-type]  # fmt: skip
    measured = measure_levels(rows, rules, seed=0)
    assert [item.metrics.accuracy.value for item in measured] == pytest.approx([2 / 3, 1 / 3, 0])
    assert [item.answered.value for item in measured if item.answered] == pytest.approx([1, 2 / 3, 1 / 3])
    assert [item.rolled_up.value for item in measured if item.rolled_up] == pytest.approx([1 / 3, 1 / 3, 0])
    assert measured[0].right is not None and measured[0].right.value == pytest.approx(2 / 3)
