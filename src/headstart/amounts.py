"""Amounts and names as people write them: `10m`, `4gb`, `1pt`, `a,b`."""

from __future__ import annotations

import re

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_GIGABYTES = {"": 1.0, "gb": 1.0, "g": 1.0, "mb": 1e-3, "m": 1e-3}
_POINTS = {"": 1.0, "pt": 0.01, "%": 0.01, "points": 0.01}
_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z%]*)\s*")


def parse_seconds(text: object) -> object:
    """Read a length of time: "90", "90s", "10m", "1.5h" (a number is taken as seconds).

    Parameters
    ----------
    text : str or number
        A number is taken as seconds.

    Examples
    --------
    >>> parse_seconds("10m")
    600.0
    """
    return _parse_amount(text, _SECONDS, "write it like 90s, 10m or 1.5h")


def parse_names(value: object) -> object:
    """Split comma-separated names, given as one string or as several.

    Parameters
    ----------
    value : str or sequence of str

    Examples
    --------
    >>> parse_names(["classic,linear-probe", "blend"])
    ('classic', 'linear-probe', 'blend')
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return value
    return tuple(name.strip() for text in texts for name in str(text).split(",") if name.strip())


def join_names(value: object) -> object:
    """Return one string as a tuple of one: names that may hold commas.

    Parameters
    ----------
    value : str, sequence of str or None

    Examples
    --------
    >>> join_names("label, final"), join_names(None)
    (('label, final',), ())
    """
    return (value,) if isinstance(value, str) else () if value is None else value


def parse_gigabytes(text: object) -> object:
    """Read an amount of memory: "4gb", "800mb" (a number is taken as gigabytes).

    Parameters
    ----------
    text : str or number
        A number is taken as gigabytes.

    Examples
    --------
    >>> parse_gigabytes("800mb")
    0.8
    """
    return _parse_amount(text, _GIGABYTES, "write it like 4gb or 800mb")


def parse_points(text: object) -> object:
    """Read a loss of accuracy: "1pt" or "1%" is one point, 0.01; a bare number is a share.

    Parameters
    ----------
    text : str or number
        A number is taken as a share, 0-1.

    Examples
    --------
    >>> parse_points("1pt"), parse_points("0.02")
    (0.01, 0.02)
    """
    return _parse_amount(text, _POINTS, "write it like 1pt or 0.01")


def _parse_amount(text: object, units: dict[str, float], hint: str) -> object:
    """Number times unit; what is no text stays as it is, for the type check to judge."""
    if not isinstance(text, str):
        return text
    match = _AMOUNT.fullmatch(text.lower())
    if match is None or match[2] not in units:
        raise ValueError(hint)
    return float(match[1]) * units[match[2]]
