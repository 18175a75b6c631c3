"""`--offline`: no connection can be opened in this process while it holds.

An audit hook sees every connection and every name look-up, whichever library asks for it, and refuses it by name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from headstart.errors import HeadstartError

_REFUSED = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
_HUB_VARIABLES = (
    "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY",
)  # fmt: skip
_holds = 0
_closed: list[str] = []


class OfflineError(HeadstartError):
    """Something tried to open a connection although `--offline` holds, or where nothing may."""


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if (_holds or _closed) and event in _REFUSED:
        target = next((item for item in reversed(arguments) if isinstance(item, str | tuple)), "")
        if event == "socket.connect" and isinstance(target, str):
            return  # a local (Unix) socket, no network
        if _closed:
            raise OfflineError(f"{_closed[-1]} asked for the network ({target}), which it may not.", "Do not use it.")
        raise OfflineError(
            f"Something asked for the network ({target}) although --offline was given.",
            "Fetch what is missing once without --offline, or use an embedded base model (--base default).",
        )


@lru_cache(maxsize=1)
def _install() -> None:
    sys.addaudithook(_refuse)


def silence_hub() -> None:
    """Switch off usage reports of the libraries below us; called before any of them is imported."""
    for name in _HUB_VARIABLES[2:]:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


@contextmanager
def offline(holds: bool) -> Iterator[None]:
    """Refuse every connection inside the block if `holds`.

    Parameters
    ----------
    holds : bool
    """
    global _holds  # noqa: PLW0603 - a process has one network
    silence_hub()
    if not holds:
        yield
        return
    _install()
    before = {name: os.environ.get(name) for name in _HUB_VARIABLES[:2]}
    os.environ.update(dict.fromkeys(before, "1"))
    _holds += 1
    try:
        yield
    finally:
        _holds -= 1
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def no_network(who: str) -> Iterator[None]:
    """Refuse every connection inside the block, whether or not `--offline` was given; `who` is named in the error.

    Parameters
    ----------
    who : str
    """
    _install()
    _closed.append(who)
    try:
        yield
    finally:
        _closed.pop()
