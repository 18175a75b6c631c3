"""A sample of what the model reads of its training rows, so that rows of another place can be held against them.

Every column is divided by its spread, and many columns are mixed into a few by fixed random signs. Neither depends on
where a row comes from, so training rows look no different from new rows of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.records.decision_records import check_reference
from headstart.bundle.settings import SETTINGS
from headstart.records import FloatMatrix, Index

FILE = "reference.safetensors"
MOST_DIMS = 128
READS = ("features", "descriptors", "representation")
BLOCK_ROWS = 4_096


@dataclass(frozen=True)
class ReferenceSample:
    """Training rows, drawn by chance.

    Parameters
    ----------
    reads : str
        Of `READS`: what `project` takes.
    values : FloatMatrix, shape (n_sample, n_kept)
        As `place` gives them.
    scale : NDArray of float32, shape (n_dims,)
        One by the spread of each column over the training rows; 0 where it is constant.
    clusters : Index, shape (n_sample,)
        Rows with one number belong together (a patient, copies).
    """

    reads: str
    values: FloatMatrix
    scale: NDArray[np.float32]
    clusters: Index

    @classmethod
    def draw(cls, values: FloatMatrix, reads: str, clusters: Index, seed: int) -> ReferenceSample:
        """Draw a sample of the training rows.

        Parameters
        ----------
        values : FloatMatrix, shape (n_rows, n_dims)
        reads : str
        clusters : Index, shape (n_rows,)
        seed : int
        """
        spread = values.std(axis=0, dtype=np.float64)
        typical = np.abs(values).mean(axis=0, dtype=np.float64)
        scale = np.where(spread > 1e-5 * typical, 1 / np.maximum(spread, 1e-30), 0.0).astype(np.float32)
        sampled = np.sort(np.random.default_rng(seed).permutation(len(values))[: SETTINGS.reference_rows])
        return cls(reads, _project(values[sampled], scale), scale, np.asarray(clusters[sampled], dtype=np.intp))

    def project(self, values: FloatMatrix) -> FloatMatrix:
        """Return rows (n_rows, n_dims) as the sample is kept, (n_rows, n_kept)."""
        blocks = [
            _project(values[at : at + BLOCK_ROWS], self.scale) for at in range(0, max(len(values), 1), BLOCK_ROWS)
        ]
        return np.concatenate(blocks)

    def write(self, folder: Path) -> None:
        """Write `reference.safetensors`."""
        arrays = {
            "values": self.values.astype(np.float16),
            "scale": self.scale,
            "clusters": self.clusters.astype(np.int32),
            "reads": np.array([READS.index(self.reads)], dtype=np.int32),
        }
        write_arrays(folder / FILE, arrays)

    @classmethod
    def read(cls, folder: Path) -> ReferenceSample | None:
        """Read it back; None in a bundle of an older version, or where there was nothing to keep."""
        if not (folder / FILE).is_file():
            return None
        arrays = read_arrays(folder / FILE)
        check_reference(arrays, FILE, MOST_DIMS)
        reads, clusters = READS[int(arrays["reads"][0])], arrays["clusters"].astype(np.intp)
        return cls(reads, arrays["values"].astype(np.float32), arrays["scale"], clusters)


def _project(values: FloatMatrix, scale: NDArray[np.float32]) -> FloatMatrix:
    """Scale, mix, and round as the file rounds."""
    projected = values.astype(np.float32) * scale
    if projected.shape[1] > MOST_DIMS:
        projected = projected @ make_random_signs(projected.shape[1], MOST_DIMS) / np.float32(np.sqrt(MOST_DIMS))
    most = float(np.finfo(np.float16).max)
    return np.asarray(np.clip(projected, -most, most).astype(np.float16).astype(np.float32))


def make_random_signs(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return a fixed matrix of +1 and -1, the same in every version of every package.

    Notes
    -----
    Random signs keep distances about as they are (Achlioptas 2003). They are bits of SplitMix64 (Steele, Lea and Flood
    2014) of the place in the matrix.

    Examples
    --------
    >>> make_random_signs(2, 4).tolist()
    [[-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -1.0]]
    """
    mixed = (np.arange(n_rows * n_columns, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(63)
    return np.asarray(1.0 - 2.0 * bits.astype(np.float32), dtype=np.float32).reshape(n_rows, n_columns)
