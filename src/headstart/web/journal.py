"""Changes of a table, each written down before it is made, so that one that was cut short can be made later.

The file is only ever added to. Whoever writes holds the lock of its folder.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

JOURNAL = ".journal.jsonl"
_DONE = b'{"done": true}\n'


@dataclass(frozen=True)
class Change:
    """Rows of one input that take the place of its earlier ones, and the header of their table."""

    head: list[str]
    rows: list[list[str]]


class Journal:
    """The changes of one table.

    Parameters
    ----------
    path : Path
        Made at the first change.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_pending(self) -> Change | None:
        """Return the last change if it was not noted as done; a line that was cut off was never confirmed: None."""
        try:
            with self.path.open("rb") as handle:
                last = _read_last_line(handle)
        except FileNotFoundError:
            return None
        if not last.endswith(b"\n") or last == _DONE:
            return None
        try:
            change = json.loads(last)
            return Change(change["head"], change["rows"])
        except (ValueError, KeyError, TypeError):
            return None

    def write(self, change: Change) -> None:
        """Add a change; when this returns it survives a power cut."""
        self._append(json.dumps(asdict(change), ensure_ascii=False).encode("utf-8") + b"\n")

    def mark_done(self) -> None:
        """Note that the last change is in the table."""
        self._append(_DONE, sync=False)

    def _append(self, line: bytes, sync: bool = True) -> None:
        with self.path.open("ab+") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - 1))
            whole = size == 0 or handle.read(1) == b"\n"
            try:
                handle.write(line if whole else b"\n" + line)
                handle.flush()
                if sync:
                    os.fsync(handle.fileno())
            except OSError:  # No half of a line may stay on a full disk.
                os.truncate(self.path, size)
                raise


def _read_last_line(handle: BinaryIO, block_bytes: int = 1 << 16) -> bytes:
    """Return the last line of a file with its end, if it has one."""
    start = handle.seek(0, os.SEEK_END)
    tail = b""
    while start > 0 and b"\n" not in tail[:-1]:
        size = min(block_bytes, start)
        start -= size
        handle.seek(start)
        tail = handle.read(size) + tail
    return tail[tail.rfind(b"\n", 0, max(0, len(tail) - 1)) + 1 :]
