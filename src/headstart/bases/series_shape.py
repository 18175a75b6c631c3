"""What the series encoder looks like, and how many features it gives, as plain numbers: no torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.modalities.record import Spec

LIBRARY = "headstart-series"
ARCHITECTURE: Mapping[str, Any] = {
    "library": LIBRARY,
    "length": 256,
    "patch": 8,
    "width": 128,
    "kernels": 32,
    "dilations": [1, 2, 4, 8],
    "blocks": 3,
    "heads": 4,
    "components": 256,
    "fixed_dilations": [1, 2, 4, 8, 16, 28],
    "fixed_thresholds": [1, 1, 2],
    "read_blocks": 3,
}
"""The shipped one. It looks at `length` steps; longer and shorter series are resampled."""
READ_OUT = ("fixed_dilations", "fixed_thresholds", "read_blocks")
"""Settings of what is read out; a network without them (before 0.3.0) gives all that the stem and the blocks pool.

With them: patches, fixed convolutions of the standardised series, of its change and of its values as they are (with so
many thresholds each), and the mean over patches of the last `read_blocks` blocks.
"""
N_FIXED_KERNELS = 84
RAW_POOLS = 3
"""Mean, maximum and minimum of the values of each patch as they are."""
MOST_DIMS = 1_536
"""Several channels together give at most so many features, besides the facts of each."""
FEWEST_COMPONENTS = 16
"""Where each channel would have fewer, the mean and the largest over channels stand for them."""
N_FACTS = 4
"""Of each channel: level, spread, number of steps (all as logarithms), share of missing values."""


def make_spec(architecture: Mapping[str, Any], n_channels: int) -> Spec:
    """Return the input spec of the network (see `headstart.modalities.series`).

    Parameters
    ----------
    architecture : mapping
        As `ARCHITECTURE`.
    n_channels : int
    """
    return {"length": int(architecture["length"]), "n_channels": n_channels, "gaps": True}


def count_described(architecture: Mapping[str, Any]) -> int:
    """Return the number of features of one channel, without its facts.

    Examples
    --------
    Five values of each of 32 patches, 84 fixed kernels with six dilations and four thresholds, the width of each of
    three blocks:

    >>> count_described(ARCHITECTURE)
    2560

    Before 0.3.0, two values of each of 32 patches, two of each of 128 convolutions, three times the width of each of
    three blocks:

    >>> count_described({name: value for name, value in ARCHITECTURE.items() if name not in READ_OUT})
    1472
    """
    width = int(architecture["width"])
    n_pooled = int(architecture["read_blocks"]) if has_read_out(architecture) else 3 * int(architecture["blocks"])
    return count_first(architecture) + n_pooled * width


def has_read_out(architecture: Mapping[str, Any]) -> bool:
    """Return whether a network reads out as those of 0.3.0 and later do."""
    return "read_blocks" in architecture


def count_first(architecture: Mapping[str, Any]) -> int:
    """Return the number of features of one channel that come from before the blocks."""
    patches = int(architecture["length"]) // int(architecture["patch"])
    if not has_read_out(architecture):
        return 2 * patches + 2 * int(architecture["kernels"]) * len(architecture["dilations"])
    return 2 * patches + sum(count_fixed(architecture)) + RAW_POOLS * patches


def count_fixed(architecture: Mapping[str, Any]) -> list[int]:
    """Return the numbers of features from fixed convolutions: of the series, its change, its values as they are."""
    each = N_FIXED_KERNELS * len(architecture["fixed_dilations"])
    return [each * int(n_thresholds) for n_thresholds in architecture["fixed_thresholds"]]


def count_components_each(components: int, n_channels: int) -> int:
    """Return how many principal components each of several channels keeps; 0 where they are pooled over channels.

    Examples
    --------
    >>> [count_components_each(256, n_channels) for n_channels in (2, 12, 60, 200)]
    [256, 128, 25, 0]
    """
    each = min(components, MOST_DIMS // n_channels)
    return each if each >= min(components, FEWEST_COMPONENTS) else 0


def count_dims(architecture: Mapping[str, Any], n_channels: int) -> int:
    """Return the number of features of a row with `n_channels` channels.

    Parameters
    ----------
    architecture : mapping
        As `ARCHITECTURE`.
    n_channels : int
        At least 1.

    Examples
    --------
    >>> [count_dims(ARCHITECTURE, n_channels) for n_channels in (1, 3, 60, 200)]
    [2564, 780, 1740, 520]
    """
    if n_channels == 1:
        return count_described(architecture) + N_FACTS
    components = int(architecture["components"])
    each = count_components_each(components, n_channels)
    return n_channels * (each + N_FACTS) if each else 2 * (components + N_FACTS)
