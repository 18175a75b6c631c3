"""Files with answers: workbooks and CSVs that people open, with their own columns and words, and sorted photos."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import replace
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
from headstart.flow.inference.answer_files import rewrite_answers
from headstart.flow.inference.answer_layout import AnsweredTable, read_answers
from headstart.flow.inference.answer_workbook import write_answer_workbook
from headstart.flow.inference.own_workbook import SheetColumns, edit_sheet
from headstart.flow.inference.sorted_photos import PhotoAnswer, require_sortable, sort_photos
from headstart.options import PredictFileOptions, PredictOptions, parse

BUNDLE = Path(__file__).parent / "data" / "home-0.2.0" / "bundle"
ROWS = 'code,message,answer\n01,The pump is broken,=1+1\n02,,x\n03,"No books in class, again",-5\n'


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def read_sheet(path: Path, sheet: str | None = None) -> list[dict[str, object]]:
    book = openpyxl.load_workbook(path)
    names, *rows = (book[sheet] if sheet else book.active).iter_rows(values_only=True)
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
    assert "answer" not in predict(tmp_path / "rows.xlsx", tmp_path / "answers.xlsx")[0]
    answers = read_sheet(tmp_path / "answers.xlsx", "New")
    assert [row["code"] for row in answers] == ["01", "02"] and "phone" not in answers[0]
    assert answers[1]["answer"] == "school"


def make_titled_workbook(path: Path) -> None:
    """Write a workbook as people make them: a title row, widths, a second sheet, a note behind the table."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Messages"
    rows: list[list[object]] = [
        ["Messages of May"], [], ["code", "answer", "message"],
        ["01", "=1+1", "The pump is broken"], [], ["02", "x", ""], ["03", "y", "No books in class, again"],
    ]  # fmt: skip
    for row in rows:
        sheet.append(row)
    sheet["A1"].font = openpyxl.styles.Font(bold=True)
    sheet["C3"].font = openpyxl.styles.Font(bold=True)
    sheet["G4"].fill = openpyxl.styles.PatternFill("solid", "FFFF00")
    sheet.column_dimensions["A"].width = 31
    book.create_sheet("Other").append(["untouched", 7])
    book.save(path)


def test_answers_stand_beside_their_rows_in_the_same_workbook(tmp_path: Path) -> None:
    make_titled_workbook(tmp_path / "rows.xlsx")
    predict(tmp_path / "rows.xlsx", tmp_path / "answers.xlsx")
    before, after = (openpyxl.load_workbook(tmp_path / name) for name in ("rows.xlsx", "answers.xlsx"))
    sheet = after["Messages"]
    assert [cell.value for cell in sheet[3]][:5] == ["code", "answer", "message", "answer (Headstart)", "best guess"]
    answers = {row: sheet.cell(row, 4).value for row in (4, 5, 6, 7)}
    assert (answers[5], answers[6], answers[7]) == (None, None, "school") and answers[4]
    assert sheet["D3"].font.bold and sheet.column_dimensions["A"].width == 31 and sheet["A1"].font.bold
    assert sheet["B4"].value == "=1+1" and sheet["G4"].data_type != "f"
    assert after["Other"]["B1"].value == 7
    own = [[cell.value for cell in row[:3]] for row in sheet.iter_rows()]
    assert own == [[cell.value for cell in row[:3]] for row in before["Messages"].iter_rows()]


def test_every_other_part_of_the_workbook_is_as_it_was(tmp_path: Path) -> None:
    make_titled_workbook(tmp_path / "rows.xlsx")
    with zipfile.ZipFile(tmp_path / "rows.xlsx", "a") as archive:
        archive.writestr("xl/charts/chart1.xml", "<c/>")  # A part that openpyxl would drop.
    predict(tmp_path / "rows.xlsx", tmp_path / "answers.xlsx")
    with zipfile.ZipFile(tmp_path / "rows.xlsx") as old, zipfile.ZipFile(tmp_path / "answers.xlsx") as new:
        assert old.namelist() == new.namelist()
        changed = [name for name in old.namelist() if old.read(name) != new.read(name)]
    assert changed == ["xl/worksheets/sheet1.xml"]


def test_columns_go_into_rows_with_prefixes_gaps_and_empty_cells() -> None:
    text = (
        '<x:worksheet xmlns:x="m"><x:dimension ref="A1:B2"/><x:sheetData><x:row r="1" spans="1:2"><x:c r="A1" s="3">'
        '<x:v>1</x:v></x:c><x:c r="C1" s="9"/></x:row><x:row r="2"><x:c r="A2"/></x:row></x:sheetData></x:worksheet>'
    )
    columns = SheetColumns(sheet="", header_row=1, names=("a&b", "c"), cells={2: ("", 0.5)})
    edited = edit_sheet(text, columns)
    assert '<x:c r="B1" s="3" t="inlineStr"><x:is><x:t xml:space="preserve">a&amp;b</x:t></x:is></x:c>' in edited
    assert '<x:c r="C2"><x:v>0.5</x:v></x:c>' in edited and 's="9"' not in edited and "spans" not in edited
    assert 'ref="A1:C2"' in edited and '<x:col min="2" max="3"' in edited
    with pytest.raises(ValueError):
        edit_sheet(text, replace(columns, cells={7: ("", "")}))


def test_an_answer_of_a_person_stands_in_place_of_the_models(tmp_path: Path) -> None:
    make_titled_workbook(tmp_path / "rows.xlsx")
    options = parse(
        PredictFileOptions, text=("message",), offline=True, runtime="onnx", table=tmp_path / "t" / "answers.csv"
    )
    flow.predict(BUNDLE, [tmp_path / "rows.xlsx"], tmp_path / "answers.xlsx", options)
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text("input,answer,answered by\nrows.xlsx:7,water,Amina\n", encoding="utf-8")
    options = options.model_copy(update={"reviewed": reviewed})
    again = tmp_path / "again.xlsx"
    table = tmp_path / "t" / "answers.csv"
    rewrite_answers(BUNDLE, [tmp_path / "rows.xlsx"], table=table, out=again, options=options)
    flow.predict(BUNDLE, [tmp_path / "rows.xlsx"], tmp_path / "answers.xlsx", options)
    for path in (again, tmp_path / "answers.xlsx"):
        sheet = openpyxl.load_workbook(path)["Messages"]
        row = {sheet.cell(3, column).value: sheet.cell(7, column).value for column in range(1, sheet.max_column + 1)}
        assert (row["answer (Headstart)"], row["answered by"], row["best guess"]) == ("water", "Amina", "school")
        assert str(sheet.cell(4, sheet.max_column).value).startswith("home-0.2.0")


def test_a_column_named_like_what_is_predicted_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,yield,low,low (yours)\n7,2.5,a,b\n", encoding="utf-8")
    (tmp_path / "answers.csv").write_text(
        "input,yield,answer,set,reason,low,high,kind\nrows.csv:2,3.5,3.5,3 to 4,,3,4,label\n", encoding="utf-8"
    )
    bundle: Any = SimpleNamespace(task="regression", modality="series", columns={}, known_input_columns=None)
    source = AnsweredTable(tmp_path / "rows.csv", parse(PredictOptions))
    content = read_answers(tmp_path / "answers.csv")
    write_answer_workbook(content, tmp_path / "a.xlsx", bundle=bundle, model="m", source=source)
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
    content = read_answers(tmp_path / "answers.csv")
    write_answer_workbook(content, tmp_path / "a.xlsx", bundle=bundle, model="m", source=None)
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
    assert answer_workbook.FORBIDDEN.sub("", "a\x0bb\uffff") == "ab"


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
