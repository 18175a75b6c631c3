"""The only room of the house that may open a connection: it fetches a base model's files through huggingface_hub.

Only JSON, text and safetensors files are ever asked for. `HF_HOME`, `HF_HUB_OFFLINE` and `HF_ENDPOINT` work as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from headstart.bases.files import read_json_file
from headstart.errors import DataError, UnknownName

FILES = ["README.md", "*.json", "*.safetensors", "vocab.txt", "merges.txt"]
_LICENCE_LINES = 60


@dataclass(frozen=True)
class Snapshot:
    """A complete model in the local cache of huggingface_hub: its name and its folder."""

    repository: str
    folder: Path


def fetch_repository(repository: str, offline: bool) -> Path:
    """Return the local folder of a hub repository; downloads what is missing unless `offline`.

    Raises
    ------
    UnknownName
        If the hub has no such repository.
    DataError
        If it is not in the local cache and cannot be fetched.
    """
    hub = import_module("huggingface_hub")
    errors = import_module("huggingface_hub.errors")
    try:
        return Path(hub.snapshot_download(repository, allow_patterns=FILES, local_files_only=offline))
    except errors.LocalEntryNotFoundError as error:
        raise DataError(
            f"The base model '{repository}' is not in the local cache ({hub.constants.HF_HUB_CACHE}).",
            "Run the same command once with a network connection, or copy the cache folder from another machine.",
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise UnknownName(f"The hub has no base model '{repository}'.", "Check the name.") from error
    except (OSError, errors.HfHubHTTPError) as error:
        raise DataError(
            f"The base model '{repository}' could not be fetched ({type(error).__name__}).",
            "Check the connection, or use --base default, which needs none.",
        ) from error


def list_snapshots() -> Iterator[Snapshot]:
    """Return the models in the local cache of huggingface_hub, by name; none where it cannot be read."""
    try:
        folder = str(import_module("huggingface_hub.constants").HF_HUB_CACHE)
        repositories = import_module("huggingface_hub").scan_cache_dir(folder).repos if Path(folder).is_dir() else ()
    except (ImportError, OSError, ValueError):
        return
    for repository in sorted(repositories, key=lambda item: str(item.repo_id)):
        current = [revision for revision in repository.revisions if "main" in revision.refs]
        if repository.repo_type == "model" and current:
            yield Snapshot(str(repository.repo_id), Path(current[0].snapshot_path))


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
