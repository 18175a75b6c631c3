"""What a bundle remembers of the rows it was made with, so that none of them counts as new.

`label-next` does not propose what already has a label, and `evaluate` and `compare` do not score what was learnt. Short
hashes of contents and of how images look, and a few centres of features: no row can be read back from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.prints import PRINT_BYTES, Prints
from headstart.bundle.records.decision_records import check_seen
from headstart.bundle.settings import SETTINGS
from headstart.records import Column, FloatMatrix

FILE = "seen.safetensors"
DIGEST_BYTES = 8

Digests = NDArray[np.uint8]
"""The first bytes of the sha256 of contents, shape (n_rows, 8)."""


def _no_digests() -> Digests:
    return np.empty((0, DIGEST_BYTES), dtype=np.uint8)


def _no_prints() -> Prints:
    return np.empty((0, PRINT_BYTES), dtype=np.uint8)


@dataclass(frozen=True)
class SeenRows:
    """The rows of the training, in short.

    Parameters
    ----------
    digests : NDArray of uint8, shape (n_rows, 8)
        Of the training rows.
    centres : FloatMatrix, shape (n_centres, n_dims)
        Features of the rows, or of groups of them; (0, 0) where the model reads none.
    test_digests : NDArray of uint8, shape (n_test, 8)
        Of the test rows; empty in bundles of older versions.
    prints : NDArray of uint8, shape (n_prints, 32)
        How training images look (`headstart.bundle.prints`); empty for other rows and in bundles of older versions.
    """

    digests: Digests
    centres: FloatMatrix
    test_digests: Digests = field(default_factory=_no_digests)
    prints: Prints = field(default_factory=_no_prints)

    @classmethod
    def from_hashes(
        cls,
        hashes: Column,
        centres: FloatMatrix | None,
        *,
        test_hashes: Sequence[str] | Column = (),
        prints: Prints | None = None,
    ) -> SeenRows:
        """Shorten the hashes (hex) of the training rows and of the test rows."""
        return cls(
            _shorten_hashes(hashes),
            np.empty((0, 0), dtype=np.float32) if centres is None else centres,
            _shorten_hashes(test_hashes[: SETTINGS.most_tested_rows]),
            _no_prints() if prints is None else prints,
        )

    def contains(self, hashes: Column) -> NDArray[np.bool_]:
        """Return which contents were among the training rows, shape (n,)."""
        return _find_digests(hashes, self.digests)

    def was_tested_on(self, hashes: Column) -> NDArray[np.bool_]:
        """Return which contents were among the test rows of the training, shape (n,)."""
        return _find_digests(hashes, self.test_digests)

    def write(self, folder: Path) -> None:
        """Write `seen.safetensors`."""
        arrays = {"digests": self.digests, "centres": self.centres.astype(np.float16)}
        more = {"test_digests": self.test_digests, "prints": self.prints}
        write_arrays(folder / FILE, {**arrays, **{name: values for name, values in more.items() if len(values)}})

    @classmethod
    def read(cls, folder: Path) -> SeenRows | None:
        """Read it back; None in a bundle of an older version."""
        if not (folder / FILE).is_file():
            return None
        arrays = read_arrays(folder / FILE)
        check_seen(arrays, FILE)
        more = {name: arrays[name] for name in ("test_digests", "prints") if name in arrays}
        return cls(arrays["digests"], arrays["centres"].astype(np.float32), **more)


def _find_digests(hashes: Sequence[str] | Column, digests: Digests) -> NDArray[np.bool_]:
    known = {row.tobytes() for row in digests}
    return np.array([row.tobytes() in known for row in _shorten_hashes(hashes)], dtype=bool)


def _shorten_hashes(hashes: Sequence[str] | Column) -> NDArray[np.uint8]:
    raw = b"".join(bytes.fromhex(str(item)[: 2 * DIGEST_BYTES]) for item in hashes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(hashes), DIGEST_BYTES)
