"""How the value of a compared column is called, and which columns are worth a sentence of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from headstart.modalities.languages import LANGUAGE_NAMES
from headstart.report.messages import message, translate, translate_stored
from headstart.report.words import list_names, shorten_name
from headstart.results import Evaluation, GroupColumn, Result

_LANGUAGE_COLUMNS = frozenset({"language", "lang", "langue", "idioma", "lugha", "locale"})
_MOST_NAMES = 12
_LEADING_NUMBER = re.compile(r"(?P<sign>[≤>]?) ?(?P<low>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: – \S+)?")
"""A number, or a band of numbers as `headstart.data.grouping.bands` names it."""


def name_group(column: str, value: str) -> str:
    """Return a value with its column, or the name of a language alone; without a column the value.

    Parameters
    ----------
    column : str
        Empty for a class.
    value : str

    Examples
    --------
    >>> name_group("language", "sw"), name_group("language", "Swahili"), name_group("district", "Osterfen")
    ('Swahili', 'Swahili', 'district Osterfen')
    """
    language = _find_language(column, value)
    if language:
        return name_language(language)
    return f"{shorten_name(column)} {shorten_name(value)}" if column else shorten_name(value)


def name_value(column: str, value: str) -> str:
    """Return a value as it is called beside its column: codes of languages by their names.

    Parameters
    ----------
    column, value : str

    Examples
    --------
    >>> name_value("language", "sw"), name_value("district", "Osterfen")
    ('Swahili', 'Osterfen')
    """
    language = _find_language(column, value)
    return name_language(language) if language else shorten_name(value)


def name_language(name: str) -> str:
    """Return a language in the language of the page; rarer ones keep their English name.

    Parameters
    ----------
    name : str
        In English, as `LANGUAGE_NAMES` has it.
    """
    return translate_stored(name) if name in _TRANSLATED_LANGUAGES else name


def rank_value(value: str) -> tuple[int, float, str]:
    """Return the place of a value among those of its column: numbers and bands by size, then words, "" last.

    Parameters
    ----------
    value : str

    Examples
    --------
    >>> sorted(["10", "", "9", "b", "a"], key=rank_value), sorted(["2 – 3", "> 3", "≤ 2"], key=rank_value)
    (['9', '10', 'a', 'b', ''], ['≤ 2', '2 – 3', '> 3'])
    """
    number = _LEADING_NUMBER.fullmatch(value)
    if number is None:
        return (1 if value else 2, 0.0, value)
    edge = {"≤": -math.inf, ">": math.inf}.get(number["sign"])
    return (0, float(number["low"]) if edge is None else edge, value)


def _find_language(column: str, value: str) -> str:
    """Return the English name of the language that a value is; "" where it is none."""
    if column.strip().casefold() not in _LANGUAGE_COLUMNS:
        return ""
    name = LANGUAGE_NAMES.get(value.strip().casefold().split("-")[0], value)
    return name if name in _ALL_LANGUAGES else ""


_ALL_LANGUAGES = frozenset(LANGUAGE_NAMES.values())
_TRANSLATED_LANGUAGES = frozenset(
    (
        message("Afrikaans"), message("Amharic"), message("Arabic"), message("Bengali"), message("Burmese"),
        message("Chinese"), message("Dutch"), message("English"), message("French"), message("German"),
        message("Greek"), message("Haitian Creole"), message("Hausa"), message("Hebrew"), message("Hindi"),
        message("Igbo"), message("Indonesian"), message("Italian"), message("Japanese"), message("Kinyarwanda"),
        message("Korean"), message("Lingala"), message("Luganda"), message("Malagasy"), message("Nepali"),
        message("Nigerian Pidgin"), message("Oromo"), message("Persian"), message("Polish"), message("Portuguese"),
        message("Quechua"), message("Russian"), message("Shona"), message("Somali"), message("Spanish"),
        message("Swahili"), message("Tagalog"), message("Tamil"), message("Thai"), message("Turkish"),
        message("Ukrainian"), message("Urdu"), message("Vietnamese"), message("Xhosa"), message("Yoruba"),
        message("Zulu"),
    )
)  # fmt: skip


def list_telling_columns(groups: Sequence[GroupColumn]) -> list[GroupColumn]:
    """Return the columns that the user named, and those with a gap that chance does not explain.

    Parameters
    ----------
    groups : sequence of GroupColumn
    """
    return [part for part in groups if part.origin == "named" or (part.gap is not None and part.gap.low > 0)]


def describe_other_columns(document: Result | Evaluation) -> list[str]:
    """Return sentences about the columns without a gap, and about those that were not compared.

    Parameters
    ----------
    document : Result or Evaluation
    """
    telling = list_telling_columns(document.groups)
    others = [part for part in document.groups if part not in telling]
    equal = [shorten_name(part.column) for part in others if part.gap is not None]
    unknown = [shorten_name(part.column) for part in others if part.gap is None]
    sentences = []
    if equal:
        sentences.append(
            translate("Compared without a difference that chance does not explain: {columns}.", columns=_list(equal))
        )
    if unknown:
        sentences.append(
            translate("Cannot tell, with too few test rows of two values: {columns}.", columns=_list(unknown))
        )
    for reason, template in _LEFT_ALONE.items():
        names = [shorten_name(name) for name, why in document.columns_left_alone.items() if why == reason]
        sentences += [translate(template, columns=_list(names))] if names else []
    return sentences


def _list(names: list[str]) -> str:
    return list_names(names, _MOST_NAMES)


_LEFT_ALONE = {
    "personal": message("Left alone, because they name persons or ways to reach them: {columns}."),
    "limit": message("Not compared, because enough columns were (--compare names others): {columns}."),
}
"""Reasons that a user may want to overrule."""
