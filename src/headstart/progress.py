"""How long work reports its progress, without knowing who shows it.

Rooms call `say` and `open_bar`; the command line, a notebook or the web page listen. With no listener nothing is
printed. This room prints nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class ProgressBar(Protocol):
    """Work that advances."""

    def advance(self, n: int = 1) -> None:
        """Report that `n` more units are done."""


class Listener(Protocol):
    """Whoever shows progress to a person."""

    def say(self, text: str) -> None:
        """Show one line."""

    def warn(self, text: str) -> None:
        """Show one line that asks for attention."""

    def open(self, name: str, total: int, unit: str) -> ProgressBar:
        """Begin a bar of `total` units ("images", "folds")."""

    def close(self, bar: ProgressBar) -> None:
        """End it."""


class SilentBar:
    """The bar that shows nothing."""

    def advance(self, n: int = 1) -> None:
        return None


class Silent:
    """The listener that shows nothing (the default)."""

    def say(self, text: str) -> None:
        return None

    def warn(self, text: str) -> None:
        return None

    def open(self, name: str, total: int, unit: str) -> ProgressBar:
        return SilentBar()

    def close(self, bar: ProgressBar) -> None:
        return None


_SILENT = Silent()
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def _current() -> Listener:
    return _listener.get() or _SILENT


@contextmanager
def listen(listener: Listener) -> Iterator[None]:
    """Send everything said inside the block to `listener`.

    Parameters
    ----------
    listener : Listener
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def say(text: str) -> None:
    """Show the user one line of news.

    Parameters
    ----------
    text : str
    """
    _current().say(text)


def warn(text: str) -> None:
    """Show the user one line of warning.

    Parameters
    ----------
    text : str
    """
    _current().warn(text)


@contextmanager
def open_bar(name: str, total: int, unit: str) -> Iterator[ProgressBar]:
    """Show a bar while the block runs; call `.advance(n)` on what it yields.

    Parameters
    ----------
    name : str
    total : int
        Number of units.
    unit : str
        In the plural, such as "images".
    """
    listener = _current()
    opened = listener.open(name, total, unit)
    try:
        yield opened
    finally:
        listener.close(opened)
