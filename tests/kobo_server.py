"""A server that speaks the part of KoboToolbox's REST API v2 that is used: forms, submissions, bulk changes."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-somebody"
ASSET = "aSAvYreNzVEkrWg5Gdcvg"
SURVEY: list[dict[str, Any]] = [
    {"type": "begin_group", "name": "feedback"},
    {"type": "text", "name": "comment", "label": ["What do you need?", "Unahitaji nini?"]},
    *({"type": "text", "name": name} for name in ("code", "certainty", "coded_by", "coded_at")),
    {"type": "end_group"},
    {"type": "begin_repeat", "name": "people"},
    {"type": "text", "name": "remark"},
    {"type": "end_repeat"},
]


@dataclass
class FakeKobo:
    """What it holds, how it behaves, and what it saw.

    `acts` holds, by method ("GET", "PATCH"), what the next requests meet: a status, `wait:SECONDS` (429), `stall`,
    `twice` (the page begins with the last row of the page before), `fail` (a change that one submission does not take).
    """

    submissions: list[dict[str, Any]]
    survey: list[dict[str, Any]] = field(default_factory=lambda: list(SURVEY))
    acts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    changes: list[dict[str, Any]] = field(default_factory=list)
    page_rows: int = 3
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kobo: FakeKobo

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        act = self._meet("GET")
        if act is None:
            return
        if path == f"/api/v2/assets/{ASSET}/":
            self._answer(200, {"name": "Feedback", "content": {"survey": self.kobo.survey}})
        elif path == f"/api/v2/assets/{ASSET}/data/":
            limit = min(int(query["limit"][0]), self.kobo.page_rows)
            conditions = json.loads(query["query"][0])
            since, last = conditions.get("_submission_time", {}).get("$gte", ""), conditions["_id"]["$gt"]
            asked = [row for row in self.kobo.submissions if row.get("_submission_time", "") >= since]
            rows = [row for row in asked if row["_id"] > last - (act == "twice")]
            page = rows[:limit]
            following = f"{self.kobo.url}{path}?start={limit}" if limit < len(rows) else None
            self._answer(200, {"count": len(rows), "next": following, "previous": None, "results": page})
        elif path.startswith(f"/api/v2/assets/{ASSET}/data/"):
            number = int(path.rstrip("/").rpartition("/")[2])
            found = [row for row in self.kobo.submissions if row["_id"] == number]
            self._answer(200 if found else 404, found[0] if found else {"detail": "Not found."})
        else:
            self._answer(404, {"detail": "Not found."})

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self._meet("PATCH")
        if act is None:
            return
        payload = body["payload"]
        self.kobo.changes.append(payload)
        results = []
        for row in self.kobo.submissions:
            if row["_id"] in payload["submission_ids"]:
                failed = act == "fail"
                row.update({} if failed else payload["data"])
                results.append({"uuid": row["_uuid"], "status_code": 400 if failed else 201, "message": "locked"})
        n = len(results)
        self._answer(200, {"count": n, "successes": n, "failures": 0, "results": results})

    def _meet(self, method: str) -> str | None:
        """Return how a request is answered; None if it was answered here."""
        if self.headers["Authorization"] != f"Token {TOKEN}":
            return self._answer(401, {"detail": "Invalid token."})
        acts = self.kobo.acts[method]
        act, _, value = (acts.pop(0) if acts else "").partition(":")
        if act == "wait":
            return self._answer(429, {"detail": "throttled"}, {"Retry-After": value})
        if act == "stall":
            time.sleep(1.0)
            return None
        return self._answer(int(act), {"detail": "no"}) if act.isdecimal() else act

    def _answer(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serve_kobo(kobo: FakeKobo) -> Iterator[FakeKobo]:
    """Serve until the block ends."""
    handler = type("Handler", (_Handler,), {"kobo": kobo})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    kobo.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield kobo
    finally:
        server.shutdown()
        server.server_close()
