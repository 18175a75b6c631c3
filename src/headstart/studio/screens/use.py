"""Use: one example, many, on phones, elsewhere, and whether it is still good."""

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

    @routes.get("/p/{project}/use")
    def show_page(request: Request, project: str) -> Response:
        return context.render(request, "use.html", project=context.open(project), step="use")

    return routes
