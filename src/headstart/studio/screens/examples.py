"""Examples: what there is to learn from, how it was understood, and what is put away for the check."""

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

    @routes.get("/p/{project}/examples")
    def show_page(request: Request, project: str) -> Response:
        return context.render(request, "examples.html", project=context.open(project), step="examples")

    return routes
