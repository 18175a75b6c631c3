"""Pictures of examples on pages: thumbnails made once and kept on disk, and one large view made when it is asked for.

A JPEG made here holds pixels and nothing else of the file: no EXIF, no place, no camera. Files are decoded at reduced
scale, and images beyond the limits of `headstart.modalities.image` are refused, so a huge file costs little.
"""

from __future__ import annotations

import io
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from headstart import home
from headstart.errors import DataError
from headstart.modalities.image import load_image
from headstart.modalities.image_values import BY_CONTENT
from headstart.projects.places import THUMBNAILS


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """The tunable numbers of pictures on pages.

    Parameters
    ----------
    thumbnail_pixels, large_pixels : int
        Longest side of a thumbnail, and of the view that opens on click.
    thumbnail_quality, large_quality : int
        Of the JPEG, 1 to 95.
    browser_seconds : int
        So long a browser may show a picture again without asking.
    """

    thumbnail_pixels: int = 320
    large_pixels: int = 1_280
    thumbnail_quality: int = 75
    large_quality: int = 82
    browser_seconds: int = 86_400


SETTINGS = PictureSettings()
"""Below the folder of a project; it may be deleted, and is made again."""
_JPEG_END = b"\xff\xd9"


def make_tag(content_hash: str, size: str) -> str:
    """Return the ETag of a picture: it changes with the content of the file and the size of the picture.

    Parameters
    ----------
    content_hash : str
        Of the file, in hex.
    size : str

    Examples
    --------
    >>> make_tag("0123456789abcdef0123456789abcdef", "small")
    '"small-0123456789abcdef01234567"'
    """
    return f'"{size}-{content_hash[:24]}"'


def matches_tag(header: str, tag: str) -> bool:
    """Return whether a header If-None-Match names a tag.

    Parameters
    ----------
    header : str
    tag : str

    Examples
    --------
    >>> matches_tag('W/"a", "b"', '"a"'), matches_tag("*", '"a"'), matches_tag("", '"a"')
    (True, True, False)
    """
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))


def read_thumbnail(project_folder: Path, content_hash: str, source: Path) -> bytes | None:
    """Return the thumbnail of an image as JPEG, made and written on first use; None where the image cannot be read.

    Parameters
    ----------
    project_folder : Path
    content_hash : str
        Of the file, in hex: the thumbnail is kept under it, so copies share one.
    source : Path
        The image file.
    """
    if not content_hash.isalnum():  # Of another program: it names no file.
        return draw_small(source)
    place = _locate(project_folder, content_hash)
    with suppress(OSError):
        jpeg: bytes | None = place.read_bytes()
        if jpeg and jpeg.endswith(_JPEG_END):  # A power cut may leave a file without its end.
            return jpeg
    jpeg = _draw(source, SETTINGS.thumbnail_pixels, SETTINGS.thumbnail_quality)
    if jpeg is not None:
        with home.allow_failed_write():  # A full disk shows pictures all the same; they are made anew each time.
            _write(place, jpeg)
    return jpeg


def draw_small(source: Path) -> bytes | None:
    """Return the thumbnail of a file that is no example yet, and keep nothing; None where it cannot be read.

    Parameters
    ----------
    source : Path
    """
    return _draw(source, SETTINGS.thumbnail_pixels, SETTINGS.thumbnail_quality)


def draw_large(source: Path) -> bytes | None:
    """Return an image as JPEG of at most 1,280 pixels; None where it cannot be read.

    Parameters
    ----------
    source : Path
    """
    return _draw(source, SETTINGS.large_pixels, SETTINGS.large_quality)


def _locate(project_folder: Path, content_hash: str) -> Path:
    return project_folder / THUMBNAILS / content_hash[:2] / f"{content_hash}.jpg"


def _write(place: Path, jpeg: bytes) -> None:
    """Write a thumbnail under its final name only once it is whole; it is not worth waiting for the disk."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_bytes(jpeg)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def _draw(source: Path, side: int, quality: int) -> bytes | None:
    """Return the pixels of an image as JPEG: a new image, so that nothing else of the file comes along."""
    try:
        image = Image.fromarray(np.asarray(load_image(source, {"resize": side, **BY_CONTENT})))
    except DataError:
        return None
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
