"""What stands before every request: who may ask, how much, for how long; an id, safe headers, counters and a log line.

Knows no model. The log and the counters hold routes, never paths, names or contents.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.web.access import carries, host_of, is_own_machine
from headstart.web.counters import Counters
from headstart.web.refusals import Refused, busy, document, too_large, written

log = logging.getLogger("headstart.web")
OPEN = ("/", "/docs", "/openapi.json", "/health", "/ready", "/v2/health/live", "/v2/health/ready", "/favicon.ico")
"""What needs no token: whether the server lives, which routes it has, and the page, which asks for the token itself."""
WATCHED = ("/health", "/ready", "/metrics", "/v2/health/live", "/v2/health/ready")
"""What is answered even while the server stops."""
MOST_AT_ONCE = 1_024
_HELD_BODIES = 8
_SLOWEST = 4_096.0
"""Bytes a second; a body that comes faster may take its time, whatever the timeout is."""
_LINGER_SECONDS, _MOST_DROPPED = 10.0, 64_000_000
"""For so long, and for so many bytes, the rest of a refused body is read and dropped."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Terms:
    """On what terms requests are taken: token (None: this machine asks), body size, time."""

    token: str | None
    max_bytes: int
    timeout_seconds: float


class Visit:
    """One request on its way through the gate."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers = Headers(scope=scope)
        given = self.headers.get("x-request-id", "")
        self.id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        self.began = time.monotonic()
        self.n_bytes = 0
        self.whole = False
        self.status = 0

    @property
    def route(self) -> str:
        """The pattern of the route, not the path: that may hold anything."""
        return str(getattr(self.scope.get("route"), "path", "unknown"))


class Gate:
    """An ASGI application around another.

    Parameters
    ----------
    app : ASGI application
    terms : Terms
    counters : Counters
    """

    def __init__(self, app: ASGIApp, terms: Terms, counters: Counters) -> None:
        self.app, self.terms, self.counters = app, terms, counters
        self.stopping = False
        self.n_inside = 0
        self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._visit(Visit(scope), receive, send)
        else:  # A web socket: there is none here.
            await send({"type": "websocket.close", "code": 1000})

    async def _visit(self, visit: Visit, receive: Receive, send: Send) -> None:
        watched = visit.scope["path"] in WATCHED
        self.n_inside += not watched
        method = "GET" if visit.scope["method"] == "HEAD" else visit.scope["method"]  # Its body is left out later.
        scope = {**visit.scope, "method": method, "state": {**visit.scope.get("state", {}), "id": visit.id}}
        visit.scope = scope

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                self._mark(visit, message)
            await send(message)

        try:
            self._check(visit)
            async with asyncio.timeout(self.terms.timeout_seconds) as limit:
                await self.app(scope, self._counted(visit, receive, limit), answer)
        except Refused as error:
            await _refuse(error, visit, receive, answer)
        except TimeoutError:
            await _refuse(self._late(visit), visit, receive, answer)
        finally:
            self.n_inside -= not watched
            self.held_bytes -= visit.n_bytes
            self._note(visit)

    def _late(self, visit: Visit) -> Refused:
        if visit.whole:
            return busy(f"The answer took longer than {self.terms.timeout_seconds:g} s.")
        return Refused(408, "The request came too slowly.", "Send less at once, or smaller pictures.",
                       {"Connection": "close"})  # fmt: skip

    def _counted(self, visit: Visit, receive: Receive, limit: asyncio.Timeout) -> Receive:
        """Count the body as it comes, whatever its header says; one that keeps coming may take its time."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def counted() -> Message:
            message = await receive()
            if not visit.whole:
                visit.whole = not message.get("more_body", False)
                since = loop.time() if visit.whole else began + visit.n_bytes / _SLOWEST
                limit.reschedule(since + self.terms.timeout_seconds)
            n_bytes = len(message.get("body", b""))
            visit.n_bytes += n_bytes
            self.held_bytes += n_bytes
            self._refuse_size(visit.n_bytes)
            if self.held_bytes > _HELD_BODIES * self.terms.max_bytes:
                raise busy("The server holds as much as it can.")
            return message

        return counted

    def _refuse_size(self, n_bytes: int) -> None:
        if n_bytes > self.terms.max_bytes:
            most = self.terms.max_bytes / 1e6
            raise too_large(f"The request is larger than {most:g} MB.", "Send less at once, or smaller pictures.")

    def _check(self, visit: Visit) -> None:
        path, headers = visit.scope["path"], visit.headers
        if len(headers.getlist("host")) > 1 or len(headers.getlist("authorization")) > 1:
            raise Refused(400, "Host or Authorization is there twice.", "Send each once.")
        if path not in WATCHED:
            if self.stopping:
                raise Refused(503, "The server is stopping.", "Try again in 5 s.",
                              {"Retry-After": "5", "Connection": "close"})  # fmt: skip
            if self.n_inside > MOST_AT_ONCE:
                raise busy(f"{MOST_AT_ONCE} requests are being answered.")
        self._check_origin(headers)
        token = self.terms.token
        needed = token is not None and path not in OPEN and not path.startswith("/static/")
        if token is not None and needed and not carries(headers.get("authorization", ""), token):
            raise Refused(401, "The token is missing or wrong.", "Send the header Authorization: Bearer TOKEN.",
                              {"WWW-Authenticate": "Bearer"})  # fmt: skip
        if headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "The body is compressed.", "Send it as it is, without Content-Encoding.")
        self._refuse_size(_length(headers, self.terms.max_bytes + 1))

    def _check_origin(self, headers: Headers) -> None:
        """Refuse pages of other sites that ask through somebody's browser, and names that only seem to be ours."""
        host = host_of(headers.get("host", ""))
        if self.terms.token is None and not is_own_machine(host):
            raise Refused(421, "This server answers only this machine, by its own name.", "Ask for 127.0.0.1.")
        origin = headers.get("origin")
        if origin is not None and origin.rpartition("://")[2] != headers.get("host", ""):
            raise Refused(403, "Pages of other sites may not use this server.", "Open the server's own page.")

    def _mark(self, visit: Visit, message: Message) -> None:
        there = {name.lower() for name, _ in message["headers"]}
        more = {**SAFE, "x-request-id": visit.id, **({"connection": "close"} if self.stopping else {})}
        message["headers"] = [
            *message["headers"],
            *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in there),
        ]

    def _note(self, visit: Visit) -> None:
        seconds = time.monotonic() - visit.began
        status = visit.status or 500
        self.counters.requests.add(
            (visit.route, visit.scope["method"] if visit.route != "unknown" else "", str(status))
        )
        self.counters.seconds.add((visit.route,), seconds)
        fields = {"id": visit.id, "route": visit.route, "status": status, "seconds": round(seconds, 4)}
        log.info("request", extra={"fields": {**fields, "n_bytes": visit.n_bytes}})


def _length(headers: Headers, otherwise: int) -> int:
    """Read the length of the body; `otherwise` where it is no number."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else otherwise


async def _refuse(error: Refused, visit: Visit, receive: Receive, send: Send) -> None:
    """Refuse; of a body that is still coming some more is read and dropped, or its sender might not see the answer."""
    if visit.status:  # It has begun to answer: nothing more can be said.
        return
    status, headers, body = answer_of(error, visit.scope["path"])
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    rest = "Connection" in headers and not visit.whole
    await send({"type": "http.response.body", "body": body, "more_body": rest})
    if rest:
        await _drop(receive, min(_MOST_DROPPED, _length(visit.headers, 0) or visit.n_bytes))
        await send({"type": "http.response.body", "body": b""})


async def _drop(receive: Receive, n_bytes: int) -> None:
    """Read and forget about so many bytes, while they come and not for long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while n_bytes > 0 and (message := await receive()).get("more_body", False):
                n_bytes -= len(message["body"])


def answer_of(error: Refused, path: str) -> tuple[int, dict[str, str], bytes]:
    """Give status, headers and body of a refusal."""
    body = written(document(error.problem, error.hint, path))
    return error.status, {**error.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}, body


class JsonLines(logging.Formatter):
    """Writes one JSON object a line; of an error its kind and where it was raised, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        said = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        made: dict[str, Any] = {**said, "event": record.getMessage().splitlines()[0][:200], **fields}
        if record.exc_info and record.exc_info[0] is not None:
            made["error"] = record.exc_info[0].__name__
            made["at"] = _places(record.exc_info[2])
        return json.dumps(made, ensure_ascii=True)


def _places(trace: Any) -> list[str]:
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]
