"""Images of more than 8 bits in a table: the one range of values by which all of them are scaled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.data.images.image_rules import IMAGE_RULES
from headstart.data.row_facts import describe_rows
from headstart.modalities import MODALITIES
from headstart.modalities.image_values import FLOAT, INTEGER, find_value_ranges
from headstart.modalities.record import FileFacts
from headstart.records import TEST, Finding, Table
from headstart.results.findings import make_finding

_EIGHT_BIT_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".bmp", ".dib", ".heic", ".heif"})
"""Kinds of files that never have more than 8 bits as they are read here."""
ImageValues = tuple[str, float, float]
"""Kind, smallest and largest value of one image."""


def measure_value_ranges(table: Table) -> dict[str, list[float]]:
    """Return black and white for each kind of values of more than 8 bits in the training images; {} for 8 bits.

    Test rows are not looked at.

    Parameters
    ----------
    table : Table
        Of any modality, with decided splits.
    """
    return find_value_ranges([(kind, (low, high)) for kind, low, high in _measure_training_images(table)])


def describe_depth(table: Table) -> tuple[Finding, ...]:
    """Return findings on images with more than 8 bits: their common scale, and whether most are dark on it.

    Parameters
    ----------
    table : Table
        Of any modality, with decided splits.
    """
    measured, findings = _measure_training_images(table), []
    for kind, (low, high) in find_value_ranges([(kind, (low, high)) for kind, low, high in measured]).items():
        brightest = [value for name, _, value in measured if name == kind]
        used = (float(np.median(brightest)) - low) / max(high - low, 1e-12)
        summary = (
            f"{_count_images(len(brightest), kind)} scaled alike: {low:,.6g} is black and {high:,.6g} is white "
            f"(the brightest values of single images: {min(brightest):,.6g} to {max(brightest):,.6g})."
        )
        if used < IMAGE_RULES.small_range_share:
            summary += f" Half of them use less than {max(0.01, used):.0%} of that range: they are nearly black."
            findings.append(make_finding("value-range", summary, severity="warn"))
        else:
            findings.append(make_finding("value-range", summary, advice="nothing"))
    return tuple(findings)


def _count_images(n_images: int, kind: str) -> str:
    what = {INTEGER: "more than 8 bits", FLOAT: "floats as values"}[kind]
    return f"1 image with {what} is" if n_images == 1 else f"{n_images} images with {what} are"


def _measure_training_images(table: Table) -> list[ImageValues]:
    if not MODALITIES[table.modality].has_pixels:
        return []
    rows = [
        row
        for row, (path, split) in enumerate(zip(table.inputs, table.splits, strict=True))
        if split != TEST and Path(path).suffix.lower() not in _EIGHT_BIT_SUFFIXES
    ]
    step = max(1, len(rows) // IMAGE_RULES.measured_images)
    facts = describe_rows(table.take(np.asarray(rows[::step], dtype=np.intp)))
    return [row.extremes for row in facts if isinstance(row, FileFacts) and row.extremes is not None]
