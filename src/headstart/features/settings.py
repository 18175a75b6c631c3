"""The tunable numbers of feature extraction, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """Numbers that change which runtime computes features, and of which rows.

    Parameters
    ----------
    exact_tolerance, half_tolerance : float
        Largest relative L2 difference from the reference of float32 runtimes, and of those of 16 or 8 bits (bfloat16
        keeps 8 bits of mantissa).
    compare_seconds, compare_share, pass_share : float
        After so many seconds, or this share (0-1) of the limit, no further runtime is compared; the share that the
        pass has in any case.
    runtime_seconds : float
        For which each runtime is timed.
    hurried_seconds, hurried_rows : float, int
        With less time than this for the comparison it takes so few rows, so that more runtimes are tried.
    sample_rows : int
        On which runtimes are compared and costs are forecast.
    unsure_share : float
        Where the pass is forecast to take more than this share of its limit, a busy machine may not reach all rows:
        every class and split then has its share.
    tight_share, chunk_share : float
        Where the pass is forecast to take more than the first share of its limit, a chunk is to take about the second.
    min_chunk_rows, max_chunk_rows, chunk_bytes : int
        Of a chunk of prepared rows.
    shard_rows, shard_bytes, shard_seconds : int, int, float
        Results are written after so many rows of features, bytes of activations, or seconds.
    free_disk_share : float
        Largest share (0-1) of the free disk that one pass may fill.
    min_converted_rows : int
        From so many rows on converting the network for another runtime pays; fewer are sooner done in plain torch.
    released_bytes : int
        From so many bytes of weights on the torch network is freed once it is converted, and built again where it is
        needed: building takes seconds, but two copies of a large vocabulary fill a small machine.
    descriptor_pixels : int
        At which images are decoded for descriptors alone: that of the default base, with which they were learnt.
    """

    exact_tolerance: float = 1e-3
    half_tolerance: float = 3e-2
    compare_seconds: float = 5.0
    compare_share: float = 0.1
    pass_share: float = 0.6
    runtime_seconds: float = 0.2
    hurried_seconds: float = 15.0
    hurried_rows: int = 4
    sample_rows: int = 16
    unsure_share: float = 0.1
    tight_share: float = 0.25
    chunk_share: float = 0.04
    min_chunk_rows: int = 32
    max_chunk_rows: int = 2_048
    chunk_bytes: int = 64 << 20
    shard_rows: int = 1_024
    shard_bytes: int = 64 << 20
    shard_seconds: float = 20.0
    free_disk_share: float = 0.25
    min_converted_rows: int = 1_000
    released_bytes: int = 200 << 20
    descriptor_pixels: int = 256


SETTINGS = FeatureSettings()
