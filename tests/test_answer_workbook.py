"""Files with answers: workbooks and CSVs that people open, with their own columns and words, and sorted photos."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import openpyxl
import pytest
from typer.testing import CliRunner

from headstart import flow
from headstart.cli.main import app
from headstart.errors import DataError, OptionError
from headstart.flow.inference import answer_workbook
from headstart.flow.inference.answer_layout import AnsweredTable
from headstart.flow.inference.answer_workbook import write_answer_workbook
from headstart.flow.inference.sorted_photos import PhotoAnswer, require_sortable, sort_photos
from headstart.options import PredictFileOptions, PredictOptions, parse

BUNDLE = Path(__file__).parent / "data" / "home-0.2.0" / "bundle"
ROWS = 'code,message,answer\n01,The pump is broken,=1+1\n02,,x\n03,"No books in class, again",-5\n'


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def read_sheet(path: Path) -> list[dict[str, object]]:
    names, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def predict(rows: Path, out: Path) -> list[dict[str, object]]:
    options = parse(PredictOptions, text=("message",), offline=True, runtime="onnx")
    flow.predict(BUNDLE, [rows], out, options)
    return read_sheet(out)


def test_own_columns_come_first_and_nothing_is_lost(rows: Path, tmp_path: Path) -> None:
    answers = predict(rows, tmp_path / "answers.xlsx")
    assert list(answers[0])[:6] == ["code", "message", "answer (yours)", "answer", "best guess", "probability"]
    assert [row["code"] for row in answers] == ["01", "02", "03"]
    assert answers[0]["answer (yours)"] == "=1+1"
    assert answers[1]["answer"] is None
    assert answers[1]["reason"] == "the text is empty"
    assert answers[2]["answer"] == "school"
    assert isinstance(answers[2]["probability"], float)
    assert str(answers[0]["answered by"]).startswith("home-0.2.0, Headstart ")


def test_no_cell_is_a_formula(rows: Path, tmp_path: Path) -> None:
    predict(rows, tmp_path / "answers.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "answers.xlsx").active
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_the_answers_are_those_of_the_csv(rows: Path, tmp_path: Path) -> None:
    answers = predict(rows, tmp_path / "answers.xlsx")
    options = parse(PredictOptions, text=("message",), offline=True, runtime="onnx")
    flow.predict(BUNDLE, [rows], tmp_path / "answers.csv", options)
    with (tmp_path / "answers.csv").open(encoding="utf-8", newline="") as opened:
        expected = [row["answer"] or None for row in csv.DictReader(opened)]
    assert [row["answer"] for row in answers] == expected
    assert not list(tmp_path.glob(".*"))  # The hidden CSV is gone.


def test_own_columns_come_from_the_sheet_that_was_predicted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["name", "phone"], ["A", 1], ["B", 2]):
        book.active.append(row)
    for row in (["code", "message"], ["01", "The pump is broken"], ["02", "No books"]):
        (book["New"] if "New" in book.sheetnames else book.create_sheet("New")).append(row)
    book.save(tmp_path / "rows.xlsx")
    answers = predict(tmp_path / "rows.xlsx", tmp_path / "answers.xlsx")
    assert [row["code"] for row in answers] == ["01", "02"] and "phone" not in answers[0]


def test_a_column_named_like_what_is_predicted_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,yield,low,low (yours)\n7,2.5,a,b\n", encoding="utf-8")
    (tmp_path / "answers.csv").write_text(
        "input,yield,answer,set,reason,low,high,kind\nrows.csv:2,3.5,3.5,3 to 4,,3,4,label\n", encoding="utf-8"
    )
    bundle: Any = SimpleNamespace(task="regression", modality="series", columns={}, known_input_columns=None)
    source = AnsweredTable(tmp_path / "rows.csv", parse(PredictOptions))
    write_answer_workbook(tmp_path / "answers.csv", tmp_path / "a.xlsx", bundle=bundle, model="m", source=source)
    (answer,) = read_sheet(tmp_path / "a.xlsx")
    assert (answer["yield (yours)"], answer["yield"]) == ("2.5", 3.5)
    assert (answer["low (yours) (yours)"], answer["low (yours)"], answer["low"]) == ("a", "b", 3)


def test_a_class_that_looks_like_a_number_stays_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(
        "input,label,probability,label_2,probability_2,answer,set,reason,kind,nearest\n"
        "a.txt,01,0.75,02,0.25,01,01,75 % sure,label,007\n",
        encoding="utf-8",
    )
    bundle: Any = SimpleNamespace(task="classification", known_input_columns=None)
    write_answer_workbook(tmp_path / "answers.csv", tmp_path / "a.xlsx", bundle=bundle, model="m", source=None)
    (answer,) = read_sheet(tmp_path / "a.xlsx")
    names = ("best guess", "second guess", "likely answers", "nearest", "probability of the second")
    assert [answer[name] for name in names] == ["01", "02", "01", "007", 0.25]


def test_own_columns_are_read_in_the_encoding_that_was_named(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("place,message\nŁódź,The pump is broken\n".encode("cp1250"))
    options = parse(PredictOptions, text=("message",), offline=True, runtime="onnx", encoding="cp1250")
    flow.predict(BUNDLE, [tmp_path / "rows.csv"], tmp_path / "a.xlsx", options)
    assert read_sheet(tmp_path / "a.xlsx")[0]["place"] == "Łódź"


def test_more_rows_than_a_sheet_holds_are_refused_before_they_are_predicted(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_workbook, "MOST_ROWS", 2)
    with pytest.raises(DataError, match="3 rows; a sheet of Excel holds 2"):
        predict(rows, tmp_path / "a.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_inputs_that_are_no_rows_of_one_table_have_their_names(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The road is blocked", encoding="utf-8")
    flow.predict(BUNDLE, [tmp_path / "note.txt"], tmp_path / "a.xlsx", parse(PredictOptions, offline=True))
    (answer,) = read_sheet(tmp_path / "a.xlsx")
    assert str(answer["input"]).endswith("note.txt")


def test_signs_that_no_workbook_holds_are_left_out() -> None:
    assert answer_workbook._FORBIDDEN.sub("", "a\x0bb\uffff") == "ab"


def test_the_last_line_counts_the_answers(rows: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["predict", str(BUNDLE), str(rows), "--text", "message", "-o", str(tmp_path / "a.xlsx"), "--offline"]
    )
    assert done.exit_code == 0
    assert "3: 1 answered, 1 not sure, 1 could not be read -> " in done.output


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_model_behind_its_data_is_turned_around(command: str, rows: Path) -> None:
    done = CliRunner().invoke(app, [command, str(rows), str(BUNDLE)])
    assert done.exit_code == 2
    assert f"headstart {command} {BUNDLE} {rows}" in done.output.replace("\n", " ")


def read_lines(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as opened:
        return list(csv.DictReader(opened, delimiter=delimiter))


def test_a_csv_for_people_has_their_columns_and_no_label_where_there_is_no_answer(rows: Path, tmp_path: Path) -> None:
    options = parse(PredictFileOptions, text=("message",), offline=True, runtime="onnx")
    flow.predict(BUNDLE, [rows], tmp_path / "a.csv", options)
    answers = read_lines(tmp_path / "a.csv")
    assert list(answers[0])[:6] == ["code", "message", "answer (yours)", "answer", "best guess", "probability"]
    assert [row["code"] for row in answers] == ["01", "02", "03"] and "label" not in answers[0]
    assert answers[0]["answer (yours)"] == "'=1+1" and answers[0]["answer"] == "not sure"
    assert not list(tmp_path.glob(".*"))
    machine = parse(PredictFileOptions, text=("message",), offline=True, runtime="onnx", layout="machine")
    flow.predict(BUNDLE, [rows], tmp_path / "m.csv", machine)
    assert list(read_lines(tmp_path / "m.csv")[0])[:3] == ["input", "label", "probability"]


def test_a_csv_for_excel_has_a_mark_and_the_signs_of_the_country(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    options = parse(PredictFileOptions, text=("message",), offline=True, runtime="onnx", excel=True)
    flow.predict(BUNDLE, [rows], tmp_path / "a.csv", options)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfcode;message;")
    answers = read_lines(tmp_path / "a.csv", "utf-8-sig", ";")
    assert answers[2]["probability"].startswith("0,") and answers[0]["answer (yours)"] == "'=1+1"


def test_photos_are_copied_into_one_folder_per_answer_and_none_is_lost(tmp_path: Path) -> None:
    photos = []
    for place, kind, text in (("a", "label", "a/b"), ("b", "label", "a/b"), ("c", "not_sure", "not sure")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "IMG.jpg").write_bytes(place.encode())
        photos.append(PhotoAnswer(tmp_path / place / "IMG.jpg", kind, text))
    assert sort_photos(photos, tmp_path / "sorted") == {"a_b": 2, "not sure": 1}
    copies = {str(path.relative_to(tmp_path / "sorted")): path.read_bytes() for path in tmp_path.rglob("sorted/*/*")}
    assert copies == {"a_b/IMG.jpg": b"a", "a_b/IMG (2).jpg": b"b", "not sure/IMG.jpg": b"c"}
    assert all(photo.path.is_file() for photo in photos) and not list(tmp_path.glob(".*"))
    image: Any = SimpleNamespace(modality="image", task="classification")
    with pytest.raises(OptionError, match="holds something already"):
        require_sortable(image, tmp_path / "sorted")


@pytest.mark.parametrize(("modality", "task"), [("text", "classification"), ("image", "regression")])
def test_only_photos_with_kinds_can_be_sorted(modality: str, task: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--sort-into"):
        require_sortable(cast("Any", SimpleNamespace(modality=modality, task=task)), tmp_path / "sorted")
