"""Learn: one button, the first result in seconds, stop and keep."""

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

    @routes.get("/p/{project}/learn")
    def show_page(request: Request, project: str) -> Response:
        return context.render(request, "learn.html", project=context.open(project), step="learn")

    return routes
