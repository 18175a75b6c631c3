"""Label: say of one example after the other, or of many alike, which kind it is."""

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

    @routes.get("/p/{project}/label")
    def show_page(request: Request, project: str) -> Response:
        return context.render(request, "label.html", project=context.open(project), step="examples")

    return routes
