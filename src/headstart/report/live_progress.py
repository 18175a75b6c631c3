"""Progress as people see it: one bar over all steps with a line of words, on a terminal, in a log or in a notebook.

Nothing is computed here; `headstart.progress` says how far the work is.
"""

from __future__ import annotations

import sys
import time
from html import escape as escape_html
from importlib import import_module
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress_bar import ProgressBar as BarShape
from rich.table import Table as Grid
from rich.text import Text

from headstart import progress
from headstart.report.messages import translate, use_language
from headstart.report.sentences.stored import translate_fact
from headstart.report.sentences.terminal import describe_seconds

BAR_WIDTH = 40
REFRESHES_PER_SECOND = 4
NOTEBOOK_SECONDS = 0.5
"""A notebook is written to no more often than this."""


def describe_step(plan: progress.Plan) -> str:
    """Return the line of words of a plan.

    Parameters
    ----------
    plan : progress.Plan
    """
    with use_language(plan.language):
        line = translate(
            "Step {number} of {total}: {words}", number=plan.number, total=len(plan.steps), words=plan.current.words
        )
    return f"{line} ({plan.detail})" if plan.detail else line


def describe_time_left(plan: progress.Plan) -> str:
    """Return about how long the rest takes.

    Parameters
    ----------
    plan : progress.Plan
    """
    with use_language(plan.language):
        return translate("about {time} left", time=describe_seconds(plan.seconds_left()))


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(
            "" if speed is None else f"{speed:,.0f} {task.fields['unit']}/s" if speed >= 10 else f"{speed:.1f}/s"
        )


class _RichBar:
    """A bar of its own, outside any plan."""

    def __init__(self, live: Progress, task: TaskID) -> None:
        self.live = live
        self.task = task

    def advance(self, n: int = 1) -> None:
        self.live.advance(self.task, n)


class _InnerBar:
    """Work inside a step of a plan: shown in the line of words."""

    def __init__(self, plan: progress.Plan, total: int, unit: str) -> None:
        self.plan, self.total, self.unit, self.done = plan, total, unit, 0

    def advance(self, n: int = 1) -> None:
        self.done += n
        unit = "" if self.unit == "bytes" else f" {self.unit}"
        amount = f"{self.done / 1e6:,.0f} / {self.total / 1e6:,.0f} MB" if not unit else f"{self.done:,}/{self.total:,}"
        self.plan.report_inside(self.done / max(self.total, 1), f"{amount}{unit}")


def translate_line(plan: progress.Plan | None, text: str) -> str:
    """Return a line of news in the language of the plan.

    Parameters
    ----------
    plan : progress.Plan or None
        None: the line stays as it is.
    text : str
    """
    if plan is None:
        return text
    with use_language(plan.language):
        return translate_fact(text)


class Terminal:
    """Shows news and bars on stderr; bars only on a terminal, elsewhere a line a step.

    Parameters
    ----------
    quiet : bool
        Warnings only.
    news, console : Console or None
        For news, and for warnings and bars; both on stderr if not given.
    """

    def __init__(self, quiet: bool, news: Console | None = None, console: Console | None = None) -> None:
        self.quiet = quiet
        self.console = console or Console(stderr=True, highlight=False)
        self.news = news or self.console
        self.plan: progress.Plan | None = None
        self.live: Live | None = None

    def say(self, text: str) -> None:
        if not self.quiet:
            self.news.print(escape(translate_line(self.plan, text)))

    def warn(self, text: str) -> None:
        self.console.print(f"[yellow]{escape(text)}[/yellow]")

    def open_plan(self, plan: progress.Plan) -> None:
        self.plan = plan
        if self.quiet or not self.console.is_terminal:
            return
        self.live = Live(
            get_renderable=lambda: _draw_plan(plan), console=self.console, transient=True,
            refresh_per_second=REFRESHES_PER_SECOND,
        )  # fmt: skip
        self.live.start()

    def begin_step(self, plan: progress.Plan) -> None:
        if not self.quiet and self.live is None:
            self.news.print(escape(describe_step(plan)))

    def close_plan(self, plan: progress.Plan) -> None:
        if self.live is not None:
            self.live.stop()
        self.plan, self.live = None, None

    def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
        if self.plan is not None:
            return _InnerBar(self.plan, total, unit)
        counts = (DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(), _Rate())
        columns = (
            TextColumn("{task.description}"), BarColumn(bar_width=30), *counts,
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        is_hidden = self.quiet or not self.console.is_terminal
        live = Progress(*columns, console=self.console, disable=is_hidden, transient=True)
        live.start()
        return _RichBar(live, live.add_task(name, total=total, unit=unit))

    def close(self, bar: progress.ProgressBar) -> None:
        if isinstance(bar, _RichBar):
            bar.live.stop()
        elif isinstance(bar, _InnerBar):
            bar.plan.report_inside(0.0, "")


def _draw_plan(plan: progress.Plan) -> RenderableType:
    share = plan.share_done()
    row = Grid.grid(padding=(0, 1))
    row.add_row(BarShape(total=1.0, completed=share, width=BAR_WIDTH), f"{share:.0%}", describe_time_left(plan))
    return Group(row, Text(describe_step(plan), no_wrap=True, overflow="ellipsis"))


class Notebook(progress.Silent):
    """Shows one bar and the last line of news in the output of a notebook's cell."""

    def __init__(self) -> None:
        self.plan: progress.Plan | None = None
        self.last_line = ""
        self._handle: Any = None
        self._written = 0.0

    def say(self, text: str) -> None:
        self.last_line = translate_line(self.plan, text)
        self._show()

    def warn(self, text: str) -> None:
        print(text, file=sys.stderr)

    def open_plan(self, plan: progress.Plan) -> None:
        self.plan = plan
        self._handle = _display(self._draw(), None)

    def begin_step(self, plan: progress.Plan) -> None:
        self._show()

    def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
        return progress.SilentBar() if self.plan is None else _NotebookBar(self, _InnerBar(self.plan, total, unit))

    def close_plan(self, plan: progress.Plan) -> None:
        self.plan = None
        self._show()

    def update(self) -> None:
        """Show how far the work is, unless that was done a moment ago."""
        if time.monotonic() - self._written >= NOTEBOOK_SECONDS:
            self._show()

    def _show(self) -> None:
        if self._handle is not None:
            self._written = time.monotonic()
            _display(self._draw(), self._handle)

    def _draw(self) -> str:
        news = f"<div>{escape_html(self.last_line)}</div>" if self.last_line else ""
        if self.plan is None:
            return news
        words = escape_html(f"{describe_step(self.plan)}, {describe_time_left(self.plan)}")
        return f'<progress value="{self.plan.share_done():.3f}" max="1"></progress> {words}{news}'


class _NotebookBar:
    def __init__(self, notebook: Notebook, inner: _InnerBar) -> None:
        self.notebook, self.inner = notebook, inner

    def advance(self, n: int = 1) -> None:
        self.inner.advance(n)
        self.notebook.update()


def _display(html: str, handle: Any) -> Any:
    """Write HTML into the output of the cell at work, or over what a handle wrote before."""
    ipython = import_module("IPython.display")
    if handle is None:
        return ipython.display(ipython.HTML(html), display_id=True)
    handle.update(ipython.HTML(html))
    return handle


def is_notebook() -> bool:
    """Return whether this process runs the cells of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def choose_listener(requested: bool | None) -> progress.Listener | None:
    """Return who shows progress to a user of Python; None: nobody.

    Parameters
    ----------
    requested : bool or None
        None: on a terminal and in a notebook.
    """
    if requested is False or (requested is None and progress.is_listening()):
        return None
    if is_notebook():
        return Notebook()
    return Terminal(quiet=False) if requested or sys.stderr.isatty() else None
