"""One connection, before anything is known of who asks: its head is bounded in size and time, and so is its end.

Neither uvicorn nor httptools bounds the head of a request, or what follows the last chunk of a body: without this, one
client could fill the memory, or hold all connections, without ever making a request.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from importlib import import_module
from importlib.util import find_spec

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
HEAD_SECONDS = 10.0
"""So long may a connection be open without a whole head of a request."""
SLOW_READER_SECONDS = 30.0
"""So long may an answer lie unread."""
_MOST_CONNECTIONS, _OTHER_FILES = 4_096, 128


def most_connections() -> int:
    """Give how many connections may be open: fewer than the files that this process may have open."""
    if find_spec("resource") is None:  # Windows has no such limit.
        return _MOST_CONNECTIONS
    resource = import_module("resource")
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if files < 0 else max(16, min(_MOST_CONNECTIONS, files - _OTHER_FILES))


class Wire(HttpToolsProtocol):
    """Uvicorn's protocol with bounds; a client that has said all it has to say may still listen (half-closed)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request; one connection too many is closed at once."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._n_bare = 0
        self._whole, self._silent = True, False
        self._head: TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._late)
        self._unread: TimerHandle | None = None
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all times."""
        self._stop(self._head)
        self._stop(self._unread)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; what is neither body nor a whole head is bounded."""
        self._n_bare += len(data)
        super().data_received(data)
        if self._n_bare > MOST_HEAD_BYTES and not self.transport.is_closing():
            if self._answering():
                self.transport.close()
            else:
                self.send_400_response("The head of the request is too long.")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer somebody who closed his side after asking; nobody else."""
        self._silent = self._whole and self._answering()
        return self._silent

    def on_message_begin(self) -> None:
        """Begin to count the time of a head."""
        self._stop(self._head)
        self._head = self.loop.call_later(HEAD_SECONDS, self._late)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take a head."""
        self._stop(self._head)
        self._n_bare, self._whole = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._n_bare = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request; one that was answered before may be followed by another."""
        self._n_bare, self._whole = 0, True
        super().on_message_complete()
        if self.cycle.response_complete:
            self._stop(self._head)
            self._head = self.loop.call_later(self.timeout_keep_alive, self._late)

    def on_response_complete(self) -> None:
        """Go on, or close: whoever was answered before his request was whole may end it, but not for long."""
        last = not self.pipeline
        super().on_response_complete()
        if last and self._silent:
            self.transport.close()
        elif last and not self._whole:
            self._stop(self._head)
            self._head = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """Give a client that does not read some time."""
        super().pause_writing()
        self._unread = self.loop.call_later(SLOW_READER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._stop(self._unread)
        super().resume_writing()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _late(self) -> None:
        """Close a connection without a request, unless an earlier request of it is being answered."""
        if self._answering():
            self._head = self.loop.call_later(HEAD_SECONDS, self._late)
        else:
            self.transport.close()

    @staticmethod
    def _stop(timer: TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
