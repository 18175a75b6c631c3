"""The tunable numbers of writing a bundle, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BundleSettings:
    """Numbers that decide which forms of a model are written, and what a bundle keeps of its training rows.

    Parameters
    ----------
    min_same_labels, max_difference : float
        What a float form must reach: share (0-1) of rows with the same label, and the largest difference of an output.
    tie_difference : float
        Where all outputs of a row differ by less, another label only means that two classes were equally probable.
    calibration_rows : int
        Rows from which the ranges of 8-bit numbers are found.
    early_weight_share : float
        The layers before this share (0-1) of a network's weights stay float in the second way of 8 bits: they hold
        little and lose most.
    min_quantised_values : int
        Smaller arrays stay as they are: they save nothing, and thresholds and offsets are often among them.
    reference_rows : int
        Training rows of the sample that rows of another place are compared with.
    most_prints, most_differing_bits : int
        Training images whose look is remembered as 256 bits, and in how many of them a near copy may differ.
    most_tested_rows : int
        Test rows whose contents are remembered.
    """

    min_same_labels: float = 0.995
    max_difference: float = 1e-3
    tie_difference: float = 1e-6
    calibration_rows: int = 64
    early_weight_share: float = 0.15
    min_quantised_values: int = 2_000
    reference_rows: int = 500
    most_prints: int = 10_000
    most_differing_bits: int = 16
    most_tested_rows: int = 100_000


SETTINGS = BundleSettings()
