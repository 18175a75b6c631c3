"""Files below a folder, sorted, without those that computers leave behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from headstart.data.reading.stored_names import read_names
from headstart.plain_files import explain_not_plain
from headstart.records import SetAside

_SYSTEM_FILES = frozenset(("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"))


@dataclass(frozen=True)
class FolderTree:
    """A folder and the files below it, as sorted paths relative to it; pipes and devices are among the files.

    `places` says where files lie that are stored under other names (see `stored_names`).
    """

    root: Path
    files: tuple[PurePosixPath, ...]
    places: Mapping[PurePosixPath, Path] = field(default_factory=dict)

    def locate(self, file: PurePosixPath) -> Path:
        """Return the full path."""
        return self.places.get(file) or self.root / file

    def list_files(self, suffixes: frozenset[str]) -> list[PurePosixPath]:
        """Return the files with certain endings."""
        return [file for file in self.files if file.suffix.lower() in suffixes]

    def split_plain_files(self, suffixes: frozenset[str]) -> tuple[list[PurePosixPath], list[SetAside]]:
        """Return the files of some kinds that can be opened, and with the reason those that are no plain files."""
        files = self.list_files(suffixes)
        reasons = {file: reason for file in files if (reason := explain_not_plain(self.locate(file)))}
        not_plain = [SetAside(file.as_posix(), reason) for file, reason in reasons.items()]
        return [file for file in files if file not in reasons], not_plain


def list_tree(root: Path) -> FolderTree:
    """List the files below a folder; hidden ones and the like are left out, loops of links are not followed.

    Parameters
    ----------
    root : Path
    """
    places = read_names(root)
    files = _walk_files(root) if places is None else (file for file in places if not _is_left_behind(file))
    return FolderTree(root, tuple(sorted(files, key=lambda file: file.parts)), places or {})


def contains_any(root: Path, suffixes: frozenset[str], most: int = 20_000) -> bool:
    """Return whether a file of some kind lies among the first `most` files below a folder.

    Parameters
    ----------
    root : Path
    suffixes : frozenset of str
        Endings in small letters, with the point.
    most : int
        Files looked at.
    """
    files = islice(_walk_files(root), most)
    try:
        return any(file.suffix.lower() in suffixes for file in files)
    except OSError:
        return False


def _walk_files(root: Path) -> Iterator[PurePosixPath]:
    """Yield what is no folder; folders are walked without recursion, so that they may lie deep."""
    pending: list[tuple[PurePosixPath, frozenset[str]]] = [(PurePosixPath(), frozenset())]
    while pending:
        below, above = pending.pop()
        real = os.path.realpath(root / below)
        if real in above:
            continue
        with os.scandir(root / below) as entries:
            for entry in entries:
                if _is_system_name(entry.name):
                    continue
                if _is_folder(entry):
                    pending.append((below / entry.name, above | {real}))
                else:
                    yield below / entry.name


def _is_left_behind(file: PurePosixPath) -> bool:
    return any(map(_is_system_name, file.parts))


def _is_system_name(name: str) -> bool:
    return name.startswith((".", "~$")) or name.casefold() in _SYSTEM_FILES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: a file that cannot be read
        return False
