"""The part of `predict.py` that reads pictures."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from headstart.bundle.standalone.refusing import Refused

# --- code ---
SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # What a camera wrote (EXIF) to how Pillow turns.


def rows_of(path: Path, columns: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Give name and place of a picture, or of all pictures below a folder."""
    found = sorted(path.rglob("*"), key=lambda file: file.relative_to(path).as_posix()) if path.is_dir() else [path]
    shown = [file for file in found if file.is_file() and (file == path or _is_picture(file))]
    if not shown:
        raise Refused(f"There is no picture in {path} ({', '.join(sorted(SUFFIXES))}).")
    yield from ((file.as_posix(), file) for file in shown)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def make(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Open a picture and bring it to the size that the model wants: uint8 (size, size, 3), red, green, blue."""
    try:
        picture = _opened(source, int(spec["resize"]))
    except BROKEN as error:
        raise ValueError(f"the picture cannot be read ({error})") from error
    if kind == "views":
        seed = zlib.crc32(hashlib.sha256(Path(source).read_bytes()).hexdigest().encode())
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


def _opened(source: Any, shortest: int) -> Any:
    picture: Any = Image.open(source)
    picture.draft(None, (shortest, shortest))
    turn = UPRIGHT.get(picture.getexif().get(0x0112, 1))
    picture.load()
    shrunk = min(picture.size) // (2 * shortest)
    if shrunk >= 2 and picture.mode in {"RGB", "L"}:
        picture = picture.reduce(shrunk)
    if picture.mode == "F" or picture.mode.startswith("I"):
        values = np.nan_to_num(np.asarray(picture).astype(float), posinf=0.0, neginf=0.0)
        full = next((2.0**bits - 1 for bits in (8, 10, 12, 14, 16) if values.max() < 2**bits), values.max())
        picture = Image.fromarray(np.rint(np.clip(values * 255 / full, 0, 255)).astype(np.uint8))
    if picture.has_transparency_data:
        seen, paper = picture.convert("RGBA"), Image.new("RGB", picture.size, (255, 255, 255))
        paper.paste(seen, mask=seen.getchannel("A"))
        picture = paper
    picture = picture.convert("RGB")
    return picture if turn is None else picture.transpose(Image.Transpose(turn))
