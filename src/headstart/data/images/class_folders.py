"""Class and split of files from the names of their folders, decided by how the folders lie."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from headstart.data.columns.names import parse_split_word
from headstart.records import TRAIN


class FolderLabels(NamedTuple):
    """Class and split word of a file by its folders; None where they name none."""

    label: str | None = None
    split: str | None = None


_SHORT_WORDS = frozenset({"tr", "te", "dev", "val", "eval", "set"})
"""Split words that are codes of languages, names or other things as well."""


def read_folder_labels(files: Sequence[PurePosixPath]) -> list[FolderLabels]:
    """Return class and split of files from their folders: [top]/[split]/class/.../file.

    Parameters
    ----------
    files : sequence of PurePosixPath
        Paths relative to the folder of data.

    Examples
    --------
    >>> read_folder_labels([PurePosixPath("tr/1.png"), PurePosixPath("te/2.png")])
    [FolderLabels(label='tr', split=None), FolderLabels(label='te', split=None)]
    >>> read_folder_labels([PurePosixPath("tr/rust/1.png"), PurePosixPath("te/rust/2.png")])
    [FolderLabels(label='rust', split='tr'), FolderLabels(label='rust', split='te')]
    """
    depth = _find_class_depth(files)
    tops = [file.parts[depth] if len(file.parts) > depth + 1 else None for file in files]
    splits = _find_split_folders(files, tops, depth)
    level = depth + 1 if splits else depth
    return [
        FolderLabels(
            file.parts[level] if len(file.parts) > level + 1 and (top in splits or not splits) else None,
            top if top in splits else None,
        )
        for file, top in zip(files, tops, strict=True)
    ]


def are_numbered_parts(names: Sequence[str]) -> bool:
    """Return whether folders are parts of one collection: one name with different numbers, so no classes.

    Parameters
    ----------
    names : sequence of str
        Names of folders.

    Examples
    --------
    >>> are_numbered_parts(["images_part_1", "images_part_2"]), are_numbered_parts(["0", "1"])
    (True, False)
    >>> are_numbered_parts(["grade1", "grade2"])
    False
    """
    stems = {re.sub(r"[\s_.\-]*\d+$", "", name).casefold() for name in names}
    named = stems and re.search(_PART_NAMES, next(iter(stems)))
    return len(set(names)) > 1 and len(stems) == 1 and named is not None


_PART_NAMES = r"(part|parts|images?|imgs?|img|photos?|pictures?|pics|batch|chunk|folder|shard|volume|vol|disk|archive)$"


def _find_split_folders(files: Sequence[PurePosixPath], tops: Sequence[str | None], depth: int) -> frozenset[str]:
    """Return the folders that are splits: two of the split family stand together, and their content fits that."""
    names = {top for top in tops if top is not None}
    splits = {name: parse_split_word(name) for name in names if parse_split_word(name)}
    are_all = len(splits) == len(names)
    if TRAIN not in splits.values() or not (are_all or len(set(splits.values())) > 1):
        return frozenset()
    nested = Counter(len(file.parts) > depth + 2 for file, top in zip(files, tops, strict=True) if top in splits)
    short = any(name.strip().casefold() in _SHORT_WORDS for name in splits if parse_split_word(name) == TRAIN)
    if nested[True] > nested[False]:
        return frozenset(splits) if are_all or not short else frozenset()
    return frozenset(splits) if are_all and not short else frozenset()


def _find_class_depth(files: Sequence[PurePosixPath]) -> int:
    """Return the depth of the class folders, below single folders that wrap the rest ("a/a/rust/1.jpg")."""
    depth = 0
    while files and all(len(file.parts) > depth + 2 for file in files):
        tops = {file.parts[depth] for file in files}
        if len(tops) > 1 or parse_split_word(next(iter(tops))) is not None:
            break
        depth += 1
    return depth
