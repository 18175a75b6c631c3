"""The part of `predict.py` that reads pictures."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, UnidentifiedImageError

from headstart.bundle.standalone.refusing import Refused

# --- code ---
_SQUARE = {"size": (1, 4_096), "resize": (1.0, 16_384.0), "fit?": {"crop", "squash"},
           "interpolation?": {"bicubic", "bilinear"}, "value_ranges?": dict}  # fmt: skip
SPECS = {"image": {"pixels": (_SQUARE, 1), "picture": (_SQUARE, 1), "views": ({**_SQUARE, "views": (1, 64)}, 1)}}
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
    ".avif", ".heic", ".heif",
}  # fmt: skip
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
MAX_PIXELS, LARGE_PIXELS, MAX_SIDE, MAX_FILE_BYTES = 178_956_970, 16_000_000, 100_000, 1 << 29
UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # What a camera wrote (EXIF) to how Pillow turns.


def rows_of(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give name and place of a picture, or of all pictures below a folder."""
    below = path.rglob("*") if path.is_dir() else ()
    found = sorted(file.relative_to(path).parts for file in below if not file.is_dir() and _is_picture(file, path))
    shown = [path.joinpath(*parts) for parts in found] if path.is_dir() else [path]
    if not shown:
        raise Refused(f"There is no picture in {path} ({', '.join(sorted(SUFFIXES))}).")
    yield from ((file.as_posix(), file) for file in shown)


def _is_picture(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and not hidden


def make(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Open a picture and bring it to the size that the model wants: uint8 (size, size, 3), red, green, blue."""
    content = _content(Path(source))
    picture = _opened(content, spec)
    if kind == "views":
        seed = zlib.crc32(hashlib.sha256(content).hexdigest().encode())
        changed = [_changed(picture, np.random.default_rng([view, seed])) for view in range(1, spec["views"] + 1)]
        return (np.stack([_resized(one, spec) for one in (picture, *changed)]),)
    return (_resized(picture, spec),)


def _content(path: Path) -> bytes:
    """Read a plain file: what waits for ever (a pipe), never ends (a device) or does not fit is a ValueError."""
    try:
        if not path.is_file():
            raise ValueError("this is no plain file" if path.exists() else "the file is not there")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"the file has more than {MAX_FILE_BYTES / 1e6:,.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from error


def _changed(picture: Any, generator: Any) -> Any:
    """Give another view of a picture, as the model saw them while it learnt."""
    width, height = picture.size
    side = float(np.sqrt(generator.uniform(0.6, 1.0)))
    left, top = generator.uniform(0, 1 - side, 2)
    box = (left * width, top * height, (left + side) * width, (top + side) * height)
    size = (max(1, round(side * width)), max(1, round(side * height)))
    made = picture.resize(size, Image.Resampling.BILINEAR, box=box)
    if generator.random() < 0.5:
        made = made.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        made = enhancer(made).enhance(float(generator.uniform(0.8, 1.2)))
    return made


def _resized(picture: Any, spec: dict[str, Any]) -> Any:
    size = int(spec["size"])
    width, height = picture.size
    way = Image.Resampling.BICUBIC if spec.get("interpolation") == "bicubic" else Image.Resampling.BILINEAR
    box = None
    if spec.get("fit") == "crop":
        side = min(width, height) * min(1.0, size / spec["resize"])
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((size, size), way, box=box, reducing_gap=2.0))


def _opened(content: bytes, spec: dict[str, Any]) -> Any:
    """Read a picture upright, in red, green and blue; what is wrong with it is a ValueError."""
    if not content:
        raise ValueError("the file is empty")
    try:
        picture: Any = Image.open(io.BytesIO(content))
        width, height = picture.size
    except Image.DecompressionBombError as error:
        raise ValueError("the picture has more than 178 million pixels") from error
    except UnidentifiedImageError as error:
        photo = content[4:8] == b"ftyp"
        said = "HEIC and AVIF photos cannot be read here" if photo else "this is not a picture that can be read"
        raise ValueError(said) from error
    except BROKEN as error:
        raise ValueError(f"the picture is damaged ({error})") from error
    if width * height > MAX_PIXELS:
        raise ValueError("the picture has more than 178 million pixels")
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"the picture is {width:,} x {height:,} pixels; {MAX_SIDE:,} are the most a side")
    try:
        return _flat(picture, int(spec["resize"]), spec.get("value_ranges", {}))
    except BROKEN as error:
        raise ValueError(f"the picture is damaged ({error})") from error


def _flat(picture: Any, shortest: int, ranges: dict[str, Any]) -> Any:
    picture.draft(None, (shortest, shortest))
    picture.load()
    turn = UPRIGHT.get(picture.getexif().get(0x0112, 1))  # After loading: Pillow turns a TIFF upright by itself.
    made = _small(picture, shortest, ranges)
    return made if turn is None else made.transpose(Image.Transpose(turn))


def _small(picture: Any, shortest: int, ranges: dict[str, Any]) -> Any:
    """Make it red, green and blue and, where that is far more than is needed, smaller; a large one strip by strip."""
    width, height = picture.size
    large, factor = width * height > LARGE_PIXELS, max(1, min(width, height) // (2 * shortest))
    factor = factor if large or picture.mode in {"RGB", "L"} else 1
    ends = None
    if picture.mode == "F" or picture.mode.startswith("I"):
        ends = ranges.get("float" if picture.mode == "F" else "integer") or _stated(picture)
    if not large:
        return _over_white(picture.reduce(factor) if factor > 1 else picture, ends)
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    lines = factor * max(1, LARGE_PIXELS // 4 // (width * factor))
    for top in range(0, height, lines):
        strip = _over_white(picture.crop((0, top, width, min(height, top + lines))), ends)
        small.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return small


def _over_white(picture: Any, ends: Any) -> Any:
    if ends is not None:
        low, high = ends
        values = np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=high, neginf=low)
        scaled = np.clip((values - low) * (255.0 / max(high - low, 1e-12)), 0, 255)
        picture = Image.fromarray(np.rint(scaled).astype(np.uint8))
    if picture.has_transparency_data:
        seen, paper = picture.convert("RGBA"), Image.new("RGB", picture.size, (255, 255, 255))
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    return picture.convert("RGB")


def _stated(picture: Any) -> tuple[float, float]:
    """Give what is black and white by what the file states; floats state nothing."""
    if picture.mode == "F":
        values = np.asarray(picture)
        finite = values[np.isfinite(values)]
        top = float(finite.max()) if finite.size else 0.0
        return 0.0, next((step for step in (1.0, 255.0, 65535.0) if top <= step), top)
    tags = getattr(picture, "tag_v2", {})
    (largest, *_), (bits, *_) = (
        value if isinstance(value, tuple) and value else (value,) for value in (tags.get(281), tags.get(258))
    )
    if largest is not None and largest + 1 in {2**depth for depth in range(9, 17)}:
        return 0.0, float(largest)
    return 0.0, float(2**bits - 1) if bits is not None and 8 < bits <= 16 else 65535.0
