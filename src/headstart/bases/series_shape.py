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
}
"""The shipped one. It looks at `length` steps; longer and shorter series are resampled."""
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
    Two values of each of 32 patches, two of each of 128 convolutions, three times the width of each of three blocks:

    >>> count_described(ARCHITECTURE)
    1472
    """
    patches = int(architecture["length"]) // int(architecture["patch"])
    convolutions = int(architecture["kernels"]) * len(architecture["dilations"])
    return 2 * patches + 2 * convolutions + 3 * int(architecture["width"]) * int(architecture["blocks"])


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
    [1476, 780, 1740, 520]
    """
    if n_channels == 1:
        return count_described(architecture) + N_FACTS
    components = int(architecture["components"])
    each = count_components_each(components, n_channels)
    return n_channels * (each + N_FACTS) if each else 2 * (components + N_FACTS)
