"""Whether a bundle's files are the ones that were written. Nothing in them is trusted before."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.bundle.file_names import is_regular_file, require_listed_names
from headstart.bundle.records.schema import ListedName, Seed, Sha256, StrictRecord, parse_record, raise_bundle_errors
from headstart.errors import BundleError, list_offenders
from headstart.sealed_folders import hash_file

READABLE_FORMATS = (1, 2, 3)
"""Formats that can be read. Since format 2 there is a portable form (see `headstart.bundle.runtime.session`), named in
config.json. Since format 3 every array has a checksum, and golden rows have what was decided of them."""
MOST_JSON_BYTES = 256_000_000
"""Larger JSON is not read: the largest that is written, the words that a model counts, is a few MB."""
MOST_DIGITS = 19
CONFIG, MANIFEST, STATE, WEIGHTS, BASE = "config.json", "manifest.json", "strategy.json", "model.safetensors", "base"
_ALWAYS: dict[int, tuple[str, ...]] = {1: (STATE, WEIGHTS), 2: (), 3: ()}
"""Files that a bundle of each format has in any case, beside config.json."""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file of a bundle.

    Parameters
    ----------
    path : Path
        At most `MOST_JSON_BYTES` long.

    Raises
    ------
    BundleError
        If it is missing, too large or damaged.
    """
    if not is_regular_file(path):
        raise BundleError(f"{path.parent} is not a bundle: {path.name} is missing.", "Give the folder OUT/bundle.")
    if path.stat().st_size > MOST_JSON_BYTES:
        raise BundleError(f"{path} is too large ({path.stat().st_size / 1e6:,.0f} MB).", "Do not use it.")
    try:
        return parse_json(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is damaged ({error}).", "Copy the bundle again.") from error


def parse_json(content: bytes) -> Any:
    """Return the document in a JSON file (UTF-8); more than 19 digits, NaN and infinity are no numbers in it.

    Raises
    ------
    ValueError, RecursionError
        It is none, or nested without end.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    text = content.decode("utf-8")
    document = json.loads(text, parse_int=_parse_integer, parse_float=_parse_number, parse_constant=_parse_number)
    if "\\u" in text:  # Half characters can be written so; nothing could print them.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def _parse_integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"{text[:MOST_DIGITS]}... is no number that a bundle holds")
    return int(text)


def _parse_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that a bundle holds")
    return number


def verify_files(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of a bundle after checking that every file is the one that was written.

    Parameters
    ----------
    folder : Path
        The bundle's own folder (see `find_bundle`).

    Raises
    ------
    BundleError
        If it is no bundle, of a newer format, incomplete or changed.
    """
    document = read_json(folder / MANIFEST)
    if not isinstance(document, dict) or document.get("format") not in READABLE_FORMATS:
        raise BundleError(f"{folder} has a bundle format that this version does not know.", "Update headstart.")
    listed = document.get("sha256")
    if not isinstance(listed, dict) or not {CONFIG, *_ALWAYS[document["format"]]} <= set(listed):
        raise BundleError(
            f"{folder / MANIFEST} cannot be understood: it does not list the bundle's files.", "Copy the bundle again."
        )
    require_listed_names(folder, MANIFEST, listed)
    with raise_bundle_errors(folder):
        parse_record(ManifestRecord, document, MANIFEST)
    wrong = [
        name
        for name, digest in listed.items()
        if not is_regular_file(folder / name) or hash_file(folder / name) != digest
    ]
    if wrong:
        raise BundleError(
            f"{len(wrong)} files of {folder} are missing or were changed ({list_offenders(wrong)}).",
            "Copy the bundle again.",
        )
    return document


class ManifestRecord(StrictRecord):
    """`manifest.json`: the sha256 (hex) of every other file, what wrote them, and the seed."""

    format: int
    sha256: dict[ListedName, Sha256]
    versions: dict[str, str] = {}
    seed: Seed
