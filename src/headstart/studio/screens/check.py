"""Check: is the model ready, where is it wrong, what to do next."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.studio.context import StudioContext


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of this screen.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/p/{project}/check")
    def show_page(request: Request, project: str) -> Response:
        return context.render(request, "check.html", project=context.open(project), step="check")

    return routes
