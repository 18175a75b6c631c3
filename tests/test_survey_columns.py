"""Exports of KoboToolbox and ODK: groups before names, added columns, several answers, photos elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart import data
from headstart.errors import UnknownName
from headstart.options import ReadOptions, parse

HEAD = "start;feedback/comment;feedback/needs;feedback/needs/water;feedback/needs/food;feedback/photo;feedback/topic;"
ADDED = "_id;_uuid;_submission_time;_submitted_by;_index"
ODK = "SubmissionDate,feedback-comment,feedback-topic,meta-instanceID,KEY\n"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    rows = [
        f"2026-05-0{n};the pump number {n} is broken again;water food;{n % 2};{n % 3 // 2};p{n}.jpg;{'ab'[n % 2]};"
        f"{n};u{n};2026-05-0{n}T10:00:00;team;{n}"
        for n in range(1, 9)
    ]
    path = tmp_path / "export.csv"
    path.write_text("\n".join([HEAD + ADDED, *rows]), encoding="utf-8")
    return path


def read(path: Path, **options: object) -> data.Table:
    return data.read_table(path, parse(ReadOptions, **options))


def test_the_answers_of_a_survey_are_read_although_it_names_photos(export: Path) -> None:
    table = read(export, label=("topic",))
    assert table.modality == "text" and table.columns == {
        "text": "feedback/comment", "label": "feedback/topic", "id": "_id",
    }  # fmt: skip
    assert set(table.metadata) == {
        "feedback/needs", "feedback/needs/water", "feedback/needs/food", "feedback/photo", "_submitted_by",
    }  # fmt: skip


def test_a_question_with_several_answers_is_read_from_the_columns_of_its_options(export: Path) -> None:
    table = read(export, label=("needs",), text=("comment",))
    assert table.task == "multi-label" and set(table.target_names) == {"water", "food"}


def test_photos_that_lie_beside_the_survey_are_read(export: Path) -> None:
    from PIL import Image

    for n in range(1, 9):
        Image.new("RGB", (40, 40), (20 * n, 10, 200 - 20 * n)).save(export.parent / f"p{n}.jpg")
    assert read(export, label=("topic",)).modality == "image"


def test_odk_writes_groups_with_a_dash(tmp_path: Path) -> None:
    rows = [f"2026-05-0{n},the pump number {n} is broken again,{'ab'[n % 2]},uuid:{n},uuid:{n}" for n in range(1, 9)]
    (tmp_path / "odk.csv").write_text(ODK + "\n".join(rows), encoding="utf-8")
    table = read(tmp_path / "odk.csv", text=("comment",), label=("topic",))
    assert table.columns["text"] == "feedback-comment" and not table.metadata


def test_a_name_that_two_groups_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a/name,b/name,text\nx,y,the pump is broken\n" * 2, encoding="utf-8")
    with pytest.raises(UnknownName, match="a/name"):
        read(tmp_path / "a.csv", label=("name",))
