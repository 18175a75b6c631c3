"""The routes of jobs: those of a project, and those of this machine, which belong to no project."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from headstart.projects import Project
from headstart.studio.context import StudioContext
from headstart.studio.jobs.places import find_job_files
from headstart.studio.jobs.streams import describe_progress, stream_events

_LOG_BYTES, _MOST_JOBS = 200_000, 50


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of all jobs.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    routes.include_router(_make_job_routes(context), prefix="/api/p/{project}")
    routes.include_router(_make_job_routes(context), prefix="/api/machine")
    return routes


def _make_job_routes(context: StudioContext) -> APIRouter:
    routes = APIRouter()

    def open_project(request: Request) -> Project:
        name = request.path_params.get("project")
        return context.machine if name is None else context.open(name)

    @routes.get("/jobs")
    def list_jobs(request: Request) -> list[dict[str, Any]]:
        """Return the newest jobs as JSON, the oldest of them first."""
        opened = open_project(request)
        return [describe_progress(opened, job) for job in opened.list_jobs()[-_MOST_JOBS:]]

    @routes.get("/jobs/{job}")
    def get_job(request: Request, job: int) -> dict[str, Any]:
        """Return a job with its last progress as JSON."""
        opened = open_project(request)
        return describe_progress(opened, opened.get_job(job))

    @routes.post("/jobs/{job}/cancel")
    def cancel_job(request: Request, job: int) -> dict[str, Any]:
        """Ask a job to stop; return it as JSON."""
        opened = open_project(request)
        context.jobs.cancel(opened, job)
        return describe_progress(opened, opened.get_job(job))

    @routes.get("/jobs/{job}/log")
    def read_log(request: Request, job: int) -> Response:
        """Return the end of what the command printed."""
        opened = open_project(request)
        path = find_job_files(opened.folder, opened.get_job(job).id).log
        text = path.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace") if path.exists() else ""
        return PlainTextResponse(text)

    @routes.get("/jobs/{job}/events")
    def follow_job(request: Request, job: int, after: int = 0) -> Response:
        opened = open_project(request)
        opened.get_job(job)
        last = request.headers.get("last-event-id", "")
        since = int(last) if last.isdecimal() and len(last) < 12 else after
        events = stream_events(opened, job, max(0, since), lambda: context.is_stopping)
        return StreamingResponse(events, media_type="text/event-stream")

    return routes
