"""The content-addressed cache of rows: shards of arrays under a key, each written whole or not at all.

A key names what was computed and how; a row is found by the hash of its content. Any number of processes may use one
cache at a time: each writes shards of its own, and a row found twice is simply found.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.array_files import ArraySpec, DamagedArrays, read_arrays, read_header, write_arrays
from headstart.home import allow_failed_write, find_home, read_json, remove_leftovers, write_json

VERSION = 2
"""Of the folder. What version 1 wrote is not read: arrays in another memory order were written scrambled."""
HASHES = "hashes"
_FOLDER = f"v{VERSION}"
_HASHES = {HASHES: ArraySpec("uint8", ("rows", 32))}


class RowsLost(Exception):
    """Rows have gone from the cache: another process pruned it, or the disk lost them. Ask for them again."""


@dataclass(frozen=True, kw_only=True)
class CacheEntry:
    """Entry of the cache for one key, for `headstart cache`."""

    key: str
    base: str
    n_rows: int
    size_bytes: int
    used: float
    is_current: bool = True
    """Whether this version reads it; what another version wrote is only listed and removed."""


class RowCache:
    """The rows of one key.

    Parameters
    ----------
    key : str
        Hex name of base x preprocessing x numerics.
    about : mapping
        What a person wants to know of it ("base": name of the base model, or what else it holds), stored beside the
        shards.
    """

    def __init__(self, key: str, about: Mapping[str, str]) -> None:
        self.folder = find_home() / "features" / _FOLDER / key[:40]
        self.about = dict(about)
        self._places: dict[bytes, tuple[Path, int]] = {}
        self._read: set[Path] = set()
        self._checked: set[Path] = set()
        self._in_memory: dict[Path, Mapping[str, Any]] = {}
        """Shards that no disk could take, by the paths that they would have."""

    def refresh(self) -> None:
        """Learn of shards written since the last look, by this or another process; a damaged shard is removed.

        A shard that cannot be read just now is left alone and not used.
        """
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("shard-*.safetensors")):
            if path in self._read:
                continue
            try:
                digests = read_arrays(path, _HASHES, names=(HASHES,), need_checksums=True)[HASHES]
                self._places |= {digest.tobytes(): (path, row) for row, digest in enumerate(digests)}
            except DamagedArrays:
                path.unlink(missing_ok=True)
            except OSError:
                pass
            self._read.add(path)

    def find_missing(self, hashes: Sequence[str]) -> list[str]:
        """List the hashes that have no row yet, each once, in order; those in a damaged shard have none."""
        self.refresh()
        digests = {item: bytes.fromhex(item) for item in hashes}
        used = {self._places[digest][0] for digest in digests.values() if digest in self._places}
        for path in used - self._checked:
            self._read_whole(path)
        return [item for item, digest in digests.items() if digest not in self._places]

    def _read_whole(self, path: Path) -> Mapping[str, Any] | None:
        """Return a shard whose checksums hold; None for a damaged one, which is removed, or one that cannot be read."""
        if path in self._in_memory:
            return self._in_memory[path]
        try:
            arrays = read_arrays(path, need_checksums=True)
            self._checked.add(path)
            return arrays
        except DamagedArrays:
            path.unlink(missing_ok=True)
        except OSError:
            pass
        self._forget(path)
        return None

    def _forget(self, path: Path) -> None:
        self._places = {digest: place for digest, place in self._places.items() if place[0] != path}

    def _add_shard(self, hashes: Sequence[str], arrays: Mapping[str, Any]) -> None:
        self.add_about()
        digests = np.frombuffer(b"".join(map(bytes.fromhex, hashes)), dtype=np.uint8).reshape(len(hashes), 32)
        path = self.folder / f"shard-{uuid.uuid4().hex}.safetensors"
        self._write_shard(path, {HASHES: digests, **arrays})
        self._read.add(path)
        self._checked.add(path)
        self._places |= {digest.tobytes(): (path, row) for row, digest in enumerate(digests)}

    def _write_shard(self, path: Path, arrays: Mapping[str, Any]) -> None:
        """Write one shard; where no disk takes it, it is kept in memory and computed again by the next run."""
        self._in_memory[path] = arrays
        with allow_failed_write(), suppress(FileNotFoundError):  # Another process is just pruning the folder.
            write_arrays(path, arrays)
            del self._in_memory[path]

    def add_about(self) -> None:
        """Write what a person wants to know of the key, once."""
        if not (self.folder / "about.json").is_file():
            with allow_failed_write(), suppress(FileNotFoundError):
                write_json(self.folder / "about.json", self.about)

    def touch(self) -> None:
        """Note that the key was used now (for pruning)."""
        with suppress(OSError):  # Pruned by another process, or not ours to write.
            os.utime(self.folder / "about.json")


def list_entries() -> list[CacheEntry]:
    """Return what the cache holds, the most recently used first; what cannot be read is listed without its rows."""
    folders = [folder for folder in (find_home() / "features").glob("v*/*") if folder.is_dir()]
    return sorted((_read_entry(folder) for folder in folders), key=lambda entry: -entry.used)


def list_shards() -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """Yield every shard of the cache, of all versions, with the hashes of its rows (n_rows, 32); not damaged ones."""
    for path in sorted((find_home() / "features").glob("v*/*/shard-*.safetensors")):
        with suppress(OSError, DamagedArrays):
            yield path, read_arrays(path, _HASHES, names=(HASHES,))[HASHES]


def _read_entry(folder: Path) -> CacheEntry:
    shards = list(folder.glob("shard-*.safetensors"))
    about, base = folder / "about.json", "?"
    with suppress(OSError, ValueError, AttributeError):
        base = str(read_json(about).get("base", "?"))
    used = _read_status(about)[1] or _read_status(folder)[1]
    size = sum(_read_status(path)[0] for path in shards)
    return CacheEntry(
        key=folder.name,
        base=base,
        n_rows=sum(map(_count_rows, shards)),
        size_bytes=size,
        used=used,
        is_current=folder.parent.name == _FOLDER,
    )


def _read_status(path: Path) -> tuple[int, float]:
    """Return size and time of a file; zeros where it has gone."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0.0
    return status.st_size, status.st_mtime


def _count_rows(path: Path) -> int:
    """Return how many rows a shard holds; 0 where it cannot be read."""
    try:
        return read_header(path).arrays[HASHES].shape[0]
    except (OSError, DamagedArrays, KeyError):
        return 0


def prune_cache(older_than_days: float) -> list[CacheEntry]:
    """Remove rows of keys that were not used for `older_than_days` or that older versions wrote; return their entries.

    A run that uses some of it computes those rows again.

    Parameters
    ----------
    older_than_days : float
        At least 0; 0 removes everything.
    """
    limit = time.time() - older_than_days * 86_400
    removed = [entry for entry in list_entries() if entry.used <= limit or not entry.is_current]
    for entry in removed:
        for folder in (find_home() / "features").glob(f"v*/{entry.key}"):
            shutil.rmtree(folder, ignore_errors=True)
    for place in ("bases/*", "features/v*/*", "runtimes", "tokenizers/*", "unpacked"):
        for folder in find_home().glob(place):
            remove_leftovers(folder, ".*.partial")
    return removed
