"""Jobs as pages see them: their state as JSON, and their news as server-sent events that survive a lost connection."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from headstart.projects import ENDED_STATES, Job, Project
from headstart.studio.jobs.events import EventReader, read_last_events
from headstart.studio.jobs.places import find_job_files
from headstart.studio.settings import SETTINGS

_SHARED_FACTS = ("is_paused", "cancel_at", "n_restarts", "died", "error", "code")


def describe_job(job: Job) -> dict[str, Any]:
    """Return a job as JSON.

    Parameters
    ----------
    job : Job

    Returns
    -------
    dict
        id, kind, command, state, times, and what its runner noted; `is_stopping` once it was asked to stop.
    """
    facts = {name: job.facts[name] for name in _SHARED_FACTS if name in job.facts}
    return {
        "id": job.id, "kind": job.kind, "command": shlex.join(["headstart", *job.argv]), "state": job.state,
        "at": job.at, "began": job.began, "ended": job.ended, "is_stopping": bool(facts.pop("cancel_at", None)),
        **facts,
    }  # fmt: skip


def describe_progress(project: Project, job: Job) -> dict[str, Any]:
    """Return a job as JSON with its last progress: what a page shows before it follows the events.

    Parameters
    ----------
    project : Project
    job : Job
    """
    events = read_last_events(find_job_files(project.folder, job.id).events)
    last = next((event for event in reversed(events) if event.get("event") in ("step", "progress", "wait")), None)
    return {**describe_job(job), "progress": last}


async def stream_events(
    project: Project, job: int, after: int, is_stopping: Callable[[], bool]
) -> AsyncIterator[str]:  # fmt: skip
    """Yield the events of a job as server-sent events until it has ended.

    Parameters
    ----------
    project : Project
    job : int
    after : int
        Number of the last event that the page has.
    is_stopping : () -> bool
        Whether the server wants to stop.
    """
    reader = EventReader(find_job_files(project.folder, job).events)
    last, sent_at = "", time.monotonic()
    while not is_stopping():
        current = await asyncio.to_thread(project.get_job, job)
        lines = await asyncio.to_thread(reader.read_new)
        parts = [f"id: {number}\ndata: {line}\n\n" for number, line in lines if number > after and line]
        document = json.dumps({"event": "job", **describe_job(current)}, ensure_ascii=False)
        if document != last:
            parts.append(f"data: {document}\n\n")
            last = document
        if not parts and time.monotonic() - sent_at > SETTINGS.heartbeat_seconds:
            parts.append(": alive\n\n")
        if parts:
            sent_at = time.monotonic()
            yield "".join(parts)
        if current.state in ENDED_STATES:
            return
        await asyncio.sleep(SETTINGS.poll_seconds)
