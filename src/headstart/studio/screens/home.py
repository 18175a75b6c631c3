"""Home: the projects of this machine; the first start asks for the language."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from typing import Any, Literal
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from headstart.errors import DataError, HeadstartError, OptionError
from headstart.flow.projects import copying
from headstart.flow.projects.overview import ProjectOverview, describe_project
from headstart.home import make_writable_folder, remove_leftovers
from headstart.projects import OPEN_STATES, Project
from headstart.report.messages import translate
from headstart.report.sentences.readiness import name_level
from headstart.studio.context import StudioContext
from headstart.studio.error_texts import translate_error
from headstart.studio.example_json import describe_example
from headstart.studio.rendering import LANGUAGE_COOKIE
from headstart.studio.uploads import receive_upload

Card = dict[str, Any]
"""A JSON object that the template and the script of this page read."""
_EXPORTS = "exports"
DAMAGED_HINT = "Ask for another copy of it."
log = logging.getLogger("headstart.studio")


class ProjectName(BaseModel):
    """The name of a project."""

    name: str = Field(max_length=120)


class DemoChoice(BaseModel):
    """Which of our examples."""

    modality: Literal["image", "text", "series"]


class BinChoice(BaseModel):
    """A project of the bin."""

    id: str = Field(max_length=400)


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the first page.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()
    cards: WeakKeyDictionary[Project, tuple[int, ProjectOverview]] = WeakKeyDictionary()
    remove_leftovers(context.projects_folder, ".new-*")  # A kill may leave them.

    @routes.get("/")
    def show_page(request: Request) -> Response:
        is_first_start = not context.preferences.language and LANGUAGE_COOKIE not in request.cookies
        if is_first_start and "language" not in request.query_params:
            return context.render(request, "welcome.html")
        with context.speak(request):
            listed = sorted(_list_cards(context, cards), key=lambda card: str(card["changed"]), reverse=True)
        n_deleted = len(copying.list_bin(context.projects_folder))
        return context.render(request, "home.html", projects=listed, n_deleted=n_deleted)

    @routes.get("/bin")
    def show_bin(request: Request) -> Response:
        return context.render(request, "bin.html", deleted=copying.list_bin(context.projects_folder))

    routes.include_router(_make_project_routes(context))
    routes.include_router(_make_task_routes(context))
    return routes


def _make_project_routes(context: StudioContext) -> APIRouter:
    """Return the routes that are done at once."""
    routes = APIRouter()

    @routes.post("/api/projects")
    def create(choice: ProjectName) -> Card:
        """Make an empty project; return its id as JSON."""
        return {"id": copying.create_project(context.projects_folder, choice.name).id}

    @routes.post("/api/p/{project}/rename")
    def rename(project: str, choice: ProjectName) -> Card:
        """Give a project another name; return that as JSON."""
        opened = context.open(project)
        if not choice.name.strip():
            raise OptionError("The project has no name.", "Give it one, such as: Maize leaves.")
        opened.name = choice.name
        return {"name": opened.name}

    @routes.post("/api/p/{project}/delete")
    def delete(project: str) -> Card:
        """Move a project into the bin; return its id there as JSON."""
        opened = context.open(project)
        deleted = copying.delete_project(opened)
        context.forget_project(project)
        return {"id": deleted.id}

    @routes.post("/api/bin/restore")
    def restore(choice: BinChoice) -> Card:
        """Take a project out of the bin; return its id as JSON."""
        return {"id": copying.restore_project(context.projects_folder, choice.id).id}

    @routes.post("/api/bin/erase")
    def erase(choice: BinChoice) -> Card:
        """Delete a project of the bin for good; return an empty JSON object."""
        copying.erase_project(context.projects_folder, choice.id)
        return {}

    return routes


def _make_task_routes(context: StudioContext) -> APIRouter:
    """Return the routes that begin longer work, and that of its progress."""
    routes = APIRouter()
    exports = make_writable_folder("studio", _EXPORTS)
    with suppress(OSError):
        exports.chmod(0o700)  # It holds whole projects.
    remove_leftovers(exports, "*.zip")
    remove_leftovers(exports, ".*.partial")

    def give_id(project: Project) -> Card:
        return {"id": project.id}

    @routes.get("/api/tasks/{number}")
    def follow(request: Request, number: str) -> Card:
        """Return how far a task is, as JSON."""
        state = context.tasks.describe(number)
        with context.speak(request):
            return {**state, "error": state["error"] and translate_error(**state["error"])}

    @routes.post("/api/demo")
    def start_demo(request: Request, choice: DemoChoice) -> Card:
        """Begin a project of our examples; return the id of the task as JSON."""
        with context.speak(request):
            name = _DEMO_NAMES[choice.modality]()
        folder = context.projects_folder
        return {
            "task": context.tasks.start(lambda: give_id(copying.create_demo_project(folder, name, choice.modality)))
        }

    @routes.post("/api/p/{project}/copy")
    def copy(request: Request, project: str) -> Card:
        """Begin to copy a project; return the id of the task as JSON."""
        opened, folder = context.open(project), context.projects_folder
        with context.speak(request):
            name = translate("Copy of {name}", name=opened.name)
        return {"task": context.tasks.start(lambda: give_id(copying.copy_project(opened, folder, name)))}

    @routes.post("/api/p/{project}/export")
    def export(project: str) -> Card:
        """Begin to write a project as a zip; return the id of the task as JSON."""
        opened, number = context.open(project), uuid.uuid4().hex

        def work() -> Card:
            copying.export_project(opened, exports / f"{number}.zip")
            return {"file": number}

        return {"task": context.tasks.start(work)}

    @routes.get("/api/p/{project}/export/{number}")
    def download(project: str, number: uuid.UUID) -> Response:
        path = exports / f"{number.hex}.zip"
        if not path.is_file():
            raise OptionError("This export was downloaded already.", "Export the project again.")
        remove = BackgroundTask(path.unlink, missing_ok=True)
        return FileResponse(path, media_type="application/zip", filename=f"{project}.zip", background=remove)

    @routes.post("/api/import")
    async def receive(request: Request) -> Card:
        """Take a zip of a project and begin to unpack it; return the id of the task as JSON."""
        upload = await receive_upload(request, exports)
        folder = context.projects_folder

        def work() -> Card:
            try:
                return give_id(copying.import_project(upload.path, folder))
            finally:
                upload.path.unlink()

        return {"task": context.tasks.start(work)}

    return routes


def _list_cards(
    context: StudioContext, known: WeakKeyDictionary[Project, tuple[int, ProjectOverview]]
) -> list[Card]:  # fmt: skip
    """Return what the page shows of each project as JSON; one that cannot be opened shows why."""
    cards: list[Card] = []
    for name in context.list_ids():
        try:
            project = context.open(name)
            revision = project.revision
            if known.get(project, (None,))[0] != revision:
                known[project] = revision, describe_project(project)
            cards.append(_describe_card(project, known[project][1]))
        except HeadstartError as error:
            cards.append(_describe_broken(name, error))
        except Exception:  # A table that somebody edited: it hides no other project.
            log.exception("project")
            cards.append(_describe_broken(name, DataError("The project in this file is damaged.", DAMAGED_HINT)))
    return cards


def _describe_broken(name: str, error: HeadstartError) -> Card:
    """Return a project that cannot be opened as JSON."""
    return {"id": name, "name": name, "changed": "", "step": "examples", "example": None, "problem": error.problem,
            "hint": error.hint}  # fmt: skip


def _describe_card(project: Project, overview: ProjectOverview) -> Card:
    jobs = project.list_jobs(OPEN_STATES)
    example = None if overview.picture is None else describe_example(overview.id, overview.picture)
    return {
        "id": overview.id, "name": overview.name, "changed": overview.changed, "problem": "",
        "n_examples": overview.n_examples, "n_labelled": overview.n_labelled, "n_kinds": overview.n_kinds,
        "level": overview.readiness or "", "has_model": overview.has_model, "is_learning": bool(jobs),
        "level_name": name_level(overview.readiness) if overview.readiness else "",  # type: ignore[arg-type]
        "step": _choose_step(overview), "example": example,
    }  # fmt: skip


def _choose_step(overview: ProjectOverview) -> str:
    """Return the screen on which a project goes on."""
    if overview.has_model:
        return "check"
    return "examples" if overview.n_examples == 0 or overview.n_labelled else "label"


_DEMO_NAMES = {
    "image": lambda: translate("Our examples: handwritten digits"),
    "text": lambda: translate("Our examples: messages"),
    "series": lambda: translate("Our examples: crops seen from space"),
}
