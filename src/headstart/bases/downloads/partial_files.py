"""A file that is still coming: its bytes, their hashes, and a journal that lets the next process go on.

The final name appears when every byte is there and checked. Bytes that a loss of power may have lost are not trusted.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from headstart.bases.downloads.listing import RemoteFile
from headstart.home import clear_place, move_into_place, read_json, write_json

_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where bytes come from.

    Parameters
    ----------
    url : str
    etag : str
        A strong one; "" where the server states none.
    """

    url: str
    etag: str = ""


class PartialFile:
    """The bytes of a file that came so far.

    Parameters
    ----------
    target : Path
        The final name; the bytes lie beside it in a hidden file.
    file : RemoteFile
        What is to come.
    url : str
        Where it comes from.
    sync_seconds : float
        How often the journal is written.
    """

    def __init__(self, target: Path, file: RemoteFile, url: str, sync_seconds: float) -> None:
        self.target, self.file = target, file
        self.path, self.journal = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.journal")
        self.origin, self.sync_seconds = Origin(url=url), sync_seconds
        self.n_bytes, self.synced_bytes, self.synced_at = 0, 0, time.monotonic()
        self.handle: BinaryIO | None = None
        self._start_hashes()

    def __enter__(self) -> PartialFile:
        with self._naming():
            self.target.parent.mkdir(parents=True, exist_ok=True)
            clear_place(self.path)
            n_bytes = self._count_usable_bytes()
            self.handle = self.path.open("r+b" if self.path.exists() else "w+b")
            self._start_hashes()
            while block := self.handle.read(min(_BLOCK, n_bytes - self.n_bytes)):
                self._update_hashes(block)
                self.n_bytes += len(block)
            self._cut(self.n_bytes)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.handle is None:
            return
        try:
            with suppress(*([OSError] if isinstance(error, OSError) else [])):  # What a full disk did not take is lost.
                self.sync()
        finally:
            with suppress(OSError):
                self.handle.close()

    @property
    def is_complete(self) -> bool:
        """Whether as many bytes came as were announced."""
        return self.n_bytes == self.file.size_bytes

    @property
    def is_identified(self) -> bool:
        """Whether the hash of the content was known before."""
        return bool(self.file.sha256 or self.file.blob_id)

    @property
    def sha256(self) -> str:
        """Of the bytes so far (hex)."""
        return self._sha256.hexdigest()

    def append(self, block: bytes) -> None:
        """Write bytes at the end.

        Parameters
        ----------
        block : bytes
        """
        assert self.handle is not None
        with self._naming():
            self.handle.write(block)
        self._update_hashes(block)
        self.n_bytes += len(block)
        if time.monotonic() - self.synced_at >= self.sync_seconds:
            self.sync()

    def sync(self) -> None:
        """Write bytes and journal to the disk for good."""
        assert self.handle is not None
        with self._naming():
            self.handle.flush()
            os.fsync(self.handle.fileno())
        document = {
            "format": 1,
            "url": self.origin.url,
            "etag": self.origin.etag,
            "size": self.file.size_bytes,
            "sha256": self.file.sha256,
            "blob_id": self.file.blob_id,
            "n_bytes": self.n_bytes,
        }
        write_json(self.journal, document)
        self.synced_bytes, self.synced_at = self.n_bytes, time.monotonic()

    def restart(self) -> None:
        """Forget all bytes."""
        with self._naming():
            self._cut(0)
        self.n_bytes = 0
        self._start_hashes()

    def has_right_hash(self) -> bool:
        """Return whether the bytes have the hash that was announced; true where none was."""
        expected, blob = self.file.sha256, self.file.blob_id
        return (not expected or self.sha256 == expected) and (not blob or self._blob.hexdigest() == blob)

    def finish(self) -> None:
        """Give the file its final name."""
        assert self.handle is not None
        self.sync()
        self.handle.close()
        self.handle = None
        clear_place(self.target)
        move_into_place(self.path, self.target)
        self.journal.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove bytes and journal."""
        assert self.handle is not None
        self.handle.close()
        self.handle = None
        self.path.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)

    def _cut(self, n_bytes: int) -> None:
        assert self.handle is not None
        self.handle.seek(n_bytes)
        self.handle.truncate()

    def _count_usable_bytes(self) -> int:
        """Return how many bytes of an earlier attempt belong to the same content and are surely on the disk."""
        try:
            document = read_json(self.journal)
            length = self.path.stat().st_size
        except (OSError, ValueError):
            return 0
        if not isinstance(document, dict):
            return 0
        if (document.get("sha256"), document.get("blob_id")) != (self.file.sha256, self.file.blob_id):
            return 0
        etag, n_bytes, size = document.get("etag"), document.get("n_bytes"), document.get("size")
        if not self.is_identified:  # Only the same address with the same mark has the same content.
            if not etag or not isinstance(etag, str) or document.get("url") != self.origin.url:
                return 0
            self.origin = Origin(url=self.origin.url, etag=etag)
            if self.file.size_bytes < 0 and type(size) is int:
                self.file = replace(self.file, size_bytes=size)
        if size != self.file.size_bytes:
            return 0
        return min(n_bytes, length) if type(n_bytes) is int and n_bytes >= 0 else 0

    def _start_hashes(self) -> None:
        self._sha256, self._blob = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
        self._blob.update(b"blob %d\0" % max(0, self.file.size_bytes))

    def _update_hashes(self, block: bytes) -> None:
        self._sha256.update(block)
        if self.file.blob_id:
            self._blob.update(block)

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Name the file in errors of the disk, which do not say it of an open file."""
        try:
            yield
        except OSError as error:
            if error.filename is None and error.errno is not None:
                raise OSError(error.errno, error.strerror, str(self.path)) from error
            raise
