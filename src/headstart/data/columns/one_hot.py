"""Classes that are written as one column each, with a 1 in the column of the row's class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError, offenders

YES = frozenset(("1", "1.0", "true", "yes", "y", "x", "✓", "✔"))
NO = frozenset(("0", "0.0", "false", "no", "n"))
"""What stands in such a column, in small letters."""


def classes_of_marks(marks: Mapping[str, Sequence[str]], ids: Sequence[str], usable: NDArray[np.bool_]) -> list[str]:
    """Return the class of each row; "" where all its cells are empty.

    Raises
    ------
    DataError
        A row has no class, or several.

    Examples
    --------
    >>> classes_of_marks({"rust": ["1", "0"], "ok": ["0", "1"]}, ["a", "b"], np.ones(2, dtype=bool))
    ['rust', 'ok']
    """
    lines = list(zip(*marks.values(), strict=True))
    rows = [[name for name, cell in zip(marks, cells, strict=True) if _is_yes(cell)] for cells in lines]
    blank = [not any(cell.strip() for cell in cells) for cells in lines]
    odd = [
        f"{name}: {', '.join(found) or 'none'}"
        for name, found, empty, good in zip(ids, rows, blank, usable, strict=True)
        if good and not empty and len(found) != 1
    ]
    if odd:
        raise DataError(
            f"{len(odd)} of {len(rows)} rows have no class or several in the columns {', '.join(marks)} "
            f"({offenders(odd)}).",
            "Correct them, or pass --task multi-label.",
        )
    return ["".join(found) for found in rows]


def _is_yes(cell: str) -> bool:
    return cell.strip().casefold() in YES
