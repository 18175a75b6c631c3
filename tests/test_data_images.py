"""Folders of pictures, tables beside them and zips of either are read, and bad files are set aside by name."""

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart import checks, data
from headstart.errors import DataError
from headstart.options import ReadOptions, parse
from headstart.records import Table


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HEADSTART_HOME", str(home))
    return home


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed, len(path.name)]).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def folders(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        picture(root / name, number)
    return root


def summary(table: Table) -> list[tuple[str, str, str]]:
    labels = table.labels if table.labels is not None else [""] * len(table)
    return list(zip(table.ids, labels, table.splits, strict=True))


def test_a_folder_per_class_is_read_in_a_stable_order(tmp_path: Path) -> None:
    root = folders(tmp_path / "leaves", "rust/b.jpg", "rust/a.png", "healthy/deep/c.jpg")
    (root / "rust/Thumbs.db").write_bytes(b"x")
    (root / "rust/.hidden.jpg").write_bytes(b"x")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX/a.jpg").write_bytes(b"x")
    table = data.read_table(root)
    assert summary(table) == [
        ("healthy/deep/c.jpg", "healthy", ""),
        ("rust/a.png", "rust", ""),
        ("rust/b.jpg", "rust", ""),
    ]
    assert table.findings == () and table.set_aside == () and table.modality == "image"


def test_split_folders_above_the_classes_are_read(tmp_path: Path) -> None:
    root = folders(tmp_path, "train/x/a.jpg", "Validation/x/b.jpg", "test/y/c.jpg", "test/loose.jpg")
    table = data.read_table(root)
    assert summary(table) == [
        ("Validation/x/b.jpg", "x", "train"),
        ("test/y/c.jpg", "y", "test"),
        ("train/x/a.jpg", "x", "train"),
    ]
    assert [item.id for item in table.set_aside] == ["test/loose.jpg"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    table = data.read_table(folders(tmp_path, "train/a.jpg", "bus/b.jpg"))
    assert summary(table) == [("bus/b.jpg", "bus", ""), ("train/a.jpg", "train", "")]


@pytest.mark.parametrize("column", ["file", "file_name"])
def test_the_table_beside_the_pictures_wins_over_the_folders(tmp_path: Path, column: str) -> None:
    root = folders(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    rows = [
        f"{column};label;site;split",
        "a/1.jpg;x;north;train",
        "a\\2.jpg;y;south;test",
        "3.jpg;x;north;",
        "no.jpg;y;;",
    ]
    (root / "metadata.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    table = data.read_table(root)
    assert summary(table) == [("a/1.jpg", "x", "train"), ("a/2.jpg", "y", "test"), ("b/3.jpg", "x", "")]
    assert table.metadata["site"].tolist() == ["north", "south", "north"]
    assert [(item.id, item.reason) for item in table.set_aside] == [("no.jpg", "the file is not there")]
    assert [(finding.kind, finding.rows) for finding in table.findings] == [
        ("rows-without-picture", ()),
        ("not-listed", ("b/4.jpg",)),
    ]
    assert table.findings[0].summary.startswith("3 of 4 rows of metadata.csv name an image by ")


def test_a_table_without_labels_leaves_them_to_the_folders(tmp_path: Path) -> None:
    root = folders(tmp_path, "train/x/1.jpg", "test/y/2.jpg")
    (root / "metadata.jsonl").write_text('{"file_name": "train/x/1.jpg", "age": 3}\n{"file_name": "test/y/2.jpg"}')
    table = data.read_table(root)
    assert summary(table) == [("train/x/1.jpg", "x", "train"), ("test/y/2.jpg", "y", "test")]
    assert table.metadata["age"].tolist() == ["3", ""]


def test_a_table_in_each_split_folder_is_read(tmp_path: Path) -> None:
    root = folders(tmp_path, "train/1.jpg", "test/2.jpg")
    (root / "train/metadata.csv").write_text("file_name,label\n1.jpg,x\n")
    (root / "test/metadata.csv").write_text("file_name,label\n2.jpg,y\n")
    assert sorted(summary(data.read_table(root))) == [("test/2.jpg", "y", "test"), ("train/1.jpg", "x", "train")]


def test_a_listed_path_never_leaves_the_folder(tmp_path: Path) -> None:
    picture(tmp_path / "secret.jpg")
    root = folders(tmp_path / "data", "1.jpg")
    (root / "metadata.csv").write_text(f"file_name,label\n1.jpg,x\n../secret.jpg,x\n{tmp_path}/secret.jpg,x\n")
    table = data.read_table(root)
    assert table.ids.tolist() == ["1.jpg"] and len(table.set_aside) == 2


def test_corrupt_and_empty_files_are_set_aside_and_other_files_counted(tmp_path: Path) -> None:
    root = folders(tmp_path, "a/1.jpg", "b/2.jpg")
    (root / "a/zero.jpg").write_bytes(b"")
    (root / "a/text.png").write_bytes(b"hello")
    (root / "a/phone.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 20)
    (root / "notes.docx").write_bytes(b"x")
    table = data.read_table(root)
    reasons = {item.id: item.reason for item in table.set_aside}
    assert reasons["a/zero.jpg"] == "the file is empty" and "not an image" in reasons["a/text.png"]
    assert "HEIC" in reasons["a/phone.heic"]
    assert [finding.kind for finding in table.findings] == ["other-files"]
    found = {finding.kind: finding for finding in checks.check_table(table)}
    assert len(found["corrupt"].rows) == 3


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_zip_is_unpacked_in_our_own_folder(tmp_path: Path, own_home: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"top/x/1.jpg": jpeg(), "top/y/2.jpg": jpeg(), "__MACOSX/top/x/._1.jpg": b"x"})
    for _ in range(2):
        table = data.read_table(path)
        assert summary(table) == [("top/x/1.jpg", "x", ""), ("top/y/2.jpg", "y", "")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]
    assert len(list((own_home / "unpacked").iterdir())) == 1 and table.inputs[0].is_relative_to(own_home)


@pytest.mark.parametrize("name", ["../evil.jpg", "x/../../evil.jpg", "/etc/evil.jpg", "..\\evil.jpg", "C:\\evil.jpg"])
def test_a_zip_member_may_not_leave_the_folder(tmp_path: Path, own_home: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"points? outside of it"):
        data.read_table(zipped(tmp_path / "a.zip", {"x/1.jpg": jpeg(), name: jpeg()}))
    assert not list(tmp_path.rglob("evil*")) and not list(own_home.rglob("*.jpg"))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("x/1.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match=r"points? outside of it"):
        data.read_table(path)


def test_a_zip_bomb_and_a_damaged_zip_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="which is too large"):
        data.read_table(zipped(tmp_path / "a.zip", {"x/1.jpg": b"\x00" * (70 * 2**20)}))
    (tmp_path / "b.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="is damaged"):
        data.read_table(tmp_path / "b.zip")
    whole = zipped(tmp_path / "c.zip", {"x/1.jpg": jpeg() * 50}).read_bytes()
    (tmp_path / "c.zip").write_bytes(whole[:60] + b"\x00" * 30 + whole[90:])
    with pytest.raises(DataError, match="is damaged"):
        data.read_table(tmp_path / "c.zip")


def test_a_zip_of_a_table_is_read(tmp_path: Path) -> None:
    table = data.read_table(zipped(tmp_path / "a.zip", {"messages.csv": b"text,label\na,x\nb,y\n"}))
    assert table.modality == "text" and len(table) == 2


def test_asking_for_a_column_where_there_is_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table beside the images"):
        data.read_table(folders(tmp_path, "a/1.jpg", "b/2.jpg"), parse(ReadOptions, label="species"))


def test_pictures_to_predict_come_in_a_stable_order_with_the_path_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path, "in/b.jpg", "in/a/c.jpg", "single.jpg")
    (tmp_path / "in/zero.jpg").write_bytes(b"")
    zipped(tmp_path / "z.zip", {"q.jpg": jpeg()})
    monkeypatch.chdir(tmp_path)
    table = data.read_inputs([Path("single.jpg"), Path("in"), Path("z.zip")], "image", {})
    assert table.ids.tolist() == ["single.jpg", "in/a/c.jpg", "in/b.jpg", "z.zip/q.jpg"]
    assert [item.id for item in table.set_aside] == ["in/zero.jpg"] and table.labels is None


def test_the_same_picture_twice_has_two_ids_and_one_hash(tmp_path: Path) -> None:
    one = picture(tmp_path / "a.jpg")
    table = data.from_arrays([one, one], ["x", "y"])
    assert len(set(table.ids)) == 2 and len(set(table.hashes)) == 1 and table.modality == "image"
    assert data.from_arrays([str(one)], ["x"]).modality == "image"


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("x")
    with pytest.raises(DataError, match="holds no images, texts, tables or series"):
        data.read_table(tmp_path)
