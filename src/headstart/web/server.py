"""Run the server: bind, answer, and stop so that nobody who was let in goes without an answer."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from headstart import progress
from headstart.errors import OptionError
from headstart.http.connection_limits import BoundedHttpProtocol, count_allowed_connections
from headstart.http.middleware import RequestMiddleware
from headstart.http.request_log import JsonLinesFormatter
from headstart.offline import offline
from headstart.options import ServeOptions
from headstart.task_types import TASK_TYPES
from headstart.web.app import build_app
from headstart.web.models import open_models
from headstart.web.phone import choose_access, make_phone_address, show_phone_address

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


def serve(paths: Sequence[Path], options: ServeOptions) -> dict[str, Any]:
    """Answer over HTTP until a signal comes.

    Parameters
    ----------
    paths : sequence of Path
        Bundles, or OUT folders of `adapt`.
    options : ServeOptions

    Returns
    -------
    dict
        JSON: what was served, and how many requests of each status there were.

    Raises
    ------
    HeadstartError
        An option, a bundle or the address cannot be used.
    """
    host, token = choose_access(options)
    with _log_to_stderr(), offline(options.offline), _bind_socket(host, options.port) as bound:
        models = open_models(paths, options)
        middleware = build_app(models, options, token)
        config = uvicorn.Config(
            middleware, log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none",
            lifespan="on", backlog=_BACKLOG, limit_concurrency=count_allowed_connections(), http=BoundedHttpProtocol,
            timeout_graceful_shutdown=int(options.timeout),
        )  # fmt: skip
        _start_listening(bound)
        where = f"http://{_format_host(host)}:{bound.getsockname()[1]}"
        for model in models.values():
            classes = "" if TASK_TYPES[model.task].is_number else f", {len(model.classes)} classes"
            progress.say(f"{model.name}: {model.modality}, {model.task}{classes}")
        progress.say(f"Ready at {where} (page: {where}/, all routes: {where}/docs). Stop with Ctrl+C.")
        if options.phone and token:
            show_phone_address(make_phone_address(host, bound.getsockname()[1], token))
        _run_until_stopped(HeadstartServer(config, middleware, options.timeout), bound)
    return {"format": 1, "address": where, "models": list(models), "requests": middleware.metrics.count_statuses()}


def _run_until_stopped(server: HeadstartServer, bound: socket.socket) -> None:
    """Run until stopped; an interrupt that led to an orderly stop is no error."""
    before = {sig: signal.getsignal(sig) for sig in (signal.SIGINT, signal.SIGTERM)}
    for sig in before:  # uvicorn hands the signal on when it has stopped.
        signal.signal(sig, signal.SIG_IGN)
    try:
        asyncio.run(server.serve([bound]))
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


def _bind_socket(host: str, port: int) -> socket.socket:
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


def _start_listening(bound: socket.socket) -> None:
    """Begin to listen: two servers that start together may both be bound, but only one can do this."""
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _make_address_error(host, port, error) from error


def _make_address_error(host: str, port: int, error: OSError) -> OptionError:
    return OptionError(
        f"{host}, port {port}, cannot be listened on ({error.strerror or error}).", "Choose another --port or --host."
    )


def _format_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """Write one JSON object a line to standard error: requests, and faults without contents."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLinesFormatter())
    loggers = {name: logging.getLogger(name) for name in ("headstart.web", "uvicorn.error")}
    for name, logger in loggers.items():
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO if name.startswith("headstart") else logging.WARNING)
    try:
        yield
    finally:
        for logger in loggers.values():
            logger.removeHandler(handler)
            logger.propagate = True
