"""Learn: one button, the first result in seconds, stop and keep."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from headstart.http.errors import RequestRefused
from headstart.options import AdaptOptions, flag, parse
from headstart.projects import Job, Project
from headstart.report.sentences.terminal import describe_steps
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.screens.learn_state import describe_state, find_learning_job


class LearnOptions(BaseModel):
    """Options of `adapt` that the page offers; "" is as `adapt` does by itself."""

    base: str = Field(default="", max_length=300)
    strategy: str = Field(default="", max_length=300)
    time: str = Field(default="", max_length=20)
    require: str = Field(default="", max_length=300)
    duplicates: str = Field(default="", max_length=20)


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/p/{project}/learn")
    def show_page(request: Request, project: str) -> Response:
        opened = context.open(project)
        with context.speak(request):
            state, steps = describe_state(opened), describe_steps()
        return context.render(request, "learn.html", project=opened, step="learn", state=state, steps=steps)

    @routes.get("/api/p/{project}/learn")
    def read_state(request: Request, project: str) -> Document:
        with context.speak(request):
            return describe_state(context.open(project))

    @routes.post("/api/p/{project}/learn")
    def learn(project: str, options: LearnOptions) -> Document:
        opened = context.open(project)
        argv = ["adapt", str(opened.folder), *write_options(options)]
        return {"job": context.jobs.submit(opened, "adapt", argv)}

    @routes.post("/api/p/{project}/learn/stop")
    def stop(request: Request, project: str) -> Document:
        opened = context.open(project)
        job = _require_job(opened)
        context.jobs.cancel(opened, job.id)
        return {"job": job.id}

    return routes


def _require_job(project: Project) -> Job:
    job = find_learning_job(project)
    if job is None:
        raise RequestRefused(409, "Nothing is being learnt at this moment.", "Press Learn to begin.")
    return job


def write_options(options: LearnOptions) -> list[str]:
    """Return the options as words of the command line.

    Parameters
    ----------
    options : LearnOptions

    Raises
    ------
    HeadstartError
        One of them cannot be.
    """
    given_options = {name: value.strip() for name, value in options.model_dump().items() if value.strip()}
    parse(AdaptOptions, **{name: _split(name, value) for name, value in given_options.items()})
    return [word for name, value in given_options.items() for word in (flag(name), value)]


def _split(name: str, value: str) -> Any:
    return (value,) if name == "require" else value
