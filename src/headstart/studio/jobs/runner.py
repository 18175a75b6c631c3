"""Start and watch the jobs of all projects: one at a time, in the order in which they were queued.

Whether a job is at work shows in its lock, which its process holds: so a server finds out about jobs that another one
started, before or beside it. Who may start a job is decided in its project's table, in one transaction.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headstart.disk_errors import explain_disk_error
from headstart.errors import HeadstartError
from headstart.projects import OPEN_STATES, Job, Project
from headstart.studio.jobs import processes
from headstart.studio.jobs.child import BUSY_CODE
from headstart.studio.jobs.events import find_end, find_error
from headstart.studio.jobs.places import find_job_files
from headstart.studio.jobs.power import is_on_battery
from headstart.studio.preferences import Preferences, read_preferences
from headstart.studio.settings import SETTINGS

log = logging.getLogger("headstart.studio")
STOPPED_CODE = 130
"""Exit code of a command that was asked to stop."""


class JobRunner:
    """The jobs of this server's projects.

    Parameters
    ----------
    list_projects : () -> iterable of Project
        Every project that may have jobs.
    is_offline : bool
        Whether no job may open a connection, whatever the settings say.
    program : sequence of str
        What a job's arguments are handed to.
    read_choices : () -> Preferences
    detect_battery : () -> bool
        Whether the machine runs on its battery.
    """

    def __init__(
        self,
        list_projects: Callable[[], Iterable[Project]],
        is_offline: bool = False,
        *,
        program: Sequence[str] = processes.PROGRAM,
        read_choices: Callable[[], Preferences] = read_preferences,
        detect_battery: Callable[[], bool] = is_on_battery,
    ) -> None:
        self.list_projects, self.is_offline = list_projects, is_offline
        self.program = program
        self.read_choices, self.detect_battery = read_choices, detect_battery
        self._active: dict[Path, Project] = {}
        self._children: dict[tuple[Path, int], processes.Process] = {}
        self._deaths = Counter[tuple[Path, int]]()
        self._lock = threading.Lock()
        self._wake, self._ends = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, project: Project, kind: str, argv: Sequence[str]) -> int:
        """Queue a command; while one of its kind waits or runs in the project, that one stands for it.

        Parameters
        ----------
        project : Project
        kind : str
        argv : sequence of str
            Behind `headstart`.

        Returns
        -------
        int
            The number of the job.
        """
        with self._lock:
            running = [job.id for job in project.list_jobs(OPEN_STATES) if job.kind == kind]
            number = running[0] if running else project.add_job(kind, argv)
            self._active[project.folder] = project
        self._wake.set()
        return number

    def cancel(self, project: Project, job: int) -> None:
        """Ask a job to stop and to keep what it has so far; asked a second time it ends at once.

        Parameters
        ----------
        project : Project
        job : int
        """
        facts = project.get_job(job).facts
        project.update_job(job, facts={"cancel_at": facts.get("cancel_at") or time.time(),
                                       "kill": bool(facts.get("cancel_at"))})  # fmt: skip
        with self._lock:
            self._active[project.folder] = project
        self._wake.set()

    def start(self) -> None:
        """Begin to watch, with the jobs that an earlier server left."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End to watch; jobs at work go on."""
        self._ends.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for child in self._children.values():  # They outlive this process: Python need not warn that nobody waits.
            child.returncode = child.poll() or 0

    def _watch(self) -> None:
        looked_at = 0.0
        while not self._ends.is_set():
            try:
                if time.monotonic() - looked_at > SETTINGS.rescan_seconds or not looked_at:
                    looked_at = time.monotonic()
                    self._find_open_jobs()
                self.look()
            except Exception:  # Such as a disk that was pulled out, or a table that somebody edited: look again later.
                log.exception("jobs")
                with self._lock:
                    self._active.clear()
            self._wake.wait(SETTINGS.watch_seconds if self._active else SETTINGS.rescan_seconds)
            self._wake.clear()

    def _find_open_jobs(self) -> None:
        for project in self.list_projects():
            with self._lock:
                self._active[project.folder] = project
            self._list_open(project)

    def look(self) -> None:
        """Look at all open jobs once: note what ended, and start the next one if none is at work."""
        with self._lock:
            projects = list(self._active.values())
        choices = self.read_choices()
        is_halted = choices.pauses_on_battery and self.detect_battery()
        is_busy = False
        waiting: list[tuple[str, Project, Job]] = []
        for project in projects:
            for job in self._list_open(project):
                if job.state == "running":
                    is_busy = True  # What has just ended may have to start again, before others.
                    self._look_at(project, job, is_halted)
                elif job.facts.get("cancel_at"):
                    project.update_job(job.id, "cancelled")
                else:
                    waiting.append((job.at, project, job))
        if waiting and not is_busy:
            _, project, job = min(waiting, key=lambda item: item[0])
            _note(project, job, is_paused=is_halted)
            if not is_halted:
                self._start(project, job, choices)

    def _list_open(self, project: Project) -> list[Job]:
        """Return the open jobs of a project; one that has none, or that is gone, is not looked at again."""
        with self._lock:  # A job that is submitted meanwhile would wait for the next look at all projects.
            try:
                jobs = project.list_jobs(OPEN_STATES)
            except HeadstartError:
                jobs = []
            if not jobs:
                self._active.pop(project.folder, None)
        return jobs

    def _start(self, project: Project, job: Job, choices: Preferences) -> None:
        if project.claim_job(os.getpid(), job.id) is None:
            return
        files = find_job_files(project.folder, job.id)
        try:
            child = processes.start_child(
                [*self.program, *job.argv], files, project.folder,
                n_cores=processes.count_job_cores(choices.uses_all_cores),
                is_offline=self.is_offline or choices.is_offline,
            )  # fmt: skip
        except OSError as error:
            known = explain_disk_error(error, [project.folder]) or HeadstartError(str(error), "")
            project.update_job(job.id, "failed", facts={"error": {"problem": known.problem, "hint": known.hint}})
            return
        self._children[project.folder, job.id] = child
        project.update_job(job.id, pid=child.pid)

    def _look_at(self, project: Project, job: Job, is_halted: bool) -> None:
        """Look at a job that was at work."""
        key, files = (project.folder, job.id), find_job_files(project.folder, job.id)
        child = self._children.get(key)
        code = child.poll() if child is not None else None
        if child is None and not processes.is_at_work(files) and not _may_be_starting(job):
            code = find_end(files.events)
            self._end(project, job, code if code is not None else -1)
        elif code is not None:
            del self._children[key]
            self._end(project, job, code)
        else:
            self._steer(project, job, is_halted)

    def _steer(self, project: Project, job: Job, is_halted: bool) -> None:
        """Stop, halt or resume a job at work."""
        if job.pid is None:
            return
        cancel_at = job.facts.get("cancel_at")
        if cancel_at:
            if job.facts.get("kill") or time.time() - float(cancel_at) > SETTINGS.cancel_seconds:
                processes.resume(job.pid)
                processes.kill(job.pid)
            elif not job.facts.get("is_asked"):
                processes.ask_to_stop(job.pid)
                project.update_job(job.id, facts={"is_asked": True})
        elif is_halted and not job.facts.get("is_paused"):
            processes.halt(job.pid)
            _note(project, job, is_paused=True)
        elif not is_halted and job.facts.get("is_paused"):
            processes.resume(job.pid)
            _note(project, job, is_paused=False)

    def _end(self, project: Project, job: Job, code: int) -> None:
        """Note how a job ended; one that died is queued again."""
        files = find_job_files(project.folder, job.id)
        key = (project.folder, job.id)
        facts: dict[str, Any] = {"code": code, "is_paused": False}
        if code == 0:
            project.update_job(job.id, "done", facts=facts)
        elif job.facts.get("cancel_at") or code == STOPPED_CODE:
            project.update_job(job.id, "cancelled", facts=facts)
        elif code == BUSY_CODE:
            return
        elif code > 0:
            project.update_job(job.id, "failed", facts={**facts, "error": dict(find_error(files.events))})
        else:
            self._deaths[key] += 1
            if self._deaths[key] >= SETTINGS.most_deaths:
                project.update_job(job.id, "failed", facts={**facts, "died": self._deaths[key]})
            else:
                project.update_job(job.id, "queued", facts={**facts, "n_restarts": job.facts.get("n_restarts", 0) + 1})
        self._wake.set()


def _note(project: Project, job: Job, *, is_paused: bool) -> None:
    if bool(job.facts.get("is_paused")) != is_paused:
        project.update_job(job.id, facts={"is_paused": is_paused})


def _may_be_starting(job: Job) -> bool:
    """Return whether the process of a job may not have taken its lock yet."""
    if job.pid is None or not job.began:
        return False
    seconds = (datetime.now(UTC) - datetime.fromisoformat(job.began)).total_seconds()
    return abs(seconds) < SETTINGS.start_seconds and processes.exists(job.pid)
