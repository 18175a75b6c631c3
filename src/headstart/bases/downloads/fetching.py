"""Fetch a whole base: what it would cost, then file by file, into the home or into a folder that travels.

The hashes of the first fetch are pinned; later fetches of the revision must bring the same bytes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from headstart import progress
from headstart.bases.downloads import settings
from headstart.bases.downloads.connections import Hub, is_switched_off, open_hub
from headstart.bases.downloads.listing import WEIGHTS, RemoteFile, RemoteRepository, list_remote_files
from headstart.bases.downloads.manifests import MANIFEST, Manifest, read_manifest, write_manifest
from headstart.bases.downloads.storage import find_repository_folder, read_pin, write_pin
from headstart.bases.downloads.transfer import fetch_file
from headstart.disk_errors import explain_disk_error
from headstart.errors import DataError
from headstart.file_locks import lock_file
from headstart.home import lock_path, remove_leftovers
from headstart.sealed_folders import hash_file

_SPARE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """Which base to fetch, from where.

    Parameters
    ----------
    repository : str
    reference : str
        What `--base` takes, for messages.
    revision : str
        The one to take; "" for the one that was pinned, else the newest.
    sha256 : str
        Of the weights, where it is known; "" else.
    weights_file : str
        Name of the file of the weights.
    files : tuple of str
        Names of the files that are needed; the usual ones if empty.
    mirror : str
        Address of a server laid out as the hub; "" for the hub.
    takes_changes : bool
        Whether what the hub has now replaces what was pinned.
    """

    repository: str
    reference: str
    revision: str = ""
    sha256: str = ""
    weights_file: str = WEIGHTS
    files: tuple[str, ...] = ()
    mirror: str = ""
    takes_changes: bool = False


@dataclass(frozen=True, kw_only=True)
class FetchPlan:
    """What a fetch will do, before it does.

    Parameters
    ----------
    request : FetchRequest
    hub : Hub
    manifest : Manifest
    folder : Path
        Where the files will lie.
    missing_bytes : int
        To come; parts of files that came before are counted as missing.
    """

    request: FetchRequest
    hub: Hub
    manifest: Manifest
    folder: Path
    missing_bytes: int

    @property
    def licence(self) -> str:
        """Of the weights, as the repository states it."""
        return self.manifest.remote.licence or "unknown"

    @property
    def missing(self) -> list[RemoteFile]:
        """Files that are to come; the size of one is -1 where the server does not say it."""
        return self.manifest.list_missing(self.folder)


def plan_fetch(request: FetchRequest, folder: Path | None = None) -> FetchPlan:
    """Return what a fetch will do; the hub is asked for the list of files unless it was pinned.

    Parameters
    ----------
    request : FetchRequest
    folder : Path or None
        The folder that gets the files; the home's if None.

    Raises
    ------
    DataError, UnknownName, OptionError
        The hub does not give the list, or its weights are not those that are known; or nothing may be downloaded.
    """
    if is_switched_off():
        raise DataError(
            f"'{request.reference}' would have to be downloaded, and HF_HUB_OFFLINE is set.",
            "Unset this environment variable, or bring the base on a stick: headstart bases fetch NAME --to DIR.",
        )
    hub = open_hub(request.mirror)
    manifest = None if request.takes_changes else _read_pinned(request, folder)
    if manifest is None:
        remote = list_remote_files(hub, request.repository, request.revision or "main", request.files)
        # A repository that was renamed keeps the name that the user knows.
        manifest = Manifest(reference=request.reference, remote=replace(remote, repository=request.repository))
    manifest = replace(manifest, remote=_require_known_weights(manifest.remote, request))
    place = folder or find_repository_folder(request.repository) / manifest.remote.revision
    n_bytes = sum(max(0, file.size_bytes) for file in manifest.list_missing(place))
    return FetchPlan(request=request, hub=hub, manifest=manifest, folder=place, missing_bytes=n_bytes)


def _read_pinned(request: FetchRequest, folder: Path | None) -> Manifest | None:
    pinned = read_pin(request.repository, request.revision)
    if pinned is None and folder is not None:
        pinned = read_manifest(folder / MANIFEST)  # An earlier attempt into the same folder.
        if pinned is not None and pinned.remote.repository != request.repository:
            raise DataError(
                f"{folder} holds another base ({pinned.remote.repository}).", "Name another folder with --to."
            )
    return pinned


def _require_known_weights(remote: RemoteRepository, request: FetchRequest) -> RemoteRepository:
    """Return the files with the hash of the weights that the catalogue knows; refuse another one."""
    weights = next((file for file in remote.files if file.name == request.weights_file), None)
    if not request.sha256 or weights is None:
        return remote
    if weights.sha256 not in ("", request.sha256):
        raise DataError(
            f"{weights.name} of '{remote.repository}' is not the file that Headstart knows (sha256 "
            f"{weights.sha256[:12]}... instead of {request.sha256[:12]}...).",
            f"Try without --mirror. To take the changed file on purpose: --base hf:{remote.repository}.",
        )
    known = replace(weights, sha256=request.sha256)
    return replace(remote, files=tuple(known if file is weights else file for file in remote.files))


def run_fetch(plan: FetchPlan) -> Path:
    """Fetch the files of a plan, and return their folder; what is there already is not fetched again.

    Parameters
    ----------
    plan : FetchPlan

    Raises
    ------
    DataError
        A file cannot be fetched, or is not what was announced or pinned.
    HeadstartError
        The disk is full, or may not be written to.
    """
    travels = plan.folder.parent != find_repository_folder(plan.request.repository)
    with explain_disk_errors(plan.folder), hold_folder(plan.folder):
        began = time.monotonic()
        _write(plan, plan.manifest, travels, is_whole=False)
        missing = _list_files_to_fetch(plan)
        n_bytes = sum(max(0, file.size_bytes) for file in missing)
        require_space(plan.folder, n_bytes)
        hashes: dict[str, str] = {}
        with progress.open_bar(f"Fetching {plan.request.reference}", n_bytes, "bytes") as bar:
            for file in missing:
                hashes[file.name] = fetch_file(
                    plan.hub,
                    plan.request.repository,
                    plan.manifest.remote.revision,
                    file=file,
                    target=plan.folder / file.name,
                    bar=bar,
                )
        before = [file.name for file in plan.manifest.remote.files if not file.sha256 and file.name not in hashes]
        hashes |= {name: hash_file(plan.folder / name) for name in before}  # An earlier attempt checked these.
        _write(plan, plan.manifest.pin(hashes), travels, is_whole=True)
        for pattern in (".*.part", ".*.journal", ".*.partial"):
            remove_leftovers(plan.folder, pattern, idle_seconds=0.0)
    seconds = time.monotonic() - began
    progress.say(f"Fetched {plan.request.reference}: {n_bytes / 1e6:,.1f} MB in {seconds:,.0f} s.")
    return plan.folder


def _list_files_to_fetch(plan: FetchPlan) -> list[RemoteFile]:
    """Return the files that are not there; where changes are taken, also those that may have changed."""
    missing = plan.manifest.list_missing(plan.folder)
    if not plan.request.takes_changes:
        return missing
    return [
        file
        for file in plan.manifest.remote.files
        if file in missing or not file.sha256 or hash_file(plan.folder / file.name) != file.sha256
    ]


def _write(plan: FetchPlan, manifest: Manifest, travels: bool, is_whole: bool) -> None:
    """Write what is fetched; what was pinned before is used until the new revision is whole."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    if travels:
        write_manifest(plan.folder / MANIFEST, manifest)
    else:
        is_first = read_pin(plan.request.repository) is None
        write_pin(manifest, is_default=not plan.request.revision and (is_first or is_whole))


def require_space(folder: Path, n_bytes: int) -> None:
    """Refuse to begin where the disk has too little room.

    Parameters
    ----------
    folder : Path
    n_bytes : int
        To be written.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes + _SPARE_BYTES > free:
        raise DataError(
            f"{n_bytes / 1e6:,.0f} MB are needed in {folder}, {free / 1e6:,.0f} MB are free.",
            "Make room, or set HEADSTART_HOME to a folder on another disk (--to takes one, too).",
        )


@contextmanager
def explain_disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full disk and a missing permission into errors of two lines.

    Parameters
    ----------
    folder : Path
        What is written to.
    """
    try:
        yield
    except OSError as error:
        known = explain_disk_error(error, [folder])
        if known is None:
            raise
        raise known from error


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Wait while another process fetches or copies into the same folder.

    Parameters
    ----------
    folder : Path
    """
    lock = lock_path(folder)
    with lock_file(lock) as acquired:
        if acquired:
            yield
            return
    progress.say(f"Another process is writing to {folder}: waiting for it.")
    with lock_file(lock, wait_seconds=settings.SETTINGS.lock_seconds) as acquired:
        if not acquired:
            raise DataError(f"Another process is still writing to {folder}.", "Wait until it is done.")
        yield
