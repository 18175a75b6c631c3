"""Settings: language, folders, cache, bases, and what leaves this machine: nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.studio.context import StudioContext


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the settings.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/settings")
    def show_page(request: Request) -> Response:
        return context.render(request, "settings.html")

    return routes
