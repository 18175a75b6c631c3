"""Where fetched bases lie: in Headstart's home, or in the cache of huggingface_hub, which is only read.

`bases/hub/OWNER--NAME/` of the home holds `REVISION/` with the files, `REVISION.json` with their hashes, and
`pin.json`, which names the revision that is used until the user asks for another one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headstart.bases.downloads.connections import find_hub_home
from headstart.bases.downloads.listing import INDEX, WEIGHTS, is_revision, require_repository_name
from headstart.bases.downloads.manifests import Manifest, read_manifest, write_manifest
from headstart.bases.files import read_json_file
from headstart.bases.series_bodies import find_layout
from headstart.errors import DataError
from headstart.home import find_home, read_json, write_json

PIN = "pin.json"
_FOLDER = re.compile(r"models--(.+)")


@dataclass(frozen=True)
class StoredBase:
    """A base of the hub that is on this machine: its repository, its folder and its hashes, if they were pinned."""

    repository: str
    folder: Path
    manifest: Manifest | None = None


def find_repository_folder(repository: str) -> Path:
    """Return the folder of a repository in the home, whether or not it is there.

    Parameters
    ----------
    repository : str
    """
    return find_home() / "bases" / "hub" / require_repository_name(repository).replace("/", "--")


def read_pin(repository: str, revision: str = "") -> Manifest | None:
    """Return what was pinned of a repository.

    Parameters
    ----------
    repository : str
    revision : str
        The pinned one if "".
    """
    folder = find_repository_folder(repository)
    if not revision:
        try:
            document = read_json(folder / PIN)
        except (OSError, ValueError):
            return None
        revision = str(document.get("revision")) if isinstance(document, dict) else ""
    manifest = read_manifest(folder / f"{revision}.json") if is_revision(revision) else None
    if manifest is None or manifest.remote.repository != repository or manifest.remote.revision != revision:
        return None
    return manifest


def write_pin(manifest: Manifest, is_default: bool) -> None:
    """Write the hashes of a revision, and if `is_default` that it is the one to use.

    Parameters
    ----------
    manifest : Manifest
    is_default : bool
    """
    folder, revision = find_repository_folder(manifest.remote.repository), manifest.remote.revision
    write_manifest(folder / f"{revision}.json", manifest)
    if is_default:
        write_json(folder / PIN, {"format": 1, "revision": revision})


def find_stored(repository: str, revision: str = "", names: tuple[str, ...] = ()) -> StoredBase | None:
    """Return a complete base of the home, or of the cache of huggingface_hub; None where neither has it.

    Parameters
    ----------
    repository : str
    revision : str
        The pinned one if "", in the cache the one of `main`.
    names : tuple of str
        Files that it must have besides the usual ones.
    """
    manifest = read_pin(repository, revision)
    if manifest is not None and manifest.is_pinned:
        folder = find_repository_folder(repository) / manifest.remote.revision
        if not manifest.list_missing(folder):
            return StoredBase(repository, folder, manifest)
    pinned = manifest.remote.revision if manifest is not None else ""
    snapshot = _find_snapshot(find_hub_cache() / f"models--{repository.replace('/', '--')}", revision or pinned)
    if snapshot is None or not all((snapshot / name).is_file() for name in names):
        return None
    return StoredBase(repository, snapshot)


def list_snapshots() -> Iterator[StoredBase]:
    """Return every complete base of the hub on this machine, by name; none where nothing can be read."""
    repositories = {path.name.replace("--", "/", 1) for path in _list_folders(find_home() / "bases" / "hub")}
    for path in _list_folders(find_hub_cache()):
        if match := _FOLDER.fullmatch(path.name):
            repositories.add(match[1].replace("--", "/", 1))
    for repository in sorted(repositories):
        try:
            stored = find_stored(repository)
        except DataError:
            continue
        if stored is not None:
            yield stored


def _list_folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []


def find_hub_cache() -> Path:
    """Return the folder of the cache of huggingface_hub, whether or not it is there."""
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        return Path(constants.HF_HUB_CACHE)
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(os.path.expandvars(named)).expanduser() if named else find_hub_home() / "hub"


def _find_snapshot(root: Path, revision: str) -> Path | None:
    """Return a complete snapshot of a repository in the cache of huggingface_hub."""
    if not revision:
        try:
            revision = (root / "refs" / "main").read_text("utf-8").strip()
        except (OSError, ValueError):
            return None
    folder = root / "snapshots" / revision
    try:
        return folder if is_revision(revision) and not list_missing_parts(folder) else None
    except (DataError, OSError):
        return None


def list_missing_parts(folder: Path) -> list[str]:
    """Return the names of files that a folder lacks to be a base model: config, weights, tokenizer.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        If its JSON files are damaged.
    """
    missing: list[str] = []
    if (folder / INDEX).is_file() and not (folder / WEIGHTS).is_file():
        shards = read_json_file(folder / INDEX).get("weight_map")
        listed = sorted(set(map(str, shards.values()))) if isinstance(shards, dict) else [WEIGHTS]
        missing += [name for name in listed if not (folder / Path(name).name).is_file()]
    elif not folder.is_dir() or not any(path.is_file() for path in folder.glob("*.safetensors")):
        missing.append(WEIGHTS)
    configs = [path for path in (folder / "config.json", folder / "open_clip_config.json") if path.is_file()]
    if not configs:
        return ["config.json", *missing]
    config = read_json_file(configs[0])
    has_words = config.get("vocab_size") and find_layout(config) is None  # Networks for series may be made like T5.
    if has_words and not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        missing.append("tokenizer.json")
    return missing
