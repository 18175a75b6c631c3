"""How the value of a compared column is called, and which columns are worth a sentence of their own."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.modalities.languages import LANGUAGE_NAMES
from headstart.report.messages import message, translate
from headstart.report.words import list_names, shorten_name
from headstart.results import Evaluation, GroupColumn, Result

_LANGUAGE_COLUMNS = frozenset({"language", "lang", "langue", "idioma", "lugha", "locale"})
_MOST_NAMES = 12


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
    name = name_value(column, value)
    return f"{shorten_name(column)} {name}" if column and name not in _ALL_LANGUAGES else name


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
    if column.strip().casefold() in _LANGUAGE_COLUMNS:
        name = LANGUAGE_NAMES.get(value.strip().casefold().split("-")[0], value)
        if name in _ALL_LANGUAGES:
            return name
    return shorten_name(value)


_ALL_LANGUAGES = frozenset(LANGUAGE_NAMES.values())


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
