"""Image files from the cells of tables: names, stems, paths of another machine, addresses."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

from headstart.modalities.image import SUFFIXES

_OTHER_ENDINGS = frozenset(
    {".dcm", ".dicom", ".npy", ".nii", ".raw", ".nef", ".cr2", ".dng", ".svg", ".jp2", ".svs", ".ndpi", ".czi", ".mha"}
)
"""Endings of images that are converted before anybody learns from them; the tables still bear them."""
_SCHEME = re.compile(r"^[a-z][a-z0-9+.\-]+://[^/]*/?", re.IGNORECASE)
_LONGEST_CELL = 1024


def parse_cell_path(cell: str) -> PurePosixPath:
    r"""Return what a cell names as a relative path: plain separators, without address, drive and query.

    Examples
    --------
    >>> str(parse_cell_path(r" C:\data\Rust\1.jpg ")), str(parse_cell_path("https://x.org/a%20b/1.jpg?size=2"))
    ('data/Rust/1.jpg', 'a b/1.jpg')
    """
    text = cell.strip()[:_LONGEST_CELL]
    address = _SCHEME.match(text)
    if address:
        text = unquote(re.split(r"[?#]", text[address.end() :])[0])
    text = re.sub(r"^[A-Za-z]:(?=[\\/])", "", text.replace("\0", "")).replace("\\", "/").lstrip("/")
    return PurePosixPath(text)


def fold_file_name(name: str) -> str:
    """Return a name so that spellings which differ in case or in the form of accents are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def has_image_ending(cell: str) -> bool:
    """Return whether a cell ends as image files do.

    Parameters
    ----------
    cell : str
        A file name, path or address.
    """
    return parse_cell_path(cell).suffix.lower() in SUFFIXES | _OTHER_ENDINGS


def are_all_numbers(cells: Sequence[str]) -> bool:
    """Return whether all cells are numbers, which may be anything else as well as names of images.

    Parameters
    ----------
    cells : sequence of str

    Examples
    --------
    >>> are_all_numbers(["17", "", "-1.5"]), are_all_numbers(["17", "17.jpg"])
    (True, False)
    """
    return all(re.fullmatch(r"[-+]?\d+(\.\d+)?", cell.strip()) for cell in cells if cell.strip())


@dataclass(frozen=True)
class ImageIndex:
    """The images of a folder by name and by stem, each folded, and the names of all folders."""

    images: tuple[PurePosixPath, ...]
    by_name: dict[str, list[PurePosixPath]] = field(default_factory=dict)
    by_stem: dict[str, list[PurePosixPath]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    @classmethod
    def from_images(cls, images: Sequence[PurePosixPath]) -> ImageIndex:
        """Return the index of some images."""
        index = cls(tuple(images))
        for image in images:
            index.by_name.setdefault(fold_file_name(image.name), []).append(image)
            index.by_stem.setdefault(fold_file_name(image.stem), []).append(image)
            index.folders.update(map(fold_file_name, image.parts[:-1]))
        return index

    def find_images(self, cell: str, parent: PurePosixPath) -> list[PurePosixPath]:
        """Return the images that a cell of a table in the folder `parent` may mean: none, one, or several.

        A path that is there as it is written is the one. Otherwise the last parts decide: the more folders agree the
        better. An image in another folder than the cell says counts only where no folder has the name that it says.
        """
        written = parse_cell_path(cell)
        if not written.name or written.name == "..":
            return []
        path = _keep_inside(parent, written)
        exact = [image for image in self.by_name.get(fold_file_name(written.name), []) if image == path]
        if exact:
            return exact
        for candidates in self._list_candidates(written):
            nearest = self._select_nearest(candidates, written, parent)
            if nearest:
                return nearest
        return []

    def _list_candidates(self, written: PurePosixPath) -> list[list[PurePosixPath]]:
        name = fold_file_name(written.name)
        name_without_ending = (
            name if written.suffix.lower() not in SUFFIXES | _OTHER_ENDINGS else fold_file_name(written.stem)
        )
        tiers = (self.by_name.get(name), self.by_stem.get(name), self.by_stem.get(name_without_ending))
        return [tier for tier in tiers if tier]

    def _select_nearest(
        self, candidates: Sequence[PurePosixPath], written: PurePosixPath, parent: PurePosixPath
    ) -> list[PurePosixPath]:
        above = [fold_file_name(part) for part in written.parts[:-1] if part not in {"..", "."}]
        agreeing = [
            _count_equal_at_end(above, [fold_file_name(part) for part in image.parts[:-1]]) for image in candidates
        ]
        most = max(agreeing)
        if most < len(above) and above[-1 - most] in self.folders:
            return []
        nearest = [image for image, n in zip(candidates, agreeing, strict=True) if n == most]
        for is_better in (
            lambda image: image.is_relative_to(parent),
            lambda image: image.parent == parent / PurePosixPath(*written.parts[:-1]),
            lambda image: written.name in {image.name, image.stem},
        ):
            nearest = [image for image in nearest if is_better(image)] or nearest
        return nearest


def _count_equal_at_end(first: Sequence[str], second: Sequence[str]) -> int:
    n = 0
    while n < min(len(first), len(second)) and first[-1 - n] == second[-1 - n]:
        n += 1
    return n


def _keep_inside(parent: PurePosixPath, written: PurePosixPath) -> PurePosixPath:
    """Return a listed path relative to the folder; one that leads outside keeps only its name."""
    whole = PurePosixPath(os.path.normpath(parent / written).replace("\\", "/"))
    return parent / written.name if ".." in whole.parts or whole.is_absolute() else whole


def locate_image(cell: str, parent: PurePosixPath) -> PurePosixPath:
    """Return the path that a cell names, never outside of the folder.

    Parameters
    ----------
    cell : str
        A file name, path or address.
    parent : PurePosixPath
        Folder of the table.
    """
    return _keep_inside(parent, parse_cell_path(cell))
