"""Codes of answers: in the user's own table, and in a form of KoboToolbox; a code of a person is never changed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient
from tests.hub_server import FAST
from tests.kobo_server import ASSET, SURVEY, TOKEN, FakeKobo, serve_kobo
from typer.testing import CliRunner

from headstart import flow
from headstart.bases.downloads import settings
from headstart.cli.main import app
from headstart.errors import DataError, HeadstartError, OptionError, UnknownName
from headstart.flow.connecting import kobo as kobo_flow
from headstart.flow.connecting import kobo_server
from headstart.flow.connecting.settings import ConnectSettings
from headstart.options import ConnectKoboOptions, PredictFileOptions, ServeOptions, parse
from headstart.web.app import build_app
from headstart.web.models import open_models

BUNDLE = Path(__file__).parent / "data" / "home-0.2.0" / "bundle"
SURE = "No books in class, again"
"""A text that the bundle is sure about: school."""


def make_submissions() -> list[dict[str, Any]]:
    return [
        {
            "_id": number,
            "_uuid": f"u{number}",
            "_submission_time": f"2026-05-{number:02}T10:00:00",
            "feedback/comment": SURE,
        }
        for number in range(1, 9)
    ]


@pytest.fixture
def kobo(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKobo]:
    monkeypatch.setenv("KOBO_TOKEN", TOKEN)
    monkeypatch.setattr(settings, "SETTINGS", FAST)
    for module in (kobo_flow, kobo_server):
        limits = ConnectSettings(page_rows=3, patch_rows=3, stall_seconds=0.4, attempts=3)
        monkeypatch.setattr(module, "SETTINGS", limits)
    with serve_kobo(FakeKobo(make_submissions())) as server:
        yield server


def connect(kobo: FakeKobo, out: Path | None = None, **options: Any) -> Any:
    given = {"url": kobo.url, "asset": ASSET, "question": "comment", "runtime": "onnx", **options}
    return flow.connect_kobo(BUNDLE, out, parse(ConnectKoboOptions, **given))


def test_answers_of_a_form_are_coded_and_the_codes_stand_in_it(kobo: FakeKobo, tmp_path: Path) -> None:
    kobo.submissions[0] |= {"feedback/code": "water", "feedback/coded_by": "Amina"}
    kobo.submissions[1] |= {"feedback/comment": "  "}
    kobo.submissions[2] |= {"feedback/code": "old", "feedback/coded_by": "m, Headstart 0.4.0"}
    outcome = connect(kobo, tmp_path / "codes.csv")
    assert (outcome.n_submissions, len(outcome.coded), len(outcome.failed)) == (8, 5, 0)
    assert outcome.counts == {"of a person": 1, "empty": 1, "of a model": 1}
    assert kobo.submissions[0]["feedback/code"] == "water" and kobo.submissions[2]["feedback/code"] == "old"
    last = kobo.submissions[-1]
    assert last["feedback/code"] == "school" and last["feedback/coded_by"].startswith("home-0.2.0, Headstart ")
    assert 0 < float(last["feedback/certainty"]) < 1 and last["feedback/coded_at"].endswith("Z")
    assert [len(change["submission_ids"]) for change in kobo.changes] == [3, 2]
    with (tmp_path / "codes.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["id"] for row in rows] == ["4", "5", "6", "7", "8"] and {row["state"] for row in rows} == {"written"}
    assert connect(kobo).coded == []
    assert len(connect(kobo, again=True).coded) == 6


def test_a_server_that_waits_stalls_breaks_and_repeats_rows_is_asked_until_all_is_coded(kobo: FakeKobo) -> None:
    kobo.acts["GET"] = ["503", "", "wait:0", "", "twice", "stall"]
    kobo.acts["PATCH"] = ["stall", "", "502"]
    outcome = connect(kobo)
    assert (outcome.n_submissions, len(outcome.coded)) == (8, 8)
    assert all(row["feedback/code"] == "school" for row in kobo.submissions)


def test_nothing_is_changed_in_a_dry_run_and_since_leaves_out_what_is_older(kobo: FakeKobo, tmp_path: Path) -> None:
    kobo.survey = [row for row in SURVEY if "code" not in row.get("name", "")]
    outcome = connect(kobo, tmp_path / "c.csv", dry_run=True, since="2026-05-07")
    assert ([item.id for item in outcome.coded], kobo.changes) == ([7, 8], [])
    assert "not sent" in (tmp_path / "c.csv").read_text()


def test_a_submission_that_the_server_does_not_change_is_named(kobo: FakeKobo, tmp_path: Path) -> None:
    kobo.acts["PATCH"] = ["fail"]
    arguments = ["connect", "kobo", str(BUNDLE), "--url", kobo.url, "--asset", ASSET, "--question", "feedback/comment"]
    done = CliRunner().invoke(app, [*arguments, "--runtime", "onnx", "--json", "-o", str(tmp_path / "c.csv")])
    document = json.loads(done.stdout)
    assert done.exit_code == 2 and [item["id"] for item in document["failed"]] == ["1", "2", "3"]
    assert "locked" in document["failed"][0]["reason"]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"asset": "aOther"}, UnknownName, "no form aOther"),
        ({"asset": "a/../b"}, OptionError, "not the identifier"),
        ({"url": "http://example.org"}, OptionError, "may be sent to"),
        ({"question": "remark"}, OptionError, "several times"),
        ({"question": "comments"}, UnknownName, "feedback/comment"),
        ({"code_question": "sector"}, OptionError, "hidden from"),
        ({"since": "yesterday"}, OptionError, "2026-05-01"),
        ({"token_env": "KOBO_NOTHING"}, OptionError, "holds no token"),
    ],
)
def test_what_cannot_be_coded_is_refused_before_anything_is_changed(
    kobo: FakeKobo, options: dict[str, Any], kind: type[HeadstartError], words: str
) -> None:
    with pytest.raises(kind) as error:
        connect(kobo, **options)
    assert words in str(error.value) and not kobo.changes and TOKEN not in str(error.value)


def test_a_wrong_token_and_a_server_that_stays_away_end_in_two_lines(
    kobo: FakeKobo, monkeypatch: pytest.MonkeyPatch
) -> None:
    kobo.acts["GET"] = ["503"] * 3
    with pytest.raises(DataError, match="answers 503"):
        connect(kobo)
    monkeypatch.setenv("KOBO_TOKEN", "another")
    with pytest.raises(OptionError, match="does not accept the token in KOBO_TOKEN"):
        connect(kobo)


@pytest.fixture
def hooks(kobo: FakeKobo) -> Iterator[TestClient]:
    options = parse(ServeOptions, runtime="onnx", kobo_hook="comment", kobo_form=f"{kobo.url}/{ASSET}")
    with TestClient(build_app(open_models([BUNDLE], options), options, None), "http://127.0.0.1") as client:
        yield client


def test_submissions_that_a_form_sends_are_coded_once_and_never_over_a_person(
    kobo: FakeKobo, hooks: TestClient
) -> None:
    for _ in range(2):  # KoboToolbox sends a submission again when it had no answer in time.
        answer = hooks.post("/hooks/kobo", json=kobo.submissions[0]).json()
    assert answer["id"] == 1 and answer["code"] == "school" and kobo.submissions[0]["feedback/code"] == "school"
    sent = dict(kobo.submissions[1])
    kobo.submissions[1] |= {"feedback/code": "water", "feedback/coded_by": "Amina"}
    assert hooks.post("/hooks/kobo", json=sent).json()["code"] == "school"
    assert kobo.submissions[1]["feedback/code"] == "water"
    kobo.acts["PATCH"] = ["503"] * 3
    assert hooks.post("/hooks/kobo", json=kobo.submissions[2]).status_code == 200
    assert "feedback/code" not in kobo.submissions[2]
    assert hooks.post("/hooks/kobo", json={"_id": 4}).json()["code"] == ""
    for odd in ([], {"feedback/comment": SURE}, {"_id": "4"}, {"_id": True}):
        assert hooks.post("/hooks/kobo", json=odd).status_code == 422


def test_a_message_of_any_system_gets_its_code(hooks: TestClient) -> None:
    answer = hooks.post("/hooks/message", json={"id": "m-1", "text": SURE}).json()
    assert (answer["id"], answer["code"], answer["outcome"]) == ("m-1", "school", "answered")
    assert hooks.post("/hooks/message", json={"text": 7}).json()["answer"] is None
    assert hooks.post("/hooks/message", json={"id": "x"}).status_code == 422


def write_export(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Feedback"
    sheet.append(["start", "feedback/comment", "feedback/code", "feedback/coded_by", "_id", "_uuid", "_index"])
    for number, (code, by) in enumerate(
        [(None, None), ("water", "Amina"), ("old", "m, Headstart 0.4.0"), ("food", None)]
    ):
        sheet.append([f"2026-05-0{number + 1}", SURE, code, by, 100 + number, f"u{number}", number])
    book.create_sheet("people").append(["_index", "_parent_index"])
    book.save(path)


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_codes_go_into_the_columns_of_an_export_and_those_of_people_stay(tmp_path: Path, ending: str) -> None:
    write_export(tmp_path / "export.xlsx")
    options = parse(PredictFileOptions, text=("feedback/comment",), offline=True, runtime="onnx", layout="codes")
    out = tmp_path / f"coded.{ending}"
    flow.predict(BUNDLE, [tmp_path / "export.xlsx"], out, options)
    if ending == "xlsx":
        book = openpyxl.load_workbook(out)
        names, *rows = book["Feedback"].iter_rows(values_only=True)
        assert "people" in book.sheetnames
    else:
        names, *rows = csv.reader(out.read_text("utf-8").splitlines())
    coded = [dict(zip(names, row, strict=True)) for row in rows]
    assert list(names)[-2:] == ["feedback/certainty", "feedback/coded_at"] and len(names) == 9
    assert [row["feedback/code"] for row in coded] == ["school", "water", "school", "food"]
    assert coded[1]["feedback/coded_by"] == "Amina" and not coded[3]["feedback/coded_by"]
    assert coded[2]["feedback/coded_by"].startswith("home-0.2.0, Headstart ")
    assert coded[1]["_uuid"] == "u1" and not coded[1]["feedback/certainty"]


def test_codes_are_refused_where_there_is_no_one_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SURE)
    options = parse(PredictFileOptions, offline=True, runtime="onnx", layout="codes")
    with pytest.raises(OptionError, match="one table"):
        flow.predict(BUNDLE, [tmp_path / "a.txt", tmp_path / "a.txt"], tmp_path / "o.csv", options)
    with pytest.raises(OptionError, match="one table"):
        flow.predict(BUNDLE, [tmp_path / "a.txt"], None, options)
