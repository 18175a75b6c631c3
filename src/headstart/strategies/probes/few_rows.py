"""Whether rows are so few that the names of their classes may add something."""

from __future__ import annotations

import numpy as np

from headstart.records import Index
from headstart.strategies.probes.config import PROBE_CONFIG


def may_names_add(codes: Index, n_classes: int) -> bool:
    """Return whether the median class has so few rows that its name counts beside them.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    n_classes : int

    Examples
    --------
    >>> may_names_add(np.repeat([0, 1], 20), 2), may_names_add(np.repeat([0, 1], 200), 2)
    (True, False)
    """
    counts = np.bincount(codes, minlength=n_classes)
    return n_classes > 1 and float(np.median(counts)) <= PROBE_CONFIG.most_rows_for_names
