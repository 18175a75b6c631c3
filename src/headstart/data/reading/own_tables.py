"""Tables that Headstart wrote itself: what they are when they lie in a folder of data."""

from __future__ import annotations

from collections.abc import Sequence

PREDICTIONS, TO_LABEL = "predictions", "to-label"
_DECIDED = frozenset({"answer", "set", "reason"})
TO_LABEL_COLUMNS = ("why", "guess", "sure")
"""What `label-next` adds to each row; nothing of it is data."""


def find_own_table_kind(names: Sequence[str]) -> str | None:
    """Return what a table with such columns is, if Headstart wrote it: its predictions, or rows to label.

    Parameters
    ----------
    names : sequence of str
        Columns of the table.

    Examples
    --------
    >>> find_own_table_kind(["input", "label", "probability", "answer", "set", "reason"])
    'predictions'
    >>> find_own_table_kind(["file_name", "label", "why", "guess", "sure"])
    'to-label'
    >>> find_own_table_kind(["file_name", "label"])
    """
    if set(names) >= _DECIDED and ("input" in names or "predicted" in names):
        return PREDICTIONS
    return TO_LABEL if tuple(names[-3:]) == TO_LABEL_COLUMNS else None
