"""Plain properties of inputs that should not decide a label: how a file is made, not what it shows.

One function a modality. Whether a property predicts the label is tested elsewhere.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.modalities.image import DECODING_ERRORS
from headstart.modalities.record import Properties
from headstart.modalities.series import Series

SIDE, EDGE = 96, 4
_MAKE_TAG, _MODEL_TAG, _CHANGED_TAG, _TAKEN_TAG, _MORE_TAGS = 0x010F, 0x0110, 0x0132, 0x9003, 0x8769
MOST_CHARACTERS = 4_000


def measure_image(image: Image.Image, *, tags: Image.Exif, size: tuple[int, int], n_bytes: int) -> Properties:
    """Measure an image and its file.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, upright; its shorter side at least `SIDE` pixels where the file has them.
    tags : PIL.Image.Exif
        What the file says of camera and date.
    size : (int, int)
        Width and height of the file, in pixels.
    n_bytes : int
        Of the file.

    Returns
    -------
    mapping
        File size (bytes), width and height (pixels), shape (width / height), brightness and contrast (0-255), colour
        cast (red and blue beside green), border (its brightness, red, blue, and unevenness), sharpness (see
        `sharpness`), camera, recording date (days).
    """
    width, height = size
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    camera, day = _read_camera_and_day(tags)
    pixels = np.asarray(small, dtype=np.float64)
    grey, edge = pixels.mean(axis=2), np.concatenate([pixels[_RIM]])
    mean, rim = pixels.mean(axis=(0, 1)), edge.mean(axis=0)
    return {
        "file size": (float(n_bytes),),
        "width": (float(width),),
        "height": (float(height),),
        "shape": (width / height,),
        "brightness": (float(grey.mean()),),
        "contrast": (float(grey.std()),),
        "colour cast": (float(mean[0] - mean[1]), float(mean[2] - mean[1])),
        "border": (float(rim.mean()), float(rim[0] - rim[1]), float(rim[2] - rim[1]), float(edge.std(axis=0).mean())),
        "sharpness": (measure_sharpness(grey),),
        "camera": camera,
        "recording date": (day,),
    }


def _read_camera_and_day(tags: Image.Exif) -> tuple[str, float]:
    """Return make and model of the camera, and the day of the image; "" and NaN where the tags are damaged."""
    try:
        day = _parse_day(str(tags.get_ifd(_MORE_TAGS).get(_TAKEN_TAG) or tags.get(_CHANGED_TAG, "")))
        return " ".join(str(tags.get(tag, "")).strip(" \0") for tag in (_MAKE_TAG, _MODEL_TAG)).strip(), day
    except DECODING_ERRORS:
        return "", _NAN


def _parse_day(text: str) -> float:
    """Read the day of an image's own date ("2024:05:31 10:00:00"); NaN where there is none."""
    try:
        return float(datetime.strptime(text[:10], "%Y:%m:%d").toordinal())
    except ValueError:
        return _NAN


def measure_sharpness(grey: NDArray[np.float64]) -> float:
    """Return the spread of the second differences of brightness as a share of the spread of brightness.

    Parameters
    ----------
    grey : NDArray of float64, shape (height, width)

    Returns
    -------
    float
        About 0.1 for a blurred and 1 for a crisp image of 96 x 96; 0 for a blank one.
    """
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    spread = float(grey.std())
    return float((around - 4 * inner).std()) / spread if spread > 0.5 else 0.0


def _make_rim_mask() -> NDArray[np.bool_]:
    mask = np.ones((SIDE, SIDE), dtype=bool)
    mask[EDGE:-EDGE, EDGE:-EDGE] = False
    return mask


_RIM = _make_rim_mask()
_NAN = float("nan")
UNREADABLE_IMAGE: Properties = {
    **dict.fromkeys(("file size", "width", "height", "shape", "brightness", "contrast"), (_NAN,)),
    "colour cast": (_NAN,) * 2,
    "border": (_NAN,) * 4,
    "sharpness": (_NAN,),
    "camera": "",
    "recording date": (_NAN,),
}


def measure_text(source: str) -> Properties:
    """Measure a text: length and words, shares of digits, marks, capitals and letters of no Latin script.

    Examples
    --------
    >>> measure_text("AB 12!")["digits"], measure_text("AB 12!")["capitals"]
    ((0.4,), (1.0,))
    """
    characters = [character for character in source[:MOST_CHARACTERS] if not character.isspace()]
    letters = [character for character in characters if character.isalpha()]
    n, n_letters = max(len(characters), 1), max(len(letters), 1)
    return {
        "length": (float(len(source)),),
        "words": (float(len(source.split())),),
        "digits": (sum(character.isdigit() for character in characters) / n,),
        "punctuation": (sum(unicodedata.category(character)[0] in "PS" for character in characters) / n,),
        "capitals": (sum(character.isupper() for character in letters) / n_letters,),
        "script": (
            sum(ord(character) > 0x24F and not 0x1E00 <= ord(character) <= 0x1EFF for character in letters) / n_letters,
        ),
    }


def measure_series(source: Series) -> Properties:
    """Measure a series: steps with a value, share of missing values, mean level and spread (of all channels)."""
    is_known = np.isfinite(source)
    values = source[is_known].astype(np.float64)
    steps = np.flatnonzero(is_known.any(axis=0))
    return {
        "length": (float(steps[-1] + 1) if len(steps) else 0.0,),
        "missing values": (1.0 - float(is_known.mean()) if is_known.size else 1.0,),
        "mean level": (float(values.mean()) if len(values) else _NAN,),
        "scale": (float(values.std()) if len(values) else _NAN,),
    }
