"""Times of the rows of a table as numbers: from numbers, dates, or a date and a time of day."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns.cells import is_missing, parse_number
from headstart.data.columns.names import fold_column_name
from headstart.data.reading.table_files import RawTable
from headstart.records import Finding
from headstart.results.findings import make_finding

_DATES, _CLOCKS = frozenset({"date", "day", "datum", "fecha"}), frozenset({"time", "hour", "clock", "heure", "hora"})
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:[.,]\d+)?))?\s*([AaPp]\.?[Mm]\.?)?")
_WRITTEN = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)(?:[T ,]+(.+))?")


def read_times(raw_table: RawTable, name: str) -> tuple[NDArray[np.float64], tuple[Finding, ...]]:
    """Return each row's time as a number; where that cannot be read, the order of the file, which is pointed out.

    Parameters
    ----------
    raw_table : RawTable
    name : str
        The column of times. Where it holds times of day and another one dates, or the other way round, both count.
    """
    days, clocks = _find_date_and_clock(raw_table, name)
    texts = raw_table.texts(name)
    if days and clocks:
        texts = [
            f"{day} {clock}".strip() for day, clock in zip(raw_table.texts(days), raw_table.texts(clocks), strict=True)
        ]
    parsed = _parse_times(texts, raw_table.decimal_comma)
    times = parsed if parsed is not None else np.arange(len(texts), dtype=np.float64)
    if parsed is not None and np.isfinite(times).all():
        return times, ()
    example = next((text for text, time in zip(texts, times, strict=True) if not np.isfinite(time)), texts[0])
    problem = "are missing in some rows" if parsed is not None else f"cannot be put in order, such as '{example}'"
    consequence = (
        "those rows come last in their series" if parsed is not None else "the order of the rows in the file was taken"
    )
    return times, (make_finding("times-not-read", f"The times in '{name}' {problem}; {consequence}."),)


def find_time_columns(raw_table: RawTable, name: str) -> list[str]:
    """Return the columns that hold the time: `name`, and the column of the date or time of day beside it.

    Parameters
    ----------
    raw_table : RawTable
    name : str
        The column of times.
    """
    return list(dict.fromkeys([name, *filter(None, _find_date_and_clock(raw_table, name))]))


def _find_date_and_clock(raw_table: RawTable, name: str) -> tuple[str | None, str | None]:
    """Return the columns of the date and of the time of day, where one of them is `name` and the other is there."""
    is_clock = _are_clocks(raw_table.texts(name))
    for other in raw_table.names:
        if is_clock and fold_column_name(other) in _DATES and other != name and not _are_clocks(raw_table.texts(other)):
            return other, name
        if (
            not is_clock
            and fold_column_name(name) in _DATES
            and fold_column_name(other) in _CLOCKS
            and _are_clocks(raw_table.texts(other))
        ):
            return name, other
    return None, None


def _are_clocks(texts: Sequence[str]) -> bool:
    filled = [text for text in texts if text.strip()]
    return bool(filled) and all(_CLOCK.fullmatch(text.strip()) for text in filled)


def parse_dates(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Return dates as seconds since 1970, NaN for an empty one; None if one is no date, or day and month are unclear.

    Parameters
    ----------
    texts : sequence of str, shape (n_rows,)

    Examples
    --------
    >>> parse_dates(["1970-01-02", ""]), parse_dates(["3/4/2024", "4/3/2024"]), parse_dates(["12"])
    (array([86400.,    nan]), None, None)
    """
    orders = [_parse_written_dates(texts, 0, 1), _parse_written_dates(texts, 1, 0)]
    written = [seconds for seconds in orders if seconds is not None]
    if written:
        return written[0] if len(written) == 1 else None
    try:
        seconds = np.array(list(map(_parse_iso_date, texts)), dtype=np.float64)
    except (ValueError, OverflowError):
        return None
    return seconds if np.isfinite(seconds).any() else None


def _parse_times(texts: Sequence[str], decimal_comma: bool) -> NDArray[np.float64] | None:
    """Return the times by the first way in which all of them can be read; None where there is none."""
    orders = [_parse_written_dates(texts, 0, 1), _parse_written_dates(texts, 1, 0)]
    written = [seconds for seconds in orders if seconds is not None]
    if len(written) == 2 and not np.array_equal(*np.argsort(written, kind="stable")):
        return None  # Nobody knows whether 3/4/2024 is in March or in April.
    if written:
        return written[0]
    readers: tuple[Callable[[str], float], ...] = (
        lambda text: parse_number(text, decimal_comma),
        _parse_iso_date,
        _parse_clock,
    )
    for read_one in readers:
        try:
            return np.array(list(map(read_one, texts)), dtype=np.float64)
        except ValueError:
            continue
    return None


def _parse_written_dates(texts: Sequence[str], day: int, month: int) -> NDArray[np.float64] | None:
    """Read dates such as 31/1/2026 12:00, day or month first; None where one is none."""
    seconds = []
    for text in texts:
        matched = None if is_missing(text) else _WRITTEN.fullmatch(text.strip())
        if matched is None and not is_missing(text):
            return None
        try:
            seconds.append(math.nan if matched is None else _parse_written_date(matched, day, month))
        except ValueError:
            return None
    return np.array(seconds, dtype=np.float64) if np.isfinite(seconds).any() else None


def _parse_written_date(matched: re.Match[str], day: int, month: int) -> float:
    numbers = (int(matched[1]), int(matched[3]))
    year = int(matched[4]) + (2000 if len(matched[4]) == 2 else 0)
    when = datetime(year, numbers[month], numbers[day], tzinfo=UTC).timestamp()
    return when + (_parse_clock(matched[5]) if matched[5] else 0.0)


def _parse_clock(text: str) -> float:
    """Read a time of day as seconds."""
    if is_missing(text):
        return math.nan
    matched = _CLOCK.fullmatch(text.strip())
    if matched is None:
        raise ValueError(f"'{text}' is no time of day")
    half = (matched[4] or "").casefold()[:1]
    hour = int(matched[1]) % 12 + (12 if half == "p" else 0) if half else int(matched[1])
    return 3600.0 * hour + 60.0 * int(matched[2]) + float((matched[3] or "0").replace(",", "."))


def _parse_iso_date(text: str) -> float:
    """Read an ISO date as seconds; one without a zone counts as UTC."""
    if not text.strip():
        return math.nan
    when = datetime.fromisoformat(text.strip())
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
