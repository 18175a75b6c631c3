"""Images in memory as files of their own: everything else reads images from files.

They lie as PNG in a temporary folder that only this user can open and that goes when the process ends, or with the
block that needs them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from headstart.errors import DataError

_CHANNELS = (1, 3, 4)
_short_lived: ContextVar[list[Path] | None] = ContextVar("short_lived_images", default=None)


def is_image(value: Any) -> bool:
    """Return whether a value can only be an image: of Pillow, or an array of three axes, one of them its colours.

    Parameters
    ----------
    value : object

    Examples
    --------
    >>> is_image(Image.new("L", (4, 4))), is_image(np.zeros((8, 9, 3), np.uint8)), is_image(np.zeros((2, 50)))
    (True, True, False)
    """
    if isinstance(value, Image.Image):
        return True
    shape: tuple[int, ...] = tuple(getattr(value, "shape", ()))
    return len(shape) == 3 and (shape[-1] in _CHANNELS or shape[0] in _CHANNELS)


def save_image(value: Any) -> Path:
    """Write an image as a PNG file and return its path.

    Parameters
    ----------
    value : PIL.Image.Image, array of shape (height, width), (height, width, channels) or (channels, height, width)
        Arrays hold whole numbers from 0 to 255, or fractions from 0 to 1.

    Raises
    ------
    DataError
        The array has another shape, or numbers outside of that range.
    """
    image = value if isinstance(value, Image.Image) else _convert_array(np.asarray(value))
    if image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}:
        image = image.convert("RGB")
    path = Path(_open_folder().name) / f"{uuid4().hex}.png"
    files = _short_lived.get()
    if files is not None:
        files.append(path)
    image.save(path, "PNG", compress_level=1)
    return path


@contextmanager
def remove_saved_images() -> Iterator[None]:
    """Remove the files of `save_image` at the end of the block: a process may answer for weeks."""
    files: list[Path] = []
    token = _short_lived.set(files)
    try:
        yield
    finally:
        _short_lived.reset(token)
        for path in files:
            path.unlink(missing_ok=True)


@cache
def _open_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="headstart-images-")


def _convert_array(values: np.ndarray[Any, Any]) -> Image.Image:
    if values.ndim == 3 and values.shape[-1] not in _CHANNELS and values.shape[0] in _CHANNELS:
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if 0 in values.shape or values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] not in _CHANNELS):
        raise DataError(
            f"An array of shape {values.shape} is no image.",
            "Give (height, width), (height, width, 3) or (3, height, width) for each image.",
        )
    low, high = (float(values.min()), float(values.max())) if values.dtype.kind in "biuf" else (np.nan, np.nan)
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"An image has values from {low:g} to {high:g}.",
            "Give whole numbers from 0 to 255 or fractions from 0 to 1.",
        )
    is_fraction = values.dtype.kind in "bf" and high <= 1
    return Image.fromarray(np.round(values * 255.0 if is_fraction else values).astype(np.uint8))
