"""Everything that is measured of an image: its fingerprint and its properties, for which it is decoded once.

What the facts say about the data is asked elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from headstart.errors import DataError
from headstart.modalities.content import CONTENT_SIDE, measure_image_content
from headstart.modalities.descriptors import shrink_image
from headstart.modalities.fingerprints import BLANK_IMAGE, fingerprint_image
from headstart.modalities.image import DECODING_ERRORS, decode_opened, load_image, open_image
from headstart.modalities.image_values import BY_CONTENT, find_value_kind, lock_if_large, measure_extremes
from headstart.modalities.input_properties import SIDE, UNREADABLE_IMAGE, measure_image
from headstart.modalities.record import FileFacts
from headstart.plain_files import read_plain_file


def collect_image_facts(path: Path | str) -> FileFacts:
    """Return the facts of an image file, which is decoded once; blank ones where it cannot be read.

    Parameters
    ----------
    path : Path or str
    """
    digest = ""
    try:
        content = read_plain_file(path)
        digest = hashlib.sha256(content).hexdigest()
        with open_image(content) as opened, lock_if_large(opened.size):
            size = opened.size
            image = decode_opened(opened, {"resize": SIDE, **BY_CONTENT})
            kind = find_value_kind(opened.mode)
            extremes = None if kind is None else (kind, *measure_extremes(opened))
            properties = measure_image(image, tags=opened.getexif(), size=size, n_bytes=len(content))
    except (DataError, *DECODING_ERRORS):
        return FileFacts(fingerprint=BLANK_IMAGE, properties=UNREADABLE_IMAGE, digest=digest)
    return FileFacts(
        fingerprint=fingerprint_image(image),
        properties=properties,
        digest=digest,
        extremes=extremes,
        content=measure_image_content(shrink_image(image), min(image.size)),
    )


def measure_loaded_image(source: Path | str | bytes, image: Image.Image | None) -> Mapping[str, float]:
    """Measure whether an image holds anything to answer about (see `headstart.modalities.content`).

    Parameters
    ----------
    source : Path or str or bytes
    image : PIL.Image.Image or None
        As a model loads it; None: it is opened for this alone.
    """
    opened = load_image(source, {"resize": CONTENT_SIDE}) if image is None else image
    return measure_image_content(shrink_image(opened), min(opened.size))
