"""Convolutions with fixed weights and thresholds, which the series encoder gives as features beside its own blocks.

Kernels of MiniRocket (Dempster et al. 2021, arXiv:2012.08791). There, thresholds come from a user's training series;
here, they are quantiles over the synthetic series, so that a row's features depend on no other row, and the step from
0 to 1 is a slope, which no rounding can flip.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.bases.rocket import TAPS, TRIPLES

SLOPE = 0.4
"""Width of the step from 0 to 1, as a share of the mean size of what the kernel gives."""
_HARD_SIGMOID_WIDTH = 6.0
_GOLDEN = (5**0.5 + 1) / 2


class FixedConvolutions(nn.Module):
    """Share (0-1) of steps at which a convolution is above its threshold.

    Input series (n, time); output (n, dilations * kernels * thresholds). Nothing here is trained.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, dilations: Sequence[int], n_thresholds: int) -> None:
        super().__init__()
        self.dilations, self.n_thresholds = tuple(dilations), n_thresholds
        n_features = len(TRIPLES) * n_thresholds
        self.register_buffer("weight", torch.zeros(len(self.dilations), n_features, 1, TAPS))
        self.register_buffer("bias", torch.zeros(len(self.dilations), n_features))

    def forward(self, series: Tensor) -> Tensor:
        shares = [
            functional.hardsigmoid(convolve(series, self.weight[place], dilation, self.bias[place])).mean(2)
            for place, dilation in enumerate(self.dilations)
        ]
        return torch.cat(shares, 1)

    def fit(self, series: Tensor) -> None:
        """Set the thresholds to quantiles over series (n, time), spread evenly by the golden ratio."""
        kernels = make_kernels()
        n_kernels = len(kernels)
        for place, dilation in enumerate(self.dilations):
            convolved = convolve(series, kernels, dilation).transpose(0, 1).flatten(1)
            width = SLOPE * convolved.abs().mean(1, keepdim=True)
            ordered = convolved.sort(1).values
            number = torch.arange(n_kernels * self.n_thresholds, dtype=torch.float64) + 1
            number = number + place * n_kernels * self.n_thresholds
            quantiles = ((number * _GOLDEN) % 1).reshape(n_kernels, self.n_thresholds)
            thresholds = ordered.gather(1, (quantiles * ordered.shape[1]).long())
            scale = _HARD_SIGMOID_WIDTH / width
            weight = (kernels * scale[:, :, None]).repeat_interleave(self.n_thresholds, 0)
            self.weight[place].copy_(weight)
            self.bias[place].copy_((-thresholds * scale).flatten())


def convolve(series: Tensor, weight: Tensor, dilation: int, bias: Tensor | None = None) -> Tensor:
    """Convolve series (n, time) with kernels (kernels, 1, taps); (n, kernels, time), zero outside."""
    padding = dilation * (TAPS // 2)
    return functional.conv1d(series[:, None], weight, bias, dilation=dilation, padding=padding)


def make_kernels() -> Tensor:
    """Return MiniRocket's kernels (84, 1, 9), each of length 1: three weights of 2, six of -1.

    Examples
    --------
    >>> kernels = make_kernels()
    >>> tuple(kernels.shape), round(float(kernels[0].square().sum()), 5), round(float(kernels.sum().abs()), 5)
    ((84, 1, 9), 1.0, 0.0)
    """
    kernels = torch.full((len(TRIPLES), 1, TAPS), -1.0)
    for row, triple in enumerate(TRIPLES):
        kernels[row, 0, list(triple)] = 2.0
    return kernels / kernels.square().sum(2, keepdim=True).sqrt()
