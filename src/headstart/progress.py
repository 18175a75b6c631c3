"""How long work reports its progress, without knowing who shows it.

Rooms call `say`, `open_bar`, `begin_step`, `expect_step` and `expect_rest`; the command line, a notebook or the web
page listen. With no listener nothing is printed. This room prints nothing itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


class ProgressBar(Protocol):
    """Work that advances."""

    def advance(self, n: int = 1) -> None:
        """Report that `n` more units are done."""


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step of long work.

    Parameters
    ----------
    name : str
        Permanent code.
    words : str
        What it does, for people.
    seconds : float
        What it is expected to take.
    """

    name: str
    words: str
    seconds: float


class Plan:
    """All steps of long work in their order, and how far it is.

    Parameters
    ----------
    steps : sequence of PlannedStep
    limit_seconds : float
        After which the whole is meant to end.
    language : str
        Code of the language of its words; whoever draws it in a thread of its own knows no other.

    Examples
    --------
    >>> steps = [PlannedStep(name=name, words=name, seconds=10.0) for name in ("read", "fit", "write")]
    >>> plan = Plan(steps, 600.0, now=0.0)
    >>> plan.begin("fit", now=10.0)
    >>> plan.number, plan.seconds_left(now=15.0), round(plan.share_done(now=15.0), 2)
    (2, 15.0, 0.5)
    >>> plan.expect_rest(20.0, now=15.0)
    >>> plan.seconds_left(now=25.0)
    20.0
    """

    def __init__(
        self, steps: Sequence[PlannedStep], limit_seconds: float, now: float | None = None, *, language: str = "en"
    ) -> None:
        self.steps = tuple(steps)
        self.language = language
        self.limit_seconds = limit_seconds
        self.number = 1
        self.detail = ""
        self._expected = {step.name: step.seconds for step in steps}
        self._began = self._step_began = time.monotonic() if now is None else now
        self._share_of_step = 0.0
        self._knows_rest = False
        self._most_done = 0.0

    @property
    def current(self) -> PlannedStep:
        """The step that is at work."""
        return self.steps[self.number - 1]

    def begin(self, name: str, now: float | None = None) -> None:
        """Note that a step begins; those before it are done."""
        names = [step.name for step in self.steps]
        if name in names:
            self.number = names.index(name) + 1
            self._step_began = time.monotonic() if now is None else now
            self.detail, self._share_of_step, self._knows_rest = "", 0.0, False

    def expect(self, name: str, seconds: float) -> None:
        """Note what a step is now expected to take."""
        if name in self._expected:
            self._expected[name] = max(seconds, 0.0)

    def expect_rest(self, seconds: float, now: float | None = None) -> None:
        """Note what is left of the step at work, forecast anew while it runs; bars inside it no longer count."""
        now = time.monotonic() if now is None else now
        self._expected[self.current.name] = now - self._step_began + max(seconds, 0.0)
        self._knows_rest = True

    def report_inside(self, share: float, detail: str) -> None:
        """Note how much (0-1) of a part of this step is done, and what it is."""
        self._share_of_step, self.detail = share, detail

    def seconds_left(self, now: float | None = None) -> float:
        """Return about how long the rest takes."""
        now = time.monotonic() if now is None else now
        spent = now - self._step_began
        expected = self._expected[self.current.name]
        left = max(expected - spent, 0.1 * expected)
        if self._share_of_step > 0.1 and not self._knows_rest:
            left = max(spent * (1 - self._share_of_step) / self._share_of_step, expected - spent)
        left += sum(self._expected[step.name] for step in self.steps[self.number :])
        return max(0.0, min(left, self.limit_seconds - (now - self._began)))

    def share_done(self, now: float | None = None) -> float:
        """Return how much (0-1) of the whole is done; it never goes back."""
        now = time.monotonic() if now is None else now
        spent, left = now - self._began, self.seconds_left(now)
        self._most_done = max(self._most_done, spent / max(spent + left, 1e-9))
        return self._most_done


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

    def open_plan(self, plan: Plan) -> None:
        """Begin work of several steps: one bar over all of them."""

    def begin_step(self, plan: Plan) -> None:
        """Show that `plan.current` begins."""

    def close_plan(self, plan: Plan) -> None:
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

    def open_plan(self, plan: Plan) -> None:
        return None

    def begin_step(self, plan: Plan) -> None:
        return None

    def close_plan(self, plan: Plan) -> None:
        return None


_SILENT = Silent()
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_plan: ContextVar[Plan | None] = ContextVar("plan", default=None)


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


def is_listening() -> bool:
    """Return whether anybody shows progress."""
    return _listener.get() is not None


@contextmanager
def open_plan(steps: Sequence[PlannedStep], limit_seconds: float, language: str = "en") -> Iterator[Plan]:
    """Show one bar over all steps while the block runs; `begin_step` says which one is at work.

    Parameters
    ----------
    steps : sequence of PlannedStep
    limit_seconds : float
        After which the whole is meant to end.
    language : str
        Code of the language of the words.
    """
    listener, plan = _current(), Plan(steps, limit_seconds, language=language)
    token = _plan.set(plan)
    listener.open_plan(plan)
    listener.begin_step(plan)
    try:
        yield plan
    finally:
        _plan.reset(token)
        listener.close_plan(plan)


def begin_step(name: str) -> None:
    """Say that a step of the open plan begins; nothing without a plan, or if it has no such step.

    Parameters
    ----------
    name : str
        Code of a `PlannedStep`.
    """
    plan = _plan.get()
    if plan is not None and name != plan.current.name and any(step.name == name for step in plan.steps):
        plan.begin(name)
        _current().begin_step(plan)


def expect_step(name: str, seconds: float) -> None:
    """Say what a step of the open plan is now expected to take.

    Parameters
    ----------
    name : str
        Code of a `PlannedStep`.
    seconds : float
    """
    plan = _plan.get()
    if plan is not None:
        plan.expect(name, seconds)


def expect_rest(seconds: float) -> None:
    """Say how long the step at work still takes, forecast anew while it runs.

    Parameters
    ----------
    seconds : float
    """
    plan = _plan.get()
    if plan is not None:
        plan.expect_rest(seconds)


@contextmanager
def open_bar(name: str, total: int, unit: str) -> Iterator[ProgressBar]:
    """Show a bar while the block runs; call `.advance(n)` on what it yields.

    Parameters
    ----------
    name : str
        Permanent code in plain words; a terminal shows it as it is.
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
