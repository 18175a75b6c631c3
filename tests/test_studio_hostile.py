"""A project that came from somebody else, or that changed behind the back of Studio: nothing runs, nothing is lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from headstart.errors import DataError
from headstart.flow.projects import copying
from headstart.flow.using import answer_runs
from headstart.options import StudioOptions
from headstart.projects import NewExample, Project, store
from headstart.projects.transfer import PENDING_SOURCE
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.jobs.processes import PROGRAM
from headstart.studio.server import make_policy

pytestmark = pytest.mark.usefixtures("fresh_home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Project.create(tmp_path / "projects" / "farm", "Farm") as project:
        project.add_examples([NewExample(name="m", content_hash="0" * 64, text="text", label="a")])
    return tmp_path / "projects"


@pytest.fixture
def client(folder: Path) -> TestClient:
    context = StudioContext(options=StudioOptions(folder=folder), policy=make_policy(None, 8765))
    return TestClient(create_app(context), base_url="http://127.0.0.1", headers={"X-Headstart": "1"})


def export_changed(folder: Path, *statements: str, **files: str) -> Path:
    """Return a zip of the project whose database was changed, with more files."""
    with Project.open(folder / "farm") as project:
        copying.export_project(project, folder.parent / "ours.zip")
    path = folder.parent / "evil.zip"
    database = folder.parent / "project.sqlite"
    with zipfile.ZipFile(folder.parent / "ours.zip") as ours, zipfile.ZipFile(path, "w") as archive:
        database.write_bytes(ours.read(database.name))
        with closing(sqlite3.connect(database)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        archive.write(database, database.name)
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_no_module_of_a_project_is_imported_by_its_jobs(tmp_path: Path) -> None:
    for name in ("json", "typer", "numpy", "headstart"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this ran')")
    done = subprocess.run([*PROGRAM, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "this ran" not in done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON examples BEGIN DELETE FROM kinds; END",
        "CREATE VIEW v AS SELECT * FROM examples",
        "CREATE TABLE more (x TEXT CHECK (length(x) > 0))",
        "CREATE INDEX own ON examples (upper(name))",
        "DROP TABLE jobs",
        "UPDATE examples SET metadata = '[]'",
        "UPDATE examples SET metadata = 'no JSON'",
    ],
)
def test_a_database_that_is_not_as_ours_is_refused(folder: Path, statement: str) -> None:
    with pytest.raises(DataError):
        copying.import_project(export_changed(folder, statement), folder)
    assert [path.name for path in folder.iterdir()] == ["farm"]


def test_an_imported_project_starts_nothing_and_names_no_place_of_this_machine(
    folder: Path, tmp_path: Path, client: TestClient
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "secret.csv").write_text("text\nsecret\n")
    pending = json.dumps({"path": str(victim), "is_upload": True, "corrections": {}})
    about = {"format": 1, "model": 1, "data": str(victim), "name": "", "columns": {"output": "x", "text": "t"}}
    came = json.dumps([str(victim / "secret.csv"), "a.csv"])
    path = export_changed(
        folder, f"INSERT INTO settings VALUES ('{PENDING_SOURCE}', '{pending}')",
        **{"jobs/1.lock": "", "thumbnails/00/a.jpg": "", "answers/1/about.json": json.dumps(about),
           "answers/1/data/.came.jsonl": came},
    )  # fmt: skip
    with copying.import_project(path, folder) as project:
        assert not (project.folder / "jobs").exists() and not (project.folder / "thumbnails").exists()
        assert client.post(f"/api/p/{project.id}/look/forget").status_code == 200
        run = answer_runs.open_run(project, 1)
        assert run.data == run.folder / "data" / "victim" and run.columns == {"text": "t"}
        answer_runs.number_files(run.folder / "data")
        project.set_setting(PENDING_SOURCE, json.loads(pending))  # As in a folder that was copied by hand.
        client.post(f"/api/p/{project.id}/look/forget")
    assert (victim / "secret.csv").is_file()


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "b" * 300)])
def test_names_that_cannot_all_be_written_are_refused_in_words(folder: Path, names: tuple[str, str]) -> None:
    path = export_changed(folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning) if len(set(names)) == 1 else closing(archive):
        for name in names:
            archive.writestr(name, "")
    with pytest.raises(DataError):
        copying.import_project(path, folder)


def test_a_project_that_was_removed_and_made_again_is_noticed(client: TestClient, folder: Path) -> None:
    assert client.get("/api/p/farm/overview").json()["n_examples"] == 1
    shutil.rmtree(folder / "farm")
    assert client.get("/api/p/farm/overview").status_code == 404
    Project.create(folder / "farm", "Another").close()
    assert client.get("/api/p/farm/overview").json()["n_examples"] == 0
    assert client.post("/api/p/farm/rename", json={"name": "New"}).json() == {"name": "New"}
    assert "New" in client.get("/?language=en").text


def test_what_is_held_in_memory_is_short_and_other_users_may_not_read(client: TestClient, tmp_path: Path) -> None:
    long = b"x" * 8_000_001
    for kind in ("application/json", "text/plain", "application/octet-stream"):
        assert client.post("/api/projects", content=long, headers={"Content-Type": kind}).status_code == 413
    assert client.get(f"/api/p/farm/examples/{10**30}").status_code == 404
    context = StudioContext(options=StudioOptions(folder=tmp_path / "new"), policy=make_policy(None, 8765))
    assert context.projects_folder.stat().st_mode & 0o077 == 0


def test_pages_of_other_sites_embed_nothing_of_ours(client: TestClient) -> None:
    def ask(site: str, mode: str) -> int:
        return client.get("/api/p/farm/overview", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}).status_code

    assert [ask(site, "no-cors") for site in ("cross-site", "same-site", "same-origin", "none")] == [403, 403, 200, 200]
    assert ask("cross-site", "navigate") == 200  # Somebody followed a link.


def test_a_project_that_cannot_be_made_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(store, "migrate", fail)
    with pytest.raises(DataError):
        copying.create_project(folder, "Maize")
    assert [path.name for path in folder.iterdir()] == ["farm"]


def test_a_project_that_cannot_be_described_hides_no_other(client: TestClient, folder: Path) -> None:
    with Project.create(folder / "odd", "Odd") as project:
        project.set_current_model(project.add_model())
        with closing(sqlite3.connect(folder / "odd" / "project.sqlite")) as connection:
            connection.execute("UPDATE models SET facts = 'no JSON'")
            connection.commit()
    page = client.get("/?language=en")
    assert page.status_code == 200 and "Farm" in page.text and "damaged" in page.text
