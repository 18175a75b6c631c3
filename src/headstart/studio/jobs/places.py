"""Where a job keeps its files, and the names of the environment variables by which its child knows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headstart.home import make_writable_folder

EVENTS_VARIABLE = "HEADSTART_PROGRESS"
"""File to which a child writes its events; where it is set, a command is a job."""
CORES_VARIABLE = "HEADSTART_CORES"
"""How many cores a job may take."""
OFFLINE_VARIABLE = "HEADSTART_JOB_OFFLINE"
"""Set: the job may open no connection."""


@dataclass(frozen=True, kw_only=True)
class JobFiles:
    """The files of one job.

    Parameters
    ----------
    events : Path
        One JSON object a line.
    log : Path
        What the command printed.
    lock : Path
        Held by the child while it lives.
    """

    events: Path
    log: Path
    lock: Path


def find_job_files(project_folder: Path, job: int) -> JobFiles:
    """Return where a job keeps its files; the folder is made.

    Parameters
    ----------
    project_folder : Path
    job : int
    """
    from headstart.projects.places import JOBS  # A job begins without what projects need.

    folder = project_folder / JOBS
    folder.mkdir(exist_ok=True)
    events = folder / f"{job}.jsonl"
    return JobFiles(events=events, log=events.with_suffix(".log"), lock=events.with_suffix(".lock"))


def find_machine_lock() -> Path:
    """Return the file that the one job at work on this machine holds."""
    return make_writable_folder("locks") / "studio-job"
