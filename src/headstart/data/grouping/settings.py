"""The tunable numbers of columns that are compared without being asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GroupingSettings:
    """Numbers that decide which columns are compared, and in which bands.

    Parameters
    ----------
    max_values : int
        Words with more different values are not compared unless they are named.
    min_value_rows : int
        Rows that a value of such a column must have on average.
    max_columns : int
        Columns that are compared without being named.
    n_bands : int
        Numbers are compared in so many bands of equally many rows.
    same_information : float
        Two columns are the same if they share this part (0-1) of the entropy of the richer one.
    same_number : float
        A number equals the label from this absolute correlation (0-1) on.
    personal_share : float
        A column of which this share (0-1) looks like an e-mail address or a telephone number is left alone.
    phone_digits : int
        Digits from which on a number that begins like a telephone number is one.
    long_value : int
        Values with more characters on average are free text.
    id_digits : int
        Whole numbers that differ in every row are ids where they have so many digits.
    band_rows, band_share : int, float
        The finest bands of dates are taken in which this share (0-1) of the rows is in bands of so many rows.
    language_rows : int
        Texts whose language is looked at, evenly spread.
    """

    max_values: int = 12
    min_value_rows: int = 5
    max_columns: int = 8
    n_bands: int = 3
    same_information: float = 0.9
    same_number: float = 0.999
    personal_share: float = 0.5
    phone_digits: int = 9
    long_value: int = 60
    id_digits: int = 7
    band_rows: int = 20
    band_share: float = 0.8
    language_rows: int = 5_000


SETTINGS = GroupingSettings()
