"""Bring one file over a line that stalls, breaks and lies: ranges, growing waits, and a hash at the end."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from headstart.bases.downloads.connections import Hub, Interrupted, Response, send_request
from headstart.bases.downloads.listing import RemoteFile
from headstart.bases.downloads.partial_files import Origin, PartialFile
from headstart.bases.downloads.refusals import check_status
from headstart.bases.downloads.retrying import Retries
from headstart.errors import DataError
from headstart.progress import ProgressBar

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


def fetch_file(hub: Hub, repository: str, revision: str, *, file: RemoteFile, target: Path, bar: ProgressBar) -> str:
    """Fetch a file, or the rest of it, and return its SHA-256 (hex).

    Parameters
    ----------
    hub : Hub
    repository, revision : str
    file : RemoteFile
    target : Path
        Its final name, which it gets when it is whole and has the right hash.
    bar : ProgressBar
        Advanced by bytes.

    Raises
    ------
    DataError
        It cannot be fetched, or its content is not what was announced.
    OSError
        The disk is full, or may not be written to.
    """
    url = f"{hub.endpoint}/{quote(repository)}/resolve/{quote(revision, safe='')}/{quote(file.name)}"
    with PartialFile(target, file, url, hub.settings.sync_seconds) as part:
        bar.advance(part.n_bytes)
        for _ in range(hub.settings.whole_attempts):
            _Transfer(hub, repository, part, bar).receive()
            if part.has_right_hash():
                digest = part.sha256
                part.finish()
                return digest
            bar.advance(-part.n_bytes)
            part.restart()
        part.discard()
    raise DataError(
        f"{file.name} of '{repository}' has a wrong hash (fetched {hub.settings.whole_attempts} times from "
        f"{hub.host}); nothing of it was kept.",
        "Try another server with --mirror, or without it; to take a changed file on purpose: "
        "headstart bases fetch NAME --update.",
    )


class _Transfer:
    """The requests that bring one file."""

    def __init__(self, hub: Hub, repository: str, part: PartialFile, bar: ProgressBar) -> None:
        self.hub, self.repository, self.part, self.bar = hub, repository, part, bar
        self.is_size_stated = part.file.size_bytes >= 0

    def receive(self) -> None:
        """Append bytes until all are there."""
        part = self.part
        retries = Retries(
            f"{part.file.name} of '{self.repository}'", self.hub.settings.file_attempts, self.hub.settings
        )
        most_bytes = part.n_bytes  # Bytes that were there before are no progress, so that this ends.
        while not part.is_complete:
            try:
                self._send()
            except Interrupted as failure:
                if part.n_bytes > most_bytes:
                    retries.reset()
                    most_bytes = part.n_bytes
                retries.wait(failure, self._describe_state())

    def _send(self) -> None:
        part, headers = self.part, {}
        if part.n_bytes:
            headers["Range"] = f"bytes={part.n_bytes}-"
            if part.origin.etag and not part.is_identified:  # Else the hash notices a change; marks differ by server.
                headers["If-Range"] = part.origin.etag
        with send_request(self.hub, part.origin.url, headers) as response:
            if response.status == 416:
                self._restart()
                raise Interrupted(f"{self.hub.host} has no such range")
            check_status(response, self.hub, self.repository, part.file.name)
            self._begin(response)
            while not part.is_complete and (block := response.read(self.hub.settings.block_bytes)):
                if part.n_bytes + len(block) > part.file.size_bytes:
                    self._restart()
                    raise Interrupted(f"{self.hub.host} sends more bytes than it announced")
                part.append(block)
                self.bar.advance(len(block))
        if not part.is_complete:
            raise Interrupted(f"the connection to {self.hub.host} was cut")

    def _begin(self, response: Response) -> None:
        """Check that the bytes to come are those that are missing; else start again with what is sent."""
        part = self.part
        stated = response.headers.get("ETag") or ""
        etag = "" if stated.startswith("W/") else stated
        start, total = _read_extent(response)
        if part.n_bytes and (response.status == 200 or start != part.n_bytes):
            self._restart()
        if start != part.n_bytes:
            raise Interrupted(f"{self.hub.host} sends other bytes than were requested")
        if part.n_bytes and not part.is_identified and etag != part.origin.etag:  # Not every server heeds If-Range.
            self._restart()
            raise Interrupted(f"{self.hub.host} has another file there now")
        if not self.is_size_stated and total >= 0 and part.n_bytes == 0:
            part.file = replace(part.file, size_bytes=total)
        if total != part.file.size_bytes and not (total < 0 <= part.file.size_bytes):
            self._restart()
            raise Interrupted(f"{self.hub.host} announces {total:,} bytes instead of {part.file.size_bytes:,}")
        if part.file.size_bytes < 0:
            raise Interrupted(f"{self.hub.host} does not say how long the file is")
        part.origin = Origin(url=part.origin.url, etag=etag)

    def _restart(self) -> None:
        self.bar.advance(-self.part.n_bytes)
        self.part.restart()

    def _describe_state(self) -> str:
        size = self.part.file.size_bytes
        return f"{self.part.n_bytes / 1e6:.1f} of {size / 1e6:.1f} MB" if size > 0 else ""


def _read_extent(response: Response) -> tuple[int, int]:
    """Return the position of the first byte and the size of the whole file; -1 where it is not stated."""
    if response.status == 206:
        stated = _RANGE.fullmatch((response.headers.get("Content-Range") or "").strip())
        if stated is None:
            return -1, -1
        return int(stated[1]), -1 if stated[3] == "*" else int(stated[3])
    length = response.headers.get("Content-Length") or ""
    return 0, int(length) if length.isdecimal() else -1
