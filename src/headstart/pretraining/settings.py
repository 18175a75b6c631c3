"""The tunable numbers of pretraining a base for series, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PretrainingSettings:
    """Numbers that the shipped weights were trained with.

    Parameters
    ----------
    n_pairs, epoch_pairs, batch_pairs : int
        Pairs of views in all, of an epoch, and of a step.
    learning_rate : float
        Of the whole network.
    projected_dims : int
        Of the embeddings on which the contrastive loss is computed.
    component_series : int
        Series whose features give the principal components that several channels are shortened to.
    threshold_series : int
        Series whose quantiles are the thresholds of the fixed convolutions.
    threshold_scales : float
        Standard deviation of the logarithms of the scales that values "as they are" are drawn with for that.
    series_per_kernel : int
        Series that are drawn from one kernel.
    mixed_share, plain_share : float
        Shares (0-1) of the series that are mixed from several causes, and that have no Gaussian process.
    distracted_share, distraction : float
        So many views (0-1) have another series mixed in, with at most this spread beside their own of 1.
    kernel_ridge : float
        Added to the diagonal of a kernel, as a share of its mean.
    """

    n_pairs: int = 40 * 4_096
    epoch_pairs: int = 4_096
    batch_pairs: int = 128
    learning_rate: float = 2e-3
    projected_dims: int = 128
    component_series: int = 4_096
    threshold_series: int = 256
    threshold_scales: float = 1.0
    series_per_kernel: int = 8
    mixed_share: float = 0.35
    plain_share: float = 0.2
    distracted_share: float = 0.8
    distraction: float = 0.6
    kernel_ridge: float = 1e-4


SETTINGS = PretrainingSettings()
