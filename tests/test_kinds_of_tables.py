"""Tables of kinds that people bring: what each is taken for, and what is refused rather than read wrongly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart import checks, data
from headstart.data.summary import summarise_inputs
from headstart.errors import DataError
from headstart.options import ReadOptions, parse
from headstart.records import Table
from headstart.report.understood import describe_inputs


def write(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def labels_of(table: Table) -> list[str]:
    assert table.labels is not None
    return [str(label) for label in table.labels]


def write_steps(path: Path, names: list[str], rows: int = 6) -> Path:
    lines = [",".join(["label", *names])]
    lines += [",".join(["ab"[row % 2], *(f"{row + step / 100}" for step in range(len(names)))]) for row in range(rows)]
    return write(path, lines)


def test_steps_before_and_after_an_event_are_one_axis(tmp_path: Path) -> None:
    names = [f"t-{step}" for step in range(8, 0, -1)] + ["t0"] + [f"t+{step}" for step in range(1, 9)]
    table = data.read_table(write_steps(tmp_path / "a.csv", names))
    assert table.inputs[1].shape == (1, 17)
    assert np.allclose(table.inputs[0][0], np.arange(17) / 100)


def test_channels_of_few_steps_are_not_put_one_after_the_other(tmp_path: Path) -> None:
    names = [f"{channel}_{step}" for channel in "xy" for step in range(5)]
    table = data.read_table(write_steps(tmp_path / "a.csv", names))
    assert table.inputs[0].shape == (2, 5) and np.allclose(table.inputs[0][1], np.arange(5, 10) / 100)
    table = data.read_table(write_steps(tmp_path / "b.csv", [*names, "age", "height"]))
    assert table.inputs[0].shape == (2, 5) and list(table.metadata) == ["age", "height"]
    others = [f"measure {letter}" for letter in "abcdefghijkl"]
    table = data.read_table(write_steps(tmp_path / "c.csv", [*names[:4], *names[5:9], *others]))
    assert table.inputs[0].shape == (1, 20), "most columns are no such channels: all are steps, which is said"
    assert "show no axis" in " ".join(one.summary for one in table.findings)


def test_a_counter_before_the_date_is_no_channel(tmp_path: Path) -> None:
    names = [f"{step}_202403{step + 1:02d}_NDVI" for step in range(12)]
    table = data.read_table(write_steps(tmp_path / "a.csv", ["system:index", *names]))
    assert table.inputs[0].shape == (1, 12) and list(table.metadata) == ["system:index"]
    lines = [f"ch{channel}_2024-03-{day:02d}" for day in range(1, 11) for channel in (1, 2)]
    assert data.read_table(write_steps(tmp_path / "b.csv", lines)).inputs[0].shape == (2, 10), "here it is one"


@pytest.mark.parametrize(
    "times",
    [
        ["13/02/2024 08:00", "01/03/2024 08:00", "02/03/2024 08:00"],
        ["02/13/2024", "03/01/2024", "03/02/2024"],
        ["1.3.2024 1:00 AM", "1.3.2024 11:00 AM", "1.3.2024 1:00 PM"],
        ["08:30", "09:00:01", "22:15"],
    ],
)
def test_times_as_people_write_them_put_the_steps_in_order(times: list[str], tmp_path: Path) -> None:
    lines = ["id,time,x,label", *(f"p,{times[at]},{at},a" for at in (2, 0, 1)), *(f"q,{time},7,b" for time in times)]
    table = data.read_table(write(tmp_path / "a.csv", lines))
    assert table.inputs[0].tolist() == [[0, 1, 2]] and not [one for one in table.findings if "times" in one.kind]


def test_dates_of_which_nobody_knows_day_and_month_are_pointed_out(tmp_path: Path) -> None:
    lines = ["id,time,x,label", *(f"p,{time},1,a" for time in ("03/04/2024", "02/05/2024", "05/03/2024"))]
    table = data.read_table(write(tmp_path / "a.csv", lines))
    assert [one.kind for one in table.findings if one.severity == "warn"] == ["times-not-read"]


def test_a_date_and_a_time_of_day_in_two_columns_count_together(tmp_path: Path) -> None:
    steps = [("2024-01-02", "06:00", 2), ("2024-01-01", "18:00", 1), ("2024-01-01", "06:00", 0)]
    lines = ["sensor_id,date,time,x,label", *(f"{s},{day},{clock},{x},a" for s in "pq" for day, clock, x in steps)]
    table = data.read_table(write(tmp_path / "a.csv", lines))
    assert table.inputs[0].tolist() == [[0, 1, 2]] and not table.left_out


@pytest.mark.parametrize("words", [("temp", "rain"), ("0", "1")])
def test_rows_of_one_time_that_a_column_tells_apart_are_refused(words: tuple[str, str], tmp_path: Path) -> None:
    lines = ["id,kind,time,value,label"]
    lines += [f"{name},{word},{t},{t}.5,a" for name in "pq" for word in words for t in range(6)]
    with pytest.raises(DataError, match="several rows for one time of a series, which differ in 'kind' "):
        data.read_table(write(tmp_path / "a.csv", lines))


def test_a_day_beside_rows_of_steps_does_not_make_them_time_steps(tmp_path: Path) -> None:
    lines = ["patient_id,day,label," + ",".join(f"t{step}" for step in range(8))]
    lines += [f"p{row % 2},{row},a" + ",1.5" * 8 for row in range(40)]
    table = data.read_table(write(tmp_path / "a.csv", lines))
    assert len(table) == 40 and table.inputs[0].shape == (1, 8)
    lines = ["plot,week,ndvi,label", *(f"p{plot},{week},{week}.5,a" for plot in range(3) for week in range(9))]
    assert data.read_table(write(tmp_path / "b.csv", lines)).inputs[0].shape == (1, 9)


def test_arrays_of_splits_are_joined(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 2, 9)).astype(np.float32)
    named = {"x_train": values[:4], "y_train": np.arange(4), "X_test": values[4:], "y_test": np.arange(2)}
    np.savez(tmp_path / "a.npz", **named)
    table = data.read_table(tmp_path / "a.npz")
    assert table.splits.tolist() == ["train"] * 4 + ["test"] * 2 and labels_of(table) == ["0", "1", "2", "3", "0", "1"]
    assert np.array_equal(table.inputs[5], values[5])
    del named["y_test"]
    np.savez(tmp_path / "b.npz", **named)
    with pytest.raises(DataError, match="x_train and X_test, but only y_train"):
        data.read_table(tmp_path / "b.npz")


def test_an_array_with_one_value_a_step_is_one_channel(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 9, 1)).astype(np.float32)
    np.savez(tmp_path / "a.npz", X=values, y=np.arange(6) % 2)
    table = data.read_table(tmp_path / "a.npz")
    assert table.inputs[0].shape == (1, 9) and table.input_columns is not None
    assert table.input_columns.axes == "time-first"
    lists = data.from_arrays([values[0], values[1, :5]], ["a", "b"])
    assert [one.shape for one in lists.inputs] == [(1, 9), (1, 5)]
    first = data.read_table(tmp_path / "a.npz", parse(ReadOptions, axes="channels-first"))
    assert first.inputs[0].shape == (9, 1), "the user's word counts"


def draw(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9, 3), 20 * number % 255, dtype=np.uint8)).save(path)
    return root


def test_a_table_with_a_column_a_class_beside_one_folder_of_pictures_is_used(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"images/leaf{number}.png" for number in range(6)))
    cells = [f"leaf{n},{int(n % 3 == 0)},{int(n % 3 == 1)},{int(n % 3 == 2)}" for n in range(6)]
    write(root / "labels.csv", ["id,rust,ok,blight", *cells])
    table = data.read_table(root, parse(ReadOptions))
    assert table.task == "multi-label" and table.target_names == ("rust", "ok", "blight")
    [note] = [one for one in table.findings if one.kind == "task"]
    assert "--task classification --label 'rust,ok,blight'" in note.advice
    table = data.read_table(root, parse(ReadOptions, task="classification", label=("rust,ok,blight",)))
    assert table.task == "classification" and labels_of(table) == ["rust", "ok", "blight"] * 2
    write(root / "labels.csv", ["id,rust,ok,blight", *cells[:5], "leaf5,1,0,1"])
    with pytest.raises(DataError, match=r"1 of 6 rows have no class or several.*leaf5.png: rust, blight"):
        data.read_table(root, parse(ReadOptions, task="classification", label=("rust,ok,blight",)))


def doubts(root: Path) -> str:
    kinds = {"folders-within-classes", "class-folder"}
    return " ".join(one.summary for one in data.read_table(root).findings if one.kind in kinds)


def test_folders_that_may_be_no_classes_are_pointed_out(tmp_path: Path) -> None:
    plain = draw(tmp_path / "a", *(f"{split}/{c}/{n}.png" for split in ("train", "test") for c in "xy" for n in "12"))
    assert doubts(plain) == ""
    folds = draw(tmp_path / "b", *(f"fold{k}/{c}/{n}.png" for k in range(2) for c in "xy" for n in range(2)))
    assert "2 of 2 class folders (fold0, fold1) hold folders of the same names (x, y)" in doubts(folds)
    masks = draw(tmp_path / "c", *(f"{c}/{place}{n}.png" for c in "xy" for n in range(2) for place in ("", "masks/")))
    assert "hold folders of the same names (masks)" in doubts(masks)
    beside = draw(tmp_path / "d", "images/x/1.png", "images/y/2.png", "annotations/1.png", "annotations/2.png")
    assert "'images' holds folders (x, y), and 'annotations' beside it holds images" in doubts(beside)
    assert "1 folder was read as a class: annotations." in doubts(beside)


def test_numbers_of_a_table_of_series_do_not_name_pictures_that_lie_about(tmp_path: Path) -> None:
    draw(tmp_path, *(f"photos/{number}.png" for number in range(6)))
    lines = ["plot,label," + ",".join(f"t{step}" for step in range(9))]
    path = write(tmp_path / "a.csv", [*lines, *(f"{row},{'ab'[row % 2]}" + f",{row}.5" * 9 for row in range(6))])
    assert data.read_table(path).modality == "series"
    path = write(tmp_path / "c.csv", [f"{2 * (row % 2) - 1}" + f",{row}.5" * 9 for row in range(6)])
    assert data.read_table(path).modality == "series"
    path = write(tmp_path / "b.csv", ["id,kind", *(f"{row},{'ab'[row % 2]}" for row in range(6))])
    assert data.read_table(path, parse(ReadOptions, label=("kind",))).modality == "image", "nothing else is there"


def write_numbers(path: Path, form: str, word: str = "{label}", rows: int = 12) -> Path:
    """Write rows of ten decimals and a label without a header."""
    rng = np.random.default_rng(0)
    made = [
        form.format(label=word.format(label=1 + row % 2), values=[f"{value:.4f}" for value in rng.normal(size=10)])
        for row in range(rows)
    ]
    for number, line in enumerate(made):
        made[number] = line.replace("'", "").replace("[", "").replace("]", "")
    return write(path, made)


@pytest.mark.parametrize("form", ["{label}, {values}", "{values}, {label}"])
def test_a_word_beside_numbers_in_the_first_row_is_a_label_and_no_name(form: str, tmp_path: Path) -> None:
    table = data.read_table(write_numbers(tmp_path / "a.csv", form.replace(", {", ",{"), "kind{label}"))
    assert labels_of(table) == ["kind1", "kind2"] * 6 and table.inputs[0].shape == (1, 10)


def test_a_table_without_header_whose_label_stands_last_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"its last column rather than its first looks like the label \(1, 2\)"):
        data.read_table(write_numbers(tmp_path / "a.csv", "{values},{label}"))
    assert labels_of(data.read_table(write_numbers(tmp_path / "b.csv", "{label},{values}"))) == ["1", "2"] * 6


def test_columns_of_numbers_parted_by_blanks_are_read(tmp_path: Path) -> None:
    for part in ("TRAIN", "TEST"):
        path = write_numbers(tmp_path / f"Beats_{part}.txt", "  {label},{values}", "{label}.0000000e+00")
        path.write_text(path.read_text(encoding="utf-8").replace(",", "   "), encoding="utf-8")
    table = data.read_table(tmp_path / "Beats_TRAIN.txt")
    assert labels_of(table) == ["1", "2"] * 6 and table.inputs[0].shape == (1, 10)
    both = data.read_table(tmp_path)
    assert sorted(set(both.splits)) == ["test", "train"] and len(both) == 24


def test_lines_without_a_header_are_not_said_to_have_one(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "a.csv", "{label},{values}")
    assert "read from 12 lines." in describe_inputs(summarise_inputs(data.read_table(path)))[0]
    path = write(tmp_path / "b.csv", ["text,label", "the pump is dry,a", "no water here,b"])
    assert "read from 3 lines, the header included." in describe_inputs(summarise_inputs(data.read_table(path)))[0]


TOPICS = ("the pump is broken again", "no road to the clinic", "seeds came too late", "we need a teacher here")


def write_labels(path: Path, labels: list[str], name: str = "amount") -> Path:
    lines = [f'{TOPICS[row % 4]} in ward {row};"{label}"' for row, label in enumerate(labels)]
    return write(path, [f"text;{name}", *lines])


def warnings_of(table: Table) -> str:
    return " ".join(one.summary for one in table.findings if one.severity == "warn")


@pytest.mark.parametrize(
    ("form", "value"),
    [("Rs {0:,}.50/-", 1007.5), ("₹ 1,{1:02d},000.50", 107_000.5), ("1.{0}.250,5", 1_110_250.5), ("{0} %", 1007)],
)
def test_amounts_as_people_write_them_are_numbers(form: str, value: float, tmp_path: Path) -> None:
    labels = [form.format(103 + row if "250" in form else 1000 + row, row) for row in range(24)]
    table = data.read_table(
        write_labels(tmp_path / "a.csv", labels), parse(ReadOptions, label=("amount",), task="auto")
    )
    assert table.task == "regression" and table.targets is not None and table.targets[7, 0] == np.float32(value)


@pytest.mark.parametrize("form", ["{} kg", "<{}", "({}.00)", "{}.5k", "{} mg/dl"])
def test_measured_numbers_that_become_classes_are_pointed_out(form: str, tmp_path: Path) -> None:
    labels = [form.format(row + 3) for row in range(24)]
    table = data.read_table(
        write_labels(tmp_path / "a.csv", labels), parse(ReadOptions, label=("amount",), task="auto")
    )
    assert table.task == "classification" and "look like measured numbers" in warnings_of(table)
    names = [f"{1 + row % 6} kg" for row in range(60)]
    table = data.read_table(write_labels(tmp_path / "b.csv", names), parse(ReadOptions, label=("amount",), task="auto"))
    assert "measured" not in warnings_of(table), "six sizes are classes"


def test_a_mark_that_may_part_thousands_is_pointed_out(tmp_path: Path) -> None:
    labels = [f"{row + 1}.25{row % 10}" if row % 2 else f"9{row:02d}" for row in range(24)]
    table = data.read_table(
        write_labels(tmp_path / "a.csv", labels), parse(ReadOptions, label=("amount",), task="auto")
    )
    assert "such as 2.251 beside whole ones: it was read as 2.251" in warnings_of(table)
    rows = [f"{'ab'[row % 2]};" + ";".join([f"1.25{row}", "980"] * 5) for row in range(6)]
    table = data.read_table(write(tmp_path / "b.csv", ["label;" + ";".join(f"t{step}" for step in range(10)), *rows]))
    assert "1.250 was read as 1.25" in warnings_of(table)


def test_a_column_with_text_in_its_name_is_the_text(tmp_path: Path) -> None:
    lines = ["address,complaint text,label"]
    lines += [f"{row} Long Avenue of the Republic near block {row},{TOPICS[row % 4]} {row},a" for row in range(8)]
    assert data.read_table(write(tmp_path / "a.csv", lines)).columns["text"] == "complaint text"


def test_a_text_empty_in_half_of_the_rows_is_warned_of(tmp_path: Path) -> None:
    lines = ["text_en,text_fr,label"]
    lines += [f"{'' if row % 2 else TOPICS[row % 4]},{TOPICS[row % 4] if row % 2 else ''},a" for row in range(8)]
    assert "filled in 4 of 8 rows" in warnings_of(data.read_table(write(tmp_path / "a.csv", lines)))


def test_a_file_beside_the_class_folders_of_texts_is_set_aside(tmp_path: Path) -> None:
    for number, topic in enumerate(TOPICS):
        write(tmp_path / "ab"[number % 2] / f"{number}.txt", [topic])
    write(tmp_path / "README.txt", ["How the texts were gathered"])
    table = data.read_table(tmp_path)
    assert labels_of(table) == ["a", "a", "b", "b"] and [one.id for one in table.set_aside] == ["README.txt"]
    for number in range(4):
        write(tmp_path / "ab"[number % 2] / f"{number}.txt", ["1\t2.5", "2\t3.5"])
    assert "numbers and no words" in warnings_of(data.read_table(tmp_path))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["label," + ",".join(f"t{n}" for n in range(9)), "a" + ",5 kg" * 9], "t0 to t8 look like a series .*'5 kg'"),
        (["file,label", "1.txt,a", "2.txt,b"], "the column file names files, and only images can be listed like this"),
    ],
)
def test_tables_that_cannot_be_read_say_why(lines: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        data.read_table(write(tmp_path / "a.csv", lines))


def test_labels_that_nearly_all_differ_may_be_no_labels(tmp_path: Path) -> None:
    table = data.read_table(
        write_labels(tmp_path / "a.csv", [f"{topic} {n}" for n in range(6) for topic in TOPICS], "label")
    )
    [found] = [one for one in checks.check_table(table) if one.kind == "single-row-class"]
    assert "name the right column with --label" in found.advice


def test_several_composite_classes_are_warned_of_whatever_parts_them(tmp_path: Path) -> None:
    labels = ["water", "roads", "food", "water roads", "food water", "water"] * 4
    table = data.read_table(
        write_labels(tmp_path / "a.csv", labels), parse(ReadOptions, label=("amount",), task="auto")
    )
    assert "2 classes look like several labels in one cell" in warnings_of(table)


HEADINGS = [["Respondent", "", "Answer", ""], ["id", "age", "text", "label"]]


def test_a_row_of_headings_above_the_header_is_no_header(tmp_path: Path) -> None:
    rows = [[f"p{row}", str(20 + row), f"{TOPICS[row % 4]} {row}", "ab"[row % 2]] for row in range(8)]
    table = data.read_table(write(tmp_path / "a.csv", [",".join(cells) for cells in (*HEADINGS, *rows)]))
    assert len(table) == 8 and table.columns == {"text": "text", "label": "label", "id": "id"}
    gap = [["text", "", "label"], *[[f"{TOPICS[row % 4]} {row}", "seen", "ab"[row % 2]] for row in range(8)]]
    assert len(data.read_table(write(tmp_path / "b.csv", [",".join(cells) for cells in gap]))) == 8, (
        "a column without name"
    )
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in (*HEADINGS, *rows):
        book.active.append([cell or None for cell in cells])
    book.active.merge_cells("A1:B1")
    book.active.merge_cells("C1:D1")
    book.save(tmp_path / "c.xlsx")
    table = data.read_table(tmp_path / "c.xlsx")
    assert len(table) == 8 and table.columns == {"text": "text", "label": "label", "id": "id"}


def test_a_usual_code_for_a_missing_value_in_a_series_is_pointed_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [[f"{value:.3f}" for value in rng.normal(size=10)] for _ in range(8)]
    rows[2][4] = rows[5][0] = "-999"
    lines = ["label," + ",".join(f"t{step}" for step in range(10))]
    lines += [",".join(["ab"[number % 2], *cells]) for number, cells in enumerate(rows)]
    [found] = [
        one
        for one in checks.check_table(data.read_table(write(tmp_path / "a.csv", lines)))
        if one.kind == "extreme-number"
    ]
    assert found.summary.startswith("2 values of series are -999,") and found.rows == ("a.csv:4", "a.csv:7")
    far = [line.replace("-999", "-1200") for line in lines]
    far = [line if line.startswith("label") else line + ",-999" for line in far]
    far[0] += ",t10"
    table = data.read_table(write(tmp_path / "b.csv", far))
    assert not [one for one in checks.check_table(table) if one.kind == "extreme-number"], (
        "values of this size are usual here"
    )
