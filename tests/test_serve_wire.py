"""`serve` on the wire: what comes before a request, after it, too slowly, or twice; bytes are sent as they are."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn

from headstart.http import connection_limits, middleware
from headstart.http.connection_limits import MAX_HEADER_BYTES, BoundedHttpProtocol, count_allowed_connections
from headstart.options import ServeOptions
from headstart.web.app import build_app
from headstart.web.models import ServedModel

BODY = b'{"texts": ["a"]}'
POST = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
Talk = Callable[[int], Coroutine[Any, Any, None]]


def echo(inputs: Any) -> list[dict[str, Any]]:
    if "slow" in inputs:
        time.sleep(0.3)
    return [
        {"label": one, "probability": 1.0, "top": [], "answer": one, "kind": "label", "set": [], "reason": ""}
        for one in inputs
    ]


def served(talk: Talk, options: ServeOptions | None = None, most: int = 100) -> None:
    """Run a server with one toy model and talk to it."""
    models = {
        "toy": ServedModel(
            name="toy",
            modality="text",
            task="classification",
            classes=("a",),
            answer=echo,
            info={"format": 1, "name": "toy"},
            columns={},
        )
    }

    async def run() -> None:
        gate = build_app(models, options or ServeOptions(window_ms=0), None)
        config = uvicorn.Config(
            gate, port=0, log_config=None, lifespan="on", ws="none", http=BoundedHttpProtocol, limit_concurrency=most
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        try:
            await asyncio.wait_for(talk(server.servers[0].sockets[0].getsockname()[1]), 30)
        finally:
            server.should_exit = True
            await task
        assert gate.n_active == 0 and gate.held_bytes == 0

    asyncio.run(run())


async def told(port: int, *pieces: bytes, end: bool = False) -> bytes:
    """Send pieces as far as they are taken, and give all that is said until the connection ends or is quiet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        if end:
            writer.write_eof()
    with contextlib.suppress(TimeoutError, ConnectionError):
        while more := await asyncio.wait_for(reader.read(1 << 16), 1.0):
            heard += more
    writer.close()
    return heard


def status(heard: bytes) -> int:
    return int(heard[9:12]) if heard else 0


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.2)
    return


_PAGE = b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (POST + LENGTH + b"\r\n" + BODY, 200),
        (POST + LENGTH + LENGTH + b"\r\n" + BODY, 400),
        (POST + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY, 400),
        (POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + BODY, 400),
        (POST + b"Content-Length: -1\r\n\r\n" + BODY, 400),
        (CHUNKED + b"zz\r\n", 400),
        (CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n", 200),
        (CHUNKED + b"ffffffffffffffffff\r\n", 400),
        (_PAGE + b"Host: evil.example\r\n\r\n", 400),
        (_PAGE + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
        (b"GET /ready HTTP/1.1\r\n\r\n", 421),
        (POST + LENGTH + b"Content-Encoding: gzip\r\n\r\n" + BODY, 415),
        (b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
        (b"CONNECT a.example:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (_PAGE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
def test_what_is_no_plain_request_is_refused_and_nothing_is_read_twice(raw: bytes, expected: int) -> None:
    async def talk(port: int) -> None:
        heard = await told(port, raw, end=True)
        assert status(heard) == expected and heard.count(b"HTTP/1.1 ") == 1
        assert status(await told(port, POST + LENGTH + b"\r\n" + BODY, end=True)) == 200

    served(talk)


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"x-a: b\r\n" * 1_000),
        (b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nx: ", b"b" * 8_000),
        (b"GET /", b"b" * 8_000),
        (CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n", b"x-a: b\r\n" * 1_000),
        (CHUNKED + b"1;", b"b" * 8_000),
    ],
    ids=["headers", "one header", "address", "trailers", "chunk extension"],
)
def test_a_head_or_an_end_that_never_ends_is_cut(head: bytes, more: bytes) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken = 0
        with contextlib.suppress(ConnectionError):
            writer.write(head)
            while not reader.at_eof() and taken < 50 * MAX_HEADER_BYTES:
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0.001)
                taken += len(more)
        assert taken < 20 * MAX_HEADER_BYTES
        writer.close()

    served(talk)


def test_a_client_that_never_finishes_its_head_is_sent_away_and_others_are_answered(hurried: None) -> None:
    async def talk(port: int) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for place, (_, writer) in enumerate(slow):
            writer.write(b"GET / HTTP/1.1\r\n"[:place])  # Some say nothing at all.
        assert status(await told(port, POST + LENGTH + b"\r\n" + BODY, end=True)) == 200
        for reader, writer in slow:
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()

    served(talk)


def test_one_who_closes_his_side_after_asking_still_gets_the_answer_and_half_a_request_gets_none() -> None:
    async def talk(port: int) -> None:
        slow = b'{"texts": ["slow"]}'
        heard = await told(port, POST + b"Content-Length: %d\r\n\r\n" % len(slow) + slow, end=True)
        assert status(heard) == 200 and heard.endswith(b"}")
        assert await told(port, POST + LENGTH + b"\r\n" + BODY[:5], end=True) == b""

    served(talk)


def test_requests_sent_together_are_answered_in_order() -> None:
    async def talk(port: int) -> None:
        bodies = [b'{"texts": ["%s"]}' % word for word in (b"slow", b"next", b"last")]
        raw = b"".join(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies)
        heard = await told(port, raw, end=True)
        places = [heard.find(b'"answer":"%s"' % word) for word in (b"slow", b"next", b"last")]
        assert places == sorted(places) and places[0] > 0

    served(talk)


def test_a_refused_body_is_read_on_for_a_while_so_that_the_refusal_is_seen() -> None:
    async def talk(port: int) -> None:
        head = POST + b"Content-Length: 3000000\r\n\r\n"
        heard = await told(port, head, *[b"x" * 300_000] * 10)
        assert status(heard) == 413 and b"connection: close" in heard.lower()

    served(talk, ServeOptions(max_mb=1))


def test_a_body_that_keeps_coming_may_take_longer_than_an_answer_and_one_that_stops_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"texts": ["a"]' + b" " * 40_000 + b"}"
        writer.write(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        began = time.monotonic()
        for start in range(0, len(body), 2_000):
            writer.write(body[start : start + 2_000])
            await asyncio.sleep(0.08)
        assert time.monotonic() - began > 1.5
        assert status(await reader.readuntil(b"\r\n\r\n")) == 200
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 5000\r\n\r\n{")
        assert status(await reader.readuntil(b"\r\n\r\n")) == 408
        writer.close()

    monkeypatch.setattr(middleware, "_LINGER_SECONDS", 0.1)
    served(talk, ServeOptions(timeout=1.0))


def test_one_who_does_not_read_his_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "WRITE_TIMEOUT_SECONDS", 0.2)

    async def talk(port: int) -> None:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", port))
            one = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            with pytest.raises(ConnectionError):
                for _ in range(400):
                    await loop.sock_sendall(deaf, one * 50)
                    await asyncio.sleep(0.02)

    served(talk)


def test_connections_beyond_the_most_are_closed_at_once_and_make_room_again(hurried: None) -> None:
    async def talk(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        closed = 0
        for reader, writer in held:
            with contextlib.suppress(TimeoutError, ConnectionError):
                closed += await asyncio.wait_for(reader.read(1), 0.05) == b""
            writer.close()
        await asyncio.sleep(0.3)
        assert status(await told(port, POST + LENGTH + b"\r\n" + BODY, end=True)) == 200

    served(talk, most=5)
    assert 16 <= count_allowed_connections() <= 4_096


def test_head_is_answered_like_get_without_a_body() -> None:
    async def talk(port: int) -> None:
        heard = await told(port, b"HEAD /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert status(heard) == 200 and heard.endswith(b"\r\n\r\n")

    served(talk)
