"""Micro-batches: rows of several requests are answered together, in one thread, within bounds of time and size."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from headstart.http.errors import make_busy_error

Documents = list[dict[str, Any]]
_SPEED_SMOOTHING = 0.2
"""Share of the newest batch in what is remembered of the speed."""


@dataclass(frozen=True)
class BatchLimits:
    """Limits of a batch and of the queue.

    Parameters
    ----------
    window_seconds : float
        How long the first row of a batch waits for others, where others are likely.
    max_batch : int
    max_queue : int
        Rows that may wait.
    """

    window_seconds: float
    max_batch: int
    max_queue: int


@dataclass(eq=False, repr=False, kw_only=True)
class _PendingRequest:
    """Pending request: its rows, how many of them are in a batch already, and their answers."""

    inputs: Sequence[Any]
    weights: Sequence[float]
    done: asyncio.Future[Documents]
    since: float
    taken: int = 0
    left: int = 0
    documents: Documents = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = len(self.inputs)
        self.documents = [{}] * self.left

    def deliver(self, at: int, document: dict[str, Any]) -> None:
        self.documents[at] = document
        self.left -= 1
        if self.left == 0 and not self.done.done():
            self.done.set_result(self.documents)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Batcher:
    """Collects the rows of requests into micro-batches; each request gets its own answers, in its own order.

    A batch is answered when it is full, when its first row has waited for the window, or when as many requests wait as
    were in the last batch: more are not likely to come. Requests take turns: a long one does not hold up a short one
    for more than a batch.

    Parameters
    ----------
    answer : inputs -> documents
        Called in `pool`, never twice at a time by one batcher.
    pool : Executor
    limits : BatchLimits
    measure_size : input -> float
        The size of an input as a share of the largest that is allowed; a batch holds at most one such size, so that a
        few large inputs do not keep everybody else waiting.
    on_batch : (rows in the batch, documents) -> None
        Called after every batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Any]], Documents],
        pool: Executor,
        limits: BatchLimits,
        measure_size: Callable[[Any], float] = lambda one: 0.0,
        on_batch: Callable[[int, Documents], None] = lambda n_rows, documents: None,
    ) -> None:
        self.answer, self.pool, self.limits = answer, pool, limits
        self.measure_size, self.on_batch = measure_size, on_batch
        self.waiting: deque[_PendingRequest] = deque()
        self.seconds_per_row = 0.0
        self._owners = 1
        self._came = asyncio.Event()

    @property
    def n_waiting(self) -> int:
        """Rows that are in no batch yet."""
        return sum(len(one.inputs) - one.taken for one in self.waiting)

    async def submit(self, inputs: Sequence[Any]) -> Documents:
        """Wait for the answers to some inputs.

        Raises
        ------
        RequestRefused
            Too many rows wait already (503, with the time after which to try again).
        """
        waiting = self.n_waiting
        if waiting and waiting + len(inputs) > self.limits.max_queue:
            raise make_busy_error(f"The server is busy: {waiting} rows are waiting.", waiting * self.seconds_per_row)
        weights = [self.measure_size(one) for one in inputs]
        pending = _PendingRequest(
            inputs=inputs, weights=weights, done=asyncio.get_running_loop().create_future(), since=time.monotonic()
        )
        self.waiting.append(pending)
        self._came.set()
        try:
            return await pending.done
        finally:  # One who does not wait any longer needs no answer. (`remove` of what is not there writes it all out.)
            if pending in self.waiting:
                self.waiting.remove(pending)

    async def run(self) -> None:
        """Answer batch after batch, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_batch()
            batch = self._take_batch()
            if not batch:
                continue
            began = time.monotonic()
            future = loop.run_in_executor(self.pool, self.answer, [one.inputs[at] for one, at in batch])
            await asyncio.wait([future])
            each = (time.monotonic() - began) / len(batch)
            self.seconds_per_row += (each - self.seconds_per_row) * (_SPEED_SMOOTHING if self.seconds_per_row else 1.0)
            self._deliver(batch, future)

    def _deliver(self, batch: list[tuple[_PendingRequest, int]], future: asyncio.Future[Documents]) -> None:
        error = future.exception()
        if error is not None:
            for one, _ in batch:
                one.fail(error)
            return
        documents = future.result()
        self.on_batch(len(batch), documents)
        for (one, at), document in zip(batch, documents, strict=True):
            one.deliver(at, document)

    async def _wait_for_batch(self) -> None:
        """Wait until there is a batch to answer."""
        while not self.waiting:
            self._came.clear()
            await self._came.wait()
        until = self.waiting[0].since + self.limits.window_seconds
        while (
            0 < len(self.waiting) < self._owners  # Those of the last batch may all be back.
            and self.n_waiting < self.limits.max_batch
            and (left := until - time.monotonic()) > 0
        ):
            self._came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), left)

    def _take_batch(self) -> list[tuple[_PendingRequest, int]]:
        """Return the next batch: each request gets an equal part, then the first ones more; what is too large waits."""
        batch: list[tuple[_PendingRequest, int]] = []
        owners, room = 0, 1.0
        first: list[_PendingRequest] = []
        last: list[_PendingRequest] = []
        while self.waiting and len(batch) < self.limits.max_batch:
            share = max(1, (self.limits.max_batch - len(batch)) // len(self.waiting))
            one = self.waiting.popleft()
            before, stop = one.taken, min(one.taken + share, len(one.inputs))
            while one.taken < stop and (not batch or one.weights[one.taken] <= room):
                room -= one.weights[one.taken]
                batch.append((one, one.taken))
                one.taken += 1
            owners += one.taken > before
            if one.taken < len(one.inputs):
                (self.waiting if one.taken == stop else last if one.taken > before else first).append(one)
        self.waiting = deque([*first, *self.waiting, *last])
        self._owners = owners
        return batch
