"""ASGI middleware around every request: access, size and time limits, an id, security headers, metrics, a log line.

Knows no model. The log and the metrics hold routes, never paths, names or contents.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.http.access import AccessPolicy, has_bearer_token, is_same_token, parse_host
from headstart.http.errors import RequestRefused, build_error_document, encode_json, make_busy_error, make_size_error
from headstart.http.metrics import ServerMetrics

log = logging.getLogger("headstart.web")
MAX_CONCURRENT_REQUESTS = 1_024
_MAX_HELD_BODIES = 8
_MIN_BYTES_PER_SECOND = 4_096.0
"""Bytes a second; a body that comes faster may take its time, whatever the timeout is."""
_LINGER_SECONDS, _MAX_DROPPED_BYTES = 10.0, 64_000_000
"""For so long, and for so many bytes, the rest of a refused body is read and dropped."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
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


class RequestContext:
    """Request on its way through the middleware."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers = Headers(scope=scope)
        sent_id = self.headers.get("x-request-id", "")
        self.id = sent_id if _ID.fullmatch(sent_id) else uuid.uuid4().hex
        self.start_seconds = time.monotonic()
        self.n_body_bytes = 0
        self.is_complete = False
        self.status = 0

    @property
    def route(self) -> str:
        """The pattern of the route, not the path: that may hold anything."""
        return str(getattr(self.scope.get("route"), "path", "unknown"))


class RequestMiddleware:
    """The outermost ASGI application: it checks a request, then calls the application inside.

    Parameters
    ----------
    app : ASGI application
    policy : AccessPolicy
    metrics : ServerMetrics
    """

    def __init__(self, app: ASGIApp, policy: AccessPolicy, metrics: ServerMetrics) -> None:
        self.app, self.policy, self.metrics = app, policy, metrics
        self.stopping = False
        self.n_active = 0
        self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on the start and stop of the server."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._handle_request(RequestContext(scope), receive, send)
        else:  # A web socket: there is none here.
            await send({"type": "websocket.close", "code": 1000})

    async def _handle_request(self, request: RequestContext, receive: Receive, send: Send) -> None:
        watched = request.scope["path"] in self.policy.health_paths
        self.n_active += not watched
        method = "GET" if request.scope["method"] == "HEAD" else request.scope["method"]  # Its body is left out later.
        scope = {**request.scope, "method": method, "state": {**request.scope.get("state", {}), "id": request.id}}
        request.scope = scope

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                self._add_headers(request, message)
                if _is_event_stream(message):  # It lasts as long as its reader stays.
                    limit.reschedule(None)
            await send(message)

        limit = asyncio.timeout(self.policy.timeout_seconds)
        try:
            self._check(request)
            async with limit:
                await self.app(scope, self._count_body(request, receive, limit), answer)
        except RequestRefused as error:
            await _send_refusal(error, request, receive, answer)
        except TimeoutError:
            await _send_refusal(self._make_timeout_error(request), request, receive, answer)
        finally:
            self.n_active -= not watched
            self.held_bytes -= request.n_body_bytes
            self._record(request)

    def _make_timeout_error(self, request: RequestContext) -> RequestRefused:
        if request.is_complete:
            return make_busy_error(f"The answer took longer than {self.policy.timeout_seconds:g} s.")
        return RequestRefused(408, "The request came too slowly.", "Send less at once, or smaller images.",
                       {"Connection": "close"})  # fmt: skip

    def _count_body(self, request: RequestContext, receive: Receive, limit: asyncio.Timeout) -> Receive:
        """Count the body as it comes, whatever its header says; one that keeps coming may take its time."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def counted() -> Message:
            message = await receive()
            if not request.is_complete:
                request.is_complete = not message.get("more_body", False)
                since = loop.time() if request.is_complete else began + request.n_body_bytes / _MIN_BYTES_PER_SECOND
                if limit.when() is not None:
                    limit.reschedule(since + self.policy.timeout_seconds)
            n_bytes = len(message.get("body", b""))
            request.n_body_bytes += n_bytes
            self.held_bytes += n_bytes
            self._refuse_size(request.n_body_bytes, request.scope["path"])
            if self.held_bytes > _MAX_HELD_BODIES * self.policy.max_bytes:
                raise make_busy_error("The server holds as much as it can.")
            return message

        return counted

    def _refuse_size(self, n_bytes: int, path: str) -> None:
        most_bytes = self.policy.max_bytes
        if self.policy.max_json_bytes and not path.endswith(self.policy.upload_endings):
            most_bytes = min(most_bytes, self.policy.max_json_bytes)
        if n_bytes > most_bytes:
            most = most_bytes / 1e6
            raise make_size_error(f"The request is larger than {most:g} MB.", "Send less at once, or smaller images.")

    def _check(self, request: RequestContext) -> None:
        path, headers = request.scope["path"], request.headers
        if len(headers.getlist("host")) > 1 or len(headers.getlist("authorization")) > 1:
            raise RequestRefused(400, "The header Host or Authorization occurs twice.", "Send each once.")
        if path not in self.policy.health_paths:
            if self.stopping:
                raise RequestRefused(503, "The server is stopping.", "Try again in 5 s.",
                              {"Retry-After": "5", "Connection": "close"})  # fmt: skip
            if self.n_active > MAX_CONCURRENT_REQUESTS:
                raise make_busy_error(f"{MAX_CONCURRENT_REQUESTS} requests are being answered.")
        self._check_origin(headers)
        self._check_write(request)
        if not self.policy.is_open(path) and not self._has_token(request):
            self._refuse_stranger(request)
        if headers.get("content-encoding", "identity") != "identity":
            raise RequestRefused(415, "The body is compressed.", "Send it as it is, without Content-Encoding.")
        self._refuse_size(_read_content_length(headers, self.policy.max_bytes + 1), path)

    def _has_token(self, request: RequestContext) -> bool:
        token = self.policy.token
        assert token is not None
        if has_bearer_token(request.headers.get("authorization", ""), token):
            return True
        sent = cookie_parser(request.headers.get("cookie", "")).get(self.policy.cookie) if self.policy.cookie else None
        return sent is not None and is_same_token(sent, token)

    def _refuse_stranger(self, request: RequestContext) -> None:
        is_page = request.scope["method"] == "GET" and "text/html" in request.headers.get("accept", "")
        if self.policy.entry_path and is_page:
            raise RequestRefused(303, "The access code is missing.", "Open the page that asks for it.",
                              {"Location": self.policy.entry_path})  # fmt: skip
        raise RequestRefused(401, "The token is missing or wrong.", "Send the header Authorization: Bearer TOKEN.",
                          {"WWW-Authenticate": "Bearer"})  # fmt: skip

    def _check_write(self, request: RequestContext) -> None:
        """Refuse what could change something and was not sent by our own page or by a program."""
        name = self.policy.write_header
        if name and request.scope["method"] != "GET" and name not in request.headers:
            raise RequestRefused(403, f"The request lacks the header {name}.", "Open the server's own page.",
                              {"Connection": "close"})  # fmt: skip

    def _check_origin(self, headers: Headers) -> None:
        """Refuse pages of other sites that ask through somebody's browser, and names that only seem to be ours."""
        host = parse_host(headers.get("host", ""))
        if not self.policy.allows_host(host):
            raise RequestRefused(
                421, "This server answers only requests to this machine by its own name.", "Use the address 127.0.0.1."
            )
        origin = headers.get("origin")
        is_foreign = origin is not None and origin.rpartition("://")[2] != headers.get("host", "")
        is_embedded = headers.get("sec-fetch-mode", "navigate") != "navigate"  # Not a link that somebody followed.
        if is_foreign or (is_embedded and headers.get("sec-fetch-site") in ("cross-site", "same-site")):
            raise RequestRefused(403, "Pages of other sites may not use this server.", "Open the server's own page.")

    def _add_headers(self, request: RequestContext, message: Message) -> None:
        present_names = {name.lower() for name, _ in message["headers"]}
        more = {**SECURITY_HEADERS, "x-request-id": request.id, **({"connection": "close"} if self.stopping else {})}
        message["headers"] = [
            *message["headers"],
            *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in present_names),
        ]

    def _record(self, request: RequestContext) -> None:
        seconds = time.monotonic() - request.start_seconds
        status = request.status or 500
        method = request.scope["method"] if request.route != "unknown" else ""
        self.metrics.requests.labels(request.route, method, str(status)).inc()
        self.metrics.seconds.labels(request.route).observe(seconds)
        fields = {"id": request.id, "route": request.route, "status": status, "seconds": round(seconds, 4)}
        log.info("request", extra={"fields": {**fields, "n_bytes": request.n_body_bytes}})


def _read_content_length(headers: Headers, otherwise: int) -> int:
    """Read the length of the body; `otherwise` where it is no number."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else otherwise


def _is_event_stream(message: Message) -> bool:
    return any(name.lower() == b"content-type" and b"event-stream" in value for name, value in message["headers"])


async def _send_refusal(error: RequestRefused, request: RequestContext, receive: Receive, send: Send) -> None:
    """Refuse; of a body that is still coming some more is read and dropped, or its sender might not see the answer."""
    if request.status:  # The answer has begun: no other can follow.
        return
    status, headers, body = encode_refusal(error, request.scope["path"])
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    rest = "Connection" in headers and not request.is_complete
    await send({"type": "http.response.body", "body": body, "more_body": rest})
    if rest:
        await _drop_body(
            receive, min(_MAX_DROPPED_BYTES, _read_content_length(request.headers, 0) or request.n_body_bytes)
        )
        await send({"type": "http.response.body", "body": b""})


async def _drop_body(receive: Receive, n_bytes: int) -> None:
    """Read and forget about so many bytes, while they come and not for long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while n_bytes > 0 and (message := await receive()).get("more_body", False):
                n_bytes -= len(message["body"])


def encode_refusal(error: RequestRefused, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a refusal.

    Parameters
    ----------
    error : RequestRefused
    path : str
        Of the request: below /v2 errors have another form.
    """
    body = encode_json(build_error_document(error.problem, error.hint, path))
    return error.status, {**error.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}, body
