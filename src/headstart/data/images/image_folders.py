"""Folders of images: a folder a class, split folders above them, or a table that lists the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from headstart.data.columns.names import ColumnSpec, find_column, parse_split_word
from headstart.data.columns.survey_columns import list_added_columns
from headstart.data.images.class_folders import FolderLabels, are_numbered_parts, read_folder_labels
from headstart.data.images.folder_doubts import find_folder_doubts
from headstart.data.images.image_names import ImageIndex, are_all_numbers, locate_image
from headstart.data.images.image_tables import (
    TABLE_SUFFIXES,
    ColumnMatch,
    ImageListing,
    choose_tables,
    lists_images,
    make_listing,
    match_table,
)
from headstart.data.reading.column_roles import read_labels, read_metadata, read_optional_texts
from headstart.data.reading.own_tables import TO_LABEL, TO_LABEL_COLUMNS, find_own_table_kind
from headstart.data.reading.rows import ParsedRows, join_parsed_rows
from headstart.data.reading.table_files import RawTable
from headstart.data.reading.tree import FolderTree, contains_any, list_tree
from headstart.errors import DataError, list_offenders
from headstart.modalities.image import SUFFIXES
from headstart.records import Finding, SetAside
from headstart.results.findings import make_finding

_NOT_FILLED_IN = "its label is not filled in yet"


def is_image_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> bool:
    """Return whether a table lists images: by their file names, or by the stems of images beside it.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
    spec : ColumnSpec
    """
    if _matches_beside(raw_table, base, spec):
        return True
    # A survey names the photos of its answers, which may lie elsewhere while the answers are here.
    return lists_images(raw_table) and not (spec.texts or list_added_columns(raw_table.names))


def names_images_by_number(raw_table: RawTable, base: Path, spec: ColumnSpec) -> bool:
    """Return whether a table names images beside it by numbers only, which may mean something else.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
    spec : ColumnSpec
    """
    if lists_images(raw_table) or find_column(raw_table.names, "file", spec, "") is not None:
        return False
    index = ImageIndex.from_images(list_tree(base).list_files(SUFFIXES))
    match = match_table(raw_table, PurePosixPath(), index, spec)
    return match is not None and are_all_numbers(raw_table.texts(match.column))


def _matches_beside(raw_table: RawTable, base: Path, spec: ColumnSpec) -> bool:
    if not contains_any(base, SUFFIXES):
        return False
    index = ImageIndex.from_images(list_tree(base).list_files(SUFFIXES))
    return match_table(raw_table, PurePosixPath(), index, spec) is not None


def read_image_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> ParsedRows:
    """Read a table that lists images in its folder or below; else, in the folder above.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
    spec : ColumnSpec
    """
    parent = PurePosixPath()
    if not contains_any(base, SUFFIXES) and contains_any(base.parent, SUFFIXES):
        base, parent = base.parent, PurePosixPath(base.name)
    tree = list_tree(base)
    folder_labels = _read_image_labels(tree)
    index = ImageIndex.from_images(tuple(folder_labels))
    match = match_table(raw_table, parent, index, spec) or _match_by_name(raw_table, spec)
    listing = make_listing(
        raw_table, parent / raw_table.name, match, spec=spec, has_classes=_are_classes(folder_labels)
    )
    return _read_listings(tree, [replace(listing, split="")], folder_labels, spec)


def _match_by_name(raw_table: RawTable, spec: ColumnSpec) -> ColumnMatch:
    """Return the column of file names of a table none of whose files exists."""
    named = find_column(raw_table.names, "file", spec, f" in {raw_table.name}")
    name = named or next((name for name in raw_table.names if lists_images(_select_column(raw_table, name))), None)
    if name is None:
        raise DataError(
            f"{raw_table.name} has no column of file names (columns: {', '.join(raw_table.names[:20])}).",
            "Name it file_name.",
        )
    return ColumnMatch(name, [[] for _ in raw_table.rows], len(raw_table.rows))


def _select_column(raw_table: RawTable, name: str) -> RawTable:
    return replace(raw_table, columns={name: raw_table.columns[name]})


def read_image_folder(tree: FolderTree, spec: ColumnSpec, look_above: bool = True) -> ParsedRows:
    """Read a folder of images; a table that lists them wins over the folders' names.

    Parameters
    ----------
    tree : FolderTree
    spec : ColumnSpec
    look_above : bool
        Whether a table beside the folder counts where none lies in it.
    """
    folder_labels = _read_image_labels(tree)
    has_classes = _are_classes(folder_labels)
    listings, findings = choose_tables(tree, ImageIndex.from_images(tuple(folder_labels)), spec, has_classes)
    if not listings and look_above:
        parsed_above, notes_above = _read_by_table_above(tree, spec, has_classes)
        findings += notes_above
        if parsed_above is not None:
            return join_parsed_rows([parsed_above, _make_empty_rows(*findings, *_find_other_files(tree))])
    if not listings and spec.labels:
        raise DataError(
            f"{tree.root} has no table beside the images, so no column {', '.join(spec.labels)}.",
            "".join(f"{note.summary} " for note in findings[:3])
            + "Leave out --label to take the folders' names, or add metadata.csv with a column file_name.",
        )
    parsed_rows = (
        _read_listings(tree, listings, folder_labels, spec) if listings else _read_by_folder(tree, folder_labels)
    )
    return join_parsed_rows([parsed_rows, _make_empty_rows(*findings, *_find_other_files(tree))])


def _read_by_table_above(
    tree: FolderTree, spec: ColumnSpec, has_classes: bool
) -> tuple[ParsedRows | None, tuple[Finding, ...]]:
    """Read by a table beside the folder; where folders name classes, return a finding only."""
    above = tree.root.absolute().parent
    try:
        files = [PurePosixPath(path.name) for path in above.iterdir() if path.suffix.lower() in TABLE_SUFFIXES]
    except OSError:
        return None, ()
    images = [PurePosixPath(tree.root.absolute().name) / file for file in tree.list_files(SUFFIXES)]
    files = [file for file in files if (above / file).is_file()]
    listings, _ = choose_tables(
        FolderTree(above, tuple(sorted(files))), ImageIndex.from_images(images), spec, has_classes
    )
    if not listings:
        return None, ()
    names = list_offenders([listing.name for listing in listings])
    if has_classes and not spec.labels:
        return None, (_make_above_finding(names, above),)
    if not all(listing.roles.label or listing.roles.indicators for listing in listings):
        return None, ()
    folder_labels = (
        dict.fromkeys(images, FolderLabels())
        if not has_classes
        else dict(zip(images, read_folder_labels(images), strict=True))
    )
    parsed_rows = _read_listings(FolderTree(above, tuple(sorted(images))), listings, folder_labels, spec)
    summary = f"The labels come from {names}, beside the folder {tree.root.name}."
    note = make_finding("table-above", summary, advice="nothing")
    prefix = f"{tree.root.absolute().name}/"
    return replace(
        parsed_rows, ids=[name.removeprefix(prefix) for name in parsed_rows.ids], findings=(*parsed_rows.findings, note)
    ), ()


def _make_above_finding(names: str, above: Path) -> Finding:
    summary = f"The labels are the folders' names; {names} in {above.name or above} lists the images too."
    return make_finding("table-above", summary)


def _make_empty_rows(*findings: Finding) -> ParsedRows:
    return ParsedRows(modality="image", inputs=[], ids=[], findings=findings)


def _find_other_files(tree: FolderTree) -> tuple[Finding, ...]:
    others = [str(file) for file in tree.files if file.suffix.lower() not in SUFFIXES | TABLE_SUFFIXES]
    if not others:
        return ()
    n_others = "1 file that is no image was" if len(others) == 1 else f"{len(others)} files that are no images were"
    summary = f"{n_others} left out (such as {others[-1]})."
    return (make_finding("other-files", summary, advice="nothing"),)


FolderLabelsByImage = Mapping[PurePosixPath, FolderLabels]
"""Class and split by image, as the folders say."""


def _read_image_labels(tree: FolderTree) -> dict[PurePosixPath, FolderLabels]:
    images = tree.list_files(SUFFIXES)
    return dict(zip(images, read_folder_labels(images), strict=True))


def _are_classes(folder_labels: FolderLabelsByImage) -> bool:
    """Return whether folders name the class of each image; one folder, or numbered parts, do not."""
    names = {label for label, _ in folder_labels.values() if label is not None}
    return (
        len(names) > 1
        and all(label is not None for label, _ in folder_labels.values())
        and not are_numbered_parts([*names])
    )


def _read_listings(
    tree: FolderTree, listings: Sequence[ImageListing], folder_labels: FolderLabelsByImage, spec: ColumnSpec
) -> ParsedRows:
    parsed_rows = join_parsed_rows([_read_listing(tree, listing, folder_labels) for listing in listings])
    listed = {image for listing in listings for images in listing.match.images for image in images}
    names = ", ".join(listing.name for listing in listings)
    unlisted = [image.as_posix() for image in folder_labels if image not in listed]
    return join_parsed_rows(
        [parsed_rows, _make_empty_rows(*_find_lost_rows(listings), *_find_unlisted(unlisted, names))]
    )


def _find_unlisted(unlisted: Sequence[str], names: str) -> list[Finding]:
    if not unlisted:
        return []
    are = "1 image is" if len(unlisted) == 1 else f"{len(unlisted)} images are"
    summary = f"{are} not listed in {names} and left out (such as {unlisted[0]})."
    return [make_finding("not-listed", summary, tuple(unlisted))]


def _find_lost_rows(listings: Sequence[ImageListing]) -> list[Finding]:
    """Return findings on rows that name no image, or several."""
    findings = []
    for listing in listings:
        match, cells = listing.match, listing.raw_table.texts(listing.match.column)
        lost = [cell for cell, images in zip(cells, match.images, strict=True) if len(images) != 1]
        if lost and match.n_matched:
            name = "names" if len(lost) == 1 else "name"
            summary = (
                f"{match.n_matched} of {len(cells)} rows of {listing.name} name an image by '{match.column}'; "
                f"{len(lost)} {name} none that is there, or several (such as '{lost[0][:60]}')."
            )
            findings.append(make_finding("rows-without-picture", summary))
    return findings


def _read_listing(tree: FolderTree, listing: ImageListing, folder_labels: FolderLabelsByImage) -> ParsedRows:
    """Read the rows of one table; those that name no single image are set aside."""
    raw_table, roles, match = listing.raw_table, listing.roles, listing.match
    cells = raw_table.texts(match.column)
    reasons = {row: reason for row, cell in enumerate(cells) if (reason := _explain_set_aside(cell, match.images[row]))}
    labels, indicators = read_labels(roles, raw_table.texts)
    is_to_label = find_own_table_kind(raw_table.names) == TO_LABEL
    if is_to_label and labels is not None:
        reasons |= {row: _NOT_FILLED_IN for row, label in enumerate(labels) if not label.strip() and row not in reasons}
    rows = [row for row in range(len(cells)) if row not in reasons]
    files = [(match.images[row] or [locate_image(cells[row], listing.parent)])[0] for row in rows]
    row_labels = [folder_labels.get(file, FolderLabels()) for file in files]
    if labels is None and not indicators and _are_classes(dict(zip(files, row_labels, strict=True))):
        labels = [label or "" for label, _ in row_labels]
    elif labels is not None:
        labels = [labels[row] for row in rows]
    splits = read_optional_texts(raw_table, roles.split)
    splits = [splits[row] for row in rows] if splits is not None else _read_listing_splits(listing, row_labels)
    used = {"file": match.column, **{role: column for role, column in roles.by_role().items() if role != "id"}}
    spare = TO_LABEL_COLUMNS if is_to_label else ()
    metadata = {
        name: values[np.asarray(rows, dtype=np.intp)]
        for name, values in read_metadata(raw_table, [*used.values(), *spare]).items()
    }
    return ParsedRows(
        modality="image",
        inputs=[tree.locate(file) for file in files],
        ids=[file.as_posix() for file in files],
        labels=labels,
        indicators={name: [values[row] for row in rows] for name, values in indicators.items()},
        splits=splits,
        metadata=metadata,
        set_aside=(
            *raw_table.set_aside,
            *(SetAside(f"{raw_table.name}:{raw_table.rows[row]}", reason) for row, reason in reasons.items()),
        ),
        findings=raw_table.findings + roles.findings,
        columns=used,
    )


def _explain_set_aside(cell: str, images: Sequence[PurePosixPath]) -> str | None:
    """Return why a row names no single image; None where it names one, whether it exists or not."""
    if not cell.strip():
        return "the row names no image"
    return f"'{cell}' may be {' or '.join(map(str, images[:2]))}: write the folder too" if len(images) > 1 else None


def _read_listing_splits(listing: ImageListing, row_labels: Sequence[FolderLabels]) -> list[str] | None:
    if listing.split:
        return [listing.split] * len(row_labels)
    if parse_split_word(listing.parent.name) or any(split for _, split in row_labels):
        return [split or listing.parent.name for _, split in row_labels]
    return None


def _read_by_folder(tree: FolderTree, folder_labels: FolderLabelsByImage) -> ParsedRows:
    labelled = any(label is not None for label, _ in folder_labels.values())
    stray = [image for image, (label, _) in folder_labels.items() if labelled and label is None]
    retained = [
        (image, labels_of_image)
        for image, labels_of_image in folder_labels.items()
        if labels_of_image[0] is not None or not labelled
    ]
    return ParsedRows(
        modality="image",
        inputs=[tree.locate(image) for image, _ in retained],
        ids=[image.as_posix() for image, _ in retained],
        labels=[label or "" for _, (label, _) in retained] if labelled else None,
        splits=[split or "" for _, (_, split) in retained],
        set_aside=tuple(SetAside(image.as_posix(), "the image lies in no class folder") for image in stray),
        findings=find_folder_doubts(folder_labels),
    )
