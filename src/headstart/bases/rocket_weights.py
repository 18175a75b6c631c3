"""Whether the arrays of MiniRocket fit each other and the series: its compiled code reads memory without looking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headstart.bases.architectures import HINT
from headstart.bases.record import Array
from headstart.bases.rocket import SETTINGS, TAPS, TRIPLES
from headstart.errors import DataError

N_KERNELS, MOST_FEATURES = len(TRIPLES), 1_000_000
_WHOLE = ("channels_per_combination", "channel_indices", "dilations", "features_per_dilation")


def check_rocket_weights(weights: Mapping[str, Array], spec: Mapping[str, Any], place: object) -> None:
    """Refuse arrays that would be read outside of their bounds.

    Parameters
    ----------
    weights : mapping of str to array
        As `headstart.bases.rocket.fit_rocket` gives them.
    spec : mapping
        `length` and `n_channels` of the series.
    place : object
        Where they came from, for the error.

    Raises
    ------
    DataError
    """
    missing = [name for name in (*_WHOLE, "biases") if name not in weights]
    if missing or not all(weights[name].ndim == 1 and weights[name].size for name in (*_WHOLE, "biases")):
        raise DataError(f"{place} lacks arrays of MiniRocket, or they have the wrong shape.", HINT)
    per_kernel, channels, dilations, features = (weights[name] for name in _WHOLE)
    biases, n_channels, length = weights["biases"], int(spec["n_channels"]), int(spec["length"])
    whole = all(weights[name].dtype.kind in "iu" for name in _WHOLE) and biases.dtype.kind == "f"
    fits = (
        whole
        and len(features) == len(dilations)
        and len(per_kernel) == N_KERNELS * len(dilations)
        and int(features.min()) >= 1
        and int(features.max()) <= MOST_FEATURES
        and len(biases) == N_KERNELS * int(features.sum(dtype=np.int64)) <= MOST_FEATURES
        and int(per_kernel.min()) >= 1
        and int(per_kernel.max()) <= min(n_channels, SETTINGS.max_channels)
        and int(per_kernel.sum(dtype=np.int64)) == len(channels)
        and int(channels.min()) >= 0
        and int(channels.max()) < n_channels
        and int(dilations.min()) >= 1
        and (TAPS - 1) * int(dilations.max()) < max(length, TAPS)
    )
    if not fits:
        raise DataError(f"{place} has arrays of MiniRocket that do not fit each other or its series.", HINT)
