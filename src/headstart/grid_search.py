"""The lowest value of a function with one minimum, on a grid: a few values first, then those around the best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def search_grid(loss: Callable[[float], float], values: NDArray[np.float64], stride: int) -> float:
    """Return the value with the lowest loss.

    Parameters
    ----------
    loss : (value) -> loss
        With one minimum.
    values : NDArray of float64, shape (n_values,)
        In order.
    stride : int
        Every so many values are tried first.

    Examples
    --------
    >>> search_grid(lambda value: (value - 4.2) ** 2, np.arange(10.0), 3)
    4.0
    """
    coarse = values[::stride]
    best = stride * int(np.argmin([loss(float(value)) for value in coarse]))
    near = values[max(0, best - stride + 1) : best + stride]
    return float(near[int(np.argmin([loss(float(value)) for value in near]))])
