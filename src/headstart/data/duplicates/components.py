"""Connected components of rows: pairs of rows that belong together, joined into groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from headstart.records import Index


def number_components(n_rows: int, pairs: Iterable[tuple[int, int]]) -> Index:
    """Return the component of each row that pairs connect, numbered in order of first appearance.

    Parameters
    ----------
    n_rows : int
    pairs : iterable of (int, int)
        Row numbers below `n_rows`.

    Returns
    -------
    Index, shape (n_rows,)

    Examples
    --------
    >>> number_components(5, [(1, 3), (3, 4)]).tolist()
    [0, 1, 2, 1, 1]
    """
    parent = list(range(n_rows))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root(row), len(numbers)) for row in range(n_rows)], dtype=np.intp)


def find_connected_rows(n_rows: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the sets of two or more rows that pairs connect, each ascending.

    Parameters
    ----------
    n_rows : int
    pairs : sequence of (int, int)
        Row numbers below `n_rows`.
    """
    components = number_components(n_rows, pairs)
    groups: dict[int, list[int]] = {}
    for row in sorted({row for pair in pairs for row in pair}):
        groups.setdefault(int(components[row]), []).append(row)
    return list(groups.values())
