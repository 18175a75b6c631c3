"""Answers as a CSV file for people, in UTF-8 as programs read it or as Excel of this country opens it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from locale import getlocale
from pathlib import Path

from headstart.csv_files import is_finite_number, write_csv_rows
from headstart.flow.inference.answer_layout import AnswerSheet
from headstart.home import write_whole

_SAID_IN = ("LC_ALL", "LC_NUMERIC", "LANG")
_COMMA_LANGUAGES = (
    "af be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl sq sr "
    "sv tr uk uz vi"
)
"""Languages in which a comma stands before the decimals (Unicode CLDR); Excel then parts cells by semicolons."""
_POINT_COUNTRIES = "es_MX es_US es_GT es_HN es_NI es_PA es_PE es_PR es_SV es_DO de_CH de_LI it_CH"
_LONG_NAMES = {"spanish": "es", "french": "fr", "german": "de", "portuguese": "pt", "italian": "it", "dutch": "nl"}
"""How Windows names them."""


def has_decimal_comma(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether a comma stands before the decimals here, so that Excel parts cells by semicolons.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables, those of the process if not given; the first of LC_ALL, LC_NUMERIC and LANG counts.

    Examples
    --------
    >>> [has_decimal_comma({"LANG": name}) for name in ("fr_FR.UTF-8", "es_MX.UTF-8", "en_GB.UTF-8", "C")]
    [True, False, False, False]
    """
    variables = os.environ if environment is None else environment
    value = next((variables[name] for name in _SAID_IN if variables.get(name)), None)
    name = (value if value is not None or environment is not None else getlocale()[0]) or ""
    place = name.replace("-", "_").split(".")[0].split("@")[0]
    language = place.split("_")[0].lower()
    return place not in _POINT_COUNTRIES.split() and _LONG_NAMES.get(language, language) in _COMMA_LANGUAGES.split()


def write_answer_csv(sheet: AnswerSheet, out: Path, excel: bool = False, comma: bool = False) -> None:
    """Write answers as a CSV file, whole or not at all; no cell is run as a formula.

    Parameters
    ----------
    sheet : AnswerSheet
    out : Path
        Replaced if it is there.
    excel : bool
        Begin with the mark by which Excel knows UTF-8.
    comma : bool
        Numbers have a decimal comma, and semicolons part the cells.
    """
    is_number = [name in sheet.numbers for name in sheet.columns]
    with write_whole(out) as partial:
        encoding = "utf-8-sig" if excel else "utf-8"
        with partial.open("w", encoding=encoding, errors="replace", newline="") as handle:
            rows: list[list[object]] = [
                list(sheet.columns),
                *(_write_numbers(row, is_number, comma) for row in sheet.rows),
            ]
            write_csv_rows(handle, rows, ";" if comma else ",", "\r\n" if excel else "\n")


@dataclass(frozen=True)
class _CommaNumber:
    """A number with a decimal comma: no text, so that a minus sign is no beginning of a formula."""

    text: str

    def __str__(self) -> str:
        return self.text.replace(".", ",")


def _write_numbers(row: Sequence[str], is_number: Sequence[bool], comma: bool) -> list[object]:
    return [
        _CommaNumber(cell) if comma and number and is_finite_number(cell) else cell
        for cell, number in zip(row, is_number, strict=True)
    ]
