"""Base models of the hub: the ones on this machine, and the way to fetch the others (`headstart.bases.downloads`).

`HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`, `HF_ENDPOINT` and `HF_TOKEN` work as in huggingface_hub. Its cache is read
where it holds a complete model, and never written.
"""

from __future__ import annotations

from pathlib import Path

from headstart import progress
from headstart.bases.downloads.connections import is_switched_off
from headstart.bases.downloads.fetching import FetchRequest, plan_fetch, run_fetch
from headstart.bases.downloads.listing import WEIGHTS
from headstart.bases.downloads.storage import (
    StoredBase,
    find_hub_cache,
    find_repository_folder,
    find_stored,
    list_missing_parts,
    list_snapshots,
    read_pin,
)
from headstart.bases.files import read_json_file
from headstart.bases.record import BaseRecord
from headstart.errors import BundleError, DataError, list_offenders

__all__ = [
    "StoredBase",
    "fetch_base",
    "fetch_repository",
    "find_base",
    "list_snapshots",
    "read_licence",
    "require_pinned_weights",
]
_LICENCE_LINES = 60


def fetch_repository(repository: str, offline: bool) -> Path:
    """Return the local folder of a hub repository; downloads what is missing unless `offline`.

    Parameters
    ----------
    repository : str
    offline : bool
        Whether downloads are refused.

    Raises
    ------
    UnknownName
        If the hub has no such repository.
    DataError
        If it is not on this machine and cannot be fetched.
    """
    return fetch_base(FetchRequest(repository=repository, reference=f"hf:{repository}"), offline)


def make_request(record: BaseRecord, mirror: str = "", takes_changes: bool = False) -> FetchRequest:
    """Return what to fetch for a base of the catalogue.

    Parameters
    ----------
    record : BaseRecord
        With a repository.
    mirror : str
        Address of a server laid out as the hub; "" for the hub.
    takes_changes : bool
        Whether what the hub has now replaces what was pinned.
    """
    return FetchRequest(
        repository=record.repository,
        reference=record.name,
        revision=record.revision,
        sha256="" if record.package else record.sha256,  # Of the package's file, which is another one.
        weights_file=record.weights_file,
        files=record.files,
        mirror=mirror,
        takes_changes=takes_changes,
    )


def find_base(request: FetchRequest) -> StoredBase | None:
    """Return a base that is complete on this machine; None where it would have to be fetched.

    Parameters
    ----------
    request : FetchRequest
    """
    try:
        return find_stored(request.repository, request.revision, request.files)
    except DataError:
        return None


def fetch_base(request: FetchRequest, offline: bool) -> Path:
    """Return the local folder of a base; downloads what is missing unless `offline`.

    Parameters
    ----------
    request : FetchRequest
    offline : bool
        Whether downloads are refused.

    Raises
    ------
    UnknownName
        If the hub has no such repository.
    DataError
        If it is not on this machine and cannot be fetched.
    """
    stored = find_stored(request.repository, request.revision, request.files)
    if stored is not None:
        return stored.folder
    if offline or is_switched_off():
        raise _make_offline_error(request)
    plan = plan_fetch(request)
    progress.say(
        f"{request.reference} is fetched once from {plan.hub.host}: {plan.missing_bytes / 1e6:,.0f} MB, licence "
        f"{plan.licence}."
    )
    return run_fetch(plan)


def _make_offline_error(request: FetchRequest) -> DataError:
    """Name the files that are missing, and where they would lie."""
    place = find_repository_folder(request.repository)
    manifest = read_pin(request.repository, request.revision)
    if manifest is not None:
        place = place / manifest.remote.revision
        names = [file.name for file in manifest.list_missing(place)] or [WEIGHTS]
    else:
        names = list(request.files or list_missing_parts(place / (request.revision or "main")))
    return DataError(
        f"The base model '{request.reference}' is not on this machine: {list_offenders(names)} is missing in {place} "
        f"(not in the local cache {find_hub_cache()} either), and nothing may be downloaded.",
        f"Where there is a network: headstart bases fetch {request.reference} --to DIR. Then here: headstart bases add "
        "DIR.",
    )


def require_pinned_weights(folder: Path, repository: str, sha256: str, name: str = WEIGHTS) -> None:
    """Refuse weights that are not the ones that were fetched: a disk may lose sectors.

    Parameters
    ----------
    folder : Path
        Where they lie; only folders of the home have pinned hashes.
    repository : str
    sha256 : str
        Of the weights now; "" where it was not computed.
    name : str
        Of their file.
    """
    if folder.parent != find_repository_folder(repository):
        return
    manifest = read_pin(repository, folder.name)
    pinned = {file.name: file.sha256 for file in manifest.remote.files} if manifest is not None else {}
    if sha256 and pinned.get(name, sha256) != sha256:
        raise BundleError(
            f"{folder / name} is damaged: it is not the file that was fetched (sha256 differs).",
            "Remove this file and run the same command again: it is fetched anew.",
        )


def read_licence(folder: Path) -> str:
    """Return the licence that a model's config or the header of its card states; "" where neither does.

    Parameters
    ----------
    folder : Path
        A model's folder; its config.json is asked first, then the header of README.md.
    """
    config, card = folder / "config.json", folder / "README.md"
    if config.is_file():
        document = read_json_file(config)
        settings = document.get("pretrained_cfg")
        stated = document.get("license") or (settings.get("license") if isinstance(settings, dict) else None)
        if isinstance(stated, str):
            return stated[:100]
    if card.is_file():
        with card.open(encoding="utf-8", errors="replace") as lines:
            for _, line in zip(range(_LICENCE_LINES), lines, strict=False):
                if line.startswith("license:"):
                    return line.split(":", 1)[1].strip()[:100]
    return ""
