"""How much two columns tell of each other."""

from __future__ import annotations

from collections import Counter

import numpy as np

from headstart.records import Column


def share_of_common_information(a: Column, b: Column) -> float:
    """Return the mutual information of two columns as a share (0-1) of the entropy of the richer one.

    Parameters
    ----------
    a, b : Column, shape (n_rows,)
        Rows in which one is empty are left out.

    Examples
    --------
    >>> region = np.array(["n", "n", "s", "s"], dtype=object)
    >>> share_of_common_information(region, np.array([1, 1, 2, 2], dtype=object))
    1.0
    >>> share_of_common_information(region, np.array(["a", "b", "c", "d"], dtype=object))  # Districts of the regions.
    0.5
    """
    pairs = [(str(x), str(y)) for x, y in zip(a, b, strict=True) if str(x) and str(y)]
    joint, first, second = Counter(pairs), Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    most = max(_entropy(first), _entropy(second))
    return round((_entropy(first) + _entropy(second) - _entropy(joint)) / most, 9) if most > 0 else 0.0


def _entropy(counts: Counter[str] | Counter[tuple[str, str]]) -> float:
    shares = np.array(list(counts.values()), dtype=np.float64)
    shares /= max(shares.sum(), 1.0)
    return float(-(shares * np.log(shares)).sum())
