"""Where Headstart keeps what it may throw away, and how it writes files: whole or not at all.

`HEADSTART_HOME` moves everything. Nothing is ever written into the user's own folders.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from headstart.errors import OptionError


def home() -> Path:
    """Give the folder of everything that Headstart keeps; it is made on first use.

    Raises
    ------
    OptionError
        If it cannot be made, or is a file.
    """
    folder = Path(os.environ.get("HEADSTART_HOME") or user_cache_dir("headstart", appauthor=False)).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"Headstart cannot keep its files in {folder} ({error.strerror}).",
            "Set the environment variable HEADSTART_HOME to a folder that you may write to.",
        ) from error
    return folder


def require_place(out: Path) -> None:
    """Refuse a folder that cannot be made or written to, before long work begins; makes nothing.

    Raises
    ------
    OptionError
    """
    for _ in range(3):  # Looked at again where another process may just be replacing it.
        there = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
        if there.is_dir() and os.access(there, os.W_OK):
            return
    raise OptionError(f"{out} cannot be made: {there} is no folder to write to.", "Name another folder with -o.")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; it takes the final name only if the block ends well.

    A kill leaves at most a hidden `.partial` file, never half a file under the final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.touch(exist_ok=False)
    mode = partial.stat().st_mode
    try:
        yield partial
        partial.chmod(mode)  # Some libraries make files that only their owner may read.
        with partial.open("rb+") as handle:
            os.fsync(handle.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all (UTF-8, line ends as given)."""
    with written_whole(path) as partial:
        partial.write_bytes(text.encode("utf-8"))


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file whole or not at all."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
