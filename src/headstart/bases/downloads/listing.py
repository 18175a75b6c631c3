"""The files of a repository at one revision, as the hub lists them, and which of them a base model needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any
from urllib.parse import quote

from headstart.bases.downloads.connections import Hub, Interrupted, send_request
from headstart.bases.downloads.refusals import check_status
from headstart.bases.downloads.retrying import Retries
from headstart.errors import DataError, UnknownName

FILES = ("README.md", "*.json", "*.safetensors", "vocab.txt", "merges.txt")
"""The usual files of a base model; they lie in the top folder of a repository."""
KINDS = (*FILES, "*.txt", "*.model")
"""Only such files are ever fetched: none that holds code or pickled objects."""
WEIGHTS, INDEX, SHARDS = "model.safetensors", "model.safetensors.index.json", "model-*.safetensors"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_][\w.+-]{0,150}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
_SHA256, _BLOB = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a repository.

    Parameters
    ----------
    name : str
    size_bytes : int
        -1 where the server does not say.
    sha256 : str
        "" where it is not known before the download.
    blob_id : str
        git's hash of the content; "" where it is not known.
    """

    name: str
    size_bytes: int = -1
    sha256: str = ""
    blob_id: str = ""


@dataclass(frozen=True, kw_only=True)
class RemoteRepository:
    """What a base model needs of a repository, at one revision.

    Parameters
    ----------
    repository, revision : str
    licence : str
        As the repository states it; "" where it does not.
    files : tuple of RemoteFile
    """

    repository: str
    revision: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(max(0, file.size_bytes) for file in self.files)


def is_repository(name: str) -> bool:
    """Return whether a text can be the name of a repository, and with that of a folder.

    Parameters
    ----------
    name : str
    """
    return bool(_REPOSITORY.fullmatch(name)) and ".." not in name and "--" not in name


def is_revision(name: str) -> bool:
    """Return whether a text can be the name of a revision, and with that of a folder.

    Parameters
    ----------
    name : str
    """
    return bool(_REVISION.fullmatch(name)) and ".." not in name


def is_file_name(name: str) -> bool:
    """Return whether a text is the name of a file that may be fetched: of a known kind, in no folder.

    Parameters
    ----------
    name : str
    """
    return bool(_FILE.fullmatch(name)) and any(fnmatch(name, pattern) for pattern in KINDS)


def require_repository_name(repository: str) -> str:
    """Refuse what cannot be the name of a repository; it becomes the name of a folder.

    Parameters
    ----------
    repository : str
    """
    if not is_repository(repository):
        raise UnknownName(f"'{repository[:100]}' is no name of a base model on the hub.", "Give OWNER/NAME.")
    return repository


def list_remote_files(
    hub: Hub, repository: str, revision: str = "main", names: tuple[str, ...] = ()
) -> RemoteRepository:
    """Ask the hub for the files of a repository.

    Parameters
    ----------
    hub : Hub
    repository : str
    revision : str
        A branch, a tag or a commit.
    names : tuple of str
        The files that are needed; the usual ones if empty.

    Raises
    ------
    UnknownName
        There is no such repository.
    DataError
        The hub cannot be reached, refuses, or the repository has no weights in safetensors.
    """
    path = f"{quote(require_repository_name(repository))}/revision/{quote(revision, safe='')}"
    url = f"{hub.endpoint}/api/models/{path}?blobs=true"
    retries = Retries(f"The list of files of '{repository}'", hub.settings.listing_attempts, hub.settings)
    while True:
        try:
            document = _read_document(hub, url, repository)
            break
        except Interrupted as failure:
            retries.wait(failure)
    commit = str(document.get("sha") or "")
    if not is_revision(commit):
        raise _make_foreign_error(hub, repository)
    files = select_files(_read_files(document), names)
    if not any(file.name.endswith(".safetensors") for file in files):
        raise DataError(
            f"'{repository}' has no weights in safetensors, the only form that Headstart loads.",
            "Choose another base: headstart bases lists some.",
        )
    return RemoteRepository(repository=repository, revision=commit, licence=_read_licence(document), files=files)


def _read_document(hub: Hub, url: str, repository: str) -> Mapping[str, Any]:
    """Return the JSON document of a request."""
    with send_request(hub, url, {"Accept": "application/json"}) as response:
        check_status(response, hub, repository)
        content = bytearray()
        while block := response.read(hub.settings.block_bytes):
            content += block
            if len(content) > hub.settings.most_listing_bytes:
                raise _make_foreign_error(hub, repository)
        length = response.headers.get("Content-Length") or ""
    if length.isdecimal() and len(content) < int(length):
        raise Interrupted(f"the connection to {hub.host} was cut")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _make_foreign_error(hub, repository) from error
    if not isinstance(document, dict):
        raise _make_foreign_error(hub, repository)
    return document


def _make_foreign_error(hub: Hub, repository: str) -> DataError:
    return DataError(
        f"{hub.host} does not answer as the hub does when asked for the files of '{repository}'.",
        "Check the address (--mirror, HF_ENDPOINT). A network that asks for a login answers like this, too.",
    )


def _read_files(document: Mapping[str, Any]) -> list[RemoteFile]:
    listed = document.get("siblings")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [_read_file(item) for item in items if isinstance(item.get("rfilename"), str)]


def _read_file(item: Mapping[str, Any]) -> RemoteFile:
    large, size, blob = item.get("lfs"), item.get("size"), item.get("blobId")
    sha256 = str(large.get("sha256") or large.get("oid") or "") if isinstance(large, dict) else ""
    return RemoteFile(
        name=item["rfilename"],
        size_bytes=size if type(size) is int and size >= 0 else -1,
        sha256=sha256 if _SHA256.fullmatch(sha256) else "",
        blob_id=blob if isinstance(blob, str) and _BLOB.fullmatch(blob) and not large else "",
    )


def select_files(files: list[RemoteFile], names: tuple[str, ...] = ()) -> tuple[RemoteFile, ...]:
    """Return the files that a base model needs, small ones first; weights in one form only.

    Parameters
    ----------
    files : list of RemoteFile
    names : tuple of str
        The files that are needed; the usual ones if empty.
    """
    named = {file.name: file for file in files if is_file_name(file.name)}
    weights = WEIGHTS if WEIGHTS in named else SHARDS if INDEX in named else "*.safetensors"
    usual = [pattern if pattern != "*.safetensors" else weights for pattern in FILES]
    needed = [file for file in named.values() if any(fnmatch(file.name, pattern) for pattern in names or usual)]
    return tuple(sorted(needed, key=lambda file: (file.name.endswith(".safetensors"), file.size_bytes, file.name)))


def _read_licence(document: Mapping[str, Any]) -> str:
    card = document.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    return licence[:100] if isinstance(licence, str) and licence.isprintable() else ""
