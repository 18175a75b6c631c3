"""The events of a job: JSON lines in a file whose size is bounded, written by the child and read by the server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from headstart.studio.settings import SETTINGS

Event = dict[str, Any]
_TAIL_BYTES = 16_384
_NEWS = ("say", "warn")


class EventWriter:
    """Appends the events of one attempt at a job.

    Progress is written at most every half second, and less often the longer the job lasts; news is cut off after a
    number of lines. So the file stays small, however long the job.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._began = self._written = time.monotonic()
        self._n_news = 0

    def write(self, event: str, **values: Any) -> None:
        """Write an event.

        Parameters
        ----------
        event : str
            Its kind.
        **values
            JSON.
        """
        if event in _NEWS:
            self._n_news += 1
            if self._n_news > SETTINGS.most_event_lines:
                return
        short = {name: _shorten(value) for name, value in values.items()}
        self._file.write(json.dumps({"at": round(time.time(), 3), "event": event, **short}, ensure_ascii=False) + "\n")
        self._file.flush()

    def is_due(self) -> bool:
        """Return whether progress may be written again, and note that it is."""
        now = time.monotonic()
        if now - self._written < max(SETTINGS.progress_seconds, (now - self._began) / SETTINGS.most_event_lines):
            return False
        self._written = now
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _shorten(value: Any) -> Any:
    return value[: SETTINGS.most_event_characters] if isinstance(value, str) else value


class EventReader:
    """Reads a file of events that grows; what is half-written is read next time.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position, self._number = 0, 0

    def read_new(self) -> list[tuple[int, str]]:
        """Return the lines since the last call: the number of each, from 1, and its text."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        lines = whole.decode("utf-8", "replace").splitlines()
        start = self._number + 1
        self._number += len(lines)
        return list(enumerate(lines, start))


def parse_events(lines: list[str]) -> Iterator[Event]:
    """Yield events; lines that a power cut left damaged are passed over.

    Parameters
    ----------
    lines : list of str
    """
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def read_last_events(path: Path) -> list[Event]:
    """Return the last events of a job, in order; those before its last beginning are left out.

    Parameters
    ----------
    path : Path
    """
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    events = list(parse_events(text.splitlines()))
    begins = [at for at, event in enumerate(events) if event.get("event") == "begin"]
    return events[begins[-1] :] if begins else events


def find_end(path: Path) -> int | None:
    """Return the exit code with which the last attempt at a job ended; None if it did not say.

    Parameters
    ----------
    path : Path
    """
    events = read_last_events(path)
    if not events or events[-1].get("event") != "end":
        return None
    return int(events[-1].get("code", 1))


def find_error(path: Path) -> Mapping[str, str]:
    """Return problem and hint of the error with which a job ended; empty texts if it said none.

    Parameters
    ----------
    path : Path
    """
    errors = [event for event in read_last_events(path) if event.get("event") == "error"]
    last = errors[-1] if errors else {}
    return {name: str(last.get(name, "")) for name in ("problem", "hint")}
