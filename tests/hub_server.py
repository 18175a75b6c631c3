"""A server laid out as the hub that stalls, cuts, lies and refuses as a test tells it to; it counts what it sends."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from headstart.bases.downloads import settings

COMMIT = "c" * 40
FAST = settings.DownloadSettings(
    stall_seconds=0.4,
    file_attempts=4,
    listing_attempts=3,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    longest_request_seconds=2.0,
    sync_seconds=0.01,
    block_bytes=4096,
)


@dataclass
class FakeHub:
    """What it serves, how it behaves, and what it saw.

    `acts` holds, by file name ("" is the list of files), what the next requests meet, one after the other: a status, or
    `cut:N` (closes after N bytes), `stall:N`, `slow:SECONDS`, `ignore-range`, `wrong-length`, `wrong-bytes`,
    `change` (other content from now on), `redirect:URL`, `gated`, `wait:SECONDS` (429), `html`.
    """

    files: dict[str, bytes]
    repository: str = "clinic/tiny"
    commit: str = COMMIT
    licence: str = "mit"
    states_hashes: bool = True
    states_sizes: bool = True
    heeds_if_range: bool = True
    acts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def count_requests(self, name: str) -> int:
        """Return how often a file was requested."""
        return sum(path.endswith("/" + name) for path, _ in self.requests)

    def describe(self) -> bytes:
        """Return the list of files as the hub's API gives it."""
        siblings = []
        for name, content in self.files.items():
            item: dict[str, object] = {"rfilename": name}
            if self.states_sizes:
                item["size"] = len(content)
            if self.states_hashes and name.endswith(".safetensors"):
                item["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
                item["blobId"] = "0" * 40  # Of the pointer, not of the content.
            elif self.states_hashes:
                item["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            siblings.append(item)
        card = {"license": self.licence}
        return json.dumps({"id": self.repository, "sha": self.commit, "siblings": siblings, "cardData": card}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        hub.requests.append((path, dict(self.headers)))
        if path.startswith(f"/api/models/{hub.repository}/revision/"):
            revision = path.rsplit("/", 1)[-1]
            known = revision in ("main", hub.commit)
            self._serve("", hub.describe(), [] if known else ["404:RevisionNotFound"])
            return
        name = path.rsplit("/", 1)[-1]
        if path.startswith((f"/{hub.repository}/resolve/{hub.commit}/", "/elsewhere/")) and name in hub.files:
            self._serve(name, hub.files[name], [])
            return
        self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _serve(self, name: str, content: bytes, forced: list[str]) -> None:
        hub = self.hub
        acts = hub.acts[name]
        act, _, value = (forced or [acts.pop(0) if acts else ""])[0].partition(":")
        if act == "change":
            content = hub.files[name] = bytes(reversed(content))
        if act.isdecimal():
            self._answer(int(act), b"no", {"X-Error-Code": value} if value else {})
        elif act == "gated":
            self._answer(403 if "Authorization" in self.headers else 401, b"", {"X-Error-Code": "GatedRepo"})
        elif act == "wait":
            self._answer(429, b"", {"Retry-After": value})
        elif act == "redirect":
            self._answer(302, b"", {"Location": value})
        elif act == "html":
            self._answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        else:
            self._send_content(name, content, act, value)

    def _send_content(self, name: str, content: bytes, act: str, value: str) -> None:
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        stated = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(stated[1]) if stated and act != "ignore-range" else 0
        if self.hub.heeds_if_range and self.headers.get("If-Range") not in (None, etag):
            start = 0
        if start >= len(content) > 0:
            self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[start:]
        if act == "wrong-bytes":
            body = bytes(255 - byte for byte in body)
        length = len(body) + (500 if act == "wrong-length" else 0)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if act in ("cut", "stall"):
            body = body[: int(value)]
        step = 4096 if act == "slow" else max(1, len(body))
        for offset in range(0, len(body), step):
            try:
                self.wfile.write(body[offset : offset + step])
            except OSError:
                break
            self.hub.sent[name] += len(body[offset : offset + step])
            if act == "slow":
                time.sleep(float(value))
        if act == "stall":
            time.sleep(1.5)
        self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


@contextmanager
def serve_hub(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve it on a free port while the block runs."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a test its own home, no cache, no token, no proxy, and short waits."""
    monkeypatch.setattr(settings, "SETTINGS", FAST)
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    if constants := sys.modules.get("huggingface_hub.constants"):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
