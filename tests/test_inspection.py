"""Looking at what was dropped: what it is, the text, the answer, what to compare, and what is doubtful."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.data.reading.stored_names import clean_name, write_names
from headstart.errors import DataError
from headstart.flow.inspection.doubts import CODES
from headstart.flow.inspection.inspect_source import inspect_source
from headstart.flow.inspection.records import SourceView
from headstart.options import ReadOptions, parse

openpyxl = pytest.importorskip("openpyxl")
TOPICS = ("water", "roads")


def look(path: Path, **options: object) -> SourceView:
    return inspect_source(path, parse(ReadOptions, **options)).view


def list_codes(view: SourceView) -> dict[str, tuple[str, ...]]:
    assert {doubt.code for doubt in view.doubts} <= set(CODES)
    return {doubt.code: doubt.names for doubt in view.doubts}


def write_rows(n: int = 60) -> list[list[str]]:
    head = ["Name", "Phone", "District", "What was said", "Topic"]
    said = {
        "water": "there is no clean water in our village on day {}",
        "roads": "the road to the market is bad at km {}",
    }
    rows = []
    for number in range(n):
        topic = "school" if number < 3 else TOPICS[number % 2]
        text = said.get(topic, "our teachers have not come to school for {} weeks").format(number)
        rows.append(
            [f"Person {number}", f"+254 700 {100_000 + number}", ("North", "South")[number % 3 // 2], text, topic]
        )
    return [head, *rows]


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active.append(["Survey of the district"])
    book.active.append(["office", "north"])
    sheet = book.create_sheet("Data")
    sheet.append(["Messages of the hotline, March"])
    sheet.append([])
    for row in write_rows():
        sheet.append(row)
    path = tmp_path_factory.mktemp("survey") / "survey.xlsx"
    book.save(path)
    return path


def test_a_workbook_is_shown_with_its_header_marked_and_its_columns_proposed(survey: Path) -> None:
    view = look(survey)
    assert (view.modality, view.text, view.label, view.n_examples) == ("text", ("What was said",), ("Topic",), 60)
    cover, data = view.sheets
    assert (data.is_read, data.header, cover.is_read) == (True, 3, False)
    assert dict(data.rows)[3] == ("Name", "Phone", "District", "What was said", "Topic")
    roles = {column.name: column.role for column in view.columns}
    assert roles == {
        "Name": "personal",
        "Phone": "personal",
        "District": "compare",
        "What was said": "text",
        "Topic": "label",
    }


def test_kinds_are_counted_and_rated(survey: Path) -> None:
    view = look(survey)
    assert [(kind.name, kind.n, kind.code) for kind in view.kinds] == [
        ("roads", 29, "enough"), ("water", 28, "enough"), ("school", 3, "few"),
    ]  # fmt: skip
    assert view.readiness == "few" and len(view.kinds[0].samples) == 12


def test_doubts_name_the_option_that_mends_them(survey: Path) -> None:
    view = look(survey)
    assert list_codes(view) == {
        "other-sheets": ("Read me",), "personal-columns": ("Name", "Phone"), "few-examples": ("school",),
    }  # fmt: skip
    assert next(doubt for doubt in view.doubts if doubt.code == "other-sheets").option == "sheet"


def test_what_cannot_be_read_is_shown_all_the_same(survey: Path) -> None:
    view = look(survey, sheet="Read me")
    assert view.problem and [sheet.name for sheet in view.sheets] == ["Read me", "Data"]


def test_a_corrected_answer_is_taken(survey: Path) -> None:
    view = look(survey, label="District")
    assert view.label == ("District",) and {kind.name for kind in view.kinds} == {"North", "South"}


def test_texts_without_an_answer_offer_the_columns_that_could_be_one(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([row[2:4] for row in write_rows()])
    view = look(path)
    assert view.kinds == () and view.n_unsorted == 60 and list_codes(view)["which-answer"] == ("District",)


def test_texts_that_hold_telephone_numbers_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "messages.csv"
    rows = [["message", "topic"], *([f"call me about the well {n}", TOPICS[n % 2]] for n in range(20))]
    rows[4][0] = "please call 0712 345 678 about the well"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows(rows)
    assert next(doubt.n for doubt in look(path).doubts if doubt.code == "private-texts") == 1


def _store_photos(folder: Path, names: list[str]) -> None:
    folder.mkdir()
    stored = {}
    for number, name in enumerate(names):
        stored[f"{number:06d}.png"] = name
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number:06d}.png")
    write_names(folder, stored)


def test_photos_stored_under_numbers_have_the_kinds_of_their_folders(tmp_path: Path) -> None:
    names = [f"{kind}/leaf {n}.png" for kind in ("rust", "healthy") for n in range(4)]
    _store_photos(tmp_path / "1", [*names, "loose.png"])
    found = inspect_source(tmp_path / "1")
    assert [(kind.name, kind.n) for kind in found.view.kinds] == [("healthy", 4), ("rust", 4)]
    assert found.view.n_unsorted == 1 and found.view.n_left_out == 0
    assert found.names[0] == "healthy/leaf 0.png" and all(Path(str(place)).is_file() for place in found.inputs)


def test_a_table_of_names_beside_photos_says_how_many_match(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    _store_photos(folder, [f"leaf{n}.png" for n in range(6)])
    table = "file_name,label\n" + "".join(f"leaf{n}.png,{TOPICS[n % 2]}\n" for n in range(8))
    (folder / "000006.csv").write_text(table)
    names = {f"{n:06d}.png": f"leaf{n}.png" for n in range(6)}
    write_names(folder, {**names, "000006.csv": "names.csv"})
    view = look(folder)
    assert (view.n_listed, view.n_matched) == (8, 6) and "names-missing" in list_codes(view)


def test_of_several_tables_one_is_chosen(tmp_path: Path) -> None:
    for name in ("north", "south"):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows([row[3:] for row in write_rows()])
    assert list_codes(look(tmp_path)) == {"which-file": ("north.csv", "south.csv")}
    assert inspect_source(tmp_path, file="south.csv").view.n_examples == 60


def test_the_main_language_asks_for_the_base_that_knows_it(tmp_path: Path) -> None:
    said = ("Hakuna maji safi katika kijiji chetu tangu siku {}", "The road to the market is very bad since day {}")
    for text, expected in zip(said, (("Swahili", "sw", True), ("English", "en", False)), strict=True):
        path = tmp_path / f"{expected[1]}.csv"
        path.write_text("message\n" + "".join(f"{text.format(n)}\n" for n in range(12)), encoding="utf-8")
        view = look(path)
        assert (view.main_language, view.language_code, view.needs_other_base) == expected


def test_series_are_measured(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(8, 3, 50)).astype(np.float32)
    np.savez(tmp_path / "beats.npz", X=values, y=np.array(["calm", "fast"] * 4))
    view = look(tmp_path / "beats.npz")
    assert (view.modality, view.n_channels, view.fewest_steps, view.n_examples) == ("series", 3, 50, 8)


@pytest.mark.parametrize("stored", ["../../etc/passwd", "000001.jpg/../../x", "leaf.jpg", "/etc/passwd"])
def test_a_list_of_names_leads_to_no_other_place(tmp_path: Path, stored: str) -> None:
    (tmp_path / "1").mkdir()
    write_names(tmp_path / "1", {stored: "rust/1.jpg"})
    with pytest.raises(DataError, match="no file of this folder"):
        inspect_source(tmp_path / "1")


@pytest.mark.parametrize("name", ["../../x.jpg", "..\\..\\x.jpg", "/x.jpg", "C:/x.jpg", "./x.jpg", "a/../x.jpg"])
def test_a_name_from_elsewhere_stays_below_its_folder(name: str) -> None:
    cleaned = clean_name(name)
    assert cleaned is not None and not cleaned.is_absolute() and ".." not in cleaned.parts and cleaned.name == "x.jpg"
