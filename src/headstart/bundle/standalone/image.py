"""The part of `predict.py` that reads images."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, UnidentifiedImageError

from headstart.bundle.standalone.refusing import RefusedInput
from headstart.modalities.content import CONTENT_SIDE, measure_image_content

# --- code ---
_SQUARE = {"size": (1, 4_096), "resize": (1.0, 16_384.0), "fit?": {"crop", "squash"},
           "interpolation?": {"bicubic", "bilinear"}, "value_ranges?": dict}  # fmt: skip
SPECS = {"image": {"pixels": (_SQUARE, 1), "picture": (_SQUARE, 1), "views": ({**_SQUARE, "views": (1, 64)}, 1)}}
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
    ".avif", ".heic", ".heif",
}  # fmt: skip
IMAGE_FAILURES = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
MAX_PIXELS, LARGE_PIXELS, MAX_SIDE, MAX_FILE_BYTES = 178_956_970, 16_000_000, 100_000, 1 << 29
UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # What a camera wrote (EXIF) to how Pillow turns.


def iterate_rows(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and path of an image, or of all images below a folder."""
    below = path.rglob("*") if path.is_dir() else ()
    below_folder = sorted(file.relative_to(path).parts for file in below if not file.is_dir() and _is_image(file, path))
    files = [path.joinpath(*parts) for parts in below_folder] if path.is_dir() else [path]
    if not files:
        raise RefusedInput(f"There is no image in {path} ({', '.join(sorted(SUFFIXES))}).")
    yield from ((file.as_posix(), file) for file in files)


def _is_image(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and not hidden


def prepare_input(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Return an image in the size that the model reads: uint8 (size, size, 3), red, green, blue."""
    content, image = _load_image(Path(source), int(spec["resize"]), json.dumps(spec.get("value_ranges", {})))
    if kind == "views":
        seed = zlib.crc32(hashlib.sha256(content).hexdigest().encode())
        views = [_augment_image(image, np.random.default_rng([view, seed])) for view in range(1, spec["views"] + 1)]
        return (np.stack([_resize_image(one, spec) for one in (image, *views)]),)
    return (_resize_image(image, spec),)


@lru_cache(maxsize=2)
def _load_image(path: Path, resize: int, ranges: str) -> tuple[bytes, Any]:
    """Return the bytes of an image, and the image; several inputs of a model read one."""
    content = _read_content(path)
    return content, _open_image(content, {"resize": resize, "value_ranges": json.loads(ranges)})


def measure_content(source: Any, inputs: list[dict[str, Any]]) -> dict[str, float]:
    """Return whether an image shows anything, by code of fault: as the first input that reads it opens it."""
    spec = next((item["spec"] for item in inputs if "resize" in item["spec"]), {"resize": CONTENT_SIDE})
    _, image = _load_image(Path(source), int(spec["resize"]), json.dumps(spec.get("value_ranges", {})))
    small = image.resize((CONTENT_SIDE, CONTENT_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return measure_image_content(np.asarray(small), min(image.size))


def _read_content(path: Path) -> bytes:
    """Return the bytes of a plain file; a pipe, a device or a file that is too large is a ValueError."""
    try:
        if not path.is_file():
            raise ValueError("this is no plain file" if path.exists() else "the file is not there")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"the file has more than {MAX_FILE_BYTES / 1e6:,.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from error


def _augment_image(image: Any, generator: Any) -> Any:
    """Return a changed view of an image, such as the model was trained on."""
    width, height = image.size
    side = float(np.sqrt(generator.uniform(0.6, 1.0)))
    left, top = generator.uniform(0, 1 - side, 2)
    box = (left * width, top * height, (left + side) * width, (top + side) * height)
    size = (max(1, round(side * width)), max(1, round(side * height)))
    view = image.resize(size, Image.Resampling.BILINEAR, box=box)
    if generator.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        view = enhancer(view).enhance(float(generator.uniform(0.8, 1.2)))
    return view


def _resize_image(image: Any, spec: dict[str, Any]) -> Any:
    size = int(spec["size"])
    width, height = image.size
    resampling = Image.Resampling.BICUBIC if spec.get("interpolation") == "bicubic" else Image.Resampling.BILINEAR
    box = None
    if spec.get("fit") == "crop":
        side = min(width, height) * min(1.0, size / spec["resize"])
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), resampling, box=box, reducing_gap=2.0))


def _open_image(content: bytes, spec: dict[str, Any]) -> Any:
    """Return an image upright, in red, green and blue; a damaged one is a ValueError."""
    if not content:
        raise ValueError("the file is empty")
    try:
        image: Any = Image.open(io.BytesIO(content))
        width, height = image.size
    except Image.DecompressionBombError as error:
        raise ValueError("the image has more than 178 million pixels") from error
    except UnidentifiedImageError as error:
        photo = content[4:8] == b"ftyp"
        reason = "HEIC and AVIF photos cannot be read here" if photo else "this is not an image that can be read"
        raise ValueError(reason) from error
    except IMAGE_FAILURES as error:
        raise ValueError(f"the image is damaged ({error})") from error
    if width * height > MAX_PIXELS:
        raise ValueError("the image has more than 178 million pixels")
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"the image is {width:,} x {height:,} pixels; {MAX_SIDE:,} are the most a side")
    try:
        return _decode_image(image, int(spec["resize"]), spec.get("value_ranges", {}))
    except IMAGE_FAILURES as error:
        raise ValueError(f"the image is damaged ({error})") from error


def _decode_image(image: Any, shortest: int, ranges: dict[str, Any]) -> Any:
    image.draft(None, (shortest, shortest))
    image.load()
    turn = UPRIGHT.get(image.getexif().get(0x0112, 1))  # After loading: Pillow turns a TIFF upright by itself.
    small = _flatten_small(image, shortest, ranges)
    return small if turn is None else small.transpose(Image.Transpose(turn))


def _flatten_small(image: Any, shortest: int, ranges: dict[str, Any]) -> Any:
    """Return an image in red, green and blue, smaller where it is far too large; a large one strip by strip."""
    width, height = image.size
    large, factor = width * height > LARGE_PIXELS, max(1, min(width, height) // (2 * shortest))
    factor = factor if large or image.mode in {"RGB", "L"} else 1
    ends = None
    if image.mode == "F" or image.mode.startswith("I"):
        ends = ranges.get("float" if image.mode == "F" else "integer") or _read_stated_range(image)
    if not large:
        return _flatten(image.reduce(factor) if factor > 1 else image, ends)
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    lines = factor * max(1, LARGE_PIXELS // 4 // (width * factor))
    for top in range(0, height, lines):
        strip = _flatten(image.crop((0, top, width, min(height, top + lines))), ends)
        small.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return small


def _flatten(image: Any, ends: Any) -> Any:
    if ends is not None:
        low, high = ends
        values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=high, neginf=low)
        scaled = np.clip((values - low) * (255.0 / max(high - low, 1e-12)), 0, 255)
        image = Image.fromarray(np.rint(scaled).astype(np.uint8))
    if image.has_transparency_data:
        with_alpha, white = image.convert("RGBA"), Image.new("RGB", image.size, (255, 255, 255))
        white.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return white
    return image.convert("RGB")


def _read_stated_range(image: Any) -> tuple[float, float]:
    """Return the values of black and white that the file states; floats state nothing."""
    if image.mode == "F":
        values = np.asarray(image)
        finite = values[np.isfinite(values)]
        top = float(finite.max()) if finite.size else 0.0
        return 0.0, next((step for step in (1.0, 255.0, 65535.0) if top <= step), top)
    tags = getattr(image, "tag_v2", {})
    (largest, *_), (bits, *_) = (
        value if isinstance(value, tuple) and value else (value,) for value in (tags.get(281), tags.get(258))
    )
    if largest is not None and largest + 1 in {2**depth for depth in range(9, 17)}:
        return 0.0, float(largest)
    return 0.0, float(2**bits - 1) if bits is not None and 8 < bits <= 16 else 65535.0
