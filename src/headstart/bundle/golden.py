"""Golden rows: a few prepared inputs and what the model said of them where it was made, to be replayed anywhere.

They are made up (see `headstart.bundle.made_up`); bundles written before that hold prepared rows of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import write_npz
from headstart.modalities.record import Array
from headstart.records import FloatMatrix, Probabilities

FILE = "golden.npz"
MADE_UP = "made up"
"""What `config.json` says of golden rows that are no rows of the data."""
MOST_ROWS, LEAST_ROWS, MOST_BYTES = 32, 4, 4_000_000
"""Bytes before compression, which halves them about."""
_INPUT = "in_"


def n_rows_for(row_bytes: int) -> int:
    """Give how many rows are kept, by the size of one.

    Examples
    --------
    >>> n_rows_for(400), n_rows_for(150_528)
    (32, 26)
    """
    return int(np.clip(MOST_BYTES // max(1, row_bytes), LEAST_ROWS, MOST_ROWS))


@dataclass(frozen=True)
class Golden:
    """Prepared rows, and what the graph said of each alone.

    Parameters
    ----------
    arrays : mapping of str to array
        By the names of the graph's inputs; the first axis is the row.
    outputs : Probabilities, shape (n_rows, n_outputs)
        Before the rules of decision.
    features : FloatMatrix, shape (n_rows, n_dims)
        What the rules read; no columns where they read nothing.
    """

    arrays: Mapping[str, Array]
    outputs: Probabilities
    features: FloatMatrix

    def write(self, folder: Path) -> None:
        """Write `golden.npz`."""
        kept: dict[str, NDArray[Any]] = {_INPUT + name: value for name, value in self.arrays.items()}
        write_npz(folder / FILE, {**kept, "outputs": self.outputs, "features": self.features})

    @classmethod
    def read(cls, folder: Path) -> Golden:
        """Read it back; raises `ValueError`, `KeyError` or `OSError` where it is damaged."""
        with (folder / FILE).open("rb") as handle, np.load(handle, allow_pickle=False) as found:
            arrays = {name.removeprefix(_INPUT): found[name] for name in found.files if name.startswith(_INPUT)}
            return cls(arrays, found["outputs"], found["features"])
