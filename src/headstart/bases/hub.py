"""Fetch a base model's files through huggingface_hub, with its own cache and environment variables.

Only JSON, text and safetensors files are ever asked for. `HF_HOME`, `HF_HUB_OFFLINE` and `HF_ENDPOINT` work as there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from headstart.errors import DataError, UnknownName

FILES = ["README.md", "*.json", "*.safetensors", "vocab.txt", "merges.txt", "*.model"]


def fetch(repository: str, offline: bool) -> Path:
    """Give the local folder of a hub repository; downloads what is missing unless `offline`.

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


def said_by_card(folder: Path) -> Mapping[str, Any]:
    """Read licence and data sets from the header of the model card, as far as it states them."""
    card = folder / "README.md"
    config = folder / "config.json"
    said: dict[str, Any] = {}
    if config.is_file():
        found = json.loads(config.read_text("utf-8"))
        said["licence"] = found.get("license") or found.get("pretrained_cfg", {}).get("license")
    if card.is_file():
        for line in card.read_text("utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:") and not said.get("licence"):
                said["licence"] = line.split(":", 1)[1].strip()
    return said
