"""Findings on folders that name the classes: folders within folders, folders of something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from headstart.data.columns.names import fold_column_name
from headstart.data.images.class_folders import FolderLabels
from headstart.errors import list_offenders
from headstart.records import Finding
from headstart.results.findings import make_finding

_HELPER_NAMES = frozenset(
    {
        "mask", "masks", "thumb", "thumbs", "thumbnail", "thumbnails", "annotation", "annotations", "segmentation",
        "segmentations", "groundtruth", "overlay", "overlays", "preview", "previews", "augmented", "heatmaps",
    }
)  # fmt: skip
"""Names, as `key` writes them, of folders that hold no images of a class of their own."""


def find_folder_doubts(folder_labels: Mapping[PurePosixPath, FolderLabels]) -> tuple[Finding, ...]:
    """Return findings on folders whose classes may not be those that the user means.

    Parameters
    ----------
    folder_labels : mapping of path to FolderLabels
        Class and split of every image, as its folders say.
    """
    inner: dict[str, Counter[str]] = {}
    for image, (label, split) in folder_labels.items():
        if label is not None:
            below = image.parts[image.parts.index(label, 0 if split is None else 1) + 1 :]
            inner.setdefault(label, Counter())[below[0] if len(below) > 1 else ""] += 1
    findings = [_find_repeated_folders(inner), _find_uneven_folders(inner), _find_helper_folders([*inner])]
    return tuple(finding for finding in findings if finding is not None)


def _find_repeated_folders(inner: Mapping[str, Counter[str]]) -> Finding | None:
    """Return a finding for folders of one name that lie in most class folders."""
    counts = Counter(name for names in inner.values() for name in names if name)
    names = [name for name, n in counts.items() if n > 1 and 2 * n >= len(inner)]
    holders = [label for label, inner_names in inner.items() if any(name in inner_names for name in names)]
    if not names:
        return None
    summary = (
        f"{len(holders)} of {len(inner)} class folders ({list_offenders(holders)}) hold folders of the same names "
        f"({list_offenders(names)}). The outer folders were read as the classes, with all images below them."
    )
    return make_finding("folders-within-classes", summary)


def _find_uneven_folders(inner: Mapping[str, Counter[str]]) -> Finding | None:
    """Return a finding for a folder of folders that lies beside folders of images."""
    deep = [label for label, names in inner.items() if len(names) > 1 and "" not in names]
    flat = [label for label, names in inner.items() if set(names) == {""}]
    if not deep or not flat:
        return None
    within = list_offenders(sorted(inner[deep[0]]))
    summary = (
        f"The folder '{deep[0]}' holds folders ({within}), and '{flat[0]}' beside it holds images: both were read as "
        "classes."
    )
    return make_finding("folders-within-classes", summary, advice="deep", folder=deep[0])


def _find_helper_folders(labels: Sequence[str]) -> Finding | None:
    helper_labels = [label for label in labels if fold_column_name(label) in _HELPER_NAMES]
    if not helper_labels or len(helper_labels) == len(labels):
        return None
    were = "folder was read as a class" if len(helper_labels) == 1 else "folders were read as classes"
    summary = (
        f"1 {were}: {helper_labels[0]}."
        if len(helper_labels) == 1
        else f"{len(helper_labels)} {were}: {list_offenders(helper_labels)}."
    )
    return make_finding("class-folder", summary)
