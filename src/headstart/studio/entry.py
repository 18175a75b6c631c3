"""The way in: the language of a browser, and the access code of one on another device."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from headstart.studio.context import StudioContext
from headstart.studio.preferences import change_preferences
from headstart.studio.rendering import LANGUAGE_COOKIE
from headstart.studio.settings import SETTINGS

ENTRY_PAGE, ENTRY_REQUEST = "/enter", "/api/enter"
OPEN_PATHS = frozenset((ENTRY_PAGE, "/favicon.ico"))
"""What needs no access code."""


class LanguageChoice(BaseModel):
    """The language that somebody chose."""

    language: Literal["en", "fr", "es", "sw", "ar"]


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of entering and of the language.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get(ENTRY_PAGE)
    def show_entry(request: Request) -> Response:
        return context.render(request, "enter.html")

    @routes.post(ENTRY_REQUEST)
    def enter(request: Request) -> Response:
        """Store the access code, which the middleware has checked, as a cookie that no script can read."""
        response = JSONResponse({"format": 1})
        if context.policy.token is not None and context.policy.cookie:
            response.set_cookie(
                context.policy.cookie, context.policy.token, max_age=SETTINGS.cookie_seconds, httponly=True,
                samesite="strict", path="/",
            )  # fmt: skip
        return response

    @routes.post("/api/language")
    def choose_language(choice: LanguageChoice) -> Response:
        """Remember a language: in the browser, and for this machine where nobody chose one before."""
        if not context.preferences.language:
            change_preferences(language=choice.language)
        response = JSONResponse({"format": 1})
        response.set_cookie(
            LANGUAGE_COOKIE,
            choice.language,
            max_age=SETTINGS.cookie_seconds,
            httponly=True,
            samesite="strict",
            path="/",
        )
        return response

    return routes
