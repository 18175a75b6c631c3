"""Fill the templates of Studio in the language of a request."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined

from headstart.report.language_choice import choose_language
from headstart.report.messages import (
    LANGUAGES,
    current_language,
    format_number,
    isolate,
    load_catalogue,
    translate,
    translate_count_html,
    translate_html,
    translate_stored,
    use_language,
)
from headstart.report.words import format_percent

LANGUAGE_COOKIE = "headstart_language"
_PLURAL_EXAMPLES = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}
"""A number of each plural category (Unicode CLDR) of our languages."""


def find_language(request: Request, preferred: str) -> str:
    """Return the language of a request: of its address, its cookie, the machine's choice, or what its browser likes.

    Parameters
    ----------
    request : Request
    preferred : str
        Chosen for this machine; empty if nobody was asked.
    """
    chosen = (request.query_params.get("language", ""), request.cookies.get(LANGUAGE_COOKIE, ""), preferred)
    accepted = re.split("[,;]", request.headers.get("accept-language", ""))
    codes = (*chosen, *(item.strip()[:2].lower() for item in accepted))
    return next((code for code in codes if code in LANGUAGES), choose_language("auto"))


def render_template(name: str, language: str, values: dict[str, Any]) -> str:
    """Return a page.

    Parameters
    ----------
    name : str
        File in `templates`.
    language : str
        A key of `LANGUAGES`.
    values : dict
        Names used by the template.
    """
    with use_language(language):
        return open_environment().get_template(name).render(values)


@cache
def open_environment() -> Environment:
    """Return the environment of all templates: what they can call and which filters they have.

    `_` and `_n` translate and count for HTML, `_text` as plain text; `_raw` and `_forms` leave places open for scripts.
    """
    environment = Environment(
        loader=PackageLoader("headstart.studio"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        _=translate_html, _n=translate_count_html, _text=translate, _raw=translate_stored, _forms=list_plural_forms,
        languages=LANGUAGES, current_language=current_language,
        direction=lambda: LANGUAGES[current_language()].direction,
    )  # fmt: skip
    environment.filters.update(
        number=lambda value: format_number(f"{value:,}"), percent=format_percent, isolate=isolate
    )
    return environment


def list_plural_forms(one: str, many: str) -> dict[str, str]:
    """Return a counting message as scripts need it: by plural category, with the place of the number left open.

    Parameters
    ----------
    one, many : str
        The message in English for one and for several, with the place {n}.

    Examples
    --------
    >>> list_plural_forms("{n} photo", "{n} photos")["one"]
    '{n} photo'
    """
    catalogue = load_catalogue(current_language())
    return {category: catalogue.ngettext(one, many, n) for category, n in _PLURAL_EXAMPLES.items()}
