"""Tables that list the images of a folder: their columns of images, and why other tables are not used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from headstart.data.columns.names import (
    SPLITS,
    ColumnSpec,
    find_column,
    find_label_columns,
    parse_split_stem,
    parse_split_word,
)
from headstart.data.images.image_labels import find_image_labels
from headstart.data.images.image_names import ImageIndex, are_all_numbers, has_image_ending
from headstart.data.images.image_rules import IMAGE_RULES
from headstart.data.reading.column_roles import ColumnRoles
from headstart.data.reading.own_tables import PREDICTIONS, TO_LABEL, find_own_table_kind
from headstart.data.reading.table_files import READERS, RawTable, read_raw_table
from headstart.data.reading.tree import FolderTree
from headstart.errors import DataError, UnknownName, cut_problem
from headstart.records import Finding
from headstart.results.findings import make_finding

TABLE_SUFFIXES = frozenset(READERS) - {".txt"}
_METADATA_NAME = "metadata"
_LONG_SPLIT_WORDS = frozenset(SPLITS) - {"", "tr", "te", "dev", "set"}


@dataclass(frozen=True)
class ColumnMatch:
    """The images that each row of a table names by one of its columns: none, one, or several."""

    column: str
    images: list[list[PurePosixPath]]
    n_filled: int

    @property
    def listed(self) -> set[PurePosixPath]:
        """The images that a row names beyond doubt."""
        return {images[0] for images in self.images if len(images) == 1}

    @property
    def doubtful(self) -> list[PurePosixPath]:
        """The images of the first row that may mean several."""
        return next((images for images in self.images if len(images) > 1), [])

    @property
    def n_matched(self) -> int:
        """Number of rows that name one image."""
        return sum(len(images) == 1 for images in self.images)


@dataclass(frozen=True, kw_only=True)
class ImageListing:
    """A table that lists images; `parent` is the folder that its paths begin at, `split` what its name says."""

    raw_table: RawTable
    parent: PurePosixPath
    match: ColumnMatch
    roles: ColumnRoles
    split: str = ""

    @property
    def name(self) -> str:
        """Name of the table in messages."""
        return self.raw_table.name


def match_table(raw_table: RawTable, parent: PurePosixPath, index: ImageIndex, spec: ColumnSpec) -> ColumnMatch | None:
    """Return the column whose cells name the most images, or None where no column does.

    Parameters
    ----------
    raw_table : RawTable
    parent : PurePosixPath
        Folder of the table.
    index : ImageIndex
    spec : ColumnSpec
    """
    named = find_column(raw_table.names, "file", spec, f" in {raw_table.name}")
    matches = [
        match
        for name in raw_table.names
        if (match := _match_column(raw_table, name, parent, index))
        and (name == named or _is_enough(match, raw_table, index))
    ]
    return max(matches, key=lambda match: (len(match.listed), match.column == named), default=None)


def _match_column(raw_table: RawTable, name: str, parent: PurePosixPath, index: ImageIndex) -> ColumnMatch | None:
    cells = raw_table.texts(name)
    meant = {cell: index.find_images(cell, parent) for cell in set(cells)}
    if not any(meant.values()):
        return None
    return ColumnMatch(name, [meant[cell] for cell in cells], sum(bool(cell.strip()) for cell in cells))


def _is_enough(match: ColumnMatch, raw_table: RawTable, index: ImageIndex) -> bool:
    """Return whether a column without a usual name names images on purpose; ages may equal stems too."""
    n_images = sum(bool(images) for images in match.images)
    cells = raw_table.texts(match.column)
    if are_all_numbers(cells) and len(set(cells)) < len(cells):
        return False
    return n_images >= IMAGE_RULES.min_matched_share * match.n_filled or len(
        match.listed
    ) >= IMAGE_RULES.min_matched_share * len(index.images)


def lists_images(raw_table: RawTable) -> bool:
    """Return whether a column holds names of image files, whether these exist or not.

    Parameters
    ----------
    raw_table : RawTable
    """
    return any(
        _are_image_files(raw_table.texts(name)[:100])
        for name in raw_table.names
        if raw_table.columns[name].dtype == object
    )


def _are_image_files(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return sum(len(cell) < 1024 and has_image_ending(cell) for cell in filled) > len(filled) / 2


def choose_tables(
    tree: FolderTree, index: ImageIndex, spec: ColumnSpec, has_classes: bool
) -> tuple[list[ImageListing], tuple[Finding, ...]]:
    """Return the tables that list the images of a folder, and findings on other tables there.

    Parameters
    ----------
    tree : FolderTree
    index : ImageIndex
    spec : ColumnSpec
    has_classes : bool
        Whether the folders name the classes.

    Raises
    ------
    UnknownName
        A column that the user named is in no table that lists images.
    """
    files = sorted(tree.list_files(TABLE_SUFFIXES), key=lambda file: (len(file.parts), file.parts))
    examined = [
        _examine_table(tree, file, index, spec=spec, has_classes=has_classes)
        for file in files[: IMAGE_RULES.max_tables]
    ]
    listings = _select_with_labels([item for item in examined if isinstance(item, ImageListing)], spec)
    chosen = _choose_listings(listings)
    findings = [item for item in examined if isinstance(item, Finding)]
    findings += [
        _make_not_used_finding(item.name, _explain_not_used(item, chosen))
        for item in listings
        if all(item is not one for one in chosen)
    ]
    if len(files) > IMAGE_RULES.max_tables:
        reason = f"only the first {IMAGE_RULES.max_tables} tables of a folder are looked at"
        findings.append(
            _make_not_used_finding(
                f"{files[IMAGE_RULES.max_tables]} and {len(files) - IMAGE_RULES.max_tables - 1} more", reason
            )
        )
    return chosen, tuple(findings)


def _examine_table(
    tree: FolderTree, file: PurePosixPath, index: ImageIndex, spec: ColumnSpec, has_classes: bool
) -> ImageListing | Finding | None:
    """Read one table and match it; a finding says why it is of no use."""
    try:
        raw_table = read_raw_table(tree.locate(file), spec.encoding)
    except DataError as error:
        if file.stem.casefold() == _METADATA_NAME:
            raise
        return _make_not_used_finding(str(file), cut_problem(error.problem, tree.locate(file)))
    if find_own_table_kind(raw_table.names) == PREDICTIONS:
        return _make_not_used_finding(str(file), "it holds answers of a model, as Headstart writes them, and no labels")
    match = match_table(raw_table, file.parent, index, spec)
    if match is None:
        return _make_not_used_finding(
            str(file), f"no column names the images (its first cell is '{_read_first_cell(raw_table)}')"
        )
    if not match.listed:
        alternatives = " or ".join(map(str, match.doubtful[:2]))
        cell = next(
            cell for cell, images in zip(raw_table.texts(match.column), match.images, strict=True) if len(images) > 1
        )
        return _make_not_used_finding(
            str(file), f"'{cell}' in its column '{match.column}' may be {alternatives}: write the folder too"
        )
    return make_listing(raw_table, file, match, spec=spec, has_classes=has_classes)


def make_listing(
    raw_table: RawTable, file: PurePosixPath, match: ColumnMatch, spec: ColumnSpec, has_classes: bool
) -> ImageListing:
    """Return a table with the roles of its columns and the split in its name.

    Parameters
    ----------
    raw_table : RawTable
    file : PurePosixPath
        Path of the table relative to the folder of images.
    match : ColumnMatch
        The column that names the images.
    spec : ColumnSpec
    has_classes : bool
        Whether the folders name the classes.
    """
    roles = find_image_labels(raw_table, match.column, spec, has_classes)
    split = next((word for part in (*file.parts[:-1], file.stem) if (word := find_split_word(part))), "")
    return ImageListing(raw_table=raw_table, parent=file.parent, match=match, roles=roles, split=split)


def find_split_word(name: str) -> str:
    """Return the split word in a name; "" where there is none, or where it has several.

    Examples
    --------
    >>> [find_split_word(name) for name in ("train_labels", "ISIC_Test", "train_test_split", "labels")]
    ['train', 'test', '', '']
    """
    words = {word for word in re.split(r"[\W_]+", name.casefold()) if word in _LONG_SPLIT_WORDS}
    kinds = {parse_split_word(word) for word in words}
    last = parse_split_stem(name) or ""
    return str(next(iter(kinds))) if len(kinds) == 1 else "" if kinds else last


def _read_first_cell(raw_table: RawTable) -> str:
    return raw_table.texts(raw_table.names[0])[0][:40] if raw_table.names else ""


def _select_with_labels(listings: list[ImageListing], spec: ColumnSpec) -> list[ImageListing]:
    """Return the tables with the label columns that the user named; an error where none has them."""
    if not spec.labels or not listings:
        return listings
    having = [item for item in listings if _has_labels(item.raw_table, spec)]
    if not having:
        find_label_columns(listings[0].raw_table.names, spec, f" in {listings[0].name}")
    return having


def _has_labels(raw_table: RawTable, spec: ColumnSpec) -> bool:
    try:
        return bool(find_label_columns(raw_table.names, spec, ""))
    except UnknownName:
        return False


def _choose_listings(listings: Sequence[ImageListing]) -> list[ImageListing]:
    """Return the table that lists the most images, or the tables of the splits together, or parts that share none."""
    if not listings:
        return []
    groups = [_join_listings(item, listings) for item in sorted(listings, key=_rank_listing)]
    return max(groups, key=_rank_group)


def _rank_listing(item: ImageListing) -> tuple[bool, bool, int, bool, int, str]:
    has_labels = bool(item.roles.label or item.roles.indicators)
    is_filled = find_own_table_kind(item.raw_table.names) != TO_LABEL
    is_named = item.raw_table.name.casefold().startswith(_METADATA_NAME)
    return (not has_labels, not is_filled, -len(item.match.listed), not is_named, len(item.parent.parts), item.name)


def _rank_group(group: Sequence[ImageListing]) -> tuple[bool, bool, int, int]:
    first = group[0]
    n_listed = len(set().union(*(item.match.listed for item in group)))
    has_labels, is_filled = (not value for value in _rank_listing(first)[:2])
    return (has_labels, is_filled, n_listed, len({item.split for item in group} - {""}))


def _join_listings(first: ImageListing, listings: Sequence[ImageListing]) -> list[ImageListing]:
    """Return a table with those that go on where it ends: other splits, or other images, with labels in one column."""
    group, listed = [first], set(first.match.listed)
    for item in sorted(listings, key=_rank_listing):
        if item is first or not _goes_with(first, item):
            continue
        is_other_split = item.split and first.split and item.split not in {one.split for one in group}
        if is_other_split or listed.isdisjoint(item.match.listed):
            group.append(item)
            listed |= item.match.listed
    return group


def _goes_with(first: ImageListing, other: ImageListing) -> bool:
    return (first.roles.label, first.roles.indicators) == (other.roles.label, other.roles.indicators)


def _explain_not_used(item: ImageListing, chosen: Sequence[ImageListing]) -> str:
    n_listed = len(item.match.listed)
    if not chosen:
        return "it was not asked for"
    best = chosen[0]
    if not _goes_with(best, item):
        has_labels = item.roles.label or item.roles.indicators
        reason = "its labels stand in another column" if has_labels else "it has no label column"
        return f"it lists {n_listed} images, but {reason} (used: {best.name}, {len(best.match.listed)} images)"
    return f"it lists {n_listed} images, some of which {best.name} lists too ({len(best.match.listed)})"


def _make_not_used_finding(name: str, reason: str) -> Finding:
    summary = f"The table {name} was not used: {reason}."
    return make_finding("table-not-used", summary)
