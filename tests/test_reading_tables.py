"""Tables as people have them: no row vanishes, encodings are told apart, and what is odd is said by line."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart import data
from headstart.csv_files import guard_cell
from headstart.data.reading.encodings import guess_encoding
from headstart.data.reading.table_files import read_raw_table
from headstart.data.reading.table_limits import LIMITS
from headstart.data.reading.text_tables import SPREADSHEET_ERROR
from headstart.data.summary import summarise_inputs
from headstart.errors import DataError, HeadstartError, OptionError, UnknownName
from headstart.options import ReadOptions
from headstart.records import Table
from headstart.report.understood import describe_inputs

WORDS = {
    "cp1251": ("насос сломан, нет воды", "дорога размыта дождём", "врач заболел вчера"),
    "koi8_r": ("насос сломан, нет воды", "дорога размыта дождём", "врач заболел вчера"),
    "cp1256": ("لا يوجد ماء في القرية", "الطريق مغلق بسبب الفيضان", "الطبيب مريض اليوم"),
    "cp1250": ("čerpadlo je rozbité, voda neteče", "silnice je zaplavená", "lékař je nemocný, žádná sestra"),
    "cp1252": ("la pompe est cassée à côté", "la chaussée détruite près d’ici", "médecin décédé, santé précaire"),
    "mac_roman": ("la pompe est cassée à côté", "la chaussée détruite près d’ici", "médecin décédé, santé précaire"),
    "cp1254": ("su yok, pompa bozuldu şimdi", "köprü çöktü, yol sular altında", "doktor hasta, sağlık ocağı kapalı"),
    "cp1253": ("δεν υπάρχει νερό εδώ", "ο δρόμος πλημμύρισε χθες", "ο γιατρός είναι άρρωστος"),
    "cp932": ("ポンプが壊れて水が出ません", "道路が冠水して通れません", "医者が病気で休みです"),
    "gb18030": ("水泵坏了，村里没有水", "道路被洪水淹没，无法通行", "医生生病了，诊所关门"),
    "cp949": ("펌프가 고장 나서 물이 없습니다", "도로가 침수되었습니다", "의사가 아파서 병원이 닫혔습니다"),
    "utf-16": ("la pompe est cassée", "la chaussée détruite", "médecin décédé"),
    "utf-16-le": ("насос сломан, нет воды", "дорога размыта дождём", "врач заболел вчера"),
    "utf-16-be": ("水泵坏了，村里没有水", "道路被洪水淹没", "医生生病了"),
}


def _rows(n: int = 60) -> list[str]:
    return [f"the pump number {row} is broken,{('water', 'roads', 'health')[row % 3]}" for row in range(n)]


def _table(path: Path, rows: list[str], header: str = "text,label") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def _kinds(table: Table) -> dict[str, str]:
    return {item.kind: item.summary for item in table.findings}


@pytest.mark.parametrize("encoding", WORDS)
def test_texts_are_read_in_the_encoding_that_they_were_saved_in(tmp_path: Path, encoding: str) -> None:
    texts = [f"{WORDS[encoding][row % 3]} {row}" for row in range(30)]
    rows = [f'"{text}",{"abc"[row % 3]}' for row, text in enumerate(texts)]
    (tmp_path / "t.csv").write_bytes("\n".join(["text,label", *rows]).encode(encoding))
    table = data.read_table(tmp_path / "t.csv")
    assert table.inputs.tolist() == texts
    assert ("encoding" in _kinds(table)) == (not encoding.startswith("utf"))


def test_an_encoding_that_cannot_be_told_stops_and_can_be_named(tmp_path: Path) -> None:
    """Three Polish words: as many letters fit French in Windows-1252."""
    (tmp_path / "t.csv").write_bytes("text,label\nżółw,a\n".encode("iso8859_2") * 3)
    with pytest.raises(DataError, match=r"not UTF-8 and may be .*--encoding"):
        data.read_table(tmp_path / "t.csv")
    named = data.read_table(tmp_path / "t.csv", ReadOptions(encoding="iso-8859-2"))
    assert named.inputs[0] == "żółw"


def test_a_named_encoding_must_exist_and_fit_and_yields_to_unicode(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("text,label\nété,a\n".encode("cp1252"))
    with pytest.raises(OptionError, match="no encoding of that name"):
        data.read_table(tmp_path / "t.csv", ReadOptions(encoding="windows-9999"))
    with pytest.raises(DataError, match="is not ascii"):
        data.read_table(tmp_path / "t.csv", ReadOptions(encoding="ascii"))
    (tmp_path / "u.csv").write_text("text,label\nété,a\n", "utf-8")
    table = data.read_table(tmp_path / "u.csv", ReadOptions(encoding="windows-1251"))
    assert table.inputs[0] == "été" and "was not used" in _kinds(table)["encoding"]


def test_a_guess_says_how_sure_it_is() -> None:
    clear = guess_encoding("насос сломан, нет воды в посёлке".encode("cp1251") * 3)
    assert clear is not None and clear.name == "Windows-1251" and clear.confidence > 0.9
    assert guess_encoding("żółw".encode("iso8859_2")).confidence < 0.75  # type: ignore[union-attr]


def test_a_stray_pair_of_quotation_marks_swallows_no_row(tmp_path: Path) -> None:
    rows = _rows()
    rows[10], rows[30] = f'"{rows[10]}', rows[30].replace("broken", 'broken" again')
    table = data.read_table(_table(tmp_path / "t.csv", rows))
    assert len(table) == 60 and table.labels is not None and table.labels[11] == "health"
    assert "lines 12 to 32" in _kinds(table)["stray-quotes"]


def test_cells_of_several_lines_are_whole_and_lines_are_true_behind_them(tmp_path: Path) -> None:
    rows = ['"Dear all,\nthe pump, which is old,\nis broken",water', *_rows(20), "one,two,three"]
    table = data.read_table(_table(tmp_path / "t.csv", rows))
    assert table.inputs[0] == "Dear all,\nthe pump, which is old,\nis broken"
    assert table.ids[:2].tolist() == ["t.csv:2", "t.csv:5"]
    assert [item.id for item in table.set_aside] == ["t.csv:25"]


def test_a_cell_of_very_many_lines_is_pointed_out(tmp_path: Path) -> None:
    long = "\n".join("words of a text without any mark" for _ in range(40))
    table = data.read_table(_table(tmp_path / "t.csv", [f'"{long}",water', *_rows()]))
    assert len(table) == 61 and "lines 2 to 41" in _kinds(table)["cell-of-many-lines"]


def test_unquoted_commas_are_named_as_the_reason(tmp_path: Path) -> None:
    rows = [row.replace("the pump", "the pump, yes") for row in _rows()]
    with pytest.raises(DataError, match=r"60 of 60 rows have more cells.*A comma inside a text.*quotation marks"):
        data.read_table(_table(tmp_path / "t.csv", rows))


def test_ragged_rows_are_set_aside_and_named_by_line(tmp_path: Path) -> None:
    rows = [*_rows(9), "no comma at all", "one,two,three", ",,", *_rows(3)]
    table = data.read_table(_table(tmp_path / "t.csv", rows))
    assert [item.id for item in table.set_aside] == ["t.csv:11", "t.csv:12", "t.csv:13"]
    assert len(table) == 12 and "line 11" in str(table.findings) and "line 12" in str(table.findings)


def test_the_count_of_rows_is_stated_beside_the_count_of_lines(tmp_path: Path) -> None:
    rows = [*_rows(9), "no comma at all", "", *_rows(3)]
    summary = summarise_inputs(data.read_table(_table(tmp_path / "t.csv", rows)))
    assert (summary.n_rows, summary.n_lines, summary.n_set_aside) == (12, 15, 1)
    assert describe_inputs(summary)[0] == "Kind: texts. 12 texts, read from 15 lines, the header included; 1 set aside."


def test_rows_whose_empty_end_was_cut_off_are_kept(tmp_path: Path) -> None:
    rows = ["a,x,", "b,y,note", "c,x", "d,y,"]
    table = data.read_table(_table(tmp_path / "t.csv", rows, "text,label,remark"))
    assert table.metadata["remark"].tolist() == ["", "note", "", ""]
    assert "line 4" in _kinds(table)["rows-cut-short"]


def test_a_table_of_one_column_has_a_row_for_each_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\nno water, no power\n\nthe road, again\n   \nlast\n\n\n")
    inputs = data.read_ordered_inputs([tmp_path / "t.csv"], "text", {"text": "text"}, {})
    assert [name for name, _ in inputs.order] == ["t.csv:2", "t.csv:3", "t.csv:4", "t.csv:5", "t.csv:6"]
    assert inputs.table.inputs.tolist() == ["no water, no power", "the road, again", "last"]
    assert [item.reason for item in inputs.table.set_aside] == ["the text is empty"] * 2


def test_lines_that_are_empty_because_line_ends_were_written_twice_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"text\r\r\n" + b"".join(b"pump %d\r\r\n" % row for row in range(9)))
    assert read_raw_table(tmp_path / "t.csv").texts("text") == [f"pump {row}" for row in range(9)]


def test_a_first_row_that_is_no_header_is_called_so(tmp_path: Path) -> None:
    rows = [f"{('water', 'roads')[row % 2]}\tthe pump number {row} is broken" for row in range(20)]
    with pytest.raises(DataError, match=r"does not look like a header.*Write a row above it"):
        data.read_table(_table(tmp_path / "t.tsv", rows[1:], rows[0]))


def test_titles_above_a_header_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Complaints of May,\n,\ntext,label\n" + "\n".join(_rows(6)) + "\n")
    assert data.read_table(tmp_path / "t.csv").ids[0] == "t.csv:4"


def test_json_is_read_as_lines_as_an_array_and_within_an_object(tmp_path: Path) -> None:
    items = [{"text": f"pump {row}", "label": "ab"[row % 2]} for row in range(6)]
    (tmp_path / "lines.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
    (tmp_path / "array.json").write_text(json.dumps(items, indent=1))
    (tmp_path / "within.json").write_text(json.dumps({"version": 1, "data": items}))
    (tmp_path / "lines.json").write_text((tmp_path / "lines.jsonl").read_text())
    for name in ("lines.jsonl", "array.json", "within.json", "lines.json"):
        assert data.read_table(tmp_path / name).inputs.tolist() == [item["text"] for item in items], name


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"text": {"0": "a"}, "label": {"0": "b"}}, "one object, not an array"),
        ([{"data": {"text": "a"}, "annotations": []}], "JSON-MIN"),
        (["a", "b"], "not JSON objects"),
        ([{f"key{row}": row} for row in range(5_000)], "5,000 different keys"),
    ],
)
def test_json_of_another_shape_says_what_to_write(tmp_path: Path, document: object, said: str) -> None:
    (tmp_path / "t.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=said):
        data.read_table(tmp_path / "t.json")


def test_a_number_of_very_many_digits_sets_its_row_aside(tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"pump {row}", "label": "ab"[row % 2]}) for row in range(4)]
    rows.insert(1, '{"text": "x", "label": ' + "9" * 5_000 + "}")
    (tmp_path / "t.jsonl").write_text("\n".join(rows))
    table = data.read_table(tmp_path / "t.jsonl")
    assert len(table) == 4 and table.set_aside[0].id == "t.jsonl:2" and "5,000 digits" in table.set_aside[0].reason


def test_a_folder_a_class_of_text_files_is_read(tmp_path: Path) -> None:
    for row in range(6):
        file = tmp_path / ("water", "roads")[row % 2] / f"{row}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(f"la pompe n° {row} est cassée".encode(("utf-8", "utf-16", "cp1252")[row % 3]))
    table = data.read_table(tmp_path)
    assert table.modality == "text" and table.labels is not None and set(table.labels) == {"water", "roads"}
    assert sorted(table.inputs)[0] == "la pompe n° 0 est cassée" and len(set(table.inputs)) == 6


def test_text_files_in_one_folder_without_classes_get_a_hint(tmp_path: Path) -> None:
    for row in range(3):
        (tmp_path / f"{row}.txt").write_text("pump")
    with pytest.raises(DataError, match="a folder of its own"):
        data.read_table(tmp_path)


def _book(path: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    book.save(path)
    return book


TABLE: list[list[object]] = [["text", "label"], *([f"pump {row}", "ab"[row % 2]] for row in range(6))]


def test_hidden_sheets_and_titles_are_passed_over_and_other_tables_named(tmp_path: Path) -> None:
    sheets = {"Read me": [["a"], ["b"]], "Data": [["Complaints"], *TABLE], "More": TABLE, "Old": TABLE}
    _book(tmp_path / "t.xlsx", sheets, ("Read me",))
    table = data.read_table(tmp_path / "t.xlsx")
    assert len(table) == 6 and table.ids[0] == "t.xlsx:3"
    said = _kinds(table)["sheets"]
    assert "'Data' was read" in said and "Not read: More, Old" in said and "Hidden, so not read: Read me" in said
    _book(tmp_path / "cover.xlsx", {"Notes": [["Collected in May"]], "Data": TABLE})
    assert _kinds(data.read_table(tmp_path / "cover.xlsx"))["sheets"] == "cover.xlsx: the sheet 'Data' was read."
    _book(tmp_path / "alone.xlsx", {"Data": TABLE})
    assert "sheets" not in _kinds(data.read_table(tmp_path / "alone.xlsx"))


def test_the_sheet_that_suits_is_read_to_learn_and_to_predict_and_any_can_be_named(tmp_path: Path) -> None:
    contacts: list[list[object]] = [["Name", "Phone"], *([f"P{row}", f"07{row:06}"] for row in range(4))]
    messages: list[list[object]] = [["text", "place"], *([f"the pump {row} is dry", "Kisumu"] for row in range(6))]
    path = tmp_path / "t.xlsx"
    _book(path, {"Contacts": contacts, "New": messages, "Data": TABLE})
    learnt = data.read_table(path)
    assert len(learnt) == 6 and "'Data' was read. Not read: Contacts, New" in _kinds(learnt)["sheets"]
    assert data.read_inputs([path], "text", {"text": "text", "label": "label"}).inputs[0] == "the pump 0 is dry"
    named = data.read_table(path, ReadOptions(sheet="new", label=("place",)))
    assert named.labels is not None and set(named.labels) == {"Kisumu"}
    with pytest.raises(UnknownName, match="There is no sheet 'Dta'"):
        data.read_table(path, ReadOptions(sheet="Dta"))
    with pytest.raises(OptionError, match=r"--sheet is for Excel workbooks, and t\.csv is none"):
        data.read_table(_table(tmp_path / "t.csv", _rows(6)), ReadOptions(sheet="Data"))


def test_a_workbook_without_a_visible_table_names_its_sheets(tmp_path: Path) -> None:
    _book(tmp_path / "t.xlsx", {"Cover": [["x"]], "Data": TABLE}, ("Data",))
    with pytest.raises(DataError, match=r"no visible sheet .*sheets: Cover; hidden and not read: Data"):
        data.read_table(tmp_path / "t.xlsx")


def test_merged_cells_dates_and_formulas_without_a_value_are_read_and_said(tmp_path: Path) -> None:
    import datetime

    rows: list[list[object]] = [["text", "label", "day"]]
    rows += [[f"pump {row}", "a" if row == 0 else None, datetime.datetime(2026, 1, 1 + row)] for row in range(3)]
    rows += [["pump 3", '=IF(1=1,"b","c")', datetime.datetime(2026, 2, 1)], ["pump 4", "b", None]]
    book = _book(tmp_path / "t.xlsx", {"Data": rows})
    book["Data"].merge_cells("B2:B4")
    book.save(tmp_path / "t.xlsx")
    sheet = read_raw_table(tmp_path / "t.xlsx")
    assert sheet.texts("label") == ["a", "a", "a", "", "b"] and sheet.texts("day")[0] == "2026-01-01"
    assert {item.kind for item in sheet.findings} == {"formula-without-value", "merged-cells"}


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "Err:502"])
def test_what_a_spreadsheet_says_of_a_cell_is_a_missing_value(tmp_path: Path, error: str) -> None:
    rows = _rows(12)
    rows[3] = f"pump,{error}"
    path = _table(tmp_path / "t.csv", rows)
    with pytest.raises(DataError, match=r"1 row has no label .t.csv:5.*error of the spreadsheet, such as"):
        data.read_table(path)
    table = data.read_table(path, ReadOptions(unlabelled="drop"))
    assert table.labels is not None and error not in set(table.labels) and len(table) == 11
    assert "label: 1" in _kinds(table)["spreadsheet-errors"]


def test_a_parquet_file_is_held_against_the_limits_before_it_is_unpacked(tmp_path: Path) -> None:
    codes = pa.array(np.zeros(LIMITS.n_rows + 1, np.int8))
    pq.write_table(pa.table({"text": pa.DictionaryArray.from_arrays(codes, ["x"])}), tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 1_000_000
    with pytest.raises(DataError, match="5,000,001 rows; at most 5,000,000"):
        data.read_table(tmp_path / "t.parquet")


def test_parquet_of_every_kind_of_column_is_text_or_numbers(tmp_path: Path) -> None:
    columns = {"text": ["été", None, "b"], "n": [1, None, 3], "x": [0.5, None, 2.0], "l": [["a"], [], None]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    sheet = read_raw_table(tmp_path / "t.parquet")
    assert sheet.texts("text") == ["été", "", "b"] and sheet.texts("n") == ["1", "", "3"]
    assert sheet.texts("l") == ['["a"]', "[]", ""] and sheet.columns["x"].dtype.kind == "f"


@pytest.mark.parametrize("shape", ["(2000000000000,)", "(-1,)", "(1, 2, 3"])
def test_an_npz_header_that_says_more_than_the_file_holds_is_refused(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("X.npy", member)
    with pytest.raises(DataError, match="damaged"):
        data.read_table(tmp_path / "t.npz")


def test_texts_in_an_npz_that_are_no_characters_are_damage(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", X=np.zeros((4, 9)), y=np.array(["a", "b", "a", "b"]))
    with zipfile.ZipFile(tmp_path / "good.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:-4] + b"\xff\xff\xff\x7f" if name == "y.npy" else content)
    with pytest.raises(DataError, match="a text has an invalid character"):
        data.read_table(tmp_path / "t.npz")


def test_a_parquet_file_whose_figures_end_a_process_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"text": ["a"], "l": [["a"]]}), tmp_path / "t.parquet")
    monkeypatch.setattr("headstart.data.reading.parquet._COUNT_VALUES", "import os; os.abort()")
    with pytest.raises(DataError, match="is damaged"):
        read_raw_table(tmp_path / "t.parquet")


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf")), min_size=1)


@given(
    rows=st.lists(
        st.lists(CELLS | st.sampled_from(["a, b", '"q"', "two\nlines", "=1", "'=1"]), min_size=2, max_size=2)
    ),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_table_that_is_written_well_is_read_as_it_was(
    rows: list[list[str]], separator: str, line_end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=separator, lineterminator=line_end)
        writer.writerows([["one", "two"], *([guard_cell(cell) for cell in row] for row in rows)])
    if not rows:
        return
    sheet = read_raw_table(path)
    expected = ["" if SPREADSHEET_ERROR.fullmatch(cell) else cell for row in rows for cell in row]
    assert [cell for pair in zip(sheet.texts("one"), sheet.texts("two"), strict=True) for cell in pair] == expected


def _without(source: Path, target: Path, part: str, content: bytes) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, content if item.filename == part else old.read(item.filename))


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"),
        ("xl/worksheets/sheet1.xml", b""),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'),
        ("[Content_Types].xml", b"\0\0"),
        ("xl/_rels/workbook.xml.rels", b"<x/>"),
        ("xl/worksheets/sheet1.xml", b" " * (LIMITS.workbook_bytes + 1)),
    ],
)
def test_a_broken_or_swollen_workbook_is_two_lines(tmp_path: Path, part: str, content: bytes) -> None:
    _book(tmp_path / "good.xlsx", {"Data": TABLE})
    _without(tmp_path / "good.xlsx", tmp_path / "t.xlsx", part, content)
    with pytest.raises(HeadstartError):
        data.read_table(tmp_path / "t.xlsx")


def test_a_line_without_end_and_a_file_of_zeros_are_refused(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_bytes(b"text,label\n" + b"x" * 20_000_001)
    with pytest.raises(DataError, match="line 2 has more than 20,000,000 characters"):
        data.read_table(tmp_path / "long.csv")
    (tmp_path / "zeros.csv").write_bytes(bytes(100_000))
    with pytest.raises(DataError, match="has no text"):
        data.read_table(tmp_path / "zeros.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_in_folders_of_texts_are_set_aside(tmp_path: Path) -> None:
    for row in range(6):
        file = tmp_path / "ab"[row % 2] / f"{row}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"pump {row}")
    os.mkfifo(tmp_path / "a" / "pipe.txt")
    table = data.read_table(tmp_path)
    assert len(table) == 6 and [item.id for item in table.set_aside] == ["a/pipe.txt"]


def test_folders_may_lie_deeper_than_the_stack(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "a"
    deep.mkdir(parents=True)
    _table(deep / "t.csv", _rows(6))
    assert len(data.read_table(tmp_path)) == 6


def test_thousands_of_equal_names_are_numbered(tmp_path: Path) -> None:
    n = 20_000
    (tmp_path / "t.csv").write_text(",".join(["x"] * n) + "\n" + ",".join(["y z"] * n) + "\n")
    assert read_raw_table(tmp_path / "t.csv").names[-1] == f"x ({n})"
