"""Series: from measured values with gaps and unequal lengths to the array that a base model wants.

Training and prediction go through the same three steps: cut the padding, fill the gaps, resample to one length.
Values are not normalised here. A base whose spec has `gaps` also gets a mask of missing values, and the number of steps
there were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError
from headstart.modalities.record import Array, Spec

Series = NDArray[np.float32]
"""(channels, time); NaN where a value is missing, or after the end."""

MIN_LENGTH, MAX_LENGTH = 9, 2048


def derive_spec(inputs: Sequence[Series]) -> Spec:
    """Derive the spec from training series.

    Parameters
    ----------
    inputs : sequence of float32 arrays, shape (channels, time) each
        The training rows; NaN = missing.

    Returns
    -------
    mapping
        `length`: the longest after the padding is cut, kept within 9 to 2048 steps; `n_channels`: of the first.

    Raises
    ------
    DataError
        The series do not all have the same number of channels.

    Examples
    --------
    >>> derive_spec([np.zeros((1, 20)), np.zeros((1, 24))])
    {'length': 24, 'n_channels': 1}
    """
    counts = sorted({len(values) for values in inputs})
    if len(counts) != 1:
        raise DataError(f"The series have different numbers of channels ({counts}).", "Give every series the same.")
    longest = max(find_end(values) for values in inputs)
    return {"length": int(min(max(longest, MIN_LENGTH), MAX_LENGTH)), "n_channels": counts[0]}


def load_series(source: Series, spec: Spec) -> Series:
    """Cut the padding (steps at the end where every channel is missing) and fill the gaps.

    Parameters
    ----------
    source : float32 array, shape (channels, time)
        NaN or infinite = missing.
    spec : mapping
        `n_channels`; and `gaps`, if the base wants to know of them.

    Returns
    -------
    float32 array, shape (channels, time), time >= 1
        Gaps are filled linearly, ends with the nearest value; a channel without any value is 0. With `gaps` they stay
        NaN, to be filled by `prepare`.

    Raises
    ------
    DataError
        The number of channels is not that of the training rows.

    Examples
    --------
    >>> load_series(np.array([[1.0, np.nan, 3.0, np.nan]], dtype=np.float32), {"n_channels": 1}).tolist()
    [[1.0, 2.0, 3.0]]
    """
    if source.ndim != 2 or len(source) != spec["n_channels"]:
        n_found = len(source) if source.ndim == 2 else 1
        raise DataError(
            f"A series has {n_found} channels; the model was made for {spec['n_channels']}.",
            "Give it the same channels, in the same order, as in training.",
        )
    return source[:, : max(1, find_end(source))] if spec.get("gaps") else trim_series(source)


def trim_series(source: Series) -> Series:
    """Cut the padding and fill the gaps, whatever the number of channels."""
    return _fill_gaps(source[:, : max(1, find_end(source))])


def prepare_series(values: Series, spec: Spec) -> tuple[Array, ...]:
    """Resample linearly to the one length of the spec.

    Returns
    -------
    tuple of float32 arrays
        Values, shape (n_channels, length). With `gaps` in the spec also: 1 where there was a value and 0 where there
        was none, shape (n_channels, length); the number of steps there were, shape (1,).

    Examples
    --------
    >>> prepare_series(np.array([[0.0, 2.0]], dtype=np.float32), {"length": 3})[0].tolist()
    [[0.0, 1.0, 2.0]]
    >>> [part.tolist() for part in prepare_series(np.array([[1.0, np.nan, 3.0]]), {"length": 3, "gaps": True})]
    [[[1.0, 2.0, 3.0]], [[1.0, 0.0, 1.0]], [3.0]]
    """
    length = int(spec["length"])
    if not spec.get("gaps"):
        return (_resample(values, length),)
    known = np.isfinite(values).astype(np.float32)
    steps = np.asarray([values.shape[1]], dtype=np.float32)
    return _resample(_fill_gaps(values), length), _resample(known, length), steps


def _resample(values: Series, length: int) -> Series:
    now = values.shape[1]
    if now == length:
        return np.ascontiguousarray(values, dtype=np.float32)
    at = np.linspace(0, now - 1, length)
    return np.stack([np.interp(at, np.arange(now), channel) for channel in values]).astype(np.float32)


def find_end(values: Series) -> int:
    """Number of steps up to the last one where any channel has a value."""
    known_steps = np.flatnonzero(np.isfinite(values).any(axis=0))
    return int(known_steps[-1]) + 1 if len(known_steps) else 0


def _fill_gaps(values: Series) -> Series:
    is_known = np.isfinite(values)
    if is_known.all():
        return values
    steps = np.arange(values.shape[1])
    filled = np.zeros(values.shape, dtype=np.float32)
    for filled_channel, channel, known in zip(filled, values, is_known, strict=True):
        if known.any():
            filled_channel[:] = np.interp(steps, steps[known], channel[known])
    return filled
