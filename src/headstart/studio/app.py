"""The application: all screens, the files of the pages, error answers, and the middleware before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from headstart import __version__
from headstart.disk_errors import explain_disk_error
from headstart.errors import HeadstartError
from headstart.http.errors import FAULT, FAULT_HINT, RequestRefused, build_error_document
from headstart.http.metrics import ServerMetrics
from headstart.http.middleware import RequestMiddleware
from headstart.studio import entry
from headstart.studio.context import StudioContext
from headstart.studio.error_texts import translate_error
from headstart.studio.jobs import routes as job_routes
from headstart.studio.screens import check, examples, home, label, learn, settings, use

SCREENS = (home, settings, examples, label, learn, check, use)
"""One module a screen; each has `make_routes(context)`."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json",
          ".png": "image/png", ".webmanifest": "application/manifest+json"}  # fmt: skip


def create_app(context: StudioContext) -> RequestMiddleware:
    """Return the application.

    Parameters
    ----------
    context : StudioContext
    """

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        context.jobs.start()
        yield
        await asyncio.to_thread(context.jobs.stop)

    application = FastAPI(
        title="Headstart Studio", version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        lifespan=lifespan, redirect_slashes=False, exception_handlers=_make_handlers(context),
    )  # fmt: skip
    application.include_router(_make_file_routes())
    application.include_router(entry.make_routes(context))
    application.include_router(job_routes.make_routes(context))
    for screen in SCREENS:
        application.include_router(screen.make_routes(context))
    return RequestMiddleware(application, context.policy, ServerMetrics())


def _make_file_routes() -> APIRouter:
    routes = APIRouter()
    folder = files("headstart.studio").joinpath("static")
    paths = {file.name: file for file in folder.iterdir() if PurePosixPath(file.name).suffix in _KINDS}

    @routes.get("/static/{name}")
    def read_file(name: str) -> Response:
        if name not in paths:
            raise RequestRefused(404, "There is no such file.", "Open / for the first page.")
        return Response(paths[name].read_bytes(), media_type=_KINDS[PurePosixPath(name).suffix])

    @routes.get("/favicon.ico")
    def read_icon() -> Response:
        return Response(paths["icon.svg"].read_bytes(), media_type="image/svg+xml")

    return routes


def _make_handlers(context: StudioContext) -> dict[Any, Callable[[Request, Any], Coroutine[Any, Any, Response]]]:
    """Return how errors are answered: programs and scripts get JSON, people a page."""

    async def answer(request: Request, refusal: RequestRefused) -> Response:
        with context.speak(request):
            texts = translate_error(refusal.problem, refusal.hint)
        if request.url.path.startswith("/api/"):
            return JSONResponse(build_error_document(**texts), refusal.status, refusal.headers)
        page = context.render(request, "problem.html", status=refusal.status, **texts)
        page.headers.update(refusal.headers)
        return page

    async def answer_error(request: Request, error: HeadstartError) -> Response:
        refusal = error if isinstance(error, RequestRefused) else RequestRefused(422, error.problem, error.hint)
        return await answer(request, refusal)

    async def answer_framework(request: Request, error: HTTPException) -> Response:
        texts = _FRAMEWORK_ERRORS.get(error.status_code, (str(error.detail), ""))
        return await answer(request, RequestRefused(error.status_code, *texts, error.headers))

    async def answer_parameter(request: Request, error: RequestValidationError) -> Response:
        fields = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
        return await answer(request, RequestRefused(422, f"These fields are not as they must be: {fields}.", ""))

    async def answer_disconnect(request: Request, error: ClientDisconnect) -> Response:
        return await answer(request, RequestRefused(400, "The request ended too early.", "Send it again."))

    async def answer_system(request: Request, error: OSError) -> Response:
        known = explain_disk_error(error, [context.projects_folder])
        if known is None:
            return await answer_fault(request, error)
        return await answer(request, RequestRefused(507, known.problem, known.hint))

    async def answer_overflow(request: Request, error: OverflowError) -> Response:
        """Answer a number that no database can hold: nothing has it."""
        return await answer(request, RequestRefused(404, *_FRAMEWORK_ERRORS[404]))

    async def answer_fault(request: Request, error: Exception) -> Response:
        return await answer(request, RequestRefused(500, FAULT, FAULT_HINT))

    return {
        HeadstartError: answer_error, HTTPException: answer_framework, RequestValidationError: answer_parameter,
        ClientDisconnect: answer_disconnect, OSError: answer_system, OverflowError: answer_overflow,
        Exception: answer_fault,
    }  # fmt: skip


_FRAMEWORK_ERRORS: Mapping[int, tuple[str, str]] = {
    404: ("There is nothing at this address.", "Go to the first page."),
    405: ("This address does not take this method.", "Go to the first page."),
}
