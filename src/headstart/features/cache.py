"""The feature cache: rows of features under a key that names the base, its preprocessing and the numerics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_files import DamagedArrays, read_arrays, read_header
from headstart.records import FloatMatrix
from headstart.row_cache import HASHES, RowCache, RowsLost

FINAL = "final"
LOST_TRIES = 3
"""So often rows that are lost while they are needed are computed again."""


def round_to_half(values: Any) -> Any:
    """Return values rounded to half precision; what is too large becomes the largest number.

    Parameters
    ----------
    values : array
        Any shape.
    """
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)


class FeatureCache(RowCache):
    """The features of one key: for each row the final ones, and those of the stages."""

    def add_features(self, hashes: Sequence[str], final: FloatMatrix, stages: Mapping[str, Any]) -> None:
        """Write one shard: final features in float32, pooled stages in half precision."""
        if not hashes:
            return
        arrays = {FINAL: np.asarray(final, dtype=np.float32)} | {
            name: round_to_half(part) for name, part in stages.items()
        }
        self._add_shard(hashes, arrays)

    def get_features(self, hashes: Sequence[str], name: str = FINAL) -> FloatMatrix:
        """Return the features of rows (len(hashes), n_dims) float32, in order; all must have been found or added.

        Raises
        ------
        RowsLost
            A shard has gone since.
        """
        by_shard: dict[Path, list[tuple[int, int]]] = {}
        for position, item in enumerate(hashes):
            path, row = self._places[bytes.fromhex(item)]
            by_shard.setdefault(path, []).append((position, row))
        values = np.empty((0, 0), dtype=np.float32)
        for path, pairs in by_shard.items():
            positions, rows = np.asarray(pairs).T
            shard_values = self._read_shard(path, name)
            if values.size == 0:
                values = np.empty((len(hashes), shard_values.shape[1]), dtype=np.float32)
            values[positions] = shard_values[rows]
        self.touch()
        return values

    def _read_shard(self, path: Path, name: str) -> Any:
        if path in self._in_memory:
            return self._in_memory[path][name]
        try:
            return read_arrays(path, names=(name,))[name]
        except (OSError, DamagedArrays) as error:
            self._forget(path)
            raise RowsLost(str(path)) from error

    def list_stage_names(self) -> list[str]:
        """Name the pooled stages kept beside the final features, input to output."""
        if not self._places:
            return []
        path = next(iter(self._places.values()))[0]
        arrays = self._in_memory[path] if path in self._in_memory else read_header(path).arrays
        names = [name for name in arrays if name not in (FINAL, HASHES)]
        return sorted(names, key=lambda name: int(name.rpartition("-")[2]))
