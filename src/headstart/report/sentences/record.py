"""How the sentence of one kind of record is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wording:
    """Where the English sentence of a record is stored, and what writes it.

    Parameters
    ----------
    field : str
        Field of the record that holds the sentence in result.json.
    describe : (record) -> str
        Writes it in the language spoken, from the other fields of the record.
    facts : frozenset of str
        Fields that `describe` reads and that are None in documents of older versions, never in newer ones.
    """

    field: str
    describe: Callable[[Any], str]
    facts: frozenset[str] = frozenset()
