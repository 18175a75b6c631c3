"""How figures are written in sentences."""

from __future__ import annotations

from decimal import Decimal


def format_points(share: float) -> str:
    """Write a share as percentage points; a true minus sign.

    Parameters
    ----------
    share : float
        A share or a difference of shares, -1 to 1.

    Examples
    --------
    >>> format_points(0.118), format_points(-0.0001)
    ('11.8', '0.0')
    """
    return f"{100 * share + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "\N{MINUS SIGN}")


def format_amount(value: float) -> str:
    """Write a number with three digits that count; a true minus sign.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> format_amount(0.0000123), format_amount(3.14159), format_amount(123456.7), format_amount(-2.0)
    ('0.0000123', '3.14', '123,000', '−2')
    """
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if abs(rounded) >= 100 else format(Decimal(f"{value:.3g}"), "f")
    return text.replace("-", "\N{MINUS SIGN}")


def format_row_count(n_rows: int) -> str:
    """Write a number of rows.

    Examples
    --------
    >>> format_row_count(1), format_row_count(1400)
    ('1 row', '1,400 rows')
    """
    return f"{n_rows:,} row{'' if n_rows == 1 else 's'}"


def shorten_name(name: str) -> str:
    """Cut a long name.

    Parameters
    ----------
    name : str
    """
    return name if len(name) <= 40 else name[:39] + "…"


def describe_not_compared(names: set[str]) -> str:
    """Return the sentence that says that a column has too many values to be broken down, and how ages and dates can be.

    Examples
    --------
    >>> describe_not_compared({"33", "34"})[-59:]
    'ages or days, write bands (0-17, 18-59, 60+) into a column.'
    """
    sentence = f"Not compared: {len(names):,} values with few rows each; they only keep rows together."
    amounts = all(name[0].isdigit() and name[-1].isdigit() for name in names)
    return f"{sentence} To compare ages or days, write bands (0-17, 18-59, 60+) into a column." if amounts else sentence
