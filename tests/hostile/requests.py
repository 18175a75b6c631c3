"""Requests that a server gets from the outside, and homes that a disk or another program damaged."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from tests.hostile.case import Case, Command, Random, Request, Seeds

LARGE = 8_000_000


def _json(document: Any) -> Callable[[], bytes]:
    return lambda: json.dumps(document).encode()


def _form(name: str, content: bytes, parts: int = 1, file: str = "x.png") -> bytes:
    one = (
        b'--edge\r\nContent-Disposition: form-data; name="' + name.encode() + b'"; filename="' + file.encode()
        + b'"\r\nContent-Type: image/png\r\n\r\n' + content + b"\r\n"
    )  # fmt: skip
    return one * parts + b"--edge--\r\n"


def _flat_picture(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


BODIES: Mapping[str, Callable[[], bytes]] = {
    "empty": lambda: b"", "no-json": lambda: b"{", "not-utf-8": lambda: b"\xff\xfe{}", "null": lambda: b"null",
    "number": lambda: b"7", "text": lambda: b'"a"', "list": _json([]), "object": _json({}),
    "inputs-null": _json({"inputs": None}), "inputs-text": _json({"inputs": "a"}), "inputs-numbers": _json({"inputs": [1, 2]}),
    "inputs-objects": _json({"inputs": [{}, {"text": {}}]}), "inputs-none": _json({"inputs": []}),
    "empty-lists": lambda: b'{"inputs": [' + b"[]," * (LARGE // 3) + b"[]]}",
    "deep": lambda: b'{"inputs": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep-objects": lambda: b'{"inputs": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "many-keys": lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(600_000)) + b"}",
    "equal-keys": lambda: b"{" + b",".join([b'"inputs":[]'] * 400_000) + b"}",
    "many-texts": lambda: b'{"inputs": [' + b'"",' * (LARGE // 3) + b'""]}',
    "long-text": lambda: json.dumps({"inputs": ["a " * (LARGE // 2)]}).encode(),
    "long-word": lambda: json.dumps({"inputs": ["a" * LARGE]}).encode(),
    "digits": lambda: b'{"inputs": [' + b"9" * 1_000_000 + b"]}", "exponent": lambda: b'{"inputs": [[1e999, 1]]}',
    "not-a-number": lambda: b'{"inputs": [[NaN, Infinity, -Infinity]]}',
    "id-slashes": lambda: json.dumps({"inputs": ["a"], "id": "/" * 2_000_000}).encode(),
    "id-list": _json({"inputs": ["a"], "id": [[[]]]}),
    "surrogates": lambda: b'{"inputs": ["\\ud800", "\\udfff"]}', "zeros": lambda: b"\x00" * 1_000_000,
    "channels": lambda: json.dumps({"inputs": [[[0.5]] * 30_000]}).encode(),
    "steps": lambda: json.dumps({"inputs": [[0.5] * 1_000_000]}).encode(),
    "ragged": _json({"inputs": [[1, [2, [3]]], [[1], [2, 3]]]}),
    "path": _json({"inputs": ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x"]}),
    "base64-bad": _json({"inputs": ["data:image/png;base64,%%%"]}),
    "base64-picture": lambda: json.dumps({"inputs": [base64.b64encode(_flat_picture(9_000)).decode()]}).encode(),
    "options": _json({"inputs": ["a"], "top": 10**9, "model": "../../x"}),
    "format-tree": _json({"inputs": [{"name": "x", "datatype": "BYTES", "shape": [10**12], "data": []}]}),
    "shape-minus": _json({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, -1], "data": [1, 2]}]}),
    "datatype": _json({"inputs": [{"name": "x", "datatype": "EVIL", "shape": [1], "data": ["a"]}]}),
}  # fmt: skip
FORMS: Mapping[str, Callable[[], bytes]] = {
    "flat-9000": lambda: _form("files", _flat_picture(9_000)), "no-picture": lambda: _form("files", b"hello"),
    "many": lambda: _form("files", b"x", 5_000), "name-long": lambda: _form("files", b"x", 1, "x" * 500_000),
    "name-path": lambda: _form("files", _flat_picture(8), 1, "../../../tmp/headstart-outside.png"),
    "cut": lambda: _form("files", b"x")[:60], "no-end": lambda: b"--edge\r\n" * 200_000, "other": lambda: _form("x", b"y"),
}  # fmt: skip
PATHS = ("/predict", "/feedback", "/v2/models/{name}/infer")


def _request(body: Callable[[], bytes], path: str, seed: str, folder: Path, seeds: Seeds, random: Random) -> Request:
    return Request(bundle=seeds.bundles[seed], path=path, body=body())


def _form_request(body: Callable[[], bytes], folder: Path, seeds: Seeds, random: Random) -> Request:
    headers = {"content-type": "multipart/form-data; boundary=edge"}
    return Request(bundle=seeds.bundles["image"], path="/predict", body=body(), headers=headers)


def _other_request(path: str, headers: dict[str, str], folder: Path, seeds: Seeds, random: Random) -> Request:
    return Request(bundle=seeds.bundles["text"], path=path, body=b"{}", headers=headers, method="GET")


DAMAGES: Mapping[str, Callable[[Path, Random], None]] = {
    "zeroed": lambda path, random: path.write_bytes(b"\x00" * path.stat().st_size),
    "cut": lambda path, random: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path, random: path.write_bytes(b""),
    "noise": lambda path, random: path.write_bytes(random.bytes(min(path.stat().st_size, 10_000))),
    "folder": lambda path, random: (path.unlink(), path.mkdir())[1],
    "link": lambda path, random: (path.unlink(), path.symlink_to("/dev/zero"))[1],
    "gone": lambda path, random: path.unlink(),
}


def _damaged_home(room: str, damage: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    """Damage every file of one room of the home, then predict: the answers do not depend on the home."""
    home = Path(shutil.copytree(seeds.home, folder / "home"))
    for path in sorted((home / room).rglob("*")):
        if path.is_file():
            DAMAGES[damage](path, random)
    seed = {"tokenizers": "text", "runtimes": "image", "features": "series"}.get(room, "image")
    modality = {"text": "text", "image": "image", "series": "series"}[seed]
    arguments = ("predict", str(seeds.bundles[seed]), str(seeds.rows[modality]), "-o", "answers.csv")
    return Command(arguments=arguments, home=home)


def _home_is(kind: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    home = folder / "home"
    if kind == "file":
        home.write_text("x")
    elif kind == "nowhere":
        home = Path("/proc/headstart-home")
    elif kind == "link":
        home.symlink_to(folder / "missing" / "home")
    arguments = ("predict", str(seeds.bundles["text"]), str(seeds.rows["text"]), "-o", "answers.csv")
    return Command(arguments=arguments, home=home)


def list_cases() -> Iterator[Case]:
    """Return the cases of this kind."""
    seeds = ("text", "series", "image")
    for number, (name, body) in enumerate(BODIES.items()):
        yield Case(name=f"request-predict/{name}", make=partial(_request, body, "/predict", seeds[number % 3]))
        seed = "series" if name in ("channels", "steps", "ragged", "exponent") else "text"
        path = PATHS[1 + number % 2]
        yield Case(name=f"request-{path.split('/')[-1]}/{name}", make=partial(_request, body, path, seed))
    for name, body in FORMS.items():
        yield Case(name=f"request-form/{name}", make=partial(_form_request, body))
    others: dict[str, tuple[str, dict[str, str]]] = {
        "parent": ("/static/../../../../etc/passwd", {}), "encoded": ("/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", {}),
        "long-path": ("/" + "a" * 60_000, {}), "query": ("/info?" + "&".join(f"a{n}=1" for n in range(5_000)), {}),
        "host": ("/info", {"host": "evil.example"}), "origin": ("/info", {"origin": "http://evil.example"}),
        "accept": ("/", {"accept-language": "x-" * 20_000}), "slashes": ("/a" + "//" * 20_000, {}),
    }  # fmt: skip
    for name, (path, headers) in others.items():
        yield Case(name=f"request-get/{name}", make=partial(_other_request, path, headers))
    for room in ("tokenizers", "runtimes", "features"):
        for damage in DAMAGES:
            yield Case(name=f"home-{room}/{damage}", make=partial(_damaged_home, room, damage))
    for kind in ("file", "nowhere", "link"):
        yield Case(name=f"home-place/{kind}", make=partial(_home_is, kind))
