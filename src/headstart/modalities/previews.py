"""Make what the report shows of one input: a thumbnail, a text, or the values of a series.

A JPEG holds the pixels and nothing else of the file: no EXIF, no place, no camera.
"""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.errors import DataError
from headstart.modalities.image import load_image
from headstart.modalities.image_values import BY_CONTENT
from headstart.modalities.preview_records import MOST_CHARACTERS, ImagePreview, SeriesPreview, TextPreview
from headstart.modalities.series import Series, find_end
from headstart.modalities.text import load_text

ENCODINGS = ((320, 75), (320, 55), (288, 45), (240, 45), (200, 40), (160, 35), (112, 30))
"""Longest side in pixels and quality of the JPEG: the first one that is small enough is taken."""
TINY_PIXELS, TINY_QUALITY = 64, 92
"""Images of so few pixels are not compressed to save space."""
MOST_CHANNELS, MOST_POINTS, POINT_BYTES = 6, 200, 9


def preview_image(source: Path | str, max_bytes: int) -> ImagePreview | None:
    """Return a thumbnail of at most 320 pixels; None where the file cannot be read.

    Parameters
    ----------
    source : Path or str
        An image file.
    max_bytes : int
        Of the base64 text; the last resort (112 pixels) may exceed it.
    """
    image = _open_small(source, ENCODINGS[0][0])
    if image is None:
        return None
    if max(image.size) <= TINY_PIXELS:
        return _encode(image, TINY_QUALITY)
    for side, quality in ENCODINGS:
        image.thumbnail((side, side))
        preview = _encode(image, quality)
        if len(preview.jpeg) <= max_bytes:
            break
    return preview


def make_thumbnail(source: Path | str, side: int, quality: int) -> ImagePreview | None:
    """Return a thumbnail of one size; None where the file cannot be read.

    Parameters
    ----------
    source : Path or str
        An image file.
    side : int
        Longest side, in pixels.
    quality : int
        Of the JPEG.
    """
    image = _open_small(source, side)
    return None if image is None else encode_thumbnail(image, side, quality)


def encode_thumbnail(image: Image.Image, side: int, quality: int) -> ImagePreview:
    """Return a thumbnail of an open image.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.
    side : int
        Longest side, in pixels.
    quality : int
        Of the JPEG.
    """
    small = Image.fromarray(np.asarray(image))
    small.thumbnail((side, side))
    return _encode(small, quality)


def _open_small(source: Path | str, side: int) -> Image.Image | None:
    """Return a new image: nothing of the file but the pixels."""
    try:
        return Image.fromarray(np.asarray(load_image(source, {"resize": side, **BY_CONTENT})))
    except DataError:
        return None


def _encode(image: Image.Image, quality: int) -> ImagePreview:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    jpeg = base64.b64encode(buffer.getvalue()).decode("ascii")
    return ImagePreview(jpeg=jpeg, width=image.width, height=image.height)


def preview_text(source: str, max_bytes: int) -> TextPreview:
    r"""Return a text with its line breaks, whole if it is short enough.

    Parameters
    ----------
    source : str
    max_bytes : int
        Of the text in UTF-8, about.

    Examples
    --------
    >>> preview_text("no  water\n\n\n\nsince May", 100).text
    'no water\n\nsince May'
    """
    limit = min(MOST_CHARACTERS, max(max_bytes // 2, 1))
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]+", " ", load_text(source[: 4 * limit], {}))).strip()
    is_cut = len(text) > limit or len(source) > 4 * limit
    return TextPreview(text=text[: limit - 1].rstrip() + "…" if is_cut else text, is_cut=is_cut)


def preview_series(source: Series, max_bytes: int) -> SeriesPreview:
    """Return the values of a series without the padding at its end, thinned out.

    Parameters
    ----------
    source : float32 array, shape (channels, time)
        NaN: missing.
    max_bytes : int
        Of all values as text, about.

    Examples
    --------
    >>> preview_series(np.array([[1.0, np.nan, 3.0, np.nan]]), 1_000).channels
    [[1.0, None, 3.0]]
    """
    cut = source[:, : max(1, find_end(source))]
    shown_channels = cut[:MOST_CHANNELS]
    n_points = max(8, min(MOST_POINTS, max_bytes // POINT_BYTES // max(len(shown_channels), 1)))
    steps = np.unique(np.linspace(0, cut.shape[1] - 1, min(n_points, cut.shape[1])).astype(np.intp))
    channels = [
        [float(f"{value:.5g}") if np.isfinite(value) else None for value in channel[steps]]
        for channel in shown_channels
    ]
    return SeriesPreview(channels=channels, n_steps=cut.shape[1], n_channels=len(cut))
