"""Studio's screen Use: one text, a workbook and back into the same workbook, two rows reviewed, phones, others."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image
from tests.browser import CHROMIUM, browser
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.errors import DataError
from headstart.flow.using.collected import add_collected
from headstart.options import StudioOptions
from headstart.projects import ExampleFilter, NewLabel, Project
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.screens import use_sharing
from headstart.studio.server import make_policy

MODEL = Path(__file__).parent / "data" / "home-0.2.0"
TEXTS = ["The pump is broken", "No books in class, again", "zzz qqq"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "projects" / "water", "Water") as made:
        made.set_setting("modality", "text")
        for kind in json.loads((MODEL / "bundle" / "config.json").read_text("utf-8"))["classes"]:
            made.add_kind(kind)
        made.set_current_model(made.add_model(folder=MODEL, command="headstart adapt", state="done"))
        yield made


@pytest.fixture
def client(project: Project) -> TestClient:
    context = StudioContext(options=StudioOptions(folder=project.folder.parent), policy=make_policy(None, 8765))
    return TestClient(create_app(context), base_url="http://127.0.0.1", headers={"X-Headstart": "1"})


def send(client: TestClient, path: str, name: str, content: bytes) -> Any:
    return client.post(path, content=content, headers={"X-File-Name": quote(name, safe="")}).json()


def make_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "May"
    for row in (["Messages of May"], ["who", "text"], *([name, text] for name, text in zip("abc", TEXTS, strict=True))):
        sheet.append(row)
    sheet.column_dimensions["A"].width = 31
    book.create_sheet("Other").append(["untouched"])
    about = book.create_sheet("About", 0)
    for row in (["Notes"], ["of Amina"]):
        about.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_one_text_is_answered_and_a_wrong_answer_becomes_an_example(client: TestClient, project: Project) -> None:
    page = client.get("/p/water/use")
    assert page.status_code == 200 and 'id="one-form"' in page.text
    answer = client.post("/api/p/water/use/typed", json={"text": TEXTS[1]}).json()
    assert answer["headline"] == "school" and answer["guesses"][0]["label"] == "school"
    refused = client.post("/api/p/water/use/typed", json={"text": "  "}).json()
    assert refused["kind"] == "unusable" and refused["reason"] == "It has no letter, digit or emoji. Write words."
    body = {"key": answer["key"], "label": "water", "who": "Amina"}
    example = client.post("/api/p/water/use/correct", json=body).json()["example"]
    stored = project.get_example(example)
    assert (stored.label, stored.label_by, stored.text) == ("water", "Amina", TEXTS[1])
    unknown = client.post("/api/p/water/use/correct", json={**body, "label": "x"})
    assert unknown.status_code == 422 and project.count_examples() == 1


def test_answers_and_what_people_answered_come_back_in_the_same_workbook(client: TestClient, project: Project) -> None:
    n = client.post("/api/p/water/answers").json()["n"]
    send(client, f"/api/p/water/answers/{n}/files", "../messages May.xlsx", make_workbook())
    look = client.post(f"/api/p/water/answers/{n}/look", json={}).json()
    assert (look["n"], len(look["rows"]), look["run"]["name"]) == (3, 3, "messages May.xlsx")
    assert look["columns"]["text"] == "text" and look["choices"]["columns"] == ["who", "text"]
    assert (look["choices"]["sheets"], look["choices"]["sheet"]) == (["About", "May"], "May")
    wrong = client.post(f"/api/p/water/answers/{n}/look", json={"columns": {"text": "nope"}}).json()
    assert "nope" in wrong["problem"] and wrong["choices"]["columns"] == ["who", "text"]
    client.post(f"/api/p/water/answers/{n}/look", json={})
    client.post(f"/api/p/water/answers/{n}/start")
    (job,) = project.list_jobs()
    assert CliRunner().invoke(app, list(job.argv)).exit_code == 0
    project.update_job(job.id, state="done")
    (run,) = client.get("/api/p/water/answers").json()["runs"]
    assert run["n_rows"] == 3 and run["n_to_person"] == 2 and run["has_file"]

    source = client.post(f"/api/p/water/answers/{n}/review").json()["source"]
    waiting = project.list_examples(ExampleFilter(source=source))
    assert [item.name for item in waiting] == ["messages May.xlsx:3", "messages May.xlsx:5"]
    project.add_labels([NewLabel(example=waiting[0].id, label="water", who="Amina"),
                        NewLabel(example=waiting[1].id, answer="none", who="Amina")])  # fmt: skip
    assert client.post(f"/api/p/water/answers/{n}/save").json()["n"] == 2
    reply = client.get(f"/api/p/water/answers/{n}/download")
    assert "messages%20May%20answers.xlsx" in reply.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(reply.content))
    rows = list(book["May"].iter_rows(min_row=2, values_only=True))
    answers = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["answer"] for row in answers] == ["water", "school", "none of these"]
    assert [row["answered by"] for row in answers][::2] == ["Amina", "Amina"] and answers[1]["who"] == "b"
    assert book["Other"]["A1"].value == "untouched" and book["May"].column_dimensions["A"].width == 31


def test_files_for_others_and_errors_in_place(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = client.get("/api/p/water/elsewhere").json()
    assert about["n_checked"] == 15 and about["n_bytes"] > 1000 and "texts" in about["curl"]
    assert client.get("/api/p/water/elsewhere/bundle.zip").content[:2] == b"PK"
    assert client.get("/api/p/water/phones").json()["running"] is False
    assert client.post("/api/p/water/phones/page", json={}).json()["command"].startswith("headstart export ")
    assert client.get("/api/p/water/phones/page.zip").status_code == 404
    assert client.get("/api/p/water/answers/9/download").status_code == 422
    assert b"<svg" in use_sharing.draw_qr("http://192.168.1.20:8000/#token=x")


@pytest.fixture
def address(project: Project) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    context = StudioContext(options=StudioOptions(folder=project.folder.parent), policy=make_policy(None, port))
    server = uvicorn.Server(uvicorn.Config(create_app(context), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/p/water/use"
    server.should_exit = True
    thread.join(10)


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_a_person_asks_once_and_drops_a_workbook_on_a_phone_in_arabic(address: str, tmp_path: Path) -> None:
    (tmp_path / "May.xlsx").write_bytes(make_workbook())
    with browser(tmp_path / "profile") as tab:
        tab.size(360, 760)
        tab.open(f"{address}?language=ar")
        tab.until("document.body.dataset.ready === 'use'")
        tab.run(f"document.getElementById('one-text').value = {json.dumps(TEXTS[1])}")
        tab.run("document.querySelector('#one-form button').click()")
        assert tab.until("document.querySelector('.answer-word')?.textContent") == "school"
        tab.run("document.getElementById('tab-one').focus()")
        tab.key("ArrowLeft", 37)
        assert tab.run("document.getElementById('panel-many').hidden") is False
        tab.files("#many-files", tmp_path / "May.xlsx")
        tab.until("document.querySelectorAll('#many-preview li').length === 3")
        menus = "[...document.querySelectorAll('#many-columns select')].map(menu => menu.value).join()"
        assert tab.run(menus) == "May,text" and tab.run("document.querySelector('#many-drop').hidden")
        assert tab.run("document.documentElement.scrollWidth <= innerWidth && document.documentElement.dir") == "rtl"
        assert tab.troubles() == []


def test_new_examples_are_put_beside_the_check(client: TestClient, project: Project) -> None:
    key = client.post("/api/p/water/later").json()["key"]
    table = "text,label\n" + "".join(f'"{text} {row}",school\n' for row in range(4) for text in TEXTS)
    send(client, f"/api/p/water/later/{key}/files", "new.csv", table.encode())
    client.post(f"/api/p/water/later/{key}/start", json={})
    (job,) = project.list_jobs()
    assert CliRunner().invoke(app, list(job.argv)).exit_code == 0
    result = client.get(f"/api/p/water/later/{key}").json()
    assert result["done"] and result["n"] == 12 and result["is_labelled"] and result["right"]
    assert result["not_read"] == [] and isinstance(result["sentences"], list)
    assert client.get("/api/p/water/later/..").status_code in (404, 422)


def test_what_a_phone_collected_becomes_examples(project: Project, tmp_path: Path) -> None:
    entries = [
        {"time": "2030-01-01T10:00", "text": "no water since monday", "label": "water", "who": "Amina"},
        {"time": "2030-01-01T10:01", "text": "something else"},
        {"time": "2030-01-01T10:02", "text": 7},
    ]
    path = tmp_path / "phone.json"
    document = {"kind": "headstart-collected", "format": 1, "modality": "text", "entries": entries}
    path.write_text(json.dumps(document), encoding="utf-8")
    counts = add_collected(project, path)
    assert (counts.n_added, counts.n_labelled, counts.n_unusable) == (2, 1, 1)
    assert add_collected(project, path).n_added == 2 and project.count_examples() == 2
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="not the file of a page"):
        add_collected(project, path)


def test_a_photo_of_a_phone_is_stored_under_its_content(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(buffer, "JPEG")
    picture = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    path = tmp_path / "phone.json"
    entries = [{"time": "../../x", "picture": picture, "label": "rust", "who": ""}]
    document = {"kind": "headstart-collected", "format": 1, "modality": "image", "entries": entries}
    path.write_text(json.dumps(document), encoding="utf-8")
    with Project.create(tmp_path / "leaves", "Leaves") as project:
        project.set_setting("modality", "image")
        project.add_kind("rust")
        assert add_collected(project, path).n_labelled == 1
        (example,) = project.list_examples()
        assert example.path is not None and example.path.read_bytes() == buffer.getvalue()
        assert example.path.parent == project.folder / "originals" and example.label == "rust"
