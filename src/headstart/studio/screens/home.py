"""Home: the projects of this machine; the first start asks for the language."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.studio.context import StudioContext
from headstart.studio.rendering import LANGUAGE_COOKIE


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of the first page.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/")
    def show_page(request: Request) -> Response:
        is_first_start = not context.preferences.language and LANGUAGE_COOKIE not in request.cookies
        if is_first_start and "language" not in request.query_params:
            return context.render(request, "welcome.html")
        return context.render(request, "home.html", projects=context.list_ids())

    return routes
