"""Images of more than 8 bits a sample: which values are black and white. One scale for all images of a data set."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ValueRange = tuple[float, float]
"""The values that are black and white."""
VALUE_RANGES = "value_ranges"
"""In a spec: the ranges of whole numbers and of floats that a data set has; None: each image by its own values."""
INTEGER, FLOAT = "integer", "float"
BY_CONTENT: Mapping[str, Any] = {VALUE_RANGES: None}
"""For looking at one image: the smallest usual depth that holds its own brightest value is taken."""
_DEPTHS = (8, 10, 12, 14, 16)
_FLOAT_STEPS = (1.0, 255.0, 65535.0)
_BITS_TAG, _LARGEST_TAG = 258, 281
_RARE, _MOST_MEASURED = 1e-4, 1 << 20
LARGE_PIXELS = 16_000_000
_ONE_LARGE = threading.Lock()


def find_value_kind(mode: str) -> str | None:
    """Return whether an image of a Pillow mode has integers or floats of more than 8 bits; None for all others."""
    return FLOAT if mode == "F" else INTEGER if mode.startswith("I") else None


def lock_if_large(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Return a lock for large images, so that several threads do not hold several of them."""
    return _ONE_LARGE if size[0] * size[1] > LARGE_PIXELS else nullcontext()


def find_value_range(image: Image.Image, ranges: Mapping[str, ValueRange] | None) -> ValueRange:
    """Return which values of an image are black and white.

    Parameters
    ----------
    image : PIL.Image.Image
        Of a mode with whole numbers of more than 8 bits or floats, loaded.
    ranges : mapping of kind to (black, white), or None
        Of the data set. A kind that is missing is scaled by the depth that the file states. None: by the image's own
        values, for looking at it only.
    """
    if ranges is None:
        return _find_own_range(np.asarray(image))
    low, high = ranges.get(find_value_kind(image.mode) or INTEGER) or _read_stated_range(image)
    return float(low), float(high)


def scale_to_8_bits(image: Image.Image, black_and_white: ValueRange) -> Image.Image:
    """Return an image of mode L, scaled by one line through black and white."""
    values = np.asarray(image)
    if values.dtype == np.uint16:
        return Image.fromarray(_scale_values(np.arange(1 << 16), black_and_white)[values])
    return Image.fromarray(_scale_values(values, black_and_white))


def _scale_values(values: NDArray[Any], black_and_white: ValueRange) -> NDArray[np.uint8]:
    low, high = black_and_white
    known = np.nan_to_num(values.astype(np.float64), posinf=high, neginf=low)
    scaled: NDArray[np.uint8] = np.rint(np.clip((known - low) * (255.0 / max(high - low, 1e-12)), 0, 255)).astype(
        np.uint8
    )
    return scaled


def _read_stated_range(image: Image.Image) -> ValueRange:
    """Return the range that the file states: by its bits a sample, else 16; floats state none."""
    if image.mode == "F":
        return 0.0, _round_up_to_step(_find_extremes(np.asarray(image))[1])
    tags = getattr(image, "tag_v2", {})
    largest = _first_integer(tags.get(_LARGEST_TAG))
    bits = _first_integer(tags.get(_BITS_TAG))
    if largest is not None and largest + 1 in {2**depth for depth in range(9, 17)}:
        return 0.0, float(largest)
    return 0.0, float(2**bits - 1) if bits is not None and 8 < bits <= 16 else 65535.0


def _first_integer(value: Any) -> int | None:
    number = value[0] if isinstance(value, tuple) and value else value
    return int(number) if isinstance(number, int | float) else None


def _find_own_range(values: NDArray[Any]) -> ValueRange:
    low, high = _find_extremes(values)
    if values.dtype.kind == "f":
        return (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high, low + 1e-12))
    return 0.0, next((float(2**depth - 1) for depth in _DEPTHS if high < 2**depth), high)


def _find_extremes(values: NDArray[Any]) -> ValueRange:
    """Return the smallest and the largest finite value; 0 and 0 where there is none."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _round_up_to_step(value: float) -> float:
    return next((step for step in _FLOAT_STEPS if value <= step), value)


def measure_extremes(image: Image.Image) -> ValueRange:
    """Return the smallest and the largest value of an image, but for one pixel in ten thousand (hot or dead ones)."""
    values = np.asarray(image).ravel()
    values = values[:: max(1, values.size // _MOST_MEASURED)]
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, [100 * _RARE, 100 * (1 - _RARE)])
    return (float(low), float(high)) if image.mode == "F" else (float(np.floor(low)), float(np.ceil(high)))


def find_value_ranges(extremes: Sequence[tuple[str, ValueRange]]) -> dict[str, list[float]]:
    """Return the range of each kind of values over all images of a data set.

    Parameters
    ----------
    extremes : sequence of (kind, (smallest, largest))
        Of each image with more than 8 bits.

    Returns
    -------
    dict
        For each kind that occurs black and white: the smallest and the largest value.

    Examples
    --------
    >>> find_value_ranges([("integer", (3.0, 3900.0)), ("integer", (40.0, 15000.0)), ("float", (0.1, 0.7))])
    {'integer': [3.0, 15000.0], 'float': [0.1, 0.7]}
    """
    value_ranges = {}
    for kind in dict.fromkeys(kind for kind, _ in extremes):
        ends = [values for name, values in extremes if name == kind]
        value_ranges[kind] = [min(low for low, _ in ends), max(high for _, high in ends)]
    return value_ranges
