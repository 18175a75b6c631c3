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
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm",
    ".avif", ".heic", ".heif",
}  # fmt: skip
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # What a camera wrote (EXIF) to how Pillow turns.


def rows_of(path: Path, columns: dict[str, str]) -> Iterator[tuple[str, Any]]:
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
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        there = Path(source).exists()
        raise ValueError(f"the file cannot be read ({error.strerror})" if there else "the file is not there") from error
    picture = _opened(content, int(spec["resize"]))
    if kind == "views":
        seed = zlib.crc32(hashlib.sha256(content).hexdigest().encode())
        changed = [_changed(picture, np.random.default_rng([view, seed])) for view in range(1, spec["views"] + 1)]
        return (np.stack([_resized(one, spec) for one in (picture, *changed)]),)
    return (_resized(picture, spec),)


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


def _opened(content: bytes, shortest: int) -> Any:
    """Read a picture upright, in red, green and blue; what is wrong with it is a ValueError."""
    if not content:
        raise ValueError("the file is empty")
    try:
        picture: Any = Image.open(io.BytesIO(content))
        return _flat(picture, shortest)
    except Image.DecompressionBombError as error:
        raise ValueError("the picture has more than 178 million pixels") from error
    except UnidentifiedImageError as error:
        photo = content[4:8] == b"ftyp"
        said = "HEIC and AVIF photos cannot be read here" if photo else "this is not a picture that can be read"
        raise ValueError(said) from error
    except BROKEN as error:
        raise ValueError(f"the picture is damaged ({error})") from error


def _flat(picture: Any, shortest: int) -> Any:
    picture.draft(None, (shortest, shortest))
    turn = UPRIGHT.get(picture.getexif().get(0x0112, 1))
    picture.load()
    shrunk = min(picture.size) // (2 * shortest)
    if shrunk >= 2 and picture.mode in {"RGB", "L"}:
        picture = picture.reduce(shrunk)
    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        seen, paper = picture.convert("RGBA"), Image.new("RGB", picture.size, (255, 255, 255))
        paper.paste(seen, mask=seen.getchannel("A"))
        picture = paper
    picture = picture.convert("RGB")
    return picture if turn is None else picture.transpose(Image.Transpose(turn))


def _eight_bits(picture: Any) -> Any:
    values = np.nan_to_num(np.asarray(picture).astype(float), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if picture.mode == "F":
        low, full = (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high - low, 1e-12))
    else:
        low, full = 0.0, next((2.0**bits - 1 for bits in (8, 10, 12, 14, 16) if high < 2**bits), high)
    return Image.fromarray(np.rint(np.clip((values - low) * (255.0 / full), 0, 255)).astype(np.uint8))
