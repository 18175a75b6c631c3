"""Uploads: one file a request, written to the disk as it comes, under a name of ours."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from fastapi import Request

from headstart.errors import HeadstartError
from headstart.http.errors import RequestRefused
from headstart.http.uploads import clean_file_name
from headstart.studio.settings import SETTINGS

NAME_HEADER = "x-file-name"
UPLOAD_ENDINGS = ("/files", "/file", "/collected", "/import")
"""Endings of the addresses that take an upload; all others hold what is sent in memory, and take less."""
_LONG_HEADER = 8_192
_MOST_FOLDERS = 8
_BLOCK_BYTES = 1 << 20
_KEPT_SUFFIX = 12


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file that came.

    Parameters
    ----------
    path : Path
        Where it lies; its name is ours but for the ending.
    name : str
        What it was called; to be shown, and no path.
    folders : tuple of str
        The folders in which it lay on the other side, the outermost first; names, no path.
    n_bytes : int
    sha256 : str
        Of its content, in hexadecimal.
    """

    path: Path
    name: str
    folders: tuple[str, ...]
    n_bytes: int
    sha256: str


async def receive_upload(request: Request, folder: Path) -> Upload:
    """Write the body of a request into a folder.

    Parameters
    ----------
    request : Request
        Its header X-File-Name holds the name, percent-encoded, with folders in front where there are any.
    folder : Path
        Made if need be.

    Raises
    ------
    RequestRefused
        The disk has no room for it.
    """
    name, folders = read_upload_name(request.headers.get(NAME_HEADER, ""))
    folder.mkdir(parents=True, exist_ok=True)
    length = request.headers.get("content-length", "0")
    _require_room(folder, int(length) if length.isdecimal() else 0)
    path = folder / f"{uuid.uuid4().hex}{_find_suffix(name)}"
    partial = path.with_name(f".{path.name}.partial")
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with partial.open("xb") as file:
            block = bytearray()
            async for piece in request.stream():
                block += piece
                if len(block) >= _BLOCK_BYTES:
                    n_bytes += await asyncio.to_thread(_write_block, file, digest, bytes(block))
                    block.clear()
            n_bytes += await asyncio.to_thread(_write_block, file, digest, bytes(block))
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return Upload(path=path, name=name, folders=folders, n_bytes=n_bytes, sha256=digest.hexdigest())


def _write_block(file: BinaryIO, digest: hashlib._Hash, block: bytes) -> int:
    _require_room(Path(file.name).parent, len(block))  # Many come at once, and some do not say how much they are.
    file.write(block)
    digest.update(block)
    return len(block)


def _require_room(folder: Path, n_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < n_bytes + SETTINGS.spare_bytes:
        raise RequestRefused(
            507, f"The disk has {free_bytes / 1e6:,.0f} MB free, and the file takes {n_bytes / 1e6:,.0f} MB.",
            "Free some space, or move the projects to another disk (Settings).", {"Connection": "close"},
        )  # fmt: skip


def read_upload_name(header: str) -> tuple[str, tuple[str, ...]]:
    r"""Return the name of an upload and the folders it lay in: names that can be shown, and no path.

    Parameters
    ----------
    header : str
        Percent-encoded.

    Examples
    --------
    >>> read_upload_name("leaves%2Frust%2Fimg%201.jpg"), read_upload_name("..%2F..%5C..%2Fetc%2Fpasswd")
    (('img 1.jpg', ('leaves', 'rust')), ('passwd', ('etc',)))
    """
    parts = unquote(header[:_LONG_HEADER], errors="replace").replace("\\", "/").split("/")
    clean = [clean_file_name(part, "") for part in parts]
    folders = [part for part in clean[:-1] if part]
    return clean[-1] or "file", tuple(folders[-_MOST_FOLDERS:])


def _find_suffix(name: str) -> str:
    r"""Return the ending of a file's name where it is a plain one: readers go by it.

    Examples
    --------
    >>> _find_suffix("img.JPG"), _find_suffix("a.b/c"), _find_suffix("noend")
    ('.jpg', '', '')
    """
    suffix = Path(name).suffix.lower()
    plain = suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= _KEPT_SUFFIX
    return suffix if plain else ""


def rename_file(error: HeadstartError, path: Path, name: str) -> HeadstartError:
    """Return an error that calls a file by the name that people know, not by ours.

    Parameters
    ----------
    error : HeadstartError
    path : Path
        Where the file lies.
    name : str
    """
    texts = [text.replace(str(path), name).replace(path.name, name) for text in (error.problem, error.hint)]
    return HeadstartError(*texts)
