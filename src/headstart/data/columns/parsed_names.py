"""Where on an axis a column of values stands, as its name says it: a date, a time of day, a month or a number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from headstart.data.columns.column_rules import COLUMN_RULES

_MONTHS = (
    "jan january janvier enero janv ene januari", "feb february fevrier febrero fev februari",
    "mar march mars marzo machi", "apr april avril abril avr abr aprili", "may mai mayo mei",
    "jun june juin junio juni",
    "jul july juillet julio juil julai", "aug august aout agosto ago agosti",
    "sep sept september septembre septiembre septemba", "oct october octobre octubre oktoba",
    "nov november novembre noviembre novemba", "dec december decembre diciembre dic desemba",
)  # fmt: skip
MONTHS = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
"""Names of months in the languages of the reports (without accents, and without Arabic) and their numbers."""
_UNITS = {
    "time": {
        **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
        **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
        **dict.fromkeys(("d", "day", "days"), 86_400.0),
        **dict.fromkeys(("wk", "week", "weeks"), 7 * 86_400.0),
    },
    "length": {"nm": 1.0, "um": 1e3, "µm": 1e3, "mm": 1e6},
    "frequency": {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
}
UNITS = {unit: (kind, factor) for kind, units in _UNITS.items() for unit, factor in units.items()}
"""Units by name: what they measure, and how much of the smallest one they are."""
_EDGE, _END = r"(?<![\d.])", r"(?!\d)"
_YEAR, _CLOCK = (
    r"(?P<year>(?:18|19|20|21)\d\d)",
    r"(?:[T _]+(?P<hour>\d{1,2})[:h](?P<minute>\d\d)(?::(?P<second>\d\d))?)?",
)
_DATES = [
    re.compile(_EDGE + text + _END, re.IGNORECASE)
    for text in (
        _YEAR + r"[-/._ ](?P<month>\d{1,2})[-/._ ](?P<day>\d{1,2})" + _CLOCK + "(?:Z|(?=[+-])[+-]00:?00)?",
        r"(?P<first>\d{1,2})(?P<mark>[-/._])(?P<other>\d{1,2})(?P=mark)" + _YEAR + _CLOCK,
        r"(?P<first>\d{1,2})(?P<mark>[/.])(?P<other>\d{1,2})(?P=mark)(?P<short>\d\d)",
        _YEAR + r"(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?:T?(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)"
        r"(?P<second>[0-5]\d)?)?",
        _YEAR + r"[-_ ]?W(?:eek)?[-_ ]?(?P<week>\d{1,2})",
        r"W(?:eek)?[-_ ]?(?P<week>\d{1,2})[-_/. ]" + _YEAR,
        _YEAR + r"[-_ ]?Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4])[-_/. ]?" + _YEAR,
        _YEAR + r"(?P<dayofyear>[0-3]\d\d)",
        _YEAR + r"(?P<month>0[1-9]|1[0-2])",
        _YEAR + r"(?:[-/_ ](?P<month>1[0-2]|0?[1-9])|\.(?P<padded>1[0-2]|0[1-9]))",
        r"(?:(?P<month>1[0-2]|0?[1-9])[-/_ ]|(?P<padded>1[0-2]|0[1-9])\.)" + _YEAR,
        r"(?P<hour>[0-2]?\d):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?",
    )
]
_WORDS = re.compile(r"[^\W\d_]+")
_MONTH_PART = re.compile(
    r"(?:(?<!\d)(?P<before>\d{1,2}|(?:18|19|20|21)\d\d)(?:st|nd|rd|th)?[-_./ ]*)?\0(?P<month>\w+)\0"
    r"(?:[-_./ ]*(?P<after>\d{1,4})(?!\d))?(?:[-_./, ]+(?P<last>(?:18|19|20|21)\d\d)(?!\d))?"
)
_NUMBER = re.compile(r"(?:(?P<dash>-)|\+)?(?P<number>\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)", re.IGNORECASE)
_WHOLE = re.compile(r"(?:(?P<dash>-)|\+)?(?P<number>\d+)")
KIND_MARKER = "\0"
"""What a text begins with that names no channel but says what the numbers are."""
DATE_MARKER = f"{KIND_MARKER}date"
_WIDTHS = {"week": 7, "quarter": 93, "dayofyear": 1}
_BETWEEN = re.compile(r"[\s_.\-()\[\]]+")


@dataclass(frozen=True)
class ParsedName:
    """The parts of a column's name.

    Parameters
    ----------
    name : str
    texts : tuple of str
        What stands before, between and after the numbers, in small letters: equal for columns of one pattern.
    values : tuple of float
        The numbers; of a date one number, which counts days.
    dashes : tuple of bool
        Whether a dash stands before each, which may be a sign or part something.
    """

    name: str
    texts: tuple[str, ...]
    values: tuple[float, ...]
    dashes: tuple[bool, ...]


def parse_names(names: Sequence[str]) -> list[ParsedName]:
    r"""Return the numbers in the names of columns; names without a date or a number are left out.

    Names that differ only in their digits are read in one way: as dates where all of them are dates.

    Parameters
    ----------
    names : sequence of str

    Examples
    --------
    >>> [place.values for place in parse_names(["350.5 nm", "2 min", "x1.1", "x1.10", "site"])]
    [(350.5,), (120.0,), (1.0, 1.0), (1.0, 10.0)]
    >>> {place.texts for place in parse_names(["ndvi_2024-03-02", "ndvi_02/03/2024", "ndvi 2 March 2024"])}
    {('ndvi', '\x00date', '')}
    """
    names_by_pattern: dict[str, list[str]] = {}
    for name in names:
        names_by_pattern.setdefault(re.sub(r"\d+", "0", name.strip().casefold()), []).append(name)
    parsed = [
        parsed_name
        for group in names_by_pattern.values()
        for parsed_name in _parse_dates(group) or _parse_numbers(group)
    ]
    months = _parse_named_months([name for name in names if _find_month(name)])
    by_name = {parsed_name.name: parsed_name for parsed_name in (*parsed, *months)}
    return [by_name[name] for name in names if name in by_name]


def _parse_dates(names: Sequence[str]) -> list[ParsedName]:
    """Read names of one pattern as dates; nothing where some are none."""
    for pattern in _DATES:
        readings = [[_parse_date(name, pattern, month_first) for name in names] for month_first in (False, True)]
        complete = [
            [parsed_name for parsed_name in parsed_names if parsed_name is not None] for parsed_names in readings
        ]
        complete = [_drop_counter(parsed_names) for parsed_names in complete if len(parsed_names) == len(names)]
        rising = [
            parsed_names
            for parsed_names in complete
            if parsed_names == sorted(parsed_names, key=lambda parsed_name: parsed_name.values)
        ]
        if complete:
            return (rising or complete)[0]
    return []


def _drop_counter(parsed_names: list[ParsedName]) -> list[ParsedName]:
    """Drop a number before the date that only counts the dates ("0_20240101_NDVI", "1_20240109_NDVI")."""
    counters = [re.fullmatch(r"(\d+)\D*", parsed_name.texts[0]) for parsed_name in parsed_names]
    numbers = [int(matched[1]) for matched in counters if matched is not None]
    if len(numbers) < max(len(parsed_names), COLUMN_RULES.min_counted_dates) or len(set(numbers)) < len(numbers):
        return parsed_names
    in_order = sorted(zip(numbers, (parsed_name.values for parsed_name in parsed_names), strict=True))
    if any(later[1] < earlier[1] for earlier, later in pairwise(in_order)):
        return parsed_names
    return [
        replace(parsed_name, texts=(parsed_name.texts[0].lstrip("0123456789 "), *parsed_name.texts[1:]))
        for parsed_name in parsed_names
    ]


def _parse_date(name: str, pattern: re.Pattern[str], month_first: bool) -> ParsedName | None:
    matched = pattern.search(name)
    if matched is None:
        return None
    day = _count_days({key: value for key, value in matched.groupdict().items() if value}, month_first)
    texts = (_simplify(name[: matched.start()]), DATE_MARKER, _simplify(name[matched.end() :]))
    return None if day is None else ParsedName(name, texts, (day,), (False,))


def _count_days(parts: dict[str, str], month_first: bool) -> float | None:
    """Return the days since the year 0 of months of 31 days: an order, no calendar."""
    numbers = {key: int(value) for key, value in parts.items() if value.isdigit()}
    month, day = numbers.get("month", numbers.get("padded", 1)), numbers.get("day", 1)
    if "first" in numbers:
        day, month = (numbers[key] for key in (("other", "first") if month_first else ("first", "other")))
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= numbers.get("dayofyear", 1) <= 366):
        return None
    year = numbers.get("year", 2000 + numbers["short"] if "short" in numbers else 0)
    day += sum((numbers[key] - 1) * width for key, width in _WIDTHS.items() if key in numbers)
    clock = sum(numbers.get(key, 0) * size for key, size in (("hour", 3600), ("minute", 60), ("second", 1)))
    return _day_number(year, month, day) + clock / 86_400


def _day_number(year: int, month: int, day: int) -> float:
    return float(12 * 31 * year + 31 * (month - 1) + day)


def _find_month(name: str) -> re.Match[str] | None:
    """Find the name of a month, with the numbers around it."""
    for word in _WORDS.finditer(name):
        if _strip_accents(word[0]) in MONTHS:
            return _MONTH_PART.search(f"{name[: word.start()]}\0{word[0]}\0{name[word.end() :]}")
    return None


def _parse_named_months(names: Sequence[str]) -> list[ParsedName]:
    """Read names with months; a small number is the day, or the year where it goes with few different numbers."""
    parts = [(name, matched) for name in names if (matched := _find_month(name)) is not None]
    small = {
        int(number) for _, one in parts for number in (one["before"], one["after"]) if number and int(number) < 100
    }
    years = bool(small) and min(small) > COLUMN_RULES.least_short_year and len(small) < COLUMN_RULES.most_short_years
    return [_parse_named_month(name, matched, years) for name, matched in parts]


def _parse_named_month(name: str, matched: re.Match[str], short_years: bool) -> ParsedName:
    numbers = [int(matched[key]) for key in ("before", "after", "last") if matched[key]]
    year = next((number for number in numbers if number > 31 or short_years), 0)
    day = next((number for number in numbers if 1 <= number <= 31 and not short_years), 1)
    texts = (_simplify(matched.string[: matched.start()]), DATE_MARKER, _simplify(matched.string[matched.end() :]))
    return ParsedName(name, texts, (_day_number(year, MONTHS[_strip_accents(matched["month"])], day),), (False,))


def _parse_numbers(names: Sequence[str]) -> list[ParsedName]:
    """Read numbers; where two decimal numbers would be the same, a point parts two whole ones ("x1.1", "x1.10")."""
    parsed_names = [parsed_name for name in names if (parsed_name := _parse_numbered(name, _NUMBER)) is not None]
    if len({(parsed_name.texts, parsed_name.values) for parsed_name in parsed_names}) == len(parsed_names):
        return parsed_names
    return [parsed_name for name in names if (parsed_name := _parse_numbered(name, _WHOLE)) is not None]


def _parse_numbered(name: str, pattern: re.Pattern[str]) -> ParsedName | None:
    matches = list(pattern.finditer(name))
    if not matches:
        return None
    ends = [0, *(matched.end() for matched in matches)]
    texts = [_simplify(name[end : matched.start()]) for end, matched in zip(ends, matches, strict=False)]
    values = [float(matched["number"].replace(",", ".")) for matched in matches]
    ending = name[ends[-1] :].casefold()
    unit = UNITS.get(ending.strip()) if len(ending) - len(ending.lstrip()) < 2 else None
    if unit is not None:
        values[-1] *= unit[1]
    dashes = tuple(matched["dash"] is not None for matched in matches)
    return ParsedName(name, (*texts, f"{KIND_MARKER}{unit[0]}" if unit else _simplify(ending)), tuple(values), dashes)


def _strip_accents(word: str) -> str:
    return "".join(
        character
        for character in unicodedata.normalize("NFKD", word.casefold())
        if not unicodedata.combining(character)
    )


def _simplify(text: str) -> str:
    return _BETWEEN.sub(" ", text).strip().casefold()
