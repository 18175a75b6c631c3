"""`serve` under load and hostile bodies: what is confirmed is kept, and what holds too much is never parsed."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from headstart.data.reading.content import hash_text
from headstart.http import json_limits, uploads
from headstart.http.middleware import RequestMiddleware
from headstart.options import ServeOptions
from headstart.projects import NewExample, Project
from headstart.web import feedback
from headstart.web.app import build_app
from headstart.web.journal import Change, Journal
from headstart.web.models import ServedModel

HOME = "http://127.0.0.1"


def answer_all(inputs: list[Any]) -> list[dict[str, Any]]:
    return [{"answer": "a", "kind": "label", "reason": None, "label": "a", "probability": 1.0} for _ in inputs]


def toy(modality: str = "text") -> dict[str, ServedModel]:
    return {
        "toy": ServedModel(
            name="toy",
            modality=modality,
            task="classification",
            classes=("a", "b"),
            answer=answer_all,
            info={"format": 1, "name": "toy"},
            columns={},
        )
    }


def open_server(folder: Path) -> TestClient:
    return TestClient(build_app(toy(), ServeOptions(feedback=folder), None), base_url=HOME)


def send(client: TestClient, text: str, label: str) -> httpx.Response:
    return client.post("/feedback", json={"text": text, "label": label})


def test_a_project_takes_corrections_as_labels_of_its_examples(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        project.set_setting("modality", "text")
        project.add_examples([NewExample(name="first", content_hash=hash_text("No water"), text="No water", label="b")])
        with open_server(project.folder) as client:
            replies = [send(client, text, label) for text, label in (("No water", "a"), ("New", "b"), ("New", "b"))]
            assert [reply.json()["n_rows"] for reply in replies] == [1, 2, 2]
        first, second = project.list_examples()
        assert (first.name, first.label, first.label_by, first.chosen) == ("first", "a", "page of toy", "feedback")
        assert (second.text, second.label, second.label_origin) == ("New", "b", "person")
        assert len(project.list_events(second.id)) == 1
        with open_server(project.folder) as client:
            assert send(client, "Another", "a").json()["n_rows"] == 3
        project.set_setting("modality", "image")
        with open_server(project.folder) as client:
            assert send(client, "text", "a").status_code == 422
    assert not (tmp_path / "p" / "toy").exists()


def test_a_project_keeps_the_photos_that_were_corrected(tmp_path: Path) -> None:
    photo = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(photo, "PNG")
    with Project.create(tmp_path) as project:
        app = build_app(toy("image"), ServeOptions(feedback=tmp_path), None)
        with TestClient(app, base_url=HOME) as client:
            form = {"file": ("a.png", photo.getvalue(), "image/png")}
            assert client.post("/feedback", files=form, data={"label": "a"}).status_code == 200
        example = project.list_examples()[0]
        assert example.path is not None and example.path.read_bytes() == photo.getvalue()
        assert project.read_table().hashes.tolist() == [example.content_hash]


def corrections_of(folder: Path) -> list[list[str]]:
    with (folder / "toy" / "corrections.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))[1:]


def send_corrections(app: RequestMiddleware, first: int, confirmed: list[str]) -> None:
    with TestClient(app, base_url=HOME) as client:
        for row in range(first, first + 60):
            for label in ("a", "b") if row % 7 == 0 else ("a",):  # A changed label: the table is written anew.
                assert send(client, f"text {row}", label).status_code == 200
            confirmed.append(f"text {row}")


def test_changing_one_label_over_and_over_does_not_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "MAX_FOLDER_BYTES", 20_000)
    with open_server(tmp_path) as client:
        statuses = [send(client, "x" * 1_000, "ab"[number % 2]).status_code for number in range(40)]
    assert statuses[0] == 200 and statuses[-1] == 403
    assert sum(path.stat().st_size for path in (tmp_path / "toy").iterdir()) < 25_000


def test_two_servers_on_one_folder_lose_no_confirmed_correction(tmp_path: Path) -> None:
    confirmed: list[str] = []
    servers = [build_app(toy(), ServeOptions(feedback=tmp_path), None) for _ in range(2)]
    threads = [
        threading.Thread(target=send_corrections, args=(app, 100 * number, confirmed))
        for number, app in enumerate(servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = corrections_of(tmp_path)
    assert len(confirmed) == 120 and sorted(text for text, _ in rows) == sorted(confirmed)
    changed = {f"text {row}" for row in (*range(0, 60, 7), *range(105, 160, 7))}
    assert {text for text, label in rows if label == "b"} == changed


def test_a_correction_that_was_cut_short_between_journal_and_table_is_made_by_the_next(tmp_path: Path) -> None:
    with open_server(tmp_path) as client:
        assert send(client, "first", "a").status_code == 200
    journal = Journal(tmp_path / "toy" / ".journal.jsonl")
    assert journal.read_pending() is None
    journal.write(Change(["text", "label"], [["second", "b"]]))
    table = tmp_path / "toy" / "corrections.csv"
    table.write_bytes(table.read_bytes() + b"second,")  # Killed while it added the row.
    with open_server(tmp_path) as client:
        assert send(client, "third", "a").json()["n_rows"] == 3
    assert corrections_of(tmp_path) == [["first", "a"], ["second", "b"], ["third", "a"]]
    with journal.path.open("ab") as handle:
        handle.write(b'{"head": ["text", "la')  # Killed while it wrote the journal: never confirmed.
    with open_server(tmp_path) as client:
        assert send(client, "fourth", "a").json()["n_rows"] == 4


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", b'{"series": [[' + b"[]," * 2_000_000 + b"[]]]}"),
        ("/predict", b'{"series": [' + b",".join([b"[" + b"[1]," * 30_000 + b"[1]]"] * 20) + b"]}"),
        ("/predict", b"{" + b",".join(b'"%d":1' % key for key in range(300_000)) + b"}"),
        ("/predict", b"[" * 1_000_000),
        ("/v2/models/toy/infer", b'{"inputs":[{"name":"i","datatype":"FP32","shape":[1,1,9],"data":['
         + b"[]," * 2_000_000 + b"1]}]}"),
        ("/feedback", b'{"label": "a", "series": [' + b"[]," * 2_000_000 + b"[]]}"),
    ],
    ids=["empty lists", "30,000 channels", "keys", "nested", "protocol", "feedback"],
)  # fmt: skip
def test_a_body_that_holds_too_much_is_counted_and_never_parsed(
    path: str, body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*arguments: object, **more: object) -> None:
        raise AssertionError("it was parsed")

    app = build_app(toy("series"), ServeOptions(feedback=tmp_path), None)
    monkeypatch.setattr(uploads.json, "loads", parse)
    with TestClient(app, base_url=HOME) as client:
        reply = client.post(path, content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (413, 422)


def test_a_name_of_slashes_alone_costs_nothing_and_is_replaced() -> None:
    assert uploads.clean_file_name("/" * 30_000_000, "1") == "1"
    assert uploads.clean_file_name("a/" * 10_000 + "leaf.jpg", "1") == "leaf.jpg"


def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)


@given(st.recursive(st.none() | st.integers(-9, 9) | st.text(max_size=6), nest, max_leaves=30), st.integers(1, 9))
def test_what_is_counted_of_json_is_what_it_holds(document: object, block: int) -> None:
    """Whatever the strings hold, and wherever a block of the body ends."""

    def walk(value: object) -> tuple[int, int, int, int]:
        if isinstance(value, dict | list):
            inner = [walk(item) for item in (value.values() if isinstance(value, dict) else value)]
            n_keys = len(value) if isinstance(value, dict) else 0
            sums = [sum(column) for column in zip(*(part[:3] for part in inner), strict=True)] or [0, 0, 0]
            depth = 1 + max((part[3] for part in inner), default=0)
            return sums[0] + max(0, len(value) - 1), sums[1] + 1, sums[2] + n_keys, depth
        return 0, 0, 0, 0

    n_commas, n_lists, n_keys, depth = walk(document)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_limits, "BLOCK_BYTES", block)
        size = json_limits.measure_json(json.dumps(document).encode())
    assert size == json_limits.JsonSize(n_values=n_commas + n_lists + 1, n_lists=n_lists, n_keys=n_keys, depth=depth)


def encode(size: tuple[int, int], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 30, 90)).save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_small_file_that_decodes_to_much_is_refused_and_a_photo_of_that_size_is_not() -> None:
    limits = ServeOptions(max_mb=4.0)
    size = (2_000, 1_500)
    assert isinstance(uploads.check_image(encode(size, "JPEG"), limits), bytes)
    for content in (encode(size, "PNG"), encode(size, "JPEG", progressive=True), encode(size, "WEBP", lossless=True)):
        refusal = uploads.check_image(content, limits)
        assert len(content) < 100_000 and "once it is decoded" in refusal.reason
    assert isinstance(uploads.check_image(encode((1_000, 1_500), "PNG"), limits), bytes)
