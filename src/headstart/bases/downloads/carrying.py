"""Bases that travel on a stick: written into a folder, and taken from one into the home, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headstart import progress
from headstart.bases.downloads.fetching import explain_disk_errors, hold_folder, require_space
from headstart.bases.downloads.listing import FILES, WEIGHTS, RemoteFile, RemoteRepository, is_file_name
from headstart.bases.downloads.manifests import MANIFEST, Manifest, read_manifest, write_manifest
from headstart.bases.downloads.storage import StoredBase, find_repository_folder, read_pin, write_pin
from headstart.errors import DataError, list_offenders
from headstart.home import clear_place, move_into_place
from headstart.progress import ProgressBar
from headstart.sealed_folders import hash_file

_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class AddedBase:
    """A base that was taken into the home.

    Parameters
    ----------
    reference : str
        What `--base` takes.
    folder : Path
    size_bytes : int
    is_new : bool
        False if it was there already.
    """

    reference: str
    folder: Path
    size_bytes: int
    is_new: bool


def name_travelling_folder(to: Path, reference: str) -> Path:
    """Return the folder of one base inside a folder that travels.

    Parameters
    ----------
    to : Path
    reference : str
    """
    return to / reference.partition(":")[2].replace("/", "--") if ":" in reference else to / reference


def export_stored(stored: StoredBase, reference: str, folder: Path) -> Path:
    """Copy a base that is on this machine into a folder that travels.

    Parameters
    ----------
    stored : StoredBase
    reference : str
        What `--base` takes.
    folder : Path
    """
    manifest = stored.manifest or describe_snapshot(stored, reference)
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise DataError(f"{folder} is there, and is no base that was fetched.", "Name another folder with --to.")
    with explain_disk_errors(folder):
        _copy_checked(manifest, stored.folder, folder)
        write_manifest(folder / MANIFEST, manifest)
    return folder


def describe_snapshot(stored: StoredBase, reference: str) -> Manifest:
    """Return the manifest of a base in the cache of huggingface_hub, with the hashes that its files have now.

    Parameters
    ----------
    stored : StoredBase
    reference : str
    """
    matches = {path for pattern in FILES for path in stored.folder.glob(pattern)}
    paths = sorted(path for path in matches if path.is_file() and is_file_name(path.name))
    files = [RemoteFile(name=path.name, size_bytes=path.stat().st_size, sha256=hash_file(path)) for path in paths]
    remote = RemoteRepository(repository=stored.repository, revision=stored.folder.name, licence="", files=tuple(files))
    return Manifest(reference=reference, remote=remote)


def find_travelling(folder: Path) -> list[Path]:
    """Return the folders of bases in a folder that travels: itself, or those in it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        There is none.
    """
    if (folder / MANIFEST).is_file():
        return [folder]
    inside = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
    if not inside:
        raise DataError(
            f"{folder} holds no base that `headstart bases fetch NAME --to DIR` wrote (no {MANIFEST}).",
            "Give the folder that --to named. A base from elsewhere is used where it lies: --base file:FOLDER.",
        )
    return inside


def add_base(folder: Path, known: Mapping[str, str], takes_changes: bool = False) -> AddedBase:
    """Copy one base from a folder that travels into the home; every hash is checked on the way.

    Parameters
    ----------
    folder : Path
    known : mapping of str to str
        SHA-256 of the weights that Headstart knows, by repository.
    takes_changes : bool
        Whether it may replace what was pinned.

    Raises
    ------
    DataError
        It is incomplete or damaged, or is not what was pinned.
    """
    manifest = read_manifest(folder / MANIFEST)
    if manifest is None:
        raise DataError(f"{folder / MANIFEST} is damaged.", "Write the folder again: headstart bases fetch NAME --to.")
    remote = manifest.remote
    missing = [file.name for file in manifest.list_missing(folder)]
    if missing or not manifest.is_pinned:
        names = list_offenders(missing or [file.name for file in remote.files if not file.sha256])
        raise DataError(
            f"{folder} is not complete: {names}.",
            f"Run again where there is a network: headstart bases fetch {manifest.reference} --to {folder.parent}",
        )
    target = find_repository_folder(remote.repository) / remote.revision
    if not takes_changes:
        _require_pinned_content(manifest, known.get(remote.repository, ""))
    with explain_disk_errors(target.parent), hold_folder(target):
        pinned = read_pin(remote.repository, remote.revision)
        is_new = pinned is None or not pinned.is_pinned or bool(pinned.list_missing(target)) or takes_changes
        if is_new:
            _copy_checked(manifest, folder, target)
        write_pin(manifest, is_default=True)
    return AddedBase(reference=manifest.reference, folder=target, size_bytes=remote.size_bytes, is_new=is_new)


def _require_pinned_content(manifest: Manifest, sha256: str) -> None:
    """Refuse content that differs from what was pinned, or from the weights that the catalogue knows."""
    remote = manifest.remote
    hashes = {file.name: file.sha256 for file in remote.files}
    if sha256 and WEIGHTS in hashes and hashes[WEIGHTS] != sha256:
        raise DataError(
            f"{WEIGHTS} of '{remote.repository}' is not the file that Headstart knows (sha256 differs).",
            "Write the folder again from the hub. To take it on purpose: --base file:FOLDER.",
        )
    accept = "To take what the folder holds instead: headstart bases add DIR --update."
    default = read_pin(remote.repository)
    if default is not None and default.remote.revision != remote.revision:
        raise DataError(
            f"'{remote.repository}' is pinned here to revision {default.remote.revision[:12]}, the folder holds "
            f"{remote.revision[:12]}.",
            accept,
        )
    pinned = read_pin(remote.repository, remote.revision)
    changed = [
        file.name
        for file in (pinned.remote.files if pinned is not None else ())
        if file.sha256 and hashes.get(file.name, file.sha256) != file.sha256
    ]
    if changed:
        raise DataError(
            f"Files of '{remote.repository}' differ from those pinned here at the first fetch: "
            f"{list_offenders(changed)}.",
            accept,
        )


def _copy_checked(manifest: Manifest, source: Path, target: Path) -> None:
    """Copy the files of a manifest into a new folder that takes its name when all hashes are right."""
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        total = manifest.remote.size_bytes
        require_space(partial, total)
        with progress.open_bar(f"Copying {manifest.reference}", total, "bytes") as bar:
            for file in manifest.remote.files:
                digest = _copy_file(source / file.name, partial / file.name, bar)
                if digest != file.sha256:
                    raise DataError(
                        f"{source / file.name} is damaged (sha256 differs); nothing was copied.",
                        "Copy the folder again, or write it again with headstart bases fetch NAME --to DIR.",
                    )
        if target.is_symlink() or target.is_dir():
            clear_place(target)
        move_into_place(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy_file(source: Path, target: Path, bar: ProgressBar) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(_BLOCK):
            digest.update(block)
            writer.write(block)
            bar.advance(len(block))
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()
