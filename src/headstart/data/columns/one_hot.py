"""Classes that are written as one column each, with a 1 in the column of the row's class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError, list_offenders

YES = frozenset(("1", "1.0", "true", "yes", "y", "x", "✓", "✔"))
NO = frozenset(("0", "0.0", "false", "no", "n"))
"""What stands in such a column, in small letters."""


def read_one_hot_classes(
    indicators: Mapping[str, Sequence[str]], ids: Sequence[str], usable: NDArray[np.bool_]
) -> list[str]:
    """Return the class of each row; "" where all its cells are empty.

    Parameters
    ----------
    indicators : mapping of str to sequence of str, each of shape (n_rows,)
        Cells of the column of each class.
    ids : sequence of str, shape (n_rows,)
        For messages.
    usable : bool array, shape (n_rows,)
        Other rows are not checked.

    Raises
    ------
    DataError
        A row has no class, or several.

    Examples
    --------
    >>> read_one_hot_classes({"rust": ["1", "0"], "ok": ["0", "1"]}, ["a", "b"], np.ones(2, dtype=bool))
    ['rust', 'ok']
    """
    lines = list(zip(*indicators.values(), strict=True))
    rows = [[name for name, cell in zip(indicators, cells, strict=True) if _is_yes(cell)] for cells in lines]
    is_blank = [not any(cell.strip() for cell in cells) for cells in lines]
    odd_rows = [
        f"{name}: {', '.join(classes) or 'none'}"
        for name, classes, empty, is_usable in zip(ids, rows, is_blank, usable, strict=True)
        if is_usable and not empty and len(classes) != 1
    ]
    if odd_rows:
        raise DataError(
            f"{len(odd_rows)} of {len(rows)} rows have no class or several in the columns {', '.join(indicators)} "
            f"({list_offenders(odd_rows)}).",
            "Correct them, or pass --task multi-label.",
        )
    return ["".join(classes) for classes in rows]


def _is_yes(cell: str) -> bool:
    return cell.strip().casefold() in YES
