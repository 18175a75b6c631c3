"""A table whose cells name the pictures of a folder is used, or it is said why not; how folders are read."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart import data
from headstart.errors import DataError, UnknownName
from headstart.options import ReadOptions, parse
from headstart.records import Table


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path_factory.mktemp("home")))


def draw(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return root


def labels_by_id(table: Table) -> dict[str, str]:
    assert table.labels is not None
    return dict(zip(table.ids.tolist(), table.labels.tolist(), strict=True))


def write(path: Path, header: str, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def kinds(table: Table) -> list[str]:
    return [finding.kind for finding in table.findings]


NAMES = ("part_1/Leaf-01.png", "part_1/leaf-02.png", "part_2/leaf-03.png", "part_2/leaf-04.png")
EXPECTED = dict(zip(NAMES, ("rust", "scab", "rust", "scab"), strict=True))


@pytest.mark.parametrize(
    "cell",
    [
        "{stem}",
        "{name}",
        "{path}",
        "./{path}",
        "{upper}",
        "{stem}.jpg",
        "{stem}.dcm",
        "C:\\Users\\ana\\pictures\\{stem}.PNG",
        "/mnt/data/export/{path}",
        "https://example.org/files/{stem}.png?size=large#x",
        "s3://bucket/run1/{path}",
        "folder_of_then/{name}",
    ],
)
@pytest.mark.parametrize("columns", ["image_id,dx,age", "file_name,label,age", "nummer,befund,age"])
def test_cells_name_pictures_in_many_spellings(tmp_path: Path, cell: str, columns: str) -> None:
    root = draw(tmp_path / "data", *NAMES)
    rows = []
    for number, (path, label) in enumerate(EXPECTED.items()):
        place = Path(path)
        written = cell.format(stem=place.stem, name=place.name, path=path, upper=place.name.upper())
        rows.append(f"{written},{label},{30 + number}")
    write(root / "table.csv", columns, rows)
    table = data.read_table(root)
    assert labels_by_id(table) == EXPECTED and "table-not-used" not in kinds(table)


def test_accents_match_in_either_form(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "caf\u00e9.png") for form in ("NFC", "NFD"))
    root = draw(tmp_path / "data", f"a/{decomposed}", "a/b.png", "b/c.png", "b/d.png")
    write(root / "labels.csv", "picture,label", [f"{composed},x", "b,y", "c,x", "d,y"])
    assert len(data.read_table(root)) == 4


def test_the_same_stem_in_two_folders_is_ambiguous_and_named(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "images/1.png", "images/2.png", "masks/1.png", "masks/2.png")
    write(root / "labels.csv", "id,label", ["1,x", "2,y"])
    table = data.read_table(root)
    [finding] = [item for item in table.findings if item.kind == "table-not-used"]
    assert "images/1.png or masks/1.png" in finding.summary and finding.severity == "warn"
    write(root / "labels.csv", "id,label", ["images/1,x", "images/2,y"])
    assert labels_by_id(data.read_table(root)) == {"images/1.png": "x", "images/2.png": "y"}


def test_one_ambiguous_row_is_set_aside_with_both_pictures(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "p/1.png", "p/2.png", "p/3.png", "q/3.png")
    write(root / "labels.csv", "id,label", ["1,x", "2,y", "3,x", ",y"])
    table = data.read_table(root)
    assert table.ids.tolist() == ["p/1.png", "p/2.png"]
    assert [(item.id, item.reason) for item in table.set_aside] == [
        ("labels.csv:4", "'3' may be p/3.png or q/3.png: write the folder too"),
        ("labels.csv:5", "the row names no image"),
    ]
    [lost] = [item for item in table.findings if item.kind == "rows-without-picture"]
    assert lost.summary.startswith("2 of 4 rows of labels.csv name an image by 'id'")


def test_a_picture_missing_from_its_folder_is_not_taken_from_another(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "cats/1.png", "dogs/2.png", "dogs/3.png")
    write(root / "labels.csv", "file,label", ["cats/1.png,x", "cats/2.png,x", "dogs/3.png,y"])
    table = data.read_table(root)
    assert table.ids.tolist() == ["cats/1.png", "dogs/3.png"]
    assert [item.id for item in table.set_aside] == ["cats/2.png"]


def test_few_of_the_pictures_of_a_long_table_are_enough(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"im_{number}.png" for number in range(6)))
    write(root / "all.csv", "image_id,dx,age", [f"im_{n},{'ab'[n % 2]},{n % 7}" for n in range(400)])
    table = data.read_table(root)
    assert len(table) == 6 and set(labels_by_id(table).values()) == {"a", "b"}
    [lost] = [item for item in table.findings if item.kind == "rows-without-picture"]
    assert "394 name none" in lost.summary


def test_numbers_that_repeat_are_no_names_of_pictures(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"{'xy'[n % 2]}/{n}.png" for n in range(8)))
    write(root / "patients.csv", "age,sex", [f"{n % 8},{'mf'[n % 2]}" for n in range(40)])
    table = data.read_table(root)
    assert set(labels_by_id(table).values()) == {"x", "y"}
    assert [item.kind for item in table.findings] == ["table-not-used"]


def test_a_table_in_a_sub_folder_and_one_of_another_format_are_found(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "images/a.png", "images/b.png", "images/c.png", "images/d.png")
    (root / "annotations").mkdir()
    lines = [f'{{"path": "../images/{name}.png", "label": "{"xy"[n % 2]}"}}' for n, name in enumerate("abcd")]
    (root / "annotations/labels.jsonl").write_text("\n".join(lines))
    expected = {"images/a.png": "x", "images/b.png": "y", "images/c.png": "x", "images/d.png": "y"}
    assert labels_by_id(data.read_table(root)) == expected
    assert labels_by_id(data.read_table(root / "annotations/labels.jsonl")) == expected


def test_a_table_given_itself_finds_pictures_by_their_stems(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *NAMES)
    write(root / "table.csv", "nummer,befund", [f"{Path(path).stem},{label}" for path, label in EXPECTED.items()])
    assert labels_by_id(data.read_table(root / "table.csv")) == EXPECTED


def test_a_table_beside_the_folder_is_used_where_folders_say_nothing(tmp_path: Path) -> None:
    root = draw(tmp_path / "photos", "a.png", "b.png", "c.png", "d.png")
    write(tmp_path / "labels.csv", "photo,label", ["a,x", "b,y", "c,x", "d,y"])
    table = data.read_table(root)
    assert labels_by_id(table) == {"a.png": "x", "b.png": "y", "c.png": "x", "d.png": "y"}
    assert kinds(table) == ["table-above"]


def test_a_table_beside_a_folder_of_classes_is_pointed_out(tmp_path: Path) -> None:
    root = draw(tmp_path / "photos", "p/a.png", "q/b.png")
    write(tmp_path / "labels.csv", "photo,label", ["a,x", "b,y"])
    table = data.read_table(root)
    assert labels_by_id(table) == {"p/a.png": "p", "q/b.png": "q"} and kinds(table) == ["table-above"]
    assert labels_by_id(data.read_table(root, parse(ReadOptions, label="label"))) == {"p/a.png": "x", "q/b.png": "y"}


def test_tables_for_training_and_test_are_both_read(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"images/{name}.png" for name in "abcdef"))
    write(root / "train_labels.csv", "id,label", ["a,x", "b,y", "c,x", "d,y"])
    write(root / "test_labels.csv", "id,label", ["e,x", "f,y"])
    table = data.read_table(root)
    assert len(table) == 6 and table.splits.tolist().count("test") == 2


def test_a_test_table_without_labels_is_named_and_left_out(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"images/{name}.png" for name in "abcdef"))
    write(root / "train.csv", "id,label", ["a,x", "b,y", "c,x", "d,y"])
    write(root / "test.csv", "id,age", ["e,3", "f,4"])
    table = data.read_table(root)
    assert len(table) == 4
    [finding] = [item for item in table.findings if item.kind == "table-not-used"]
    assert "test.csv" in finding.summary and "no label column" in finding.summary


def test_of_several_tables_the_one_with_most_pictures_is_used(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"images/{name}.png" for name in "abcdef"))
    write(root / "draft.csv", "id,label", ["a,y", "b,x"])
    write(root / "final.csv", "id,label", ["a,x", "b,y", "c,x", "d,y", "e,x", "f,y"])
    table = data.read_table(root)
    assert len(table) == 6 and labels_by_id(table)["images/a.png"] == "x"
    [finding] = [item for item in table.findings if item.kind == "table-not-used"]
    assert "draft.csv" in finding.summary and "final.csv" in finding.summary


def test_tables_of_parts_are_put_together(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "p1/a.png", "p1/b.png", "p2/a.png", "p2/b.png")
    for part in ("p1", "p2"):
        write(root / part / "labels.csv", "id,label", ["a,x", "b,y"])
    assert len(data.read_table(root)) == 4


def test_predictions_that_lie_in_the_folder_are_no_labels(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "x/a.png", "x/b.png", "y/c.png", "y/d.png")
    header = "input,label,probability,label_2,probability_2,answer,set,reason"
    write(root / "predictions.csv", header, [f"data/x/{name}.png,y,0.9,x,0.1,y,y,sure" for name in "ab"])
    write(root / "test_predictions.csv", "id,label,predicted,p(x),p(y),answer,set,reason", ["x/a.png,x,y,0,1,y,y,sure"])
    table = data.read_table(root)
    assert labels_by_id(table)["x/a.png"] == "x" and kinds(table) == ["table-not-used"] * 2
    assert "answers of a model" in table.findings[0].summary


def test_a_table_of_rows_to_label_counts_where_it_is_filled(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"{name}.png" for name in "abcd"))
    rows = ["a.png,x,unsure,y,50 %", "b.png,y,unsure,y,50 %", "c.png,x,unsure,y,50 %", "d.png,,unsure,y,50 %"]
    write(root / "to_label.csv", "file_name,label,why,guess,sure", rows)
    table = data.read_table(root)
    assert len(table) == 3 and "guess" not in table.metadata
    assert [(item.id, item.reason) for item in table.set_aside] == [
        ("to_label.csv:5", "its label is not filled in yet")
    ]


def test_a_table_of_which_no_cell_matches_is_named(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "x/a.png", "y/b.png")
    write(root / "notes.csv", "who,what", ["ana,weather"])
    table = data.read_table(root)
    assert kinds(table) == ["table-not-used"] and "'ana'" in table.findings[0].summary


def test_several_columns_that_may_be_labels_are_named(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"images_part_{n % 2}/im{n}.png" for n in range(6)))
    write(root / "meta.csv", "image_id,sex,site", [f"im{n},{'mf'[n % 2]},{'ns'[n // 3]}" for n in range(6)])
    table = data.read_table(root)
    assert table.labels is None
    assert any("sex, site may be" in finding.summary for finding in table.findings)
    assert set(labels_by_id(data.read_table(root, parse(ReadOptions, label="site"))).values()) == {"n", "s"}
    with pytest.raises(UnknownName):
        data.read_table(root, parse(ReadOptions, label="sity"))


def test_a_column_of_ones_for_each_class_is_read(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", *(f"im{n}.png" for n in range(6)))
    write(
        root / "truth.csv",
        "image,MEL,NV,BCC",
        [f"im{n},{n % 3 == 0:d}.0,{n % 3 == 1:d}.0,{n % 3 == 2:d}.0" for n in range(6)],
    )
    table = data.read_table(root)
    assert len(table) == 6 and labels_by_id(table)["im1.png"] == "NV"


def test_an_unreadable_table_among_others_does_not_stop_the_folder(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "x/a.png", "y/b.png")
    (root / "broken.xlsx").write_bytes(b"PK no workbook")
    (root / "empty.csv").write_bytes(b"")
    table = data.read_table(root)
    assert len(table) == 2 and kinds(table) == ["table-not-used"] * 2


def test_a_table_of_pictures_to_predict_may_name_them_by_stems(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "in/a.png", "in/b.png")
    write(root / "ask.csv", "image_id,age", ["b,1", "a,2", "zz,3"])
    inputs = data.read_ordered_inputs([root / "ask.csv"], "image", {"file": "image_id"}, {})
    assert [name for name, _ in inputs.order] == ["in/b.png", "in/a.png", "zz"]
    assert inputs.order[2][1] is None


@pytest.mark.parametrize(
    "names", [("tr", "te", "hi"), ("tr", "te"), ("dev", "tr"), ("train", "test", "bus"), ("tr", "te", "val")]
)
def test_folders_that_hold_pictures_directly_are_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    table = data.read_table(draw(tmp_path / "data", *(f"{name}/{n}.png" for name in names for n in range(2))))
    assert set(labels_by_id(table).values()) == set(names) and set(table.splits) == {""}


@pytest.mark.parametrize(
    "names", [("tr", "te"), ("train", "val", "test"), ("TRAIN", "TEST"), ("tr", "dev"), ("train", "test", "extra")]
)
def test_folders_of_class_folders_are_splits_where_two_of_a_family_stand_together(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    table = data.read_table(
        draw(tmp_path / "data", *(f"{name}/{kind}/1.png" for name in names for kind in ("en", "hi")))
    )
    assert set(labels_by_id(table).values()) == {"en", "hi"} and "train" in table.splits


def test_regions_with_folders_below_are_classes_though_two_are_called_like_splits(tmp_path: Path) -> None:
    files = [f"{name}/{year}/1.png" for name in ("tr", "te", "hi", "en") for year in ("2020", "2021")]
    assert set(labels_by_id(data.read_table(draw(tmp_path / "data", *files))).values()) == {"tr", "te", "hi", "en"}


def test_folders_of_series_are_read_by_the_same_rule(tmp_path: Path) -> None:
    steps = "".join(f"{number}\n" for number in range(20))
    for name in ("tr/rust/1.csv", "te/rust/2.csv", "tr/scab/3.csv", "te/scab/4.csv"):
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_text("value\n" + steps)
        flat = tmp_path / "b" / Path(name).parts[0] / Path(name).name
        flat.parent.mkdir(parents=True, exist_ok=True)
        flat.write_text("value\n" + steps)
    assert set(data.read_table(tmp_path / "a").splits) == {"train", "test"}
    assert set(labels_by_id(data.read_table(tmp_path / "b")).values()) == {"tr", "te"}


def test_a_folder_without_any_label_says_that_a_column_was_asked_for(tmp_path: Path) -> None:
    root = draw(tmp_path / "data", "x/a.png", "y/b.png")
    write(root / "notes.csv", "who,what", ["ana,weather"])
    with pytest.raises(DataError, match="no table beside the images") as caught:
        data.read_table(root, parse(ReadOptions, label="what"))
    assert "notes.csv was not used" in caught.value.hint
