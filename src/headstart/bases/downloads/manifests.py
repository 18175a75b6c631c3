"""What was fetched: the files of a base at one revision with size and SHA-256, as a small JSON file of our own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headstart.bases.downloads.listing import RemoteFile, RemoteRepository, is_file_name, is_repository, is_revision
from headstart.home import read_json, write_json

MANIFEST = "headstart-base.json"
"""In a folder that travels."""
_HASH = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A base as it was fetched, or as it is to be fetched.

    Parameters
    ----------
    reference : str
        What `--base` takes.
    remote : RemoteRepository
        Hashes are pinned here: "" only until a file was fetched for the first time.
    """

    reference: str
    remote: RemoteRepository

    @property
    def is_pinned(self) -> bool:
        """Whether the hash of every file is known."""
        return all(file.sha256 for file in self.remote.files)

    def pin(self, hashes: Mapping[str, str]) -> Manifest:
        """Return it with the SHA-256 of files that were fetched.

        Parameters
        ----------
        hashes : mapping of str to str
            By file name.
        """
        files = tuple(replace(file, sha256=hashes.get(file.name, file.sha256)) for file in self.remote.files)
        return replace(self, remote=replace(self.remote, files=files))

    def list_missing(self, folder: Path) -> list[RemoteFile]:
        """Return the files that do not lie in a folder with their size.

        Parameters
        ----------
        folder : Path
        """
        return [file for file in self.remote.files if not _has_size(folder / file.name, file.size_bytes)]


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.is_file() and (size_bytes < 0 or path.stat().st_size == size_bytes)
    except OSError:
        return False


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all.

    Parameters
    ----------
    path : Path
    manifest : Manifest
    """
    remote = manifest.remote
    files = {
        file.name: {"size": file.size_bytes, "sha256": file.sha256, "blob_id": file.blob_id} for file in remote.files
    }
    document = {
        "format": 1,
        "reference": manifest.reference,
        "repository": remote.repository,
        "revision": remote.revision,
        "licence": remote.licence,
        "files": files,
    }
    write_json(path, document)


def read_manifest(path: Path) -> Manifest | None:
    """Return a manifest; None where there is none, or what lies there is none.

    Parameters
    ----------
    path : Path
        It may come from a stranger: no name in it can lead out of its folder.
    """
    try:
        document = read_json(path)
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("format") != 1:
        return None
    texts = [document.get(name) for name in ("reference", "repository", "revision", "licence")]
    files, names = document.get("files"), [text for text in texts if isinstance(text, str) and _is_short(text)]
    if len(names) != len(texts) or not isinstance(files, dict) or not files:
        return None
    reference, repository, revision, licence = names
    read = [_read_file(name, facts) for name, facts in files.items()]
    entries = tuple(file for file in read if file is not None)
    if not is_repository(repository) or not is_revision(revision) or len(entries) != len(read):
        return None
    remote = RemoteRepository(repository=repository, revision=revision, licence=licence, files=entries)
    return Manifest(reference=reference, remote=remote)


def _is_short(text: str) -> bool:
    """Return whether a text may stand in a message: signs that steer a screen may not."""
    return len(text) <= 300 and text.isprintable()


def _read_file(name: str, facts: Any) -> RemoteFile | None:
    if not is_file_name(name) or not isinstance(facts, dict):
        return None
    size, sha256, blob_id = facts.get("size"), facts.get("sha256"), facts.get("blob_id")
    if type(size) is not int or not all(isinstance(item, str) and _HASH.fullmatch(item) for item in (sha256, blob_id)):
        return None
    return RemoteFile(name=name, size_bytes=size, sha256=str(sha256), blob_id=str(blob_id))
