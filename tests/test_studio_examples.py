"""The Examples screen: files come in under numbers, are looked at, corrected, and thrown away or shown."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.data.reading.content import hash_text
from headstart.options import StudioOptions
from headstart.projects import NewExample, NewLabel, Project
from headstart.studio import intake
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.server import make_policy

API = "/api/p/farm"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "projects" / "farm", "Farm")


@pytest.fixture
def client(project: Project) -> TestClient:
    options = StudioOptions(folder=project.folder.parent)
    application = create_app(StudioContext(options=options, policy=make_policy(None, 8765)))
    return TestClient(application, base_url="http://127.0.0.1", headers={"X-Headstart": "1"})


def make_photo(colour: tuple[int, int, int] = (10, 120, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def send(client: TestClient, files: dict[str, bytes]) -> dict[str, object]:
    number = client.post(f"{API}/uploads").json()["upload"]
    for name, content in files.items():
        answer = client.post(f"{API}/uploads/{number}/files", content=content, headers={"X-File-Name": name})
        assert answer.status_code == 200, answer.text
    document: dict[str, object] = client.post(f"{API}/uploads/{number}/finish", json={}).json()
    return document


def list_stored(project: Project) -> list[str]:
    return sorted(place.name for place in (project.folder / "originals").rglob("*"))


def test_a_dropped_folder_becomes_boxes_and_its_names_touch_no_disk(client: TestClient, project: Project) -> None:
    names = [f"leaves/{kind}/{n} ugly; name.jpg" for kind in ("rust", "healthy") for n in range(3)]
    document = send(client, {name: make_photo((n, 0, 0)) for n, name in enumerate([*names, "leaves/loose.jpg"])})
    view = document["view"]
    assert isinstance(view, dict)
    assert [(kind["name"], kind["n"]) for kind in view["kinds"]] == [("healthy", 3), ("rust", 3)]
    assert (view["modality"], view["n_unsorted"]) == ("image", 1)
    assert not [name for name in list_stored(project) if "rust" in name or "ugly" in name]
    assert client.get(f"{API}/look").json() == document
    picture = client.get(next(iter(document["examples"].values()))["picture"])  # type: ignore[attr-defined]
    assert picture.headers["content-type"] == "image/jpeg"


def test_many_small_files_come_in_one_request(client: TestClient, project: Project) -> None:
    number = client.post(f"{API}/uploads").json()["upload"]
    photos = {f"../{kind}/{n}.jpg": make_photo((40 * n, 0, len(kind))) for kind in ("rust", "ok") for n in range(3)}
    head = json.dumps([[name, len(content)] for name, content in photos.items()]).encode()
    body = head + b"\n" + b"".join(photos.values())
    assert client.post(f"{API}/uploads/{number}/batch", content=body[:-1]).status_code == 422
    assert client.post(f"{API}/uploads/{number}/batch", content=b"[[1]]\n").status_code == 422
    assert client.post(f"{API}/uploads/{number}/batch", content=body).json() == {"n": 6}
    view = client.post(f"{API}/uploads/{number}/finish", json={}).json()["view"]
    assert {kind["name"]: kind["n"] for kind in view["kinds"]} == {"rust": 3, "ok": 3}


def test_an_upload_that_is_stopped_leaves_nothing(client: TestClient, project: Project) -> None:
    number = client.post(f"{API}/uploads").json()["upload"]
    client.post(f"{API}/uploads/{number}/files", content=make_photo(), headers={"X-File-Name": "a.jpg"})
    client.post(f"{API}/uploads/{number}/cancel", json={})
    assert list_stored(project) == [] and client.get(f"{API}/look").json() == {"view": None}
    late = client.post(f"{API}/uploads/{number}/files", content=make_photo(), headers={"X-File-Name": "b.jpg"})
    assert late.status_code == 404


def test_a_zip_is_unpacked_into_numbers(client: TestClient, project: Project) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for n in range(4):
            archive.writestr(f"photos/{('rust', 'healthy')[n % 2]}/leaf {n}.jpg", make_photo((n, 0, 0)))
    view = send(client, {"photos.zip": buffer.getvalue()})["view"]
    assert isinstance(view, dict) and {kind["name"] for kind in view["kinds"]} == {"rust", "healthy"}
    assert not [name for name in list_stored(project) if name.endswith(".zip") or "leaf" in name]


def make_zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("trap.zip", make_zip("../../outside.jpg", b"x"), "points outside"),
        ("bomb.zip", make_zip("zeros.csv", bytes(70 << 20)), "too large"),
        ("torn.zip", make_zip("a.csv", b"text\nhello\n")[:40], "damaged"),
    ],
    ids=["leaves its folder", "a bomb", "torn"],
)
def test_a_hostile_zip_is_refused_and_leaves_nothing(
    client: TestClient, project: Project, name: str, content: bytes, problem: str
) -> None:
    document = send(client, {name: content})
    assert problem in str(document["error"]) and str(project.folder) not in str(document["error"])
    assert list_stored(project) == [] and client.get(f"{API}/look").json() == {"view": None}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""), ("empty.csv", b""), ("leaf.jpg", b"%PDF-1.7 no image"),
        ("photo.heic", b"\0\0\0\x18ftypheic"),
        ("table.xlsx", b"text,label\nhello,a\n"), ("notes.docx", b"PK\x03\x04"), ("noend", b"hello"),
    ],
)  # fmt: skip
def test_a_file_of_a_wrong_kind_is_told_and_can_be_thrown_away(
    client: TestClient, project: Project, name: str, content: bytes
) -> None:
    view = send(client, {name: content})["view"]
    assert isinstance(view, dict) and (view["problem"] or view["modality"] == "image")
    assert str(project.folder) not in view["problem"]
    client.post(f"{API}/look/forget", json={})
    assert list_stored(project) == []


def test_a_full_disk_is_said_and_leaves_nothing_half_done(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, names: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr(intake, "write_names", refuse)
    number = client.post(f"{API}/uploads").json()["upload"]
    client.post(f"{API}/uploads/{number}/files", content=make_photo(), headers={"X-File-Name": "a.jpg"})
    answer = client.post(f"{API}/uploads/{number}/finish", json={})
    assert answer.status_code == 507 and answer.json()["error"]["hint"]
    assert list_stored(project) == [] and client.get(f"{API}/look").json() == {"view": None}


def test_one_message_a_line_can_be_pasted(client: TestClient) -> None:
    text = "Hakuna maji katika kijiji chetu\nPampu imeharibika, tafadhali njooni\n\nBarabara ni mbaya sana\n"
    document = client.post(f"{API}/paste", json={"text": text}).json()
    assert (document["view"]["n_examples"], document["view"]["text"]) == (3, ["text"])


def test_cells_of_a_sheet_can_be_pasted(client: TestClient) -> None:
    rows = [f"the well number {n} is dry again\t{('water', 'roads')[n % 2]}" for n in range(8)]
    view = client.post(f"{API}/paste", json={"text": "\n".join(["Message\tTopic", *rows])}).json()["view"]
    assert (view["n_examples"], view["label"]) == (8, ["Topic"])


def test_what_was_understood_is_corrected_by_a_menu(client: TestClient) -> None:
    lines = ["message,topic,place", *(f"the road at km {n} is bad,{'ab'[n % 2]}x,{'NS'[n % 2]}" for n in range(12))]
    send(client, {"rows.csv": "\n".join(lines).encode()})
    view = client.post(f"{API}/look", json={"label": "place"}).json()["view"]
    assert view["label"] == ["place"] and {kind["name"] for kind in view["kinds"]} == {"N", "S"}


def test_a_cell_of_a_megabyte_and_300_columns_are_cut_for_the_page(client: TestClient) -> None:
    wide = ",".join(f"c{n}" for n in range(300))
    rows = [
        f"message,topic,{wide}",
        *(f"the well {n} {'x' * (n // 5 << 20)} is dry,{'ab'[n % 2]}x,{wide}" for n in range(6)),
    ]
    document = send(client, {"wide.csv": "\n".join(rows).encode()})
    assert len(str(document)) < 200_000 and document["view"]["n_examples"] == 6  # type: ignore[index]


def add_messages(project: Project, n: int = 30) -> list[int]:
    project.set_setting("modality", "text")
    texts = [f"message number {n} about the well" for n in range(n)]
    ids = project.add_examples(
        [NewExample(name=f"row {n}", content_hash=hash_text(t), text=t) for n, t in enumerate(texts)]
    )
    project.add_labels([NewLabel(example=number, label=("water", "roads")[number % 2], who="A") for number in ids[:20]])
    return ids


def test_the_page_and_its_summary_count_kinds(client: TestClient, project: Project) -> None:
    add_messages(project)
    assert client.get("/p/farm/examples").status_code == 200
    summary = client.get(f"{API}/overview").json()
    assert (summary["n_examples"], summary["n_labelled"], summary["n_open"]) == (30, 20, 10)
    assert {(kind["name"], kind["n"], kind["code"]) for kind in summary["kinds"]} == {
        ("water", 10, "some"),
        ("roads", 10, "some"),
    }


def test_examples_are_listed_in_pages_and_left_out_and_taken_in_again(client: TestClient, project: Project) -> None:
    ids = add_messages(project)
    page = client.get(f"{API}/examples", params={"kind": "water", "limit": 4, "offset": 8}).json()
    assert page["count"] == 10 and [item["kind"] for item in page["items"]] == ["water"] * 2
    change = {"ids": ids[:3], "state": "left_out", "who": "A"}
    assert client.post(f"{API}/examples/state", json=change).json()["n_left_out"] == 3
    assert client.post(f"{API}/examples/state", json={**change, "state": "in"}).json()["n_left_out"] == 0


def test_a_thumbnail_is_sent_once(client: TestClient, project: Project, tmp_path: Path) -> None:
    (tmp_path / "leaf.jpg").write_bytes(make_photo())
    new = NewExample(name="leaf.jpg", content_hash="ab" * 32, path=tmp_path / "leaf.jpg")
    (number,) = project.add_examples([new])
    first = client.get(f"{API}/examples/{number}/thumbnail")
    assert first.status_code == 200 and "max-age" in first.headers["cache-control"]
    again = client.get(f"{API}/examples/{number}/thumbnail", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_a_folder_of_this_computer_is_chosen_only_on_it(client: TestClient, project: Project, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "message,topic\n" + "".join(f"the well {n} is dry,{'ab'[n % 2]}x\n" for n in range(8))
    )
    assert client.post(f"{API}/folder", json={"path": str(tmp_path / "rows.csv")}).json()["view"]["n_examples"] == 8
    assert client.post(f"{API}/folder", json={"path": "/nowhere/at/all"}).status_code == 422
    policy = make_policy("a-token-that-is-long-enough", 8765)
    shared = create_app(StudioContext(options=StudioOptions(folder=project.folder.parent), policy=policy))
    headers = {"X-Headstart": "1", "Authorization": "Bearer a-token-that-is-long-enough"}
    far = TestClient(shared, base_url="http://127.0.0.1", headers=headers)
    assert far.post(f"{API}/folder", json={"path": str(tmp_path)}).status_code == 403


def run_add(project: Project, *argv: str) -> None:
    result = CliRunner().invoke(app, ["project", "add", str(project.folder), *argv, "--quiet"])
    assert result.exit_code == 0, result.output


def test_what_was_understood_is_added_as_it_was_corrected(client: TestClient, project: Project) -> None:
    rows = [f"Person {n},the well number {n} is dry,{('water', 'roads')[n % 2]},{'NS'[n // 4 % 2]}" for n in range(24)]
    send(client, {"survey.csv": "\n".join(["name,message,topic,place", *rows]).encode()})
    corrections = {"leave_out": ["name"], "compare": ["place"]}
    (job,) = (client.post(f"{API}/add", json=corrections).json()["job"],)
    argv = project.get_job(job).argv
    assert argv[:3] == ("project", "add", str(project.folder))
    run_add(project, *argv[3:])
    examples = project.list_examples(limit=30)
    assert [example.label for example in examples[:2]] == ["water", "roads"] and len(examples) == 24
    assert examples[0].name == "survey.csv:2" and set(examples[0].metadata) == {"place"}
    assert project.get_setting("compare_columns") == ["place"]
    assert client.get(f"{API}/look").json() == {"view": None}


def test_photos_added_to_a_box_have_its_kind_and_loose_ones_none(client: TestClient, project: Project) -> None:
    kinds = ("rust", "ok")
    send(client, {f"{kind}/{n}.jpg": make_photo((20 * n, 9, 9 * len(kind))) for kind in kinds for n in range(3)})
    run_add(project, *client_command(client, project, {}))
    send(client, {"IMG_1.jpg": make_photo((99, 1, 1))})
    run_add(project, *client_command(client, project, {"kind": "ok"}))
    send(client, {"IMG_2.jpg": make_photo((1, 99, 1)), "empty.jpg": b""})
    run_add(project, *client_command(client, project, {}))
    summary = client.get(f"{API}/overview").json()
    assert {kind["name"]: kind["n"] for kind in summary["kinds"]} == {"rust": 3, "ok": 4}
    assert (summary["n_open"], summary["n_left_out"], summary["doubtful"]["unreadable"]) == (1, 1, 1)


def client_command(client: TestClient, project: Project, corrections: dict[str, object]) -> tuple[str, ...]:
    """Return the arguments of the job that adds what came."""
    job = project.get_job(client.post(f"{API}/add", json=corrections).json()["job"])
    project.update_job(job.id, state="cancelled")
    return job.argv[3:]
