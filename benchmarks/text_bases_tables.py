"""The tables of `text_bases.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def write_tables(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield title and body of each section."""
    yield from ()
