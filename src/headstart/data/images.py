"""Folders of pictures: a folder a class, split folders above them, or a table beside the pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from headstart.data.names import Wanted, pick, split_of
from headstart.data.rows import Draft, join
from headstart.data.sheet_rows import labels_of, optional_texts, rest_of, roles_of
from headstart.data.sheets import READERS, Sheet, read_sheet
from headstart.data.tree import Tree, walk
from headstart.errors import DataError
from headstart.modalities.image import SUFFIXES
from headstart.records import TRAIN, Finding, SetAside

_TABLES = frozenset(READERS) - {".txt"}
_LISTED_BESIDE = "metadata"


def fits(sheet: Sheet, base: Path, wanted: Wanted) -> bool:
    """Whether the sheet lists picture files: most of the names it gives are such."""
    name = pick(sheet.names, "file", wanted, f" in {sheet.name}")
    listed = [value for value in sheet.texts(name)[:100] if value.strip()] if name is not None else []
    return sum(_plain(value).suffix.lower() in SUFFIXES for value in listed) > len(listed) / 2


def read(sheet: Sheet, base: Path, wanted: Wanted) -> Draft:
    """Read a table that lists pictures lying in the same folder or below."""
    tree = walk(base)
    return _read_listed(tree, [(sheet, PurePosixPath())], wanted)


def read_folder(tree: Tree, wanted: Wanted) -> Draft:
    """Read a folder of pictures; a table beside them wins over the folders' names."""
    listings = _listings(tree, wanted)
    if not listings and wanted.labels:
        raise DataError(
            f"{tree.root} has no table beside the pictures, so no column {', '.join(wanted.labels)}.",
            "Leave out --label to take the folders' names, or add metadata.csv with a column file_name.",
        )
    draft = _read_listed(tree, listings, wanted) if listings else _read_by_folder(tree)
    tables = len(listings)
    others = [str(file) for file in tree.files if file.suffix.lower() not in SUFFIXES]
    if len(others) > tables:
        summary = f"{len(others) - tables} files that are no pictures were left out (such as {others[-1]})."
        note = Finding("other-files", "note", (), summary, "Nothing to do.")
        return join([draft, Draft(draft.modality, [], [], findings=(note,))])
    return draft


def _listings(tree: Tree, wanted: Wanted) -> list[tuple[Sheet, PurePosixPath]]:
    """Find the tables beside the pictures: named metadata, or the only one that lists pictures."""
    high = [file for file in tree.with_suffix(_TABLES) if len(file.parts) == 1 or _is_split_folder(file)]
    named = [file for file in high if file.stem.casefold() == _LISTED_BESIDE]
    sheets = [(read_sheet(tree.at(file)), file.parent) for file in named or high]
    listing = [(sheet, parent) for sheet, parent in sheets if fits(sheet, tree.at(parent), wanted)]
    if not named and len(listing) > 1:
        return []
    return listing


def _is_split_folder(file: PurePosixPath) -> bool:
    return len(file.parts) == 2 and split_of(file.parts[0]) is not None


def _read_listed(tree: Tree, listings: Sequence[tuple[Sheet, PurePosixPath]], wanted: Wanted) -> Draft:
    images = tree.with_suffix(SUFFIXES)
    by_folder = dict(zip(images, _places(images), strict=True))
    drafts = [_read_listing(tree, sheet, parent, by_folder, wanted) for sheet, parent in listings]
    draft = join(drafts)
    listed = set(draft.ids) | {item.id for item in draft.set_aside}
    unlisted = [file.as_posix() for file in images if file.as_posix() not in listed]
    if not unlisted:
        return draft
    names = ", ".join(sheet.name for sheet, _ in listings)
    summary = f"{len(unlisted)} pictures are not listed in {names} and were left out (such as {unlisted[0]})."
    note = Finding("not-listed", "warn", tuple(unlisted), summary, "Add them to the table if they belong to the data.")
    return join([draft, Draft("image", [], [], findings=(note,))])


Place = tuple[str | None, str | None]
"""Class and split that a picture's folders say (None: they say nothing)."""


def _read_listing(
    tree: Tree, sheet: Sheet, parent: PurePosixPath, by_folder: Mapping[PurePosixPath, Place], wanted: Wanted
) -> Draft:
    name = pick(sheet.names, "file", wanted, f" in {sheet.name}")
    if name is None:
        raise DataError(
            f"{sheet.name} has no column of file names (columns: {', '.join(sheet.names[:20])}).",
            "Call it file_name.",
        )
    files = _found(tree, parent, sheet.texts(name), list(by_folder))
    places = [by_folder.get(file, (None, None)) for file in files]
    classed = all(label is not None for label, _ in places)
    roles = roles_of(sheet, wanted, [name], classed)
    labels, marks = labels_of(roles, sheet.texts)
    if labels is None and classed:
        labels = [label or "" for label, _ in places]
    splits = optional_texts(sheet, roles.split)
    if splits is None and (split_of(parent.name) or any(split for _, split in places)):
        splits = [split or parent.name for _, split in places]
    used = {"file": name, **{role: column for role, column in roles.named().items() if role != "id"}}
    return Draft(
        modality="image",
        inputs=[tree.at(file) for file in files],
        ids=[file.as_posix() for file in files],
        labels=labels,
        marks=marks,
        splits=splits,
        metadata=rest_of(sheet, used.values()),
        set_aside=sheet.set_aside,
        findings=sheet.findings + roles.findings,
        columns=used,
    )


def _found(
    tree: Tree, parent: PurePosixPath, listed: Sequence[str], images: Sequence[PurePosixPath]
) -> list[PurePosixPath]:
    """Find the listed files: where the table says, else the only picture of that name or stem; never outside."""
    there = set(images)
    once = Counter(name for file in images for name in {file.name, file.stem})
    by_name = {name: file for file in images for name in (file.stem, file.name) if once[name] == 1}
    found = []
    for value in listed:
        named = _inside(tree.root, parent, value)
        close = named if named in there else by_name.get(_plain(value).name, named)
        found.append(close)
    return found


def _inside(root: Path, parent: PurePosixPath, value: str) -> PurePosixPath:
    """Give a listed path relative to the folder; one that leads elsewhere keeps only its name."""
    plain = _plain(value)
    if plain.is_absolute():
        try:
            return PurePosixPath(Path(plain).relative_to(root.absolute()).as_posix())
        except ValueError:
            return parent / plain.name
    normal = PurePosixPath(os.path.normpath(parent / plain).replace("\\", "/"))
    return parent / plain.name if ".." in normal.parts or normal.is_absolute() else normal


def _plain(value: str) -> PurePosixPath:
    return PurePosixPath(value.strip().replace("\\", "/"))


def _read_by_folder(tree: Tree) -> Draft:
    images = tree.with_suffix(SUFFIXES)
    places = _places(images)
    labelled = any(label is not None for label, _ in places)
    stray = [file for file, (label, _) in zip(images, places, strict=True) if labelled and label is None]
    kept = [(file, place) for file, place in zip(images, places, strict=True) if place[0] is not None or not labelled]
    return Draft(
        modality="image",
        inputs=[tree.at(file) for file, _ in kept],
        ids=[file.as_posix() for file, _ in kept],
        labels=[label or "" for _, (label, _) in kept] if labelled else None,
        splits=[split or "" for _, (_, split) in kept],
        set_aside=tuple(SetAside(file.as_posix(), "the picture lies in no class folder") for file in stray),
    )


def _places(images: Sequence[PurePosixPath]) -> list[Place]:
    """Read class and split from the folders: [top]/[split]/class/.../picture."""
    depth = _depth_of_classes(images)
    tops = {file.parts[depth] for file in images if len(file.parts) > depth + 1}
    splits = {name: split_of(name) for name in tops}
    layered = TRAIN in splits.values() and (all(splits.values()) or len({*splits.values()} - {None}) > 1)
    level = depth + 1 if layered else depth
    return [
        (
            file.parts[level] if len(file.parts) > level + 1 and (part or not layered) else None,
            part if layered else None,
        )
        for file in images
        for part in [splits.get(file.parts[min(depth, len(file.parts) - 1)])]
    ]


def _depth_of_classes(images: Sequence[PurePosixPath]) -> int:
    """Step over single folders that only wrap the rest ("leaves/leaves/rust/1.jpg")."""
    depth = 0
    while images and all(len(file.parts) > depth + 2 for file in images):
        tops = {file.parts[depth] for file in images}
        if len(tops) > 1 or split_of(next(iter(tops))) is not None:
            break
        depth += 1
    return depth
