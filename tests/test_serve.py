"""`serve`: the same answers as `predict --json`, limits that hold against hostile requests, an orderly end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import csv
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from PIL import Image
from prometheus_client import parser
from starlette.testclient import TestClient
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import data, flow
from headstart.cli.main import app
from headstart.data.reading.table_files import read_raw_table
from headstart.errors import OptionError
from headstart.flow.inference.predict_memory import UnusableInput, open_predictor
from headstart.http.access import is_loopback_host, read_token
from headstart.http.batching import Batcher, BatchLimits
from headstart.http.middleware import RequestMiddleware
from headstart.http.request_log import JsonLinesFormatter
from headstart.http.running import bind_socket, start_listening
from headstart.options import AdaptOptions, PredictOptions, ReadOptions, ServeOptions, parse
from headstart.results import READINESS_LEVELS
from headstart.web import feedback, protocol, request_inputs
from headstart.web.app import build_app
from headstart.web.models import ServedModel, open_models
from headstart.web.request_inputs import measure_input_share

HOME = "http://127.0.0.1"
TOKEN = "a-token-of-more-than-16"
RUN = CliRunner()
EXACT = PredictOptions(precision="float32", runtime="torch")


@pytest.fixture(scope="module")
def bundle_folders(
    tmp_path_factory: pytest.TempPathFactory, image_folder: Path, text_table: Path, series_table: Path
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("served")
    sources = {"image": image_folder, "text": text_table, "series": series_table}
    for name, source in sources.items():
        strategy = "linear-probe" if name == "series" else "classic"
        flow.adapt(source, root / name, AdaptOptions(strategy=(strategy,), time=60, precision="float32"))
    return {name: root / name for name in sources}


@pytest.fixture(scope="module")
def models(bundle_folders: dict[str, Path]) -> dict[str, ServedModel]:
    return open_models(list(bundle_folders.values()), ServeOptions(precision="float32"))


@pytest.fixture
def client(models: dict[str, ServedModel]) -> Iterator[TestClient]:
    with TestClient(build_app(models, ServeOptions(), None), base_url=HOME) as made:
        yield made


def echo(inputs: Sequence[Any]) -> list[dict[str, Any]]:
    """Answer every text with itself."""
    return [
        {
            "label": str(one),
            "probability": 1.0,
            "top": [],
            "answer": str(one),
            "set": [],
            "reason": "said so",
            "kind": "label",
        }
        if not isinstance(one, UnusableInput)
        else {
            "label": None,
            "probability": None,
            "top": [],
            "answer": None,
            "set": [],
            "reason": one.reason,
            "kind": "unusable",
        }
        for one in inputs
    ]


def toy(answer: Any = echo, task: str = "classification", modality: str = "text") -> dict[str, ServedModel]:
    return {
        "toy": ServedModel(
            name="toy",
            modality=modality,
            task=task,
            classes=("a", "b"),
            answer=answer,
            info={"format": 1, "name": "toy"},
            columns={},
        )
    }


def small(options: ServeOptions | None = None, answer: Any = echo, token: str | None = None) -> TestClient:
    return TestClient(build_app(toy(answer), options or ServeOptions(), token), base_url=HOME)


def png(size: tuple[int, int] = (48, 48), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def close(a: Any, b: Any) -> bool:
    """Whether two JSON documents are the same up to rounding of numbers."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) < 1e-4
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    return bool(a == b)


def said(path: Path, inputs: Sequence[Path]) -> list[dict[str, Any]]:
    return [{**row, "input": ""} for row in flow.predictions(path, inputs, EXACT)]


def answered(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    return [{**row, "input": ""} for row in reply.json()["predictions"]]


def problem(reply: httpx.Response) -> str:
    found = reply.json()["error"]
    assert found["problem"] and found["hint"]
    return f"{reply.status_code} {found['problem']}"


# The same answers on every surface


def test_pictures_get_the_answers_that_predict_gives(
    client: TestClient, bundle_folders: dict[str, Path], image_folder: Path
) -> None:
    paths = sorted(image_folder.rglob("*.png"))[::9]
    sent = [("files", (path.name, path.read_bytes(), "image/png")) for path in paths]
    assert close(answered(client.post("/predict?model=image", files=sent)), said(bundle_folders["image"], paths))


def test_texts_get_the_answers_that_predict_gives(
    client: TestClient, bundle_folders: dict[str, Path], text_table: Path, tmp_path: Path
) -> None:
    with text_table.open(encoding="utf-8") as handle:
        texts = [row["text"] for row in csv.DictReader(handle)][::7]
    reply = client.post("/predict?model=text", json={"texts": texts})
    assert close(answered(reply), said(bundle_folders["text"], [text_table])[::7])


def test_series_with_gaps_get_the_answers_that_predict_gives(
    client: TestClient, bundle_folders: dict[str, Path], series_table: Path, tmp_path: Path
) -> None:
    with series_table.open(encoding="utf-8") as handle:
        rows = [list(map(float, list(row.values())[1:])) for row in csv.DictReader(handle)][::5]  # type: ignore[arg-type]
    holes = [[None if at == 4 else value for at, value in enumerate(row)] for row in rows]
    lines = [",".join(f"t{step}" for step in range(30))]
    lines += [",".join("" if value is None else repr(value) for value in row) for row in holes]
    (tmp_path / "holes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    reply = client.post("/predict?model=series", json={"series": holes})
    assert close(answered(reply), said(bundle_folders["series"], [tmp_path / "holes.csv"]))


def test_one_bad_input_gets_its_reason_and_spoils_no_other(client: TestClient) -> None:
    sent = [
        ("files", ("good.png", png(), "image/png")),
        ("files", ("empty.png", b"", "image/png")),
        ("files", ("cut.png", png((200, 200))[:120], "image/png")),
        ("files", ("note.pdf", b"%PDF-1.7", "image/png")),
    ]
    reply = client.post("/predict?model=image", files=sent)
    assert reply.status_code == 200
    reasons = {row["id"]: row["reason"] for row in reply.json()["failed"]}
    assert reasons["empty.png"] == "the file is empty"
    assert reasons["cut.png"].startswith("the image is damaged")
    assert reasons["note.pdf"] == "this is no PNG, JPEG, WebP, GIF, BMP or TIFF image"
    assert reply.json()["predictions"][0]["answer"] is not None and len(reasons) == 3


def test_a_model_that_breaks_on_one_input_still_answers_the_others(bundle_folders: dict[str, Path]) -> None:
    answer = open_predictor(bundles.load_bundle(bundle_folders["series"]), "float32")
    wave = np.sin(np.arange(30, dtype=np.float32))[None]
    huge = np.where(wave > 0, 3e38, -3e38).astype(np.float32)
    found = answer([wave, huge, np.zeros((2, 30), dtype=np.float32), np.full((1, 5), np.nan, dtype=np.float32)])
    assert close(found[0], answer([wave])[0]) and found[0]["answer"] is not None
    assert "2 channels" in found[2]["reason"] and found[3]["reason"] == "it has no values"
    json.dumps(found, allow_nan=False)


def test_the_open_inference_protocol_gives_the_same_labels(client: TestClient, image_folder: Path) -> None:
    texts = ["The pump is broken", "The teacher is absent"]
    plain = answered(client.post("/predict?model=text", json={"texts": texts}))
    tensor = {"name": "input", "datatype": "BYTES", "shape": [2], "data": texts}
    reply = client.post("/v2/models/text/infer", json={"id": "mine", "inputs": [tensor]}).json()
    outputs = {one["name"]: one for one in reply["outputs"]}
    assert reply["id"] == "mine" and reply["model_name"] == "text"
    assert outputs["label"]["data"] == [row["label"] for row in plain]
    assert outputs["probability"]["data"] == pytest.approx([row["probability"] for row in plain], abs=1e-5)
    content = next(image_folder.rglob("*.png")).read_bytes()
    tensor = {"name": "input", "datatype": "BYTES", "shape": [1, 1], "data": [base64.b64encode(content).decode()]}
    one = client.post("/v2/models/image/infer", json={"inputs": [tensor]}).json()
    label = answered(client.post("/predict?model=image", files=[("files", ("a.png", content, "image/png"))]))[0]
    assert {out["name"]: out["data"] for out in one["outputs"]}["label"] == [label["label"]]
    wave = np.sin(np.arange(60) * 0.3).tolist()
    flat = {"name": "input", "datatype": "FP32", "shape": [2, 30], "data": wave}
    nested = {**flat, "shape": [2, 1, 30], "data": [[wave[:30]], [wave[30:]]]}
    a, b = (client.post("/v2/models/series/infer", json={"inputs": [one]}).json()["outputs"] for one in (flat, nested))
    assert a == b and a[0]["shape"] == [2]


def test_the_protocol_describes_server_and_models_and_refuses_in_its_own_form(client: TestClient) -> None:
    assert client.get("/v2").json()["name"] == "headstart"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    about = client.get("/v2/models/series").json()
    assert "versions" not in about  # None can be asked for.
    assert about["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, -1]}]
    assert client.get("/v2/models/series/ready").json()["ready"] is True
    missing = client.get("/v2/models/nothing")
    assert missing.status_code == 404 and isinstance(missing.json()["error"], str)
    bad = {"name": "input", "datatype": "FP32", "shape": [3, 30], "data": [1.0]}
    assert client.post("/v2/models/series/infer", json={"inputs": [bad]}).status_code == 422
    good = {"name": "input", "datatype": "BYTES", "shape": [1], "data": ["good"]}
    told = client.post(
        "/v2/models/text/infer", json={"id": "i" * 300, "inputs": [good], "outputs": [{"name": "label"}]}
    )
    assert told.json()["id"] == "i" * 300 and [one["name"] for one in told.json()["outputs"]] == ["label"]
    assert "model_version" not in told.json()
    for asked in ([{"name": "nothing"}], [{"name": ["label"]}], ["label"], "label"):
        refused = client.post("/v2/models/text/infer", json={"inputs": [good], "outputs": asked})
        assert refused.status_code == 422 and "Known: answer" in refused.json()["error"], asked
    assert client.post("/v2/models/text/infer", json={"inputs": [bad]}).status_code == 422


def test_the_protocol_tells_how_many_channels_a_series_has() -> None:
    info = {"preprocessing": {"n_channels": 6}}
    about = protocol.describe_tensors(
        ServedModel(
            name="waves", modality="series", task="classification", classes=("a",), answer=list, info=info, columns={}
        )
    )
    assert about["inputs"][0]["shape"] == [-1, 6, -1]


def test_info_tells_card_labels_decision_versions_and_limits(client: TestClient) -> None:
    found = client.get("/info?model=text").json()
    assert found["classes"] == ["roads", "school", "water"] and found["task"] == "classification"
    assert found["decision"]["coverage"] == 0.9 and "numpy" in found["made_with"] and found["card"]
    assert found["readiness"]["level"] in READINESS_LEVELS and found["readiness"]["verdict"].endswith(".")
    assert found["limits"]["max_rows"] == 256 and found["feedback"] is False
    novelty = client.get("/info?model=series").json()["decision"]["novelty"]
    assert novelty["threshold"] > 0 and "ids" not in novelty  # Names of training rows are nobody's business.
    assert client.get("/info").json()["models"] == ["image", "text", "series"]
    assert problem(client.post("/predict", json={"texts": ["a"]})).startswith("422 3 models are served")
    assert problem(client.get("/info?model=x")).startswith("404")


# Hostile requests: each with the answer that it must get


def bomb(side: int = 30_000) -> bytes:
    """A small file that would be a picture of 900 million pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 30_000])
def test_a_decompression_bomb_is_refused_by_its_header(client: TestClient, side: int) -> None:
    reply = client.post("/predict?model=image", files=[("files", ("b.png", bomb(side), "image/png"))])
    assert problem(reply).startswith("422 None of the 1 inputs can be used (b.png: the image has more than")


def test_a_body_of_two_gigabytes_is_cut_at_the_limit_although_its_length_is_not_said() -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(2_000):
            sent += 1_000_000
            yield b"x" * 1_000_000

    async def asked() -> int:
        gate = build_app(toy(), ServeOptions(max_mb=3), None)
        read = 0
        pieces = endless()
        status = 0

        async def receive() -> dict[str, Any]:
            nonlocal read
            piece = next(pieces)
            read += len(piece)
            return {"type": "http.request", "body": piece, "more_body": True}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        scope = {
            "type": "http", "method": "POST", "path": "/predict", "query_string": b"", "http_version": "1.1",
            "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")], "scheme": "http",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "", "raw_path": b"/predict",
        }  # fmt: skip
        async with lifespan(gate):
            await gate(scope, receive, send)  # type: ignore[arg-type]
        assert read <= 8_000_000 and gate.held_bytes == 0  # As much again may be dropped, unread.
        return status

    assert asyncio.run(asked()) == 413


def test_a_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    with small(ServeOptions(max_mb=1)) as client:
        reply = client.post("/predict", content=b"x", headers={"content-length": str(2 << 30)})
        assert problem(reply).startswith("413") and reply.headers["connection"] == "close"
        assert client.post("/predict", content=b"x", headers={"content-length": "9" * 30}).status_code == 413


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "422 The body is not valid JSON"),
        (b"{", "422 The body is not valid JSON"),
        (b'"texts"', "422 There is no list named texts"),
        (b'{"texts": []}', "422 There is no list named texts"),
        (b'{"texts": "one"}', "422 There is no list named texts"),
        (b'{"texts": [1, null]}', "422 None of the 2 inputs can be used (1: it is no text)"),
        (b'{"series": [[NaN]]}', "422 The body is not valid JSON (NaN is no JSON number"),
        (b'{"texts": ["a"], "x": -Infinity}', "422 The body is not valid JSON (-Infinity"),
        (b'{"texts": ["a"], "x": ' + b"9" * 5_000 + b"}", "422 The body is not valid JSON"),
        (b'{"texts": ["a"], "ids": ["1", "2"]}', "422 ids is no list"),
        (b'{"texts": ["\xff"]}', "422 The JSON is not UTF-8"),
        (b"[" * 100_000, "422 The JSON is nested too deeply"),
        (b'{"a":' * 100_000, "422 The JSON is nested too deeply"),
        (json.dumps({"texts": ["x"] * 10_000}).encode(), "413 The request has 10,000 texts; 256 are the most"),
        (
            json.dumps({"texts": ["x" * 100_001]}).encode(),
            "422 None of the 1 inputs can be used (1: the text",
        ),
    ],
)
def test_json_that_is_wrong_or_too_much_is_refused_with_a_hint(body: bytes, expected: str) -> None:
    with small() as client:
        reply = client.post("/predict", content=body, headers={"content-type": "application/json"})
        assert problem(reply).startswith(expected)


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        ([], "it is no list of numbers"),
        ("1,2,3", "it is no list of numbers"),
        ([1, "2"], "it has a value that is not a number"),
        ([1, True], "it has a value that is not a number"),
        ([[1, 2], 3], "it has a value that is not a number"),
        ([[1, [2]]], "it has a value that is not a number"),
        ([[1, 2], [3]], "its channels differ in length"),
        ([1e39, 2], "a number in it is too large"),
        ([10**400, 2], "a number in it is too large"),
        ([0] * 100_001, "it has more than 100,000 numbers"),
        ([None, None], "it has no values"),
        ([[]], "it has no values"),
        ([[1.0, 2.0], [3.0, 4.0]], "A series has 2 channels; the model was made for 1"),
    ],
)
def test_a_series_that_is_none_gets_its_reason(client: TestClient, series: Any, reason: str) -> None:
    good = np.sin(np.arange(30)).tolist()
    reply = client.post("/predict?model=series", json={"series": [good, series]})
    assert reply.status_code == 200, reply.text
    assert [row["reason"] for row in reply.json()["failed"]] == [reason]


def test_numbers_beyond_all_bounds_are_no_fault(client: TestClient) -> None:
    body = b'{"series": [[1e999, 1], [3e38, -3e38, 3e38, -3e38]]}'
    reply = client.post("/predict?model=series", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 422)


@pytest.mark.parametrize(
    ("model", "kind", "expected"),
    [
        ("image", "application/json", "422 This model reads images"),
        ("text", "multipart/form-data; boundary=x", "422 This model reads texts"),
        ("series", "text/csv", "415 This model reads series"),
        ("image", "", "415 This model reads images"),
        ("image", "multipart/form-data", "422 The form cannot be read"),
        ("image", "multipart/form-data; boundary=x", "422 The form"),
    ],
)
def test_a_body_of_another_kind_is_refused(client: TestClient, model: str, kind: str, expected: str) -> None:
    reply = client.post(f"/predict?model={model}", content=b"--y\r\n\r\nrubbish", headers={"content-type": kind})
    assert problem(reply).startswith(expected)


def test_more_files_than_allowed_are_refused(models: dict[str, ServedModel]) -> None:
    with TestClient(build_app(models, ServeOptions(max_rows=3), None), base_url=HOME) as client:
        sent = [("files", (f"{row}.png", png(), "image/png")) for row in range(4)]
        assert problem(client.post("/predict?model=image", files=sent)).startswith("413")
        assert client.post("/predict?model=image", files=sent[:3]).status_code == 200


def test_file_names_are_only_told_back_without_folders_and_never_opened(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../etc/passwd", "..\\..\\boot.ini", "/dev/zero", "a\u202egnp.exe", "..", "x" * 500, "same", "same"]
    sent = [("files", (name, png(), "image/png")) for name in names]
    opened: list[object] = []
    real = open

    def watched(file: Any, *arguments: Any, **named: Any) -> Any:
        opened.append(file)
        return real(file, *arguments, **named)

    monkeypatch.setattr("builtins.open", watched)
    reply = client.post("/predict?model=image", files=sent)
    told = [row["input"] for row in reply.json()["predictions"]]
    assert told == ["passwd", "boot.ini", "zero", "agnp.exe", "file 5", "x" * 120, "same", "same#2"]
    assert list(tmp_path.iterdir()) == [] and not any("etc" in str(one) or "boot" in str(one) for one in opened)
    for path in ("/static/..%2f..%2fapp.py", "/static/../app.py", "/%2e%2e/app.py", "/static/app.py"):
        assert client.get(path).status_code == 404


def test_half_characters_in_texts_and_names_do_no_harm(client: TestClient) -> None:
    body = b'{"texts": ["no water \\ud800 here"], "ids": ["\\udfff"]}'
    reply = client.post("/predict?model=text", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 200 and reply.json()["predictions"][0]["answer"]


# Who may ask


def test_with_a_token_only_its_bearer_is_answered_and_the_token_is_never_told() -> None:
    with small(token=TOKEN) as client:
        for headers in ({}, {"authorization": TOKEN}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer é"}):
            raw = {name: value.encode() for name, value in headers.items()}
            reply = client.post("/predict", json={"texts": ["a"]}, headers=raw)  # type: ignore[arg-type]
            assert problem(reply).startswith("401") and reply.headers["www-authenticate"] == "Bearer"
            assert TOKEN not in reply.text
        for path in ("/info", "/metrics", "/v2", "/v2/models/toy", "/nothing"):
            assert client.get(path).status_code == 401
        for path in ("/", "/docs", "/health", "/ready", "/static/page.js", "/v2/health/live"):
            assert client.get(path).status_code == 200
        assert client.get("/ready").json()["models"] == []
        right = {"authorization": f"bearer {TOKEN}"}
        assert client.post("/predict", json={"texts": ["a"]}, headers=right).status_code == 200


def test_another_address_than_this_machine_needs_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle_folders: dict[str, Path]
) -> None:
    monkeypatch.delenv("HEADSTART_TOKEN", raising=False)
    assert read_token("127.0.0.1", None) is None and is_loopback_host("127.8.8.8")
    done = RUN.invoke(app, ["serve", str(bundle_folders["text"]), "--host", "0.0.0.0", "--port", "0"])
    assert done.exit_code == 2 and "there is no token" in done.output and "HEADSTART_TOKEN" in done.output
    monkeypatch.setenv("HEADSTART_TOKEN", "short")
    with pytest.raises(OptionError, match="at least 16 plain") as caught:
        read_token("0.0.0.0", None)
    assert "short" not in str(caught.value)
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    assert read_token("0.0.0.0", tmp_path / "token") == TOKEN
    with pytest.raises(OptionError, match="cannot be read"):
        read_token("127.0.0.1", tmp_path / "nothing")


def test_other_sites_and_other_names_for_this_machine_are_refused() -> None:
    with small() as client:
        assert client.get("/info", headers={"host": "evil.example"}).status_code == 421
        assert client.get("/info", headers={"host": "localhost:99"}).status_code == 200
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1234"):
            reply = client.post("/predict", json={"texts": ["a"]}, headers={"origin": origin})
            assert problem(reply).startswith("403") and "access-control-allow-origin" not in reply.headers
        own = client.post("/predict", json={"texts": ["a"]}, headers={"origin": HOME})
        assert own.status_code == 200 and "access-control-allow-origin" not in own.headers


def test_every_answer_has_an_id_and_safe_headers(client: TestClient) -> None:
    for path in ("/", "/info?model=text", "/nothing", "/docs"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"] and "unsafe" not in str(headers)
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
        assert "server" not in headers and len(headers["x-request-id"]) == 32
    assert client.get("/health", headers={"x-request-id": "abc-1.2"}).headers["x-request-id"] == "abc-1.2"
    for bad in ("a b", "x" * 65, "<script>", ""):
        assert client.get("/health", headers={"x-request-id": bad}).headers["x-request-id"] != bad


def test_the_log_is_json_without_contents_and_counters_are_of_routes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "headstart.web"), small() as client:
        client.post("/predict", json={"texts": ["my secret"]})
        client.get("/secret-path?secret=1")
        metrics = client.get("/metrics").text
    lines = [
        json.loads(JsonLinesFormatter().format(record)) for record in caplog.records if record.name == "headstart.web"
    ]
    assert [line["route"] for line in lines] == ["/predict", "unknown", "/metrics"]
    assert lines[0]["status"] == 200 and "secret" not in json.dumps(lines) and "secret" not in metrics
    lines_of_metrics = metrics.splitlines()
    assert 'headstart_requests_total{method="POST",route="/predict",status="200"} 1.0' in lines_of_metrics
    assert 'headstart_answers_total{kind="label",model="toy"} 1.0' in lines_of_metrics
    assert 'headstart_batch_rows_bucket{le="1.0",model="toy"} 1.0' in lines_of_metrics
    assert 'headstart_queue_rows{model="toy"} 0.0' in lines_of_metrics
    assert "_created" not in metrics


def test_a_class_called_not_sure_is_counted_as_a_label_and_its_answer_says_so() -> None:
    def answer(inputs: Sequence[Any]) -> list[dict[str, Any]]:
        kinds = {"a": "label", "b": "not_sure"}
        return [{**document, "answer": "not sure", "kind": kinds[document["label"]]} for document in echo(inputs)]

    with small(answer=answer) as client:
        rows = client.post("/predict", json={"texts": ["a", "b", "a"]}).json()["predictions"]
        lines = client.get("/metrics").text.splitlines()
    assert [row["kind"] for row in rows] == ["label", "not_sure", "label"]
    assert 'headstart_answers_total{kind="label",model="toy"} 2.0' in lines
    assert 'headstart_answers_total{kind="not_sure",model="toy"} 1.0' in lines


def test_the_counters_can_be_read_by_prometheus() -> None:
    with small() as client:
        client.post("/predict", json={"texts": ["a", "b"]})
        found = {family.name: family for family in parser.text_string_to_metric_families(client.get("/metrics").text)}
    assert {"headstart_requests", "headstart_request_seconds", "headstart_batch_rows"} <= set(found)
    total = [one.value for one in found["headstart_batch_rows"].samples if one.name.endswith("_sum")]
    assert total == [2.0]


def test_a_fault_of_ours_tells_nothing_and_later_requests_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    def broken(inputs: Sequence[Any]) -> list[dict[str, Any]]:
        if inputs[0] == "secret":
            raise AssertionError("secret")
        return echo(inputs)

    gate = build_app(toy(broken), ServeOptions(), None)
    with TestClient(gate, base_url=HOME, raise_server_exceptions=False) as client:
        reply = client.post("/predict", json={"texts": ["secret"]})
        assert reply.status_code == 500 and "secret" not in reply.text and "fault in Headstart" in reply.text
        assert client.post("/predict", json={"texts": ["a"]}).status_code == 200


def test_an_error_in_the_log_has_its_kind_and_place_but_not_its_words() -> None:
    try:
        raise ValueError("secret words")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    line = json.loads(JsonLinesFormatter().format(record))
    assert line["error"] == "ValueError" and line["at"] and "secret" not in json.dumps(line)


# Batches, back-pressure, time


@asynccontextmanager
async def lifespan(gate: RequestMiddleware) -> AsyncIterator[None]:
    inner: Any = gate.app
    async with inner.router.lifespan_context(inner):
        yield


@asynccontextmanager
async def asking(gate: RequestMiddleware) -> AsyncIterator[httpx.AsyncClient]:
    async with lifespan(gate), httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=HOME) as made:
        yield made


class Held:
    """A model that answers only when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Event()
        self.batches: list[int] = []

    def __call__(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        self.batches.append(len(inputs))
        self.began.set()
        assert self.go.wait(20)
        return echo(inputs)


async def begun(held: Held) -> None:
    while not held.began.is_set():
        await asyncio.sleep(0.005)


def test_a_full_queue_answers_503_with_a_time_and_everybody_let_in_is_answered() -> None:
    async def run() -> None:
        held = Held()
        gate = build_app(toy(held), ServeOptions(max_queue=3, window_ms=0), None)
        async with asking(gate) as client:

            async def ask(text: str, n: int = 1) -> httpx.Response:
                return await client.post("/predict", json={"texts": [text] * n})

            first = asyncio.create_task(ask("first"))
            await begun(held)
            waiting = [asyncio.create_task(ask(f"w{row}")) for row in range(3)]
            while not (await client.get("/metrics")).text.count('headstart_queue_rows{model="toy"} 3'):
                await asyncio.sleep(0.005)
            refused = await ask("late")
            assert problem(refused).startswith("503 The server is busy: 3 rows are waiting")
            assert int(refused.headers["retry-after"]) >= 1
            assert (await client.get("/health")).status_code == 200
            held.go.set()
            done = await asyncio.gather(first, *waiting)
            told = [reply.json()["predictions"][0]["answer"] for reply in done]
            assert told == ["first", "w0", "w1", "w2"] and (await ask("again")).status_code == 200
            assert held.batches[:2] == [1, 3]

    asyncio.run(run())


def test_a_request_that_takes_too_long_is_given_up_and_its_rows_are_not_computed() -> None:
    async def run() -> None:
        held = Held()
        gate = build_app(toy(held), ServeOptions(timeout=1.0, window_ms=0), None)
        async with asking(gate) as client:
            first = asyncio.create_task(client.post("/predict", json={"texts": ["a"]}))
            await begun(held)
            second = asyncio.create_task(client.post("/predict", json={"texts": ["b"] * 5}))
            for reply in await asyncio.gather(first, second):
                assert problem(reply).startswith("503 The answer took longer than 1 s") and reply.headers["retry-after"]
            held.go.set()
            assert (await client.post("/predict", json={"texts": ["c"]})).status_code == 200
            assert held.batches == [1, 1]

    asyncio.run(run())


def test_a_stopping_server_answers_who_is_inside_and_refuses_who_comes() -> None:
    async def run() -> None:
        held = Held()
        gate = build_app(toy(held), ServeOptions(), None)
        async with asking(gate) as client:
            inside = asyncio.create_task(client.post("/predict", json={"texts": ["a"]}))
            await begun(held)
            gate.stopping = True
            late = await client.post("/predict", json={"texts": ["b"]})
            assert problem(late) == "503 The server is stopping." and late.headers["retry-after"] == "5"
            assert (await client.get("/ready")).status_code == 503 and (await client.get("/health")).status_code == 200
            assert gate.n_active == 1
            held.go.set()
            assert (await inside).status_code == 200 and gate.n_active == 0

    asyncio.run(run())


def batched(
    requests: list[list[str]], bounds: BatchLimits, weigh: Any = lambda one: 0.0
) -> tuple[list[list[dict[str, Any]]], list[list[str]]]:
    """Ask all at once; gives the answers and the batches."""
    seen: list[list[str]] = []

    def answer(inputs: Sequence[str]) -> list[dict[str, Any]]:
        seen.append(list(inputs))
        return echo(inputs)

    async def run() -> list[list[dict[str, Any]]]:
        with ThreadPoolExecutor(1) as pool:
            batcher = Batcher(answer, pool, bounds, weigh)
            asked = [asyncio.create_task(batcher.submit(request)) for request in requests]
            await asyncio.sleep(0)
            worker = asyncio.create_task(batcher.run())
            found = await asyncio.gather(*asked)
            worker.cancel()
        return found

    return asyncio.run(run()), seen


def test_rows_of_many_requests_are_answered_together_and_each_gets_its_own() -> None:
    requests = [[f"{request}-{row}" for row in range(request + 1)] for request in range(6)]
    found, seen = batched(requests, BatchLimits(0.5, 8, 100))
    assert [[one["answer"] for one in request] for request in found] == requests
    assert max(map(len, seen)) <= 8 and sum(map(len, seen)) == 21 and len(seen) == 3


def test_a_long_request_does_not_hold_up_a_short_one() -> None:
    _, seen = batched([["long"] * 100, ["short"]], BatchLimits(0.0, 10, 1_000))
    assert "short" in seen[0] and len(seen) == 11


def test_no_input_is_written_out_on_its_way() -> None:
    class Silent(str):
        __slots__ = ()

        def __repr__(self) -> str:
            raise AssertionError("An input was written out: large ones take seconds.")

    found, _ = batched([[Silent("a")], [Silent("b")]], BatchLimits(0.0, 8, 10))
    assert [one[0]["answer"] for one in found] == ["a", "b"]


def test_large_inputs_share_no_batch_and_small_ones_go_before_the_next_of_them() -> None:
    requests = [["large"] * 5, ["small"] * 3, ["half"] * 4, ["last"]]
    sizes = {"large": 0.9, "half": 0.5, "small": 0.01, "last": 0.0}
    found, seen = batched(requests, BatchLimits(0.0, 10, 100), sizes.__getitem__)
    assert [[one["answer"] for one in request] for request in found] == requests
    assert all(sum(sizes[one] for one in batch) <= 1.0 for batch in seen)
    assert sorted(seen[0]) == ["large", "last", "small", "small", "small"] and seen[1][:2] == ["half", "half"]


def test_an_input_of_the_largest_size_is_answered_alone() -> None:
    found, seen = batched([["x"], ["x"]], BatchLimits(0.0, 10, 100), lambda one: 1.0)
    assert seen == [["x"], ["x"]] and len(found) == 2


@pytest.mark.parametrize(("model", "size"), [("image", 0.001), ("text", 0.01), ("series", 0.003)])
def test_inputs_are_weighed_against_what_is_allowed(model: str, size: float) -> None:
    one = {"image": png((50, 20)), "text": "x" * 10, "series": np.zeros((1, 3))}[model]
    limits = ServeOptions(max_megapixels=1.0, max_characters=1_000, max_numbers=1_000)
    assert (
        measure_input_share(one, model, limits) == pytest.approx(size)
        and measure_input_share(UnusableInput("no"), model, limits) == 0.0
    )


def test_one_request_alone_does_not_wait_for_others() -> None:
    began = time.monotonic()
    batched([["alone"]], BatchLimits(30.0, 8, 100))
    assert time.monotonic() - began < 20  # Not the window.


# The whole, as a process


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def test_a_terminated_server_finishes_what_it_has_begun(bundle_folders: dict[str, Path], tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "headstart.cli.main", "serve", str(bundle_folders["text"]), "--port", str(port)]
    command += ["--offline", "--json", "--max-rows", "2000"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ))
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while time.monotonic() < until and server.poll() is None:
            try:
                if httpx.get(f"{address}/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        replies: list[httpx.Response] = []
        texts = ["the pump is broken " * 60] * 600

        def ask() -> None:
            replies.append(httpx.post(f"{address}/predict", json={"texts": texts}, timeout=100))

        asker = threading.Thread(target=ask)
        asker.start()
        while "headstart_batch_rows_count" not in httpx.get(f"{address}/metrics").text:
            time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        asker.join(100)
        assert server.wait(60) == 0
        assert replies[0].status_code == 200 and replies[0].json()["n_rows"] == 600
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address}/ready")
        assert server.stdout is not None
        document = json.loads(server.stdout.read())
        assert document["models"] == ["text"] and document["requests"]["200"] >= 3
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def begin(command: Sequence[str], port: int) -> subprocess.Popen[bytes]:
    """Start a server and wait until it is ready."""
    made = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while time.monotonic() < until and made.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                break
        time.sleep(0.05)
    return made


def test_a_killed_server_loses_only_what_is_in_flight_and_no_confirmed_correction(
    bundle_folders: dict[str, Path], tmp_path: Path
) -> None:
    port, n_clients, stop = free_port(), 4, threading.Event()
    command = [sys.executable, "-m", "headstart.cli.main", "serve", str(bundle_folders["text"]), "--offline", "-q"]
    command += ["--feedback", str(tmp_path)]
    answers: list[tuple[float, str]] = []
    lost: list[str] = []
    kept: list[str] = []

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            while not stop.is_set():
                try:
                    reply = client.post("/predict", json={"texts": ["The pump is broken"]})
                    answers.append((time.monotonic(), f"{reply.status_code} {reply.json()['predictions'][0]['label']}"))
                except httpx.ConnectError:  # Nobody is there: nothing was sent.
                    stop.wait(0.05)
                except httpx.TransportError as error:
                    lost.append(type(error).__name__)

    def correct() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with contextlib.suppress(httpx.TransportError):
                sent = {"text": f"text {number}", "label": "water"}
                reply = httpx.post(f"http://127.0.0.1:{port}/feedback", json=sent, timeout=60)
                kept.extend([sent["text"]] if reply.status_code == 200 else [])

    server = begin(command, port)
    threads = [threading.Thread(target=ask) for _ in range(n_clients)] + [threading.Thread(target=correct)]
    try:
        for thread in threads:
            thread.start()
        while len(answers) < 20 or len(kept) < 5:
            time.sleep(0.02)
        server.kill()
        server.wait()
        killed, n_kept = time.monotonic(), len(kept)
        server = begin(command, port)
        while sum(at > killed for at, _ in answers) < 20 or len(kept) < n_kept + 5:
            time.sleep(0.02)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        server.kill()
        server.wait()
    assert len({said for _, said in answers}) == 1 and answers[0][1].startswith("200 ")
    assert len(lost) <= 2 * n_clients
    with (tmp_path / "text" / "corrections.csv").open(encoding="utf-8", newline="") as handle:
        assert set(kept) <= {row["text"] for row in csv.DictReader(handle)}


def test_answers_are_not_held_back_by_the_network_stack() -> None:
    async def accepted() -> int:
        got: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=bind_socket("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            found = await got
            writer.close()
        return found

    assert asyncio.run(accepted()) != 0


def test_a_port_that_is_taken_and_a_folder_that_is_none_are_named(bundle_folders: dict[str, Path]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = RUN.invoke(app, ["serve", str(bundle_folders["text"]), "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 2 and "cannot be listened on" in done.output
    with (
        bind_socket("127.0.0.1", 0) as late,
        bind_socket(*late.getsockname()) as first,
    ):  # Both bound, neither listens yet.
        start_listening(first)
        with pytest.raises(OptionError, match="cannot be listened on"):
            start_listening(late)
    done = RUN.invoke(app, ["serve", str(bundle_folders["text"].parent), "--port", "0"])
    assert done.exit_code == 2 and "is not a bundle" in done.output


def test_the_server_itself_loads_nothing_that_adapting_needs() -> None:
    heavy = ("torch", "timm", "transformers", "sklearn", "pandas", "openvino", "aeon", "scipy")
    code = f"import sys, headstart.web.server\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Corrections


def adapted(table: Path) -> data.Table:
    return data.read_table(table, parse(ReadOptions))


def test_corrections_become_tables_that_adapt_reads(models: dict[str, ServedModel], tmp_path: Path) -> None:
    options = ServeOptions(feedback=tmp_path / "corrections")
    with TestClient(build_app(models, options, None), base_url=HOME) as client:
        again = 'No water,\r\n"again"'
        for text, label in ((again, "water"), ("The roof leaks", "school"), (again, "school"), (again, "roads")):
            reply = client.post("/feedback?model=text", json={"text": text, "label": label})
            assert reply.status_code == 200, reply.text
        assert reply.json()["n_rows"] == 2
        for row in range(4):
            form = {"file": ("../x.png", png((40 + row, 40)), "image/png")}
            reply = client.post("/feedback?model=image", files=form, data={"label": f"class-{row % 2}"})
            assert reply.status_code == 200, reply.text
        for row in range(4):
            wave = [None, *np.sin(np.arange(29) * (row + 1) / 3).tolist()]
            reply = client.post("/feedback?model=series", json={"series": wave, "label": ("slow", "fast")[row % 2]})
            assert reply.status_code == 200, reply.text
        assert client.get("/info?model=text").json()["feedback"] is True
    texts = adapted(tmp_path / "corrections" / "text" / "corrections.csv")
    assert dict(zip(texts.inputs, texts.labels, strict=True)) == {  # type: ignore[arg-type]
        'No water,\n"again"': "roads", "The roof leaks": "school",
    }  # fmt: skip
    pictures = adapted(tmp_path / "corrections" / "image")
    assert len(pictures) == 4 and sorted(set(pictures.labels)) == ["class-0", "class-1"]  # type: ignore[arg-type]
    series = adapted(tmp_path / "corrections" / "series" / "corrections.csv")
    assert series.modality == "series" and sorted(series.labels) == ["fast", "fast", "slow", "slow"]  # type: ignore[arg-type]
    assert series.inputs[0].shape == (1, 30) and np.isnan(series.inputs[0][0, 0])
    with TestClient(build_app(models, options, None), base_url=HOME) as client:  # A new server goes on with the table.
        assert client.post("/feedback?model=text", json={"text": again, "label": "water"}).json()["n_rows"] == 2
        assert client.post("/feedback?model=text", json={"text": "New", "label": "water"}).json()["n_rows"] == 3


@pytest.mark.parametrize(
    ("task", "label", "expected"),
    [
        ("classification", "", "422 The label is not a text"),
        ("classification", "a\nb", "422 The label is not a text"),
        ("classification", 3, "422 The label is not a text"),
        ("classification", "x" * 201, "422 The label is not a text"),
        ("ordinal", "c", "422 The label is not one of the grades"),
        ("regression", "much", "422 The label is not a number"),
        ("regression", "nan", "422 The label is not a number"),
    ],
)
def test_a_correction_without_a_good_label_is_refused(task: str, label: Any, expected: str, tmp_path: Path) -> None:
    gate = build_app(toy(task=task), ServeOptions(feedback=tmp_path / "c"), None)
    with TestClient(gate, base_url=HOME) as client:
        assert problem(client.post("/feedback", json={"text": "t", "label": label})).startswith(expected)
    assert list((tmp_path / "c").rglob("*.csv")) == []


def sent(client: TestClient, text: str, label: str) -> httpx.Response:
    # Not as json=...: half characters have to be written as they are.
    return client.post("/feedback", content=json.dumps({"text": text, "label": label}).encode(),
                       headers={"content-type": "application/json"})  # fmt: skip


def corrections_of(folder: Path) -> list[list[str]]:
    with (folder / "toy" / "corrections.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))[1:]


def test_no_correction_is_a_formula_for_a_spreadsheet_and_numbers_stay_labels(tmp_path: Path) -> None:
    with small(ServeOptions(feedback=tmp_path)) as client:
        for label in ('=HYPERLINK("x")', "+cmd|' /C calc'!A0", "@SUM(1)", "-x"):
            assert problem(sent(client, "t", label)).startswith("422 The label looks like a formula")
        for text, label in (("=1+1", "a"), ("@home, \ud800", "-1"), ("-3.5", "+2"), ('no\n"water"', "a")):
            assert sent(client, text, label).status_code == 200
        assert sent(client, "=1+1", "b").json()["n_rows"] == 4
    rows = corrections_of(tmp_path)
    assert rows == [["'@home, ?", "-1"], ["-3.5", "+2"], ['no\n"water"', "a"], ["'=1+1", "b"]]
    assert read_raw_table(tmp_path / "toy" / "corrections.csv").texts("text") == [
        "@home, ?",
        "-3.5",
        'no\n"water"',
        "=1+1",
    ]


@pytest.mark.parametrize(
    ("found", "status", "rows"),
    [
        (b"", 200, [["new", "a"]]),
        (b"\xef\xbb\xbftext,label\r\nold,b\r\n", 200, [["old", "b"], ["new", "a"]]),
        (b'text,label\nold,b\n"half', 200, [["old", "b"], ["half\nnew,a\n"]]),
        (b"text,label\nold,b", 200, [["old", "b"], ["new", "a"]]),
        (b"text,label\n\xff\xfe,b\n", 503, None),
        (b"something,else\n", 422, []),
    ],
)
def test_a_table_of_corrections_that_somebody_touched_makes_no_fault(
    found: bytes, status: int, rows: list[list[str]] | None, tmp_path: Path
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "corrections.csv").write_bytes(found)
    with small(ServeOptions(feedback=tmp_path)) as client:
        assert sent(client, "new", "a").status_code == status
    assert rows is None or corrections_of(tmp_path) == rows


def test_a_full_disk_refuses_a_correction_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    with small(ServeOptions(feedback=tmp_path)) as client:
        assert sent(client, "first", "a").status_code == 200
        before = (tmp_path / "toy" / "corrections.csv").read_bytes()
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 3, old[1]))
        try:
            reply = sent(client, "second", "a")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert problem(reply).startswith("503 The correction could not be written") and reply.headers["retry-after"]
        assert (tmp_path / "toy" / "corrections.csv").read_bytes() == before
        assert sent(client, "second", "a").json()["n_rows"] == 2
    assert corrections_of(tmp_path) == [["first", "a"], ["second", "a"]]


def test_a_folder_for_corrections_that_is_none_is_refused_at_the_start(
    tmp_path: Path, bundle_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for name in ("file", "file/below"):
        with pytest.raises(OptionError, match="cannot be made"):
            build_app(toy(), ServeOptions(feedback=tmp_path / name), None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OptionError, match="cannot be written to"):
        build_app(toy(), ServeOptions(feedback=tmp_path / "there"), None)


def test_without_feedback_nothing_is_kept() -> None:
    with small() as client:
        assert problem(client.post("/feedback", json={"text": "t", "label": "a"})).startswith("404")


# Whatever the description allows


SENT = ("method", "url", "headers", "params", "json", "data", "files")


def explored(models: dict[str, ServedModel], folder: Path, n_examples: int) -> dict[int, int]:
    """Ask all that the description allows, of each model; gives how often each status came, and fails at a fault."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    gate = build_app(models, ServeOptions(feedback=folder, max_mb=0.5, timeout=20.0), None)
    seen: dict[int, int] = {}
    with TestClient(gate, base_url=HOME, raise_server_exceptions=False) as client:
        document = client.get("/openapi.json").json()
        assert {"/predict", "/feedback", "/info", "/v2/models/{name}/infer", "/metrics"} <= set(document["paths"])
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            operation = found.ok()

            @given(case=operation.as_strategy(), model=st.sampled_from(sorted(models)))
            @settings(
                max_examples=n_examples if operation.method == "post" else 5, deadline=None, database=None,
                derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            def no_fault(case: schemathesis.Case, model: str) -> None:
                if case.path_parameters:
                    case.path_parameters = {"name": model}
                elif case.query:
                    case.query["model"] = model  # Any other name is a 404.
                elif case.method == "POST":
                    case.query = {"model": model}
                sent = case.as_transport_kwargs(base_url=HOME)
                with contextlib.suppress(AttributeError, TypeError):  # A form with a number as file cannot be written.
                    httpx.Request("POST", HOME, files=sent.get("files")).read()
                    reply = client.request(**{name: value for name, value in sent.items() if name in SENT})
                    seen[reply.status_code] = seen.get(reply.status_code, 0) + 1
                    assert reply.status_code < 500 or reply.status_code == 503, reply.text

            no_fault()
    return seen


def test_no_request_that_the_description_allows_makes_a_fault(models: dict[str, ServedModel], tmp_path: Path) -> None:
    seen = explored(models, tmp_path / "c", 24)
    assert seen[200] > 20 and seen[422] > 5 and seen.get(404, 0) < 5


def break_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    real = request_inputs._parse_ids
    monkeypatch.setattr(request_inputs, "_parse_ids", lambda ids, n: real(ids and 1 / 0, n))


def break_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "_hash_content", lambda value: value.encode("ascii").hex()[:32])


def break_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_is_shape", lambda shape, most: True)


@pytest.mark.parametrize("broken", [break_ids, break_letters, break_tensors])
def test_a_fault_that_is_put_in_is_found(
    broken: Any, models: dict[str, ServedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match="This is a fault in Headstart"):
        explored({"text": models["text"], "series": models["series"]}, tmp_path / "c", 48)
