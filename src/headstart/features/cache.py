"""The content-addressed feature cache: shards of rows under a key, each written whole or not at all.

A key names the base, its preprocessing and the numerics; a row is found by the hash of its content. Any number of
processes may use one cache at a time: each writes shards of its own, and a row found twice is simply found.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from headstart.home import home, write_json, written_whole
from headstart.records import FloatMatrix

VERSION = 1
FINAL, HASHES = "final", "hashes"


def half(values: Any) -> Any:
    """Round to half precision; what is too large becomes the largest number."""
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)


def _digests(hashes: Sequence[str]) -> Any:
    raw = b"".join(bytes.fromhex(item) for item in hashes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(hashes), 32)


@dataclass(frozen=True)
class Entry:
    """What one key holds, for `headstart cache`."""

    key: str
    base: str
    n_rows: int
    size_bytes: int
    used: float


class FeatureCache:
    """The rows of one key.

    Parameters
    ----------
    key : str
        Hex name of base x preprocessing x numerics.
    about : mapping
        What a person wants to know of it ("base": name), stored beside the shards.
    """

    def __init__(self, key: str, about: Mapping[str, str]) -> None:
        self.folder = home() / "features" / f"v{VERSION}" / key[:40]
        self.about = dict(about)
        self._places: dict[bytes, tuple[Path, int]] = {}
        self._read: set[Path] = set()

    def refresh(self) -> None:
        """Learn of shards written since the last look, by this or another process; a damaged shard is removed."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("shard-*.safetensors")):
            if path in self._read:
                continue
            try:
                with safe_open(path, framework="numpy") as shard:
                    for row, digest in enumerate(shard.get_tensor(HASHES)):
                        self._places[digest.tobytes()] = (path, row)
            except (SafetensorError, OSError):
                path.unlink(missing_ok=True)
            self._read.add(path)

    def missing(self, hashes: Sequence[str]) -> list[str]:
        """List the hashes that have no features yet, each once, in order."""
        self.refresh()
        return [item for item in dict.fromkeys(hashes) if bytes.fromhex(item) not in self._places]

    def add(self, hashes: Sequence[str], final: FloatMatrix, stages: Mapping[str, Any]) -> None:
        """Write one shard: final features in float32, pooled stages in half precision."""
        if not hashes:
            return
        self.add_about()
        arrays = {HASHES: _digests(hashes), FINAL: np.ascontiguousarray(final, dtype=np.float32)}
        arrays |= {name: half(values) for name, values in stages.items()}
        path = self.folder / f"shard-{uuid.uuid4().hex}.safetensors"
        with written_whole(path) as partial:
            save_file(arrays, partial)
        self._read.add(path)
        for row, digest in enumerate(arrays[HASHES]):
            self._places[digest.tobytes()] = (path, row)

    def add_about(self) -> None:
        """Write what a person wants to know of the key, once."""
        if not (self.folder / "about.json").is_file():
            write_json(self.folder / "about.json", self.about)

    def get(self, hashes: Sequence[str], name: str = FINAL) -> FloatMatrix:
        """Give the features of rows (len(hashes), n_dims) float32, in order; all must be there."""
        by_shard: dict[Path, list[tuple[int, int]]] = {}
        for position, item in enumerate(hashes):
            path, row = self._places[bytes.fromhex(item)]
            by_shard.setdefault(path, []).append((position, row))
        values = np.empty((0, 0), dtype=np.float32)
        for path, pairs in by_shard.items():
            positions, rows = np.asarray(pairs).T
            with safe_open(path, framework="numpy") as shard:
                found = shard.get_tensor(name)
            if values.size == 0:
                values = np.empty((len(hashes), found.shape[1]), dtype=np.float32)
            values[positions] = found[rows]
        self.touch()
        return values

    def stage_names(self) -> list[str]:
        """Name the pooled stages kept beside the final features, input to output."""
        if not self._places:
            return []
        with safe_open(next(iter(self._places.values()))[0], framework="numpy") as shard:
            names = [name for name in shard.keys() if name not in (FINAL, HASHES)]  # noqa: SIM118
        return sorted(names, key=lambda name: int(name.rpartition("-")[2]))

    def touch(self) -> None:
        """Note that the key was used now (for pruning)."""
        if (self.folder / "about.json").is_file():
            os.utime(self.folder / "about.json")


def entries() -> list[Entry]:
    """List what the cache holds, the most recently used first."""
    found = []
    for about in (home() / "features").glob("v*/*/about.json"):
        shards = list(about.parent.glob("shard-*.safetensors"))
        n_rows = 0
        for path in shards:
            with safe_open(path, framework="numpy") as shard:
                n_rows += shard.get_slice(HASHES).get_shape()[0]
        said = json.loads(about.read_text("utf-8"))
        size = sum(path.stat().st_size for path in shards)
        found.append(Entry(about.parent.name, said.get("base", "?"), n_rows, size, about.stat().st_mtime))
    return sorted(found, key=lambda entry: -entry.used)


def prune(older_than_days: float) -> list[Entry]:
    """Remove what was not used for so many days (0: everything); gives what was removed."""
    limit = time.time() - older_than_days * 86_400
    removed = [entry for entry in entries() if entry.used <= limit]
    for entry in removed:
        for folder in (home() / "features").glob(f"v*/{entry.key}"):
            shutil.rmtree(folder)
    return removed
