"""Images: from any file people have to the float array that a base model wants.

Opens files and nothing else: what is a row, a label or a split is decided in `headstart.data`.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, UnidentifiedImageError

from headstart.errors import DataError
from headstart.modalities.image_values import (
    LARGE_PIXELS,
    VALUE_RANGES,
    ValueRange,
    find_value_kind,
    find_value_range,
    lock_if_large,
    scale_to_8_bits,
)
from headstart.modalities.record import Array, Spec
from headstart.plain_files import read_plain_file

MAX_PIXELS = 178_956_970
"""Larger images are refused (Pillow's own limit, also where a caller switched that off)."""
MAX_SIDE = 100_000
"""So are longer ones: to shrink a line of millions of pixels takes as much memory as a large image."""
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .bmp .dib .gif .tif .tiff .ppm .pgm .avif .heic .heif".split()  # noqa: SIM905
)
_AREA, _LIGHT = (0.6, 1.0), (0.8, 1.2)
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PILLOW = r"PIL\."
_PILLOW_FILTER = ("ignore", None, Warning, re.compile(_PILLOW), 0)


def explain_unusable(content: bytes) -> str | None:
    """Return why bytes are not a usable image, from the header alone, or None.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    str or None
        The reason, as the end of a sentence; None means nothing wrong was seen (the pixels were not decoded).

    Examples
    --------
    >>> explain_unusable(b"")
    'the file is empty'
    """
    try:
        open_image(content).close()
    except DataError as error:
        return error.problem
    return None


def read_size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels, from the header alone.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    DataError
        The bytes are no usable image; the message is the reason.
    """
    with open_image(content) as image:
        return image.size


def estimate_decoded_bytes(content: bytes) -> int:
    """Return about how many bytes the pixels take while an image is decoded, from the header alone.

    A JPEG is decoded at an eighth of its sides; a progressive one keeps all its coefficients (2 bytes, 3 channels).

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    DataError
        The bytes are no usable image; the message is the reason.
    """
    with open_image(content) as image:
        n_pixels = image.width * image.height
        if image.format not in {"JPEG", "MPO"}:
            return n_pixels * max(4, 2 * len(image.getbands()) if "16" in image.mode else 4)
        return n_pixels * 6 if image.info.get("progressive") else n_pixels * 4 // 64


def load_image(source: Path | str | bytes, spec: Spec) -> Image.Image:
    """Open an image: first frame, upright, RGB, and not much larger than `spec` needs.

    Parameters
    ----------
    source : Path or str or bytes
        An image file in any format that Pillow reads, or its content.
    spec : mapping
        `resize` (pixels): the shorter side stays at least this long where it was; photos are decoded at reduced scale.
        `value_ranges`: which values of more than 8 bits are black and white (see `headstart.modalities.image_values`).

    Returns
    -------
    PIL.Image.Image
        Mode RGB. Transparent parts are white. More than 8 bits are scaled by `value_ranges`; without it by the depth
        that the file states, else as 16 bits: equal values look equal, in whatever image they stand.

    Raises
    ------
    DataError
        The file is empty, truncated, damaged, too large or no image; the message names it.
    """
    if isinstance(source, bytes):
        return _decode_image(source, spec)
    try:
        return _decode_image(read_plain_file(source), spec)
    except DataError as error:
        raise DataError(f"{source}: {error.problem}.", error.hint) from error


def prepare_image(image: Image.Image, spec: Spec) -> tuple[Array, ...]:
    """Resize, crop and normalise one image.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, as `load` gives it.
    spec : mapping
        `size`, `resize` (pixels), `fit` ("crop": shorter side to `resize`, then the centre `size` x `size`; "squash":
        both sides to `size`), `interpolation` ("bicubic" or "bilinear"), `mean` and `std` (3 numbers each, of 0-1).

    Returns
    -------
    tuple of one float32 array, shape (3, size, size)

    Examples
    --------
    >>> spec = {"size": 2, "resize": 2, "fit": "squash", "interpolation": "bilinear"}
    >>> pink = Image.new("RGB", (4, 4), (255, 0, 255))
    >>> prepare_image(pink, {**spec, "mean": [0.5] * 3, "std": [0.5] * 3})[0][:, 0, 0].tolist()
    [1.0, -1.0, 1.0]
    """
    scale, shift = compute_scaling(tuple(spec["mean"]), tuple(spec["std"]))
    small = resize_image(image, spec).transpose(2, 0, 1)
    pixels: NDArray[np.float32] = np.multiply(small, scale, dtype=np.float32, order="C")
    pixels += shift
    return (pixels,)


def resize_image(image: Image.Image, spec: Spec) -> NDArray[np.uint8]:
    """Return an image resized and cropped for a base model: uint8 array, shape (size, size, 3).

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.
    spec : mapping
        `size` (pixels of a side), `fit` ("crop" or "squash"), `interpolation` ("bicubic" or "bilinear") and, to crop,
        `resize` (pixels of the shorter side before).
    """
    size = int(spec["size"])
    box = _FITS[spec["fit"]](image.size, spec)
    small = image.resize((size, size), _RESAMPLING[spec["interpolation"]], box=box, reducing_gap=2.0)
    return np.asarray(small)


def open_image(content: bytes) -> Image.Image:
    """Open an image without decoding it.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    DataError
        The bytes are no usable image; the problem is the reason only, without the file's name.
    """
    if not content:
        raise DataError("the file is empty", "Copy it again from where it came.")
    _ignore_pillow_warnings()
    try:
        image = Image.open(io.BytesIO(content))
        width, height = image.size
    except UnidentifiedImageError as error:
        raise DataError(
            _explain_unknown_kind(content), "Open it in an image viewer and save it as JPEG or PNG."
        ) from error
    except Image.DecompressionBombError as error:
        raise DataError(_explain_too_large(), "Make it smaller.") from error
    except DECODING_ERRORS as error:
        raise DataError(f"the image is damaged ({error})", "Copy it again from where it came.") from error
    if width * height > MAX_PIXELS:
        raise DataError(_explain_too_large(), "Make it smaller.")
    if max(width, height) > MAX_SIDE:
        raise DataError(f"the image is {width:,} x {height:,} pixels; {MAX_SIDE:,} are the most a side", "Cut it.")
    return image


def _decode_image(content: bytes, spec: Spec) -> Image.Image:
    with open_image(content) as opened, lock_if_large(opened.size):
        return decode_opened(opened, spec)


def decode_opened(opened: Image.Image, spec: Spec) -> Image.Image:
    """Decode an opened image: first frame, upright, RGB, and not much larger than `spec` needs.

    Parameters
    ----------
    opened : PIL.Image.Image
        From `open_image`, under `lock_if_large`; it is loaded afterwards.
    spec : mapping
        As for `load_image`.

    Raises
    ------
    DataError
        The file is damaged.
    """
    shortest = int(spec["resize"])
    try:
        opened.draft(None, (shortest, shortest))
        opened.load()
        # Asked after loading: Pillow turns a TIFF upright by itself, and finds what stands at the end of a PNG.
        turn = _UPRIGHT.get(opened.getexif().get(_ORIENTATION_TAG, 1))
        flat = _flatten_small(opened, shortest, spec.get(VALUE_RANGES, {}))
        return flat.transpose(turn) if turn is not None else flat
    except DECODING_ERRORS as error:
        raise DataError(f"the image is damaged ({error})", "Copy it again from where it came.") from error


def _flatten_small(image: Image.Image, shortest: int, ranges: Mapping[str, ValueRange] | None) -> Image.Image:
    """Make it RGB and, where that is far more than is needed, smaller; a large one strip by strip, to spare memory."""
    width, height = image.size
    factor = max(1, min(image.size) // (2 * shortest))
    is_large = width * height > LARGE_PIXELS
    if not is_large and image.mode not in {"RGB", "L"}:
        factor = 1
    values = find_value_range(image, ranges) if find_value_kind(image.mode) is not None else None
    if not is_large:
        return _flatten(image.reduce(factor) if factor > 1 else image, values)
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    n_lines = factor * max(1, LARGE_PIXELS // 4 // (width * factor))
    for top in range(0, height, n_lines):
        strip = _flatten(image.crop((0, top, width, min(height, top + n_lines))), values)
        small.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return small


def _flatten(image: Image.Image, black_and_white: ValueRange | None) -> Image.Image:
    """Make it RGB, over white where it is transparent."""
    if black_and_white is not None:
        image = scale_to_8_bits(image, black_and_white)
    if not image.has_transparency_data:
        return image.convert("RGB")
    with_alpha = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return white


def _find_crop_box(size: tuple[int, int], spec: Spec) -> tuple[float, float, float, float]:
    """Find the part of the image that is the centre crop after the resize: one resampling does both."""
    width, height = size
    side = min(size) * min(1.0, spec["size"] / spec["resize"])
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _find_whole_box(size: tuple[int, int], spec: Spec) -> tuple[float, float, float, float]:
    return 0.0, 0.0, float(size[0]), float(size[1])


_FITS = {"crop": _find_crop_box, "squash": _find_whole_box}


@lru_cache(maxsize=16)
def compute_scaling(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a pixel (0-255) is multiplied by, and what is then added, each of shape (3, 1, 1).

    Parameters
    ----------
    mean, std : tuple of three floats
        Of each colour, for pixels scaled to 0-1.
    """
    spread = np.asarray(std, np.float64).reshape(3, 1, 1)
    middle = np.asarray(mean, np.float64).reshape(3, 1, 1)
    return (1.0 / (255.0 * spread)).astype(np.float32), (-middle / spread).astype(np.float32)


def _ignore_pillow_warnings() -> None:
    """Ignore what Pillow says about odd files: a lasting filter, since `catch_warnings` is not safe in threads."""
    if not warnings.filters or warnings.filters[0] != _PILLOW_FILTER:
        warnings.filterwarnings("ignore", module=_PILLOW)


def _explain_unknown_kind(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return "HEIC and AVIF photos cannot be read here"
    return "this is not an image that can be read"


def _explain_too_large() -> str:
    return f"the image has more than {MAX_PIXELS // 10**6} million pixels"


def augment_image(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return another view of an image: 60 to 100 % of its area, perhaps mirrored, the lighting changed a little.

    Whether mirrored images keep their label nobody has said (digits do not); so strategies use these views only where
    cross-validation says that they help.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, as `load` gives it.
    generator : numpy Generator

    Returns
    -------
    PIL.Image.Image
        RGB, smaller or equal in size.
    """
    width, height = image.size
    side = float(np.sqrt(generator.uniform(*_AREA)))
    left, top = generator.uniform(0, 1 - side, 2)
    box = (left * width, top * height, (left + side) * width, (top + side) * height)
    size = (max(1, round(side * width)), max(1, round(side * height)))
    view = image.resize(size, Image.Resampling.BILINEAR, box=box)
    if generator.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        view = enhancer(view).enhance(float(generator.uniform(*_LIGHT)))
    return view
