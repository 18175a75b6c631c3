"""Rows that a table goes without: collected in one mask with their reasons, and taken out once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.records import AnyTable, SetAside, Table


class RowFilter:
    """Collects the rows to set aside.

    Parameters
    ----------
    table : Table
        It stays as it is.
    """

    def __init__(self, table: Table) -> None:
        self.keep: NDArray[np.bool_] = np.ones(len(table), dtype=np.bool_)
        self._ids = table.ids
        self._set_aside: list[SetAside] = []

    def drop(self, which: NDArray[np.bool_], reason: str) -> None:
        """Set rows aside that are still kept.

        Parameters
        ----------
        which : bool array, shape (n_rows,)
        reason : str
        """
        dropped = which & self.keep
        self._set_aside += [SetAside(name, reason) for name in self._ids[dropped]]
        self.keep &= ~dropped

    def apply(self, table: AnyTable) -> AnyTable:
        """Return the rows that are kept; the others stand in `set_aside` with their reasons.

        Parameters
        ----------
        table : AnyTable
            With the rows of the filter.
        """
        if self.keep.all():
            return table
        retained = table.take(np.flatnonzero(self.keep))
        return replace(retained, set_aside=(*retained.set_aside, *self._set_aside))
