"""One hostile input: how it is made, which door it goes through, and what may come of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Random = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Healthy things that hostile ones are made from.

    Parameters
    ----------
    bundles : mapping of str to Path
        By name ("image", "text", "classic-text", "series", "tuned-series"), each a bundle.
    bases : mapping of str to Path
        By modality, base models in Headstart's own form.
    rows : mapping of str to Path
        By modality, a few rows to predict.
    data : mapping of str to Path
        By modality, a small labelled set.
    home : Path
        A Headstart home in which they were made.
    """

    bundles: Mapping[str, Path]
    bases: Mapping[str, Path]
    rows: Mapping[str, Path]
    data: Mapping[str, Path]
    home: Path


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line, run in the folder of its input.

    Parameters
    ----------
    arguments : tuple of str
    codes : tuple of int
        Exit codes that are right: 2 (refused in two lines), 0 (nothing of it was dangerous, or rows were set aside).
    quiet : bool
        Whether nothing may stand before the two lines of a refusal.
    home : Path or None
        A Headstart home of its own.
    """

    arguments: tuple[str, ...]
    codes: tuple[int, ...] = (0, 2)
    quiet: bool = False
    home: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to a server of one bundle."""

    bundle: Path
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    method: str = "POST"


Make = Callable[[Path, Seeds, Random], Command | Request]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A hostile input.

    Parameters
    ----------
    name : str
        Permanent, KIND/WHAT: it also seeds the input.
    make : (empty folder, Seeds, seeded generator) -> Command or Request
    """

    name: str
    make: Make

    @property
    def kind(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    def random(self) -> Random:
        """Return the generator of this case: the same each time."""
        return np.random.default_rng(int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "little"))


def copy_bundle(source: Path, folder: Path) -> Path:
    """Copy a bundle to be changed."""
    return Path(shutil.copytree(source, folder / "bundle"))


def read_document(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text("utf-8"))


def write_document(path: Path, document: Any) -> None:
    """Write a JSON file as a stranger may: numbers of any size, NaN."""
    path.write_text(json.dumps(document), "utf-8")


def seal(bundle: Path) -> None:
    """Write a manifest that fits, as whoever changes a bundle on purpose does."""
    path = bundle / "manifest.json"
    manifest = read_document(path)
    files = [item for item in sorted(bundle.rglob("*")) if item.is_file() and item != path and os.access(item, os.R_OK)]
    manifest["sha256"] = {
        item.relative_to(bundle).as_posix(): hashlib.sha256(item.read_bytes()).hexdigest() for item in files
    }
    write_document(path, manifest)


def list_paths(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the path of every value of a JSON document, at most three of each list."""
    if path:
        yield path
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document[:3])
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        yield from list_paths(value, (*path, key))


def put_value(document: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Replace one value of a JSON document."""
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


def take_out(document: Any, path: tuple[str | int, ...]) -> None:
    """Take one value out of a JSON document."""
    for key in path[:-1]:
        document = document[key]
    del document[path[-1]]


ODD_VALUES: Mapping[str, Any] = {
    "null": None, "true": True, "minus-one": -1, "huge": 10**30, "fraction": 0.5, "infinite": float("inf"),
    "not-a-number": float("nan"), "empty-text": "", "long-text": "x" * 100_000, "lines": "a\nb\x1b[31mc",
    "parent": "../outside", "absolute": "/etc/passwd", "empty-list": [], "empty-object": {}, "nested": [[[[[[1]]]]]],
    "object": {"a": {"b": 1}}, "long-list": list(range(10_000)), "text": "seven",
}  # fmt: skip
"""What a value of a JSON document is replaced by."""
