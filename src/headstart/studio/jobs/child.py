"""What a command does beside its work where it is a job: events, locks, cores, and stopping when it is asked to."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import progress
from headstart.errors import HeadstartError
from headstart.file_locks import lock_file
from headstart.offline import offline
from headstart.studio.jobs.events import EventWriter
from headstart.studio.jobs.places import CORES_VARIABLE, EVENTS_VARIABLE, OFFLINE_VARIABLE, find_machine_lock

if TYPE_CHECKING:
    from headstart.report.live_progress import Terminal

BUSY_CODE = 75
"""Exit code where another process does the same job."""
_FOR_EVER = 1e9
_NICENESS = 5


class JobListener(progress.Silent):
    """Writes progress as events, and passes it on to whoever prints it.

    Parameters
    ----------
    printer : Terminal
    writer : EventWriter
    """

    def __init__(self, printer: Terminal, writer: EventWriter) -> None:
        self.printer, self.writer = printer, writer

    def say(self, text: str) -> None:
        from headstart.report.live_progress import translate_line

        self.printer.say(text)
        self.writer.write("say", words=translate_line(self.printer.plan, text))

    def warn(self, text: str) -> None:
        self.printer.warn(text)
        self.writer.write("warn", words=text)

    def open_plan(self, plan: progress.Plan) -> None:
        self.printer.open_plan(plan)
        self.writer.write("plan", steps=[{"step": step.name, "words": step.words} for step in plan.steps])

    def begin_step(self, plan: progress.Plan) -> None:
        self.printer.begin_step(plan)
        self._write_plan("step", plan)

    def close_plan(self, plan: progress.Plan) -> None:
        self.printer.close_plan(plan)

    def open(self, name: str, total: int, unit: str) -> progress.ProgressBar:
        return _JobBar(self, self.printer.open(name, total, unit), name=name, total=total, unit=unit)

    def close(self, bar: progress.ProgressBar) -> None:
        self.printer.close(bar.inner if isinstance(bar, _JobBar) else bar)

    def advance(self, bar: _JobBar) -> None:
        """Write how far a bar is, unless that was done a moment ago."""
        if not self.writer.is_due():
            return
        if self.printer.plan is not None:
            self._write_plan("progress", self.printer.plan)
        else:
            share = min(1.0, bar.done / max(bar.total, 1))
            self.writer.write("progress", bar=bar.name, share=round(share, 4), n=bar.done, total=bar.total,
                              unit=bar.unit)  # fmt: skip

    def _write_plan(self, event: str, plan: progress.Plan) -> None:
        self.writer.write(
            event, step=plan.current.name, words=plan.current.words, detail=plan.detail, number=plan.number,
            total=len(plan.steps), share=round(plan.share_done(), 4), seconds_left=round(plan.seconds_left(), 1),
        )  # fmt: skip


class _JobBar:
    def __init__(
        self, listener: JobListener, inner: progress.ProgressBar, *, name: str, total: int, unit: str
    ) -> None:  # fmt: skip
        self.listener, self.inner = listener, inner
        self.name, self.total, self.unit, self.done = name, total, unit, 0

    def advance(self, n: int = 1) -> None:
        self.done += n
        self.inner.advance(n)
        self.listener.advance(self)


def run_job(events: Path, work: Callable[[EventWriter], None]) -> None:
    """Run a command as a job: with its locks held, its events written, and its end noted.

    Parameters
    ----------
    events : Path
        File of the events.
    work : EventWriter -> None
        It leaves by SystemExit where it does not end well, as `headstart.cli.surface.run_command` does.
    """
    os.environ.pop(EVENTS_VARIABLE, None)  # What this process starts is no job.
    _take_signals()
    _limit_cores()
    with lock_file(events.with_suffix(".lock")) as is_ours, EventWriter(events) as writer:
        if not is_ours:
            raise SystemExit(BUSY_CODE)
        code = 1
        try:
            with _wait_for_machine(writer), offline(OFFLINE_VARIABLE in os.environ):
                writer.write("begin", command=["headstart", *sys.argv[1:]], pid=os.getpid())
                work(writer)
                code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
            if isinstance(stop.__cause__, HeadstartError):
                writer.write("error", problem=stop.__cause__.problem, hint=stop.__cause__.hint)
            elif code not in (0, 130) and stop.__cause__ is not None:
                writer.write("error", problem=str(stop.__cause__), hint="")
            raise
        except KeyboardInterrupt:
            code = 130
            raise SystemExit(code) from None
        except Exception as error:
            writer.write("error", problem=f"{type(error).__name__}: {error}", hint="")
            raise
        finally:
            writer.write("end", code=code)


@contextmanager
def _wait_for_machine(writer: EventWriter) -> Iterator[None]:
    """Hold the place of the one job at work on this machine; wait for it if need be."""
    with lock_file(find_machine_lock()) as is_free:
        if is_free:
            yield
            return
    writer.write("wait")
    with lock_file(find_machine_lock(), wait_seconds=_FOR_EVER):
        yield


def _take_signals() -> None:
    """Stop as with Ctrl-C: the server that started us may ignore that signal, and children inherit this."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGBREAK"):  # What Windows lets one process send to another.
        signal.signal(signal.SIGBREAK, signal.default_int_handler)


def _limit_cores() -> None:
    """Take no more cores than allowed, whatever a library asks for, and give way to what people do meanwhile."""
    n_cores = int(os.environ.get(CORES_VARIABLE) or 0)
    if hasattr(os, "sched_getaffinity") and n_cores:
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-n_cores:])
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
