"""Run a server: bind, answer, and stop so that nobody who was let in goes without an answer."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn

from headstart.errors import OptionError
from headstart.http.connection_limits import BoundedHttpProtocol, count_allowed_connections
from headstart.http.middleware import RequestMiddleware
from headstart.http.request_log import JsonLinesFormatter

_LOOK_SECONDS = 0.02
_BACKLOG = 1_024


class HeadstartServer(uvicorn.Server):
    """A uvicorn server that, asked to stop, first answers what it has taken and refuses what is new.

    Parameters
    ----------
    config : uvicorn.Config
    middleware : RequestMiddleware
    grace_seconds : float
        After so long it stops in any case; a second signal stops it at once.
    """

    def __init__(self, config: uvicorn.Config, middleware: RequestMiddleware, grace_seconds: float) -> None:
        super().__init__(config)
        self.middleware, self.grace_seconds = middleware, grace_seconds
        self._emptying: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops at once."""
        if self.middleware.stopping:
            super().handle_exit(sig, frame)
            return
        self.middleware.stopping = True

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether to stop."""
        if self.middleware.stopping and self._emptying is None:
            self._emptying = asyncio.create_task(self._empty())
        return await super().on_tick(counter)

    async def _empty(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.grace_seconds
        while self.middleware.n_active and loop.time() < until:
            await asyncio.sleep(_LOOK_SECONDS)
        self.should_exit = True


def make_server_config(middleware: RequestMiddleware, timeout_seconds: float) -> uvicorn.Config:
    """Return how uvicorn runs an application of ours: quietly, and with bounds on every connection.

    Parameters
    ----------
    middleware : RequestMiddleware
    timeout_seconds : float
        What requests that are under way get at the end.
    """
    return uvicorn.Config(
        middleware, log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none",
        lifespan="on", backlog=_BACKLOG, limit_concurrency=count_allowed_connections(), http=BoundedHttpProtocol,
        timeout_graceful_shutdown=int(timeout_seconds),
    )  # fmt: skip


def run_until_stopped(server: HeadstartServer, listening: Sequence[socket.socket]) -> None:
    """Run until stopped; an interrupt that led to an orderly stop is no error.

    Parameters
    ----------
    server : HeadstartServer
    listening : sequence of socket
    """
    before = {sig: signal.getsignal(sig) for sig in (signal.SIGINT, signal.SIGTERM)}
    for sig in before:  # uvicorn hands the signal on when it has stopped.
        signal.signal(sig, signal.SIG_IGN)
    try:
        asyncio.run(server.serve(list(listening)))
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket that holds an address; nobody can connect yet.

    Parameters
    ----------
    host : str
    port : int
        0: any free port.

    Raises
    ------
    OptionError
        The address is in use, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol has to be named: without it asyncio leaves Nagle's algorithm on, and every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _make_address_error(host, port, error) from error
    return listener


def start_listening(bound: socket.socket) -> None:
    """Begin to listen: two servers that start together may both be bound, but only one can do this.

    Parameters
    ----------
    bound : socket

    Raises
    ------
    OptionError
    """
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _make_address_error(host, port, error) from error


def _make_address_error(host: str, port: int, error: OSError) -> OptionError:
    return OptionError(
        f"{host}, port {port}, cannot be listened on ({error.strerror or error}).", "Choose another --port or --host."
    )


def format_host(host: str) -> str:
    """Return a host as addresses write it: IPv6 in brackets.

    Parameters
    ----------
    host : str
    """
    return f"[{host}]" if ":" in host else host


@contextmanager
def log_to_stderr(with_requests: bool = True) -> Iterator[None]:
    """Write one JSON object a line to standard error: requests, and faults without contents.

    Parameters
    ----------
    with_requests : bool
        Whether every request is written; else warnings and faults only.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLinesFormatter())
    loggers = {name: logging.getLogger(name) for name in ("headstart.web", "headstart.studio", "uvicorn.error")}
    for name, logger in loggers.items():
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO if with_requests and name.startswith("headstart") else logging.WARNING)
    try:
        yield
    finally:
        for logger in loggers.values():
            logger.removeHandler(handler)
            logger.propagate = True
