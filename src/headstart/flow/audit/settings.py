"""The tunable numbers of the audit, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """Numbers of the audit: attribute probes, counterfactuals, slices.

    Parameters
    ----------
    probed_rows, few_probed_rows : int
        Test rows on which features are probed: where it was requested, and by default.
    tuned_seconds : float
        Time that must be left to run a model with tuned weights once more on these rows.
    probe_axes, probe_values, word_columns : int
        Principal axes of a probe, most frequent values of a group column, columns that words are hashed into.
    quick_changed_rows, full_changed_rows, min_changed_rows : int
        Rows that are changed by default, with `--audit full`, and at least.
    quick_changed_share, full_changed_share : float
        Largest share (0-1) of the time left that the passes over changed rows may take.
    min_changed_part : int
        A class or group of fewer changed rows is not reported.
    min_slice_rows, max_slice_rows : int
        Independent training rows in which slices are looked for, at least and at most.
    slice_clusters, rows_per_cluster : int
        Numbers of clusters, coarse to fine, as far as each has so many rows on average.
    slice_examples, described_rows : int
        Rows of a slice that are named, and that are described by their properties.
    group_difference : float
        A group is named if its share (0-1) in the slice exceeds that in the other rows by this much.
    property_spreads : float
        A property is named if its median is this many interquartile ranges from that of the other rows.
    """

    probed_rows: int = 600
    few_probed_rows: int = 240
    tuned_seconds: float = 20.0
    probe_axes: int = 192
    probe_values: int = 8
    word_columns: int = 512
    quick_changed_rows: int = 64
    full_changed_rows: int = 512
    min_changed_rows: int = 20
    quick_changed_share: float = 0.1
    full_changed_share: float = 0.5
    min_changed_part: int = 10
    min_slice_rows: int = 100
    max_slice_rows: int = 4_000
    slice_clusters: tuple[int, ...] = (4, 10, 24)
    rows_per_cluster: int = 25
    slice_examples: int = 4
    described_rows: int = 200
    group_difference: float = 0.3
    property_spreads: float = 1.0


SETTINGS = AuditSettings()
