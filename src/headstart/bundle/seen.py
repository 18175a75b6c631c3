"""What a bundle remembers of its training rows, so that `label-next` does not propose what already has a label.

Short hashes of contents and a few centres of features: no row can be read back from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.records.decision_records import check_seen
from headstart.records import Column, FloatMatrix

FILE = "seen.safetensors"
DIGEST_BYTES = 8


@dataclass(frozen=True)
class SeenRows:
    """The training rows, in short.

    Parameters
    ----------
    digests : NDArray of uint8, shape (n_rows, 8)
        The first bytes of each content's sha256.
    centres : FloatMatrix, shape (n_centres, n_dims)
        Features of the rows, or of groups of them; (0, 0) where the model reads none.
    """

    digests: NDArray[np.uint8]
    centres: FloatMatrix

    @classmethod
    def from_hashes(cls, hashes: Column, centres: FloatMatrix | None) -> SeenRows:
        """Shorten the hashes (hex) of the training rows."""
        return cls(_shorten_hashes(hashes), np.empty((0, 0), dtype=np.float32) if centres is None else centres)

    def contains(self, hashes: Column) -> NDArray[np.bool_]:
        """Return which contents were among the training rows, shape (n,)."""
        known_digests = {row.tobytes() for row in self.digests}
        return np.array([row.tobytes() in known_digests for row in _shorten_hashes(hashes)], dtype=bool)

    def write(self, folder: Path) -> None:
        """Write `seen.safetensors`."""
        write_arrays(folder / FILE, {"digests": self.digests, "centres": self.centres.astype(np.float16)})

    @classmethod
    def read(cls, folder: Path) -> SeenRows | None:
        """Read it back; None in a bundle of an older version."""
        if not (folder / FILE).is_file():
            return None
        arrays = read_arrays(folder / FILE)
        check_seen(arrays, FILE)
        return cls(arrays["digests"], arrays["centres"].astype(np.float32))


def _shorten_hashes(hashes: Sequence[str] | Column) -> NDArray[np.uint8]:
    raw = b"".join(bytes.fromhex(str(item)[: 2 * DIGEST_BYTES]) for item in hashes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(hashes), DIGEST_BYTES)
