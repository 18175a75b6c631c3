"""Numbers that decide how folders and tables of images are read: one record, so that each stands once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ImageRules:
    """Thresholds for reading images.

    Parameters
    ----------
    max_tables : int
        Tables of a folder that are read, those nearest to its top first.
    min_matched_share : float
        Share of the filled cells of a column that must name images, or of the images that it must name.
    measured_images : int
        Images of more than 8 bits that are decoded to find their range of values, evenly spread over the rows.
    small_range_share : float
        Half of the images using less than this share of the range are nearly black.
    """

    max_tables: int = 50
    min_matched_share: float = 0.5
    measured_images: int = 1_000
    small_range_share: float = 0.05


IMAGE_RULES = ImageRules()
