"""Numbers as people write them: thousands separators, decimal commas, currencies, percent; of no file in particular.

What stands below the mark is a part of `predict.py` too: it may use numpy and Python's own library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# --- code ---
DECIMAL, THOUSANDS, UNKNOWN = "decimal", "thousands", ""
"""What a comma stands for in "1,234"."""
_LONGEST_NUMBER = 64
_CURRENCY_CODES = (
    "AED ARS AUD BDT BGN BRL BWP CAD CDF CHF CLP CNY COP CZK DKK DZD EGP ETB EUR GBP GHS GMD HKD HUF "
    "IDR ILS INR JPY KES KRW LKR MAD MWK MXN MYR MZN NGN NOK NPR NZD PEN PHP PKR PLN RON RUB RWF SAR "
    "SEK SGD SLE THB TND TRY TZS UAH UGX USD VND XAF XOF ZAR ZMW Rs Rs. KSh TSh USh KSh. Ksh FCFA "
    "CFA kr kr. zł Fr."
)
_LONGEST_FIRST = "|".join(sorted(map(re.escape, _CURRENCY_CODES.split()), key=len, reverse=True))
_UNIT = rf"(?:[A-Z]{{0,3}}[$£¥฿₵¢\u20a0-\u20c0]|{_LONGEST_FIRST}|%)"
_SIGNED = re.compile(rf"([-+]?)\s*({_UNIT}?)\s*([-+]?)\s*(\d[\d.,' ]*?)\s*(?:/[-=])?\s*({_UNIT}?)")
_BLANK_GROUPS = re.compile(r"(\d{1,3}(?:[ ']\d{3})+)(?:[.,](\d+))?")
_COMMA_GROUPS = re.compile(r"(\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?)")
"""Groups of three digits, or as in India the last one of three and the others of two: 1,23,456.50."""
_POINT_GROUPS = re.compile(r"(\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,})")
_ONE_COMMA = re.compile(r"\d+,\d+")
_ONE_GROUP = re.compile(r"[1-9]\d{0,2},\d{3}")
_OTHER_SIGNS = str.maketrans({"−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})


class Amounts(NamedTuple):
    """Numbers of a column.

    Parameters
    ----------
    values : float64, shape (n,)
        NaN where the text is no number.
    bad_rows : list of int
        Positions of texts that are no number: "1,234" alone is none, since nobody knows what its comma means, and
        neither is an amount in another currency than most.
    example : str
        The first text that `float` does not read, such as "1,263.50"; empty where all are plain.
    """

    values: NDArray[np.float64]
    bad_rows: list[int]
    example: str = ""


def parse_amount(text: str, comma: str = UNKNOWN) -> tuple[float, str]:
    """Parse one number and its unit (a currency, "%" or nothing); "12 %" is 12.

    Parameters
    ----------
    text : str
    comma : str
        Meaning of the comma in "1,234": `DECIMAL`, `THOUSANDS` or `UNKNOWN`.

    Raises
    ------
    ValueError
        It is none, or nobody can know which ("1,234" where `comma` is unknown).

    Examples
    --------
    >>> [parse_amount(text) for text in ("1,263.50", "1 263,50", "€ 12", "-12 %", "Rs 1,23,456/-")]
    [(1263.5, ''), (1263.5, ''), (12.0, '€'), (-12.0, '%'), (123456.0, 'Rs')]
    """
    parts = _match_amount(text)
    if parts is None or (parts[2] and parts[5]) or (parts[1] and parts[3]):
        raise ValueError(f"'{_use_plain_signs(text)[:40]}' is no number")
    value = _parse_digits(parts[4].strip(), comma)
    return (-value if "-" in parts[1] + parts[3] else value), parts[2] or parts[5]


def _parse_digits(digits: str, comma: str) -> float:
    blanks = _BLANK_GROUPS.fullmatch(digits)
    if blanks:
        return float(f"{re.sub('[^0-9]', '', blanks[1])}.{blanks[2] or 0}")
    if _COMMA_GROUPS.fullmatch(digits) and (comma != DECIMAL or "." not in digits):
        return float(digits.replace(",", ""))
    if _POINT_GROUPS.fullmatch(digits) and comma != THOUSANDS:
        return float(digits.replace(".", "").replace(",", "."))
    if _ONE_COMMA.fullmatch(digits):
        if comma == DECIMAL:
            return float(digits.replace(",", "."))
        if comma == THOUSANDS and _ONE_GROUP.fullmatch(digits):
            return float(digits.replace(",", ""))
        raise ValueError(f"it is unclear what the comma of '{digits}' means")
    if comma == DECIMAL and "," in digits:  # "1,234.5" beside decimal commas: who knows which sign was meant
        raise ValueError(f"'{digits}' is no number")
    return float(digits)


def infer_comma_meaning(texts: Sequence[str]) -> str:
    """Return what a comma means in a whole column of texts such as "1,234".

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> [infer_comma_meaning(texts) for texts in (["1,263.50", "1,263"], ["12,5", "1,263"], ["1,263", "2,100"])]
    ['thousands', 'decimal', '']
    """
    cores = [_extract_digits(text) for text in texts if "," in text]
    thousands = any(_COMMA_GROUPS.fullmatch(core) for core in cores)
    decimal = any(_POINT_GROUPS.fullmatch(core) or _BLANK_GROUPS.fullmatch(core) or _is_decimal(core) for core in cores)
    return UNKNOWN if thousands == decimal else THOUSANDS if thousands else DECIMAL


def _is_decimal(core: str) -> bool:
    return bool(_ONE_COMMA.fullmatch(core)) and not _ONE_GROUP.fullmatch(core)


def _use_plain_signs(text: str) -> str:
    return text.translate(_OTHER_SIGNS).strip()


def _match_amount(text: str) -> re.Match[str] | None:
    """Match sign, unit, second sign, digits and unit behind them."""
    plain = _use_plain_signs(text)
    return _SIGNED.fullmatch(plain) if len(plain) <= _LONGEST_NUMBER else None


def _extract_digits(text: str) -> str:
    parts = _match_amount(text)
    return parts[4].strip() if parts else ""


def is_comma_doubtful(texts: Sequence[str]) -> bool:
    """Return whether texts are numbers such as "1,263" and "980" whose comma may mean either.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> is_comma_doubtful(["1,263", "980"]), is_comma_doubtful(["1,263.50"]), is_comma_doubtful(["a,b"])
    (True, False, False)
    """
    return (
        bool(read_amounts(texts).bad_rows)
        and not read_amounts(texts, THOUSANDS).bad_rows
        and infer_comma_meaning(texts) == UNKNOWN
    )


def find_possible_thousands(texts: Sequence[str]) -> str:
    """Return a number whose point or comma may part thousands: three digits follow it in all, and some have none.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> [find_possible_thousands(texts) for texts in (["1.250", "980"], ["1.250", "980.5"], ["1,250", "2,340"])]
    ['1.250', '', '']
    """
    cores = [core for text in texts if (core := _extract_digits(text))]
    marked = [core for core in cores if "." in core or "," in core]
    if not any(len(core) == 3 and core.isdigit() for core in cores):
        return ""
    return marked[0] if marked and all(map(_THOUSANDS.fullmatch, marked)) else ""


_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}")


def read_amounts(texts: Sequence[str], comma: str | None = None) -> Amounts:
    """Parse a column of numbers (n,), with one meaning of the comma and in one currency.

    Parameters
    ----------
    texts : sequence of str
        None of them stands for a missing value.
    comma : str, optional
        What a comma stands for; found from all of them if not given.
    """
    meaning = infer_comma_meaning(texts) if comma is None else comma
    values, bad, units, example = np.full(len(texts), np.nan), [], [""] * len(texts), ""
    for position, text in enumerate(texts):
        try:
            values[position] = float(text)
            continue
        except ValueError:
            pass
        try:
            values[position], units[position] = parse_amount(text, meaning)
            example = example or text.strip()
        except ValueError:
            bad.append(position)
    unit_counts = Counter(unit for unit in units if unit)
    odd_rows = {position for position, unit in enumerate(units) if unit and unit != unit_counts.most_common(1)[0][0]}
    values[list(odd_rows)] = np.nan
    return Amounts(values, sorted({*bad, *odd_rows}), example)
