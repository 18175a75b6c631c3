"""Studio: who may ask, the languages of its pages, projects as a whole, and the settings."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from headstart.errors import DataError, HeadstartError
from headstart.flow.projects import copying
from headstart.options import StudioOptions
from headstart.projects import NewExample, Project
from headstart.report.messages import LANGUAGES
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.preferences import read_preferences
from headstart.studio.server import make_policy

HERE = "http://127.0.0.1"
TOKEN = "a-token-of-sixteen-or-more"
OURS = {"X-Headstart": "1"}
PAGES = ("", "bin", "settings", "p/farm/examples", "p/farm/label", "p/farm/learn", "p/farm/check", "p/farm/use")
pytestmark = pytest.mark.usefixtures("fresh_home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Project.create(tmp_path / "projects" / "farm", "Farm <b>& co</b>") as project:
        photo = tmp_path / "photo.jpg"
        photo.write_bytes(b"no photo")
        rows = [
            NewExample(name=f"m{n}", content_hash=f"{n:064}", text=f"text {n}", label="ab"[n % 2]) for n in range(6)
        ]
        project.add_examples([*rows, NewExample(name="photo.jpg", content_hash="f" * 64, path=photo)])
    return tmp_path / "projects"


def make_client(folder: Path, token: str | None = None, network: str = "", **headers: str) -> TestClient:
    context = StudioContext(options=StudioOptions(folder=folder), policy=make_policy(token, 8765, network))
    return TestClient(create_app(context), base_url=HERE, headers=headers or OURS, follow_redirects=False)


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    yield make_client(folder)


def finish(client: TestClient, response: Any) -> Any:
    task, stop = response.json()["task"], time.monotonic() + 20
    while not (state := client.get(f"/api/tasks/{task}").json())["is_done"]:
        assert time.monotonic() < stop
        time.sleep(0.02)
    if state["error"]:
        raise HeadstartError(**state["error"])
    return state["result"]


def test_names_of_other_sites_and_their_pages_are_refused(client: TestClient) -> None:
    assert client.get("/settings").status_code == 200
    assert client.get("/settings", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/settings", headers={"Host": "localhost:8765"}).status_code == 200
    body = {"name": "x"}
    assert client.post("/api/projects", json=body, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/projects", json=body, headers={"Origin": "null"}).status_code == 403
    client.headers.pop("X-Headstart")
    assert client.post("/api/projects", json=body).status_code == 403
    assert client.request("OPTIONS", "/api/projects").status_code == 403
    assert client.get("/settings").status_code == 200


def test_pages_allow_no_script_or_style_of_their_own(client: TestClient) -> None:
    for page in PAGES:
        answer = client.get(f"/{page}?language=en")
        assert answer.status_code == 200, page
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))", answer.text)
        assert scripts == [] and not re.search(r"\sstyle=|\son\w+=|https?://", answer.text.split("<main", 1)[0]), page
        assert "<b>&" not in answer.text
        for words in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', answer.text, re.DOTALL):
            json.loads(words)


def test_no_path_of_a_browser_touches_the_disk(client: TestClient, folder: Path) -> None:
    Project.create(folder.parent / "outside").close()
    for path in ("%2e%2e", "..%2Foutside", "..%2Ffarm", "%2Fetc", "farm%00", ".bin", "C%3A", "farm%2F..%2Ffarm"):
        for address in (f"/p/{path}/check", f"/api/p/{path}/jobs", f"/static/{path}"):
            assert client.get(address).status_code in (404, 405, 422), address
        assert client.post(f"/api/p/{path}/delete", json={}).status_code in (404, 405)
        assert client.post("/api/bin/erase", json={"id": path}).status_code == 422


def test_a_shared_studio_asks_for_its_code_and_keeps_it_in_a_cookie(folder: Path) -> None:
    client = make_client(folder, TOKEN, "192.168.1.20", Accept="text/html", **OURS)
    assert client.get("/settings").headers["location"] == "/enter"
    assert client.get("/enter").status_code == client.get("/static/enter.js").status_code == 200
    assert client.get("/api/p/farm/jobs").status_code == 303
    assert client.post("/api/projects", json={"name": "x"}).status_code == 401
    assert client.post("/api/enter", headers={"Authorization": "Bearer wrong-token-of-some-length"}).status_code == 401
    entered = client.post("/api/enter", headers={"Authorization": f"Bearer {TOKEN}"})
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/settings").status_code == 200
    assert client.get("/settings", headers={"Host": "192.168.1.20:8765"}).status_code == 200
    assert client.get("/settings", headers={"Host": "evil.example"}).status_code == 421


def test_the_first_start_asks_for_the_language_once(client: TestClient) -> None:
    first = client.get("/").text
    assert all(f'data-language="{code}"' in first for code in LANGUAGES) and first.count("<strong>") == len(LANGUAGES)
    assert client.post("/api/language", json={"language": "de"}).status_code == 422
    client.post("/api/language", json={"language": "ar"})
    page = client.get("/").text
    assert '<html lang="ar" dir="rtl">' in page and "data-project-card" in page
    client.cookies.clear()
    assert '<html lang="ar" dir="rtl">' in client.get("/").text
    assert '<html lang="sw" dir="ltr">' in client.get("/settings?language=sw").text


def test_a_project_is_made_named_deleted_and_taken_back(client: TestClient, folder: Path) -> None:
    made = client.post("/api/projects", json={"name": "Maïs: 2024/../x"}).json()["id"]
    assert (folder / made).is_dir() and made == "Maïs-2024-x"
    assert client.post("/api/projects", json={"name": " "}).status_code == 422
    assert client.post(f"/api/p/{made}/rename", json={"name": "Leaves"}).json() == {"name": "Leaves"}
    deleted = client.post(f"/api/p/{made}/delete").json()["id"]
    assert not (folder / made).exists() and "Leaves" in client.get("/bin?language=en").text
    assert client.get(f"/p/{made}/check").status_code == 404
    assert client.post("/api/bin/restore", json={"id": deleted}).json() == {"id": made}
    assert "Leaves" in client.get("/?language=en").text
    again = client.post(f"/api/p/{made}/delete").json()["id"]
    client.post("/api/bin/erase", json={"id": again})
    assert copying.list_bin(folder) == []


def test_a_project_leaves_as_a_zip_and_comes_back_whole(client: TestClient, folder: Path) -> None:
    project = Project.open(folder / "farm")
    job = project.add_job("adapt", ["adapt", "/somewhere"])
    file = finish(client, client.post("/api/p/farm/export"))["file"]
    archive = client.get(f"/api/p/farm/export/{file}").content
    assert client.get(f"/api/p/farm/export/{file}").status_code == 422
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert "project.sqlite" in names and "originals/outside-7.jpg" in names and "labels.csv" in names
    made = finish(client, client.post("/api/import", content=archive))["id"]
    with Project.open(folder / made) as copy:
        assert (copy.name, copy.count_labels()) == (project.name, project.count_labels())
        assert copy.get_example(7).path == folder / made / "originals" / "outside-7.jpg"
        assert copy.get_job(job).state == "cancelled"
    twin = finish(client, client.post("/api/p/farm/copy"))["id"]
    with Project.open(folder / twin) as copy:
        assert copy.count_examples() == 7 and copy.name.endswith(project.name)
    project.close()


def test_a_hostile_zip_writes_nothing(folder: Path, tmp_path: Path) -> None:
    with Project.open(folder / "farm") as project:
        copying.export_project(project, tmp_path / "ours.zip")
    for name in ("../evil.txt", "/evil.txt", "a\\..\\..\\evil.txt", "C:evil.txt"):
        shutil.copy(tmp_path / "ours.zip", tmp_path / "evil.zip")
        with zipfile.ZipFile(tmp_path / "evil.zip", "a") as archive:
            archive.writestr(zipfile.ZipInfo(name), "evil")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(DataError):
            copying.import_project(tmp_path / "evil.zip", folder)
        assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_project_is_refused_in_place(client: TestClient) -> None:
    with pytest.raises(HeadstartError, match="damaged"):
        finish(client, client.post("/api/import", content=b"PK no zip"))
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(HeadstartError, match="no project"):
        finish(client, client.post("/api/import", content=empty.getvalue()))


def test_our_examples_become_a_project_without_a_network(client: TestClient, folder: Path) -> None:
    made = finish(client, client.post("/api/demo", json={"modality": "text"}))["id"]
    with Project.open(folder / made) as project:
        assert project.count_labels().n_labelled == 300
        assert project.get_setting("group_columns") == ["language", "district"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".new")]


def test_a_damaged_project_hides_no_other(client: TestClient, folder: Path) -> None:
    (folder / "broken").mkdir()
    (folder / "broken" / "project.sqlite").write_bytes(b"no database" * 100)
    page = client.get("/?language=en")
    assert page.status_code == 200 and "is damaged" in page.text and 'data-project-card="farm"' in page.text


def test_settings_are_stored_and_shown(client: TestClient) -> None:
    assert 'class="expert"' not in client.get("/settings?language=en").text
    assert client.post("/api/settings", json={"is_expert": True, "is_offline": True}).status_code == 200
    assert read_preferences().is_expert and '<body class="expert"' in client.get("/settings?language=en").text
    assert client.post("/api/settings/fetch", json={"name": "resnet-18"}).status_code == 422
    client.post("/api/settings", json={"is_offline": False})
    assert client.post("/api/settings/fetch", json={"name": "hf:some/thing"}).status_code == 422
    job = client.post("/api/settings/fetch", json={"name": "resnet-18"}).json()["job"]
    assert client.post("/api/settings/fetch", json={"name": "resnet-18"}).json()["job"] == job
    assert client.get(f"/api/machine/jobs/{job}").json()["command"] == "headstart bases fetch resnet-18 --yes"
    assert client.post("/api/settings/cache").json() == {"removed_bytes": 0, "kept_bytes": 0}
    assert client.post("/api/settings", json={"is_expert": "perhaps"}).status_code == 422


def test_errors_are_a_page_for_people_and_json_for_scripts(client: TestClient) -> None:
    page = client.get("/p/nowhere/check?language=en")
    assert page.status_code == 404 and "There is no such project here." in page.text and "<html" in page.text
    answer = client.get("/api/p/nowhere/jobs")
    assert answer.json()["error"]["problem"] == "There is no such project here."
    assert client.post("/api/projects", json={"name": "x" * 9_000_000}).status_code == 413
