"""Tables of texts are read however they were written, and faults are named with what to do."""

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart import checks, data
from headstart.errors import DataError, HeadstartError, MissingExtra, UnknownName
from headstart.options import ReadOptions, parse

ROWS = [("Café is good; really, good", "yes"), ('she said "no"\nand left', "no"), ("None", "no"), ("ok", "yes")]


def options(**values: object) -> ReadOptions:
    return parse(ReadOptions, **values)


def quoted(cells: tuple[str, ...], separator: str) -> str:
    return separator.join('"' + cell.replace('"', '""') + '"' for cell in cells)


def delimited(separator: str = ",", header: tuple[str, ...] = ("text", "label")) -> str:
    return "\r\n".join(quoted(row, separator) for row in [header, *ROWS]) + "\r\n"


def written(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_separator_and_encoding_gives_the_same_rows(tmp_path: Path, separator: str, encoding: str) -> None:
    path = written(tmp_path / "a.csv", delimited(separator), encoding)
    table = data.read_table(path)
    assert table.modality == "text"
    assert list(zip(table.inputs, table.labels, strict=True)) == ROWS
    assert table.ids.tolist() == ["a.csv:2", "a.csv:3", "a.csv:5", "a.csv:6"]  # The second text has two lines.
    assert table.columns == {"text": "text", "label": "label"}
    noted = [finding.kind for finding in table.findings]
    assert noted == (["encoding"] if encoding == "cp1252" else [])


def test_jsonl_parquet_and_xlsx_give_the_same_rows_as_csv(tmp_path: Path) -> None:
    texts, labels = [text for text, _ in ROWS], [label for _, label in ROWS]
    lines = [json.dumps({"text": text, "label": label, "site": 3.0}) for text, label in ROWS]
    written(tmp_path / "a.jsonl", "\n".join(lines))
    pq.write_table(pa.table({"text": texts, "label": labels, "site": [3.0] * 4}), tmp_path / "a.parquet")
    book = openpyxl.Workbook()
    for row in [("text", "label", "site"), *((text, label, 3.0) for text, label in ROWS)]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    expected = data.read_table(written(tmp_path / "a.csv", delimited()))
    for name in ("a.jsonl", "a.parquet", "a.xlsx"):
        table = data.read_table(tmp_path / name)
        assert table.inputs.tolist() == texts and table.labels is not None and table.labels.tolist() == labels
        assert table.hashes.tolist() == expected.hashes.tolist()
        assert table.metadata["site"].tolist() == ["3"] * 4


def test_excel_without_the_extra_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.data.reading.optional.find_spec", lambda name: None)
    monkeypatch.setattr("headstart.extras.find_spec", lambda name: None)
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(MissingExtra, match=r"pip install 'headstart\[adapt\]'"):
        data.read_table(tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", ["sentence", "Content", "MESSAGE", "comment"])
@pytest.mark.parametrize("label", ["target", "Class", "category", "y"])
def test_the_usual_column_names_are_found(tmp_path: Path, name: str, label: str) -> None:
    table = data.read_table(written(tmp_path / "a.csv", delimited(header=(name, label))))
    assert table.columns == {"text": name, "label": label}


def test_columns_can_be_named_and_a_wrong_name_gets_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", delimited(header=("what was said", "verdict")))
    table = data.read_table(path, options(text="what was said", label="verdict"))
    assert table.columns == {"text": "what was said", "label": "verdict"}
    with pytest.raises(UnknownName, match=r"no column 'verdikt' in a\.csv.*Did you mean 'verdict'"):
        data.read_table(path, options(text="what was said", label="verdikt"))
    with pytest.raises(DataError, match=r"columns: what was said, verdict.*--text"):
        data.read_table(path)


def test_a_missing_label_column_is_named_with_what_was_found(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", "text,site,age\na,b,1\nc,d,2\n"))
    with pytest.raises(DataError, match=r"no label column in .*a\.csv \(columns: text, site, age\).*--label"):
        checks.require_trainable(table)
    rows = "".join(f"the pump {n} is dry,{'ab'[n % 2]},{n}\n" for n in range(4))
    table = data.read_table(written(tmp_path / "b.csv", f"text,area of work,age\n{rows}"))
    with pytest.raises(DataError, match=r"'area of work' holds few different values.*add: --label 'area of work'"):
        checks.require_trainable(table)


def test_rows_without_a_label_stop_or_are_dropped(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\n" + "".join(f"t{i},{'' if i < 7 else 'x'}\n" for i in range(9)))
    with pytest.raises(DataError, match=r"7 rows have no label \(a\.csv:2, .*a\.csv:6 and 2 more\).*--unlabelled drop"):
        data.read_table(path)
    table = data.read_table(path, options(unlabelled="drop"))
    assert len(table) == 2 and len(table.set_aside) == 7


def test_the_split_column_is_honoured_and_validation_rows_train(tmp_path: Path) -> None:
    body = "text,label,split\na,x,train\nb,y,Training\nc,x,dev\nd,y,test\n"
    table = data.read_table(written(tmp_path / "a.csv", body))
    assert table.splits.tolist() == ["train", "train", "train", "test"]
    assert [(finding.kind, finding.rows) for finding in table.findings] == [("validation-rows", ("a.csv:4",))]


def test_a_split_column_of_other_words_is_metadata(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", "text,label,set\na,x,spring\nb,y,test\n"))
    assert table.splits.tolist() == ["", ""] and table.metadata["set"].tolist() == ["spring", "test"]


def test_ids_come_from_a_unique_id_column_only(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", "ID,text,label\n007,a,x\n008,b,y\n"))
    assert table.ids.tolist() == ["007", "008"]
    table = data.read_table(written(tmp_path / "b.csv", "ID,text,label\n007,a,x\n007,b,y\n"))
    assert table.ids.tolist() == ["b.csv:2", "b.csv:3"] and table.metadata["ID"].tolist() == ["007", "007"]


def test_row_numbers_count_blank_lines_and_rows_too_long_are_set_aside(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", "text,label\n\na,x\nb,y,oops\nc,y,\n   ,y\n"))
    assert table.ids.tolist() == ["a.csv:3", "a.csv:5"]
    assert [item.id for item in table.set_aside] == ["a.csv:4", "a.csv:6"]
    assert "3 cells" in table.set_aside[0].reason and "empty" in table.set_aside[1].reason


def test_a_quotation_mark_never_closed_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="opened in line 3 is never closed"):
        data.read_table(written(tmp_path / "a.csv", 'text,label\na,x\n"b\nc\nd\ny\n'))


def test_a_quotation_mark_never_closed_above_whole_rows_is_a_letter(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", 'text,label\na,x\n"b,y\nc,y\nd,x\n'))
    assert table.inputs.tolist() == ["a", '"b', "c", "d"] and table.labels is not None
    assert table.labels.tolist() == ["x", "y", "y", "x"]
    assert [item.kind for item in table.findings] == ["stray-quotes"] and "lines 3 to 5" in table.findings[0].summary


def test_stray_quotes_in_tab_separated_texts_are_letters(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.tsv", 'text\tlabel\n"hello\tx\nfine\ty\nsay "it\tx\n'))
    assert table.inputs.tolist() == ['"hello', "fine", 'say "it']


def test_a_few_broken_bytes_do_not_make_utf8_another_encoding(tmp_path: Path) -> None:
    body = "text,label\n" + "ሰላም ለዓለም,x\n" * 40
    (tmp_path / "a.csv").write_bytes(body.encode() + b"\xff bad,y\n")
    table = data.read_table(tmp_path / "a.csv")
    assert table.inputs[0] == "ሰላም ለዓለም" and "replaced" in table.findings[0].summary


def test_the_excel_separator_line_is_understood(tmp_path: Path) -> None:
    table = data.read_table(written(tmp_path / "a.csv", "sep=;\r\ntext;label\r\na, b;x\r\n"))
    assert table.inputs.tolist() == ["a, b"] and table.ids.tolist() == ["a.csv:3"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"text,label\n", "no rows below its header"),
        ("a.jsonl", b'{"text": 1}\n{oops\n[1]\n', "2 of 3 lines are not JSON objects .line 2"),
        ("a.parquet", b"no parquet", "Parquet file is damaged"),
        ("a.xlsx", b"no excel", "Excel file is damaged"),
        ("a.xls", b"old", r"Save it as \.xlsx"),
        ("a.docx", b"x", "a type that cannot be read"),
        ("a.jpg", b"x", "folder that holds the images"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HeadstartError, match=said):
        data.read_table(tmp_path / name)


def test_a_path_that_is_not_there_names_what_lies_nearby(tmp_path: Path) -> None:
    written(tmp_path / "messages.csv", delimited())
    with pytest.raises(DataError, match=r"Did you mean .*messages\.csv"):
        data.read_table(tmp_path / "mesages.csv")


def test_a_folder_with_one_table_or_with_train_and_test_is_read(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", delimited())
    assert len(data.read_table(tmp_path)) == 4
    written(tmp_path / "test.csv", "text,label,site\nnew,yes,a\n")
    table = data.read_table(tmp_path)
    assert table.splits.tolist() == ["test", *["train"] * 4]
    assert table.metadata["site"].tolist() == ["a", "", "", "", ""]
    written(tmp_path / "notes.csv", delimited())
    with pytest.raises(DataError, match="holds 3 tables"):
        data.read_table(tmp_path)


def test_nearly_equal_labels_are_reported_and_merged_only_on_demand(tmp_path: Path) -> None:
    body = "text,label\n" + "a,Maize rust\n" * 3 + "b,maize rust \nc,healthy\n"
    path = written(tmp_path / "a.csv", body)
    table = data.read_table(path)
    (odd,) = table.findings
    assert odd.kind == "odd-label" and odd.rows == ("a.csv:5",)
    assert odd.summary == "'maize rust ' (1 row) looks like 'Maize rust' (3 rows)."
    assert odd.advice == "Write them alike, or pass --merge-labels."
    assert table.labels is not None and table.labels[3] == "maize rust "
    merged = data.read_table(path, options(merge_labels=True))
    assert merged.labels is not None and set(merged.labels) == {"Maize rust", "healthy"}


def test_checks_find_copies_conflicts_small_classes_and_imbalance(tmp_path: Path) -> None:
    body = ["text,label,split"] + [f"w{i},many,train" for i in range(40)] + [f"v{i},few,train" for i in range(3)]
    body += ["w0,many,test", "w1,few,test", "w2,many,train", "z,single,train"]
    table = data.read_table(written(tmp_path / "a.csv", "\n".join(body) + "\n"))
    found = {(finding.kind, finding.severity): finding for finding in checks.check_table(table)}
    assert found["duplicates-across-splits", "warn"].rows == ("a.csv:45", "a.csv:46")
    assert found["duplicates", "note"].rows == ("a.csv:4", "a.csv:47")
    assert found["conflicting-labels", "warn"].rows == ("a.csv:3", "a.csv:46")
    assert "single" in found["single-row-class", "warn"].summary and "few: 3" in found["small-class", "warn"].summary
    assert ("imbalance", "note") in found
    checks.require_trainable(table)


def test_numbers_as_classes_of_one_row_each_are_learnt_with_a_hint() -> None:
    table = data.from_arrays([f"text {i}" for i in range(30)], [f"{i}.5" for i in range(30)])
    checks.require_trainable(table)
    found = {finding.kind: finding for finding in checks.check_table(table)}
    assert "--task regression" in found["single-row-class"].advice


def test_what_cannot_be_trained_says_why() -> None:
    table = data.from_arrays([f"text {i}" for i in range(9)], ["x"] * 9)
    with pytest.raises(DataError, match="at least 2 are needed"):
        checks.require_trainable(table)


def test_predict_inputs_use_the_training_column_and_need_no_label(tmp_path: Path) -> None:
    first = written(tmp_path / "a.csv", "note,text\nwanted,other\n")
    second = written(tmp_path / "b.csv", "Note ,verdict\nsame name,\n")
    third = written(tmp_path / "c.txt", "plain file")
    table = data.read_inputs([first, second, third], "text", {"text": "note", "label": "verdict"})
    assert table.inputs.tolist() == ["wanted", "same name", "plain file"]
    assert table.ids.tolist() == ["a.csv:2", "b.csv:2", third.as_posix()]
    again = data.read_inputs([third, first], "text", {"text": "note"})
    assert again.inputs.tolist() == ["plain file", "wanted"] and again.labels is None


def test_nothing_to_predict_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Nothing to predict was found"):
        data.read_inputs([tmp_path], "text", {})


def test_nothing_is_written_beside_the_data(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", delimited())
    before = sorted(tmp_path.iterdir())
    data.read_table(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_arrays_in_memory_become_tables_of_their_kind() -> None:
    assert data.from_arrays(["a.jpg", "b"], ["x", "y"]).modality == "text"
    table = data.from_arrays(["a", "", "b"], [1, 2, 1.0])
    assert table.ids.tolist() == ["0", "2"] and table.labels is not None and table.labels.tolist() == ["1", "1"]
    with pytest.raises(DataError, match="2 inputs and 1 labels"):
        data.from_arrays(["a", "b"], ["x"])
    with pytest.raises(DataError, match="type int"):
        data.from_arrays([1, 2], ["x", "y"])


def test_the_room_loads_no_heavy_package() -> None:
    heavy = ("torch", "sklearn", "pandas", "scipy", "pyarrow", "openpyxl", "transformers")
    code = f"import sys, headstart.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
