"""Round weights to whole numbers of 16 bits, with one step a row that is a power of two: half of the bytes.

Whole numbers times a power of two are exact in float32, so rounding twice changes nothing, the product is the same in
every runtime, and an array tells by itself whether it was rounded. Numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.settings import SETTINGS

Floats = NDArray[np.float32]
TOP = 32_767
LEAST_EXPONENT = -126


def split_into_steps(values: Floats, axis: int = 0) -> tuple[NDArray[np.int16], Floats]:
    """Return whole numbers and steps whose product is nearly what was given.

    Parameters
    ----------
    values : float32 array, shape (n_rows, ...)
        Finite numbers.
    axis : int
        Along which each row has a step of its own.

    Returns
    -------
    int16 array, as `values`; float32 array, shape (n_rows, 1, ...) for the first axis
        What is rounded off is at most 1 / 32,766 of the largest number of the row.

    Examples
    --------
    >>> whole, steps = split_into_steps(np.array([[1.0, -0.5], [0.0, 3.0]], dtype=np.float32))
    >>> (whole * steps).tolist(), steps[:, 0].tolist() == [2**-14, 2**-13]
    ([[1.0, -0.5], [0.0, 3.0]], True)
    """
    axes = tuple(place for place in range(values.ndim) if place != axis % values.ndim)
    most = np.abs(values).max(axis=axes, keepdims=True).astype(np.float64)
    fraction, exponent = np.frexp(most / TOP)
    exponent = np.maximum(np.where(fraction > 0.5, exponent, exponent - 1), LEAST_EXPONENT)
    steps = np.ldexp(np.float32(1), exponent).astype(np.float32)
    return np.rint(values / steps).clip(-TOP, TOP).astype(np.int16), steps


def round_array(values: Floats) -> Floats:
    """Return an array rounded row by row; the same for one that was rounded before."""
    whole, steps = split_into_steps(values)
    return whole.astype(np.float32) * steps


def is_worth_rounding(values: NDArray[Any]) -> bool:
    """Return whether an array is float32, large, of two axes or more, and finite."""
    large = values.dtype == np.float32 and values.ndim > 1 and values.size >= SETTINGS.min_quantised_values
    return bool(large and np.isfinite(values).all())


def round_weights(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return weights with the large ones rounded.

    Parameters
    ----------
    weights : mapping of str to array
    """
    return {name: round_array(value) if is_worth_rounding(value) else value for name, value in weights.items()}
