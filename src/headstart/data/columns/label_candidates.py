"""Columns that may hold the label although their names do not say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from headstart.data.columns.cells import parse_number
from headstart.data.columns.column_rules import COLUMN_RULES


def looks_like_labels(texts: Sequence[str]) -> bool:
    """Return whether a column holds short words most of which repeat.

    Parameters
    ----------
    texts : sequence of str
        Its cells; empty ones do not count.

    Examples
    --------
    >>> looks_like_labels(["rust", "blight", "rust", "blight"]), looks_like_labels(["1", "2", "1", "2"])
    (True, False)
    """
    counts = Counter(text.strip() for text in texts if text.strip())
    if len(counts) < 2 or max(map(len, counts)) > COLUMN_RULES.max_label_characters or all(map(_is_number, counts)):
        return False
    return sum(counts.values()) >= COLUMN_RULES.min_rows_per_label * len(counts)


def _is_number(text: str) -> bool:
    try:
        parse_number(text, decimal_comma=True)
    except ValueError:
        return False
    return True
