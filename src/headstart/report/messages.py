"""One table of messages: every sentence of the report and the model card, in every language.

A message is its English text with places in braces. The other languages stand in `languages/XX.json`, read with the
standard library; which language is spoken is set for one rendering by `use_language`. Nothing is translated piecewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

NARROW = "\N{NARROW NO-BREAK SPACE}"
ISOLATE, END_ISOLATE = "\N{LEFT-TO-RIGHT ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def _one_or_other(n: int) -> str:
    return "one" if n == 1 else "other"


def _french(n: int) -> str:
    return "one" if n in (0, 1) else "other"


def _arabic(n: int) -> str:
    few, many = 3 <= n % 100 <= 10, 11 <= n % 100 <= 99
    return {0: "zero", 1: "one", 2: "two"}.get(n, "few" if few else "many" if many else "other")


@dataclass(frozen=True, kw_only=True)
class Language:
    """How a language writes: its own name, direction, marks in numbers, and which form goes with which number.

    The forms follow the plural rules of Unicode CLDR for whole numbers.
    """

    name: str
    direction: str
    thousands: str
    decimal: str
    form: Callable[[int], str]
    forms: tuple[str, ...] = ("one", "other")


LANGUAGES: Mapping[str, Language] = {
    "en": Language(name="English", direction="ltr", thousands=",", decimal=".", form=_one_or_other),
    "fr": Language(name="français", direction="ltr", thousands=NARROW, decimal=",", form=_french),
    "es": Language(name="español", direction="ltr", thousands=NARROW, decimal=",", form=_one_or_other),
    "sw": Language(name="Kiswahili", direction="ltr", thousands=",", decimal=".", form=_one_or_other),
    "ar": Language(
        name="العربية",
        direction="rtl",
        thousands=",",
        decimal=".",
        form=_arabic,
        forms=("zero", "one", "two", "few", "many", "other"),
    ),
}
_SPOKEN: ContextVar[str] = ContextVar("headstart_language", default="en")


@contextmanager
def use_language(code: str) -> Iterator[None]:
    """Speak one language inside the block.

    Parameters
    ----------
    code : str
        A key of `LANGUAGES`.

    Raises
    ------
    KeyError
        If there is no such language (options are checked long before).

    Examples
    --------
    >>> with use_language("fr"):
    ...     translate("Yes"), format_number("1,234.5").replace(NARROW, " ")
    ('Oui', '1 234,5')
    """
    token = _SPOKEN.set(code) if code in LANGUAGES else None
    if token is None:
        raise KeyError(code)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def current_language() -> str:
    """Give the code of the language now spoken."""
    return _SPOKEN.get()


def message(text: str) -> str:
    """Mark a text in a table as a message that `translate` is given later."""
    return text


def translate(text: str, /, **values: object) -> str:
    """Say a message in the language spoken, its places filled; whole numbers are written as the language does.

    Examples
    --------
    >>> translate("{n} rows set aside", n=1400)
    '1,400 rows set aside'
    """
    return _translated(text).format(**{name: _written(value) for name, value in values.items()})


def translate_count(one: str, many: str, n: int, **values: object) -> str:
    """Say a message that counts something, in the form that goes with `n`.

    Examples
    --------
    >>> translate_count("{n} row", "{n} rows", 1), translate_count("{n} row", "{n} rows", 0)
    ('1 row', '0 rows')
    """
    return _plural_form(one, many, n).format(
        n=format_number(f"{n:,}"), **{name: _written(value) for name, value in values.items()}
    )


def translate_html(text: str, /, **values: object) -> Markup:
    """Do as `translate`, for HTML: the message is trusted, its values are escaped unless they are markup."""
    return Markup(_translated(text)).format(**{name: _written(value) for name, value in values.items()})


def translate_count_html(one: str, many: str, n: int, **values: object) -> Markup:
    """Do as `translate_count`, for HTML."""
    written = {name: _written(value) for name, value in values.items()}
    return Markup(_plural_form(one, many, n)).format(n=format_number(f"{n:,}"), **written)


def format_number(text: str) -> str:
    """Write a number, given as Python writes it, with the marks of the language spoken.

    Examples
    --------
    >>> format_number("1,234.5")
    '1,234.5'
    """
    language = LANGUAGES[current_language()]
    return isolate(text.translate({ord(","): language.thousands, ord("."): language.decimal}))


def isolate(text: str) -> str:
    """Keep a run of digits and signs in its order where the text around runs from right to left."""
    return text if LANGUAGES[current_language()].direction == "ltr" else f"{ISOLATE}{text}{END_ISOLATE}"


@cache
def load_catalogue(code: str) -> Mapping[str, Any]:
    """Read the messages of a language: text by English text, or texts by form; empty for English."""
    if code == "en":
        return {}
    read = json.loads(files("headstart.report").joinpath("languages", f"{code}.json").read_text(encoding="utf-8"))
    messages: dict[str, Any] = read["messages"]
    return messages


def _translated(text: str) -> str:
    translation = load_catalogue(current_language()).get(text, text)
    return translation if isinstance(translation, str) else text


def _plural_form(one: str, many: str, n: int) -> str:
    language, forms = LANGUAGES[current_language()], load_catalogue(current_language()).get(many)
    form = language.form(n)
    if isinstance(forms, dict):
        return str(forms[form])
    return one if form == "one" else many


def _written(value: object) -> object:
    return format_number(f"{value:,}") if isinstance(value, int) and not isinstance(value, bool) else value
