"""What was understood of data, as records of codes and numbers; the words are the page's and the command's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ENOUGH, SOME, FEW = "enough", "some", "few"
"""Whether the examples of a kind are enough to begin: yes; yes, and more would help; add some first."""


@dataclass(frozen=True, kw_only=True)
class SheetView:
    """A sheet of a workbook, or a table that has none, as it is shown.

    Parameters
    ----------
    name : str
        "" for a file that is one table.
    is_read, is_hidden : bool
    header : int
        Number of the row with the names of the columns; 0 where the sheet holds no table.
    rows : tuple of (int, tuple of str)
        The first rows with their numbers, long cells cut.
    n_columns : int
        Of the widest of these rows; `rows` hold the first ones.
    """

    name: str
    is_read: bool
    is_hidden: bool = False
    header: int
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    n_columns: int


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """A column of the table that was read.

    Parameters
    ----------
    name : str
    role : str
        "text", "label", "file", "id", "split", "time", "series", "value"; "compare" and "personal" as proposals; or "".
    reason : str
        Why it is not compared: one of `headstart.results.LeftAloneReason`, or "".
    n_filled, n_values : int
        Cells that hold something, and how many different things.
    values : mapping of str to int
        Rows by value, the most frequent first; empty where there are too many to choose from.
    can_be_text, can_be_label : bool
        Whether it makes sense to offer it.
    """

    name: str
    role: str = ""
    reason: str = ""
    n_filled: int
    n_values: int
    values: dict[str, int] = field(default_factory=dict)
    can_be_text: bool = False
    can_be_label: bool = False


@dataclass(frozen=True, kw_only=True)
class KindView:
    """A kind: its examples, whether they are enough (`ENOUGH`, `SOME`, `FEW`), and rows to show."""

    name: str
    n: int
    code: str
    samples: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something that may be meant otherwise, or cannot be used.

    Parameters
    ----------
    code : str
        Permanent, kebab-case; the words for it are the renderer's.
    n, of : int
        How many, of how many; 0 where the code needs none.
    names : tuple of str
        Files, columns or sheets concerned, a few.
    option : str
        Name of the option that mends it with one of `names` as its value; "" where there is none.
    """

    code: str
    n: int = 0
    of: int = 0
    names: tuple[str, ...] = ()
    option: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceView:
    """What was understood of a folder, file or zip.

    Parameters
    ----------
    modality, layout : str
        "" where nothing can be read; the layout is that of series.
    n_examples, n_left_out : int
        That can be used, and that cannot.
    n_unsorted : int
        Photos beside the boxes of kinds, and rows without an answer.
    n_listed, n_matched : int
        Rows of a table that lists photos, and those whose photo is there; 0 without such a table.
    sheets : tuple of SheetView
    columns : tuple of ColumnView
        Of the table that was read, in its order.
    text, label : tuple of str
        Columns that were taken.
    kinds : tuple of KindView
        The largest first.
    is_number : bool
        Whether the answer is an amount.
    readiness : str
        The least `code` of the kinds; "" without kinds.
    unsorted_samples : tuple of int
        Rows to show of what has no kind.
    languages : mapping of str to int
        Of the texts looked at; "" those that cannot be told.
    main_language, language_code : str
        Of most texts: its English name and its ISO 639 code; or "".
    needs_other_base : bool
        Whether the usual base model for texts does not know it, and that of many languages does.
    n_channels, fewest_steps, most_steps : int
        Of series.
    doubts : tuple of Doubt
    problem, hint : str
        Why nothing can be read.
    """

    name: str
    modality: str = ""
    layout: str = ""
    n_examples: int = 0
    n_left_out: int = 0
    n_unsorted: int = 0
    n_listed: int = 0
    n_matched: int = 0
    sheets: tuple[SheetView, ...] = ()
    columns: tuple[ColumnView, ...] = ()
    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    kinds: tuple[KindView, ...] = ()
    is_number: bool = False
    readiness: str = ""
    unsorted_samples: tuple[int, ...] = ()
    languages: Mapping[str, int] = field(default_factory=dict)
    main_language: str = ""
    language_code: str = ""
    needs_other_base: bool = False
    n_channels: int = 0
    fewest_steps: int = 0
    most_steps: int = 0
    doubts: tuple[Doubt, ...] = ()
    problem: str = ""
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
