"""Short work that takes longer than a request: in a thread of the server, with its progress. It is whole or not done,
so nothing is to be taken up after a restart; what takes minutes of computing is a job instead.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headstart import progress
from headstart.disk_errors import explain_disk_error
from headstart.errors import HeadstartError, UnknownName
from headstart.http.errors import FAULT, FAULT_HINT

log = logging.getLogger("headstart.studio")
_MOST_KEPT = 100


@dataclass(kw_only=True)
class BackgroundWork:
    """Work that is under way, or was.

    Parameters
    ----------
    share : float or None
        Done of it (0-1); None where nobody knows.
    result : JSON value
        Of work that is done.
    error : HeadstartError or None
    is_done : bool
    """

    share: float | None = None
    result: Any = None
    error: HeadstartError | None = None
    is_done: bool = False


class _TaskListener(progress.Silent):
    def __init__(self, task: BackgroundWork) -> None:
        self.task = task

    def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
        return _TaskBar(self.task, total)


class _TaskBar:
    def __init__(self, task: BackgroundWork, total: int) -> None:
        self.task, self.total, self.done = task, max(total, 1), 0

    def advance(self, n: int = 1) -> None:
        self.done += n
        self.task.share = min(1.0, self.done / self.total)


class TaskBoard:
    """The tasks of a server, the oldest forgotten first."""

    def __init__(self) -> None:
        self._tasks: dict[str, BackgroundWork] = {}

    def start(self, work: Callable[[], Any]) -> str:
        """Begin some work in a thread; return the id under which to ask for it.

        Parameters
        ----------
        work : () -> JSON value
        """
        number, task = uuid.uuid4().hex, BackgroundWork()
        for old in list(self._tasks)[: max(0, len(self._tasks) - _MOST_KEPT)]:
            del self._tasks[old]
        self._tasks[number] = task
        threading.Thread(target=_run, args=(task, work), daemon=True).start()
        return number

    def describe(self, number: str) -> dict[str, Any]:
        """Return how far a task is, as JSON: share, is_done, result, error.

        Parameters
        ----------
        number : str

        Raises
        ------
        UnknownName
        """
        if number not in self._tasks:
            raise UnknownName("Studio was started again meanwhile.", "Try again.")
        task = self._tasks[number]
        error = None if task.error is None else {"problem": task.error.problem, "hint": task.error.hint}
        return {"share": task.share, "is_done": task.is_done, "result": task.result, "error": error}


def _run(task: BackgroundWork, work: Callable[[], Any]) -> None:
    try:
        with progress.listen(_TaskListener(task)):
            task.result = work()
    except HeadstartError as error:
        task.error = error
    except Exception as error:
        known = explain_disk_error(error) if isinstance(error, OSError) else None
        task.error = known or HeadstartError(FAULT, FAULT_HINT)
        log.exception("task")
    finally:
        task.is_done = True
