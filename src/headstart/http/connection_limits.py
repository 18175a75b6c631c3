"""One connection, before anything is known of who asks: its head is bounded in size and time, and so is its end.

Neither uvicorn nor httptools bounds the head of a request, or what follows the last chunk of a body: without this, one
client could fill the memory, or hold all connections, without ever making a request.

What uvicorn offers instead was tried: docs/decisions/0021-bounds-of-a-connection.md.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from importlib import import_module
from importlib.util import find_spec

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 65_536
HEADER_TIMEOUT_SECONDS = 10.0
"""So long may a connection be open without a whole head of a request."""
WRITE_TIMEOUT_SECONDS = 30.0
"""So long may an answer lie unread."""
_MAX_CONNECTIONS, _RESERVED_FILES = 4_096, 128


def count_allowed_connections() -> int:
    """Return how many connections may be open: fewer than the files that this process may have open."""
    if find_spec("resource") is None:  # Windows has no such limit.
        return _MAX_CONNECTIONS
    resource = import_module("resource")
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if files < 0 else max(16, min(_MAX_CONNECTIONS, files - _RESERVED_FILES))


class BoundedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with bounds; a client that has closed its side still gets its answer (half-closed)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request; one connection too many is closed at once."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._n_header_bytes = 0
        self._is_complete, self._is_half_closed = True, False
        self._header_timer: TimerHandle | None = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close_idle)
        self._write_timer: TimerHandle | None = None
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all times."""
        self._cancel(self._header_timer)
        self._cancel(self._write_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; what is neither body nor a whole head is bounded."""
        self._n_header_bytes += len(data)
        super().data_received(data)
        if self._n_header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            if self._is_answering():
                self.transport.close()
            else:
                self.send_400_response("The head of the request is too long.")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer somebody who closed his side after asking; nobody else."""
        self._is_half_closed = self._is_complete and self._is_answering()
        return self._is_half_closed

    def on_message_begin(self) -> None:
        """Begin to count the time of a head."""
        self._cancel(self._header_timer)
        self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close_idle)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock of the headers."""
        self._cancel(self._header_timer)
        self._n_header_bytes, self._is_complete = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read a part of a body."""
        self._n_header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Read the end of a request; one that was answered before may be followed by another."""
        self._n_header_bytes, self._is_complete = 0, True
        super().on_message_complete()
        if self.cycle.response_complete:
            self._cancel(self._header_timer)
            self._header_timer = self.loop.call_later(self.timeout_keep_alive, self._close_idle)

    def on_response_complete(self) -> None:
        """Go on, or close: whoever was answered before his request was whole may end it, but not for long."""
        last = not self.pipeline
        super().on_response_complete()
        if last and self._is_half_closed:
            self.transport.close()
        elif last and not self._is_complete:
            self._cancel(self._header_timer)
            self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_TIMEOUT_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._cancel(self._write_timer)
        super().resume_writing()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _close_idle(self) -> None:
        """Close a connection without a request, unless an earlier request of it is being answered."""
        if self._is_answering():
            self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self._close_idle)
        else:
            self.transport.close()

    @staticmethod
    def _cancel(timer: TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
