"""Whether a bundle's files are the ones that were written. Nothing in them is trusted before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import BundleError, offenders

KNOWN = (1, 2)
"""Formats that can be read. Format 2 has a portable form (see `headstart.bundle.portable`), named in config.json."""
MOST_JSON_BYTES = 256_000_000
"""Larger JSON is not read: the largest that is written, the words that a model counts, is a few MB."""
CONFIG, MANIFEST, STATE, WEIGHTS, BASE = "config.json", "manifest.json", "strategy.json", "model.safetensors", "base"
_ALWAYS: dict[int, tuple[str, ...]] = {1: (STATE, WEIGHTS), 2: ()}
"""Files that a bundle of each format has in any case, beside config.json."""


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file (hex)."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file of a bundle.

    Raises
    ------
    BundleError
        If it is missing, too large or damaged.
    """
    if not path.is_file():
        raise BundleError(f"{path.parent} is no bundle: {path.name} is missing.", "Give the folder OUT/bundle.")
    if path.stat().st_size > MOST_JSON_BYTES:
        raise BundleError(f"{path} is too large ({path.stat().st_size / 1e6:,.0f} MB).", "Do not use it.")
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is damaged ({error}).", "Copy the bundle again.") from error


def verify(folder: Path) -> Mapping[str, Any]:
    """Check that every file of a bundle is the one that was written; gives the manifest.

    Raises
    ------
    BundleError
        If it is no bundle, of a newer format, incomplete or changed.
    """
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") not in KNOWN:
        raise BundleError(f"{folder} has a bundle format that this version does not know.", "Update headstart.")
    listed = manifest.get("sha256")
    if not isinstance(listed, dict) or not {CONFIG, *_ALWAYS[manifest["format"]]} <= set(listed):
        raise BundleError(
            f"{folder / MANIFEST} cannot be understood: it does not list the bundle's files.", "Copy the bundle again."
        )
    outside = [str(name) for name in listed if not _is_inside(folder, str(name))]
    if outside:
        raise BundleError(
            f"{folder / MANIFEST} names {len(outside)} files outside of the bundle ({offenders(outside)}).",
            "Do not use it: no version of headstart writes such a bundle.",
        )
    wrong = [
        name for name, digest in listed.items() if not (folder / name).is_file() or sha256(folder / name) != digest
    ]
    if wrong:
        raise BundleError(
            f"{len(wrong)} files of {folder} are missing or were changed ({offenders(wrong)}).",
            "Copy the bundle again.",
        )
    return manifest


def _is_inside(folder: Path, name: str) -> bool:
    try:
        (folder / name).is_file()
        return folder.resolve() in (folder / name).resolve().parents
    except (OSError, RuntimeError, ValueError):  # Links in a circle, names that no file can have.
        return False
