"""The tunable numbers of looking at data before it is added."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InspectionSettings:
    """Numbers that decide what is shown of data, and when it is enough to begin.

    Parameters
    ----------
    enough_examples, few_examples : int
        A kind with so many examples is enough to begin; with fewer than the second it needs some before anything else.
    shown_rows, shown_columns, shown_characters : int
        Of a sheet, and of one cell.
    most_kinds : int
        A column with more different values is no answer to choose from.
    sampled_rows : int
        Rows, evenly spread, on which columns to compare are chosen; private texts are looked for in all.
    language_rows : int
        Texts, evenly spread, whose language is looked at.
    language_share : float
        A language of this share (0-1) of the texts, or more, is what they mostly are.
    kind_samples : int
        Examples of a kind that are shown.
    most_named, most_offered : int
        Files that are named one by one in a doubt, and that are offered to choose from.
    """

    enough_examples: int = 20
    few_examples: int = 8
    shown_rows: int = 12
    shown_columns: int = 60
    shown_characters: int = 200
    most_kinds: int = 60
    sampled_rows: int = 1_000
    language_rows: int = 500
    language_share: float = 0.5
    kind_samples: int = 12
    most_named: int = 5
    most_offered: int = 20


SETTINGS = InspectionSettings()
