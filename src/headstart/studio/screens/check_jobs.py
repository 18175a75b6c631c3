"""Jobs that the pages Learn and Check start and stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headstart.projects import Project
from headstart.studio.context import StudioContext


def start_job(context: StudioContext, project: Project, kind: str, argv: Sequence[str]) -> int:
    """Queue a command line of Headstart and return the number of its job, or of the one that does the same already.

    Parameters
    ----------
    context : StudioContext
    project : Project
    kind : str
    argv : sequence of str
        Behind `headstart`.
    """
    runner: Any = context
    return int(runner.jobs.submit(project, kind, list(argv)))


def stop_job(context: StudioContext, project: Project, job: int) -> None:
    """Ask a job to end; it keeps what it has.

    Parameters
    ----------
    context : StudioContext
    project : Project
    job : int
    """
    runner: Any = context
    runner.jobs.cancel(project, job)
