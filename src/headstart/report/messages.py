"""Messages of the report and the model card in every language, by gettext of the standard library.

A message is its English text with places in braces. Its translations stand in `locale/XX/LC_MESSAGES/headstart.po`,
which `python tools/messages.py` keeps in step and compiles. `use_language` sets the language of one rendering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from markupsafe import Markup

NARROW = "\N{NARROW NO-BREAK SPACE}"
ISOLATE, END_ISOLATE = "\N{LEFT-TO-RIGHT ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


@dataclass(frozen=True, kw_only=True)
class Language:
    """How a language writes: its own name, direction, and marks in numbers."""

    name: str
    direction: str
    thousands: str
    decimal: str


LANGUAGES: Mapping[str, Language] = {
    "en": Language(name="English", direction="ltr", thousands=",", decimal="."),
    "fr": Language(name="français", direction="ltr", thousands=NARROW, decimal=","),
    "es": Language(name="español", direction="ltr", thousands=NARROW, decimal=","),
    "sw": Language(name="Kiswahili", direction="ltr", thousands=",", decimal="."),
    "ar": Language(name="العربية", direction="rtl", thousands=",", decimal="."),
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
    """Return the code of the language now spoken."""
    return _SPOKEN.get()


def message(text: str) -> str:
    """Mark a text in a table as a message that `translate` is given later.

    Parameters
    ----------
    text : str
        The message in English.
    """
    return text


def translate(text: str, /, **values: object) -> str:
    """Return a message in the language spoken, its places filled; whole numbers are written as the language does.

    Parameters
    ----------
    text : str
        The message in English, with places in braces.
    **values
        What is filled in.

    Examples
    --------
    >>> translate("{n} rows set aside", n=1400)
    '1,400 rows set aside'
    """
    return _translated(text).format(**{name: _written(value) for name, value in values.items()})


def translate_stored(text: str) -> str:
    """Return a text that is stored in English in the language spoken, as it stands where there is no translation.

    Parameters
    ----------
    text : str
        A whole message; braces in it are no places.
    """
    return _translated(text)


def translate_count(one: str, many: str, n: int, **values: object) -> str:
    """Return a message that counts something, in the form that goes with `n`.

    Parameters
    ----------
    one, many : str
        The message in English for one and for several.
    n : int
    **values
        What is filled in beside `n`.

    Examples
    --------
    >>> translate_count("{n} row", "{n} rows", 1), translate_count("{n} row", "{n} rows", 0)
    ('1 row', '0 rows')
    """
    return _plural_form(one, many, n).format(
        n=format_number(f"{n:,}"), **{name: _written(value) for name, value in values.items()}
    )


def translate_html(text: str, /, **values: object) -> Markup:
    """Do as `translate`, for HTML: the message is trusted, its values are escaped unless they are markup.

    Parameters
    ----------
    text : str
        The message in English, with places in braces.
    **values
        What is filled in.
    """
    return Markup(_translated(text)).format(**{name: _written(value) for name, value in values.items()})


def translate_count_html(one: str, many: str, n: int, **values: object) -> Markup:
    """Do as `translate_count`, for HTML.

    Parameters
    ----------
    one, many : str
        The message in English for one and for several.
    n : int
    **values
        What is filled in beside `n`.
    """
    written = {name: _written(value) for name, value in values.items()}
    return Markup(_plural_form(one, many, n)).format(n=format_number(f"{n:,}"), **written)


def format_number(text: str) -> str:
    """Write a number, given as Python writes it, with the marks of the language spoken.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> format_number("1,234.5")
    '1,234.5'
    """
    language = LANGUAGES[current_language()]
    return isolate(text.translate({ord(","): language.thousands, ord("."): language.decimal}))


def isolate(text: str) -> str:
    """Keep a run of digits and signs in its order where the text around runs from right to left.

    Parameters
    ----------
    text : str
    """
    return text if LANGUAGES[current_language()].direction == "ltr" else f"{ISOLATE}{text}{END_ISOLATE}"


@cache
def load_catalogue(code: str) -> NullTranslations:
    """Return the translations of a language, as gettext reads them; for English each text stands for itself.

    Parameters
    ----------
    code : str
        A key of `LANGUAGES`.
    """
    if code == "en":
        return NullTranslations()
    path = files("headstart.report").joinpath("locale", code, "LC_MESSAGES", "headstart.mo")
    with path.open("rb") as file:
        return GNUTranslations(file)


def _translated(text: str) -> str:
    return load_catalogue(current_language()).gettext(text) if text else ""


def _plural_form(one: str, many: str, n: int) -> str:
    return load_catalogue(current_language()).ngettext(one, many, n)


def _written(value: object) -> object:
    return format_number(f"{value:,}") if isinstance(value, int) and not isinstance(value, bool) else value
