"""How rows look, as unit vectors in which a near copy of a row is close to it and another row is not.

One function a modality. Images come in several views, so that a crop or a turned copy is found as well. Texts and
series also get what a likely pair is verified with. Nothing here compares rows or knows a label.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.modalities.record import Fingerprint, Vectors
from headstart.modalities.series import Series, trim_series

SIDE, WAVES = 32, 12
_SMALL = 80
_EDGES = (0.025, 0.05)
_FAINT = 3.0
"""An image whose details are fainter (grey levels of 255, after the whitening) is blank: all blank ones are alike."""
N_HASHED, SHINGLE_CHARACTERS, MOST_CHARACTERS, FEWEST_SHINGLES = 256, 4, 4_000, 20
STEPS = 128


def _make_cosines() -> NDArray[np.float64]:
    waves = np.cos(np.pi * (np.arange(SIDE) + 0.5)[None] * np.arange(WAVES)[:, None] / SIDE)
    return np.asarray(waves / np.linalg.norm(waves, axis=1, keepdims=True))


_DCT = _make_cosines()
_WHITEN = 1.0 + np.add.outer(np.arange(WAVES), np.arange(WAVES))
_SIGNS = (-1.0) ** np.arange(WAVES)


def _list_boxes() -> list[tuple[float, float, float, float]]:
    """The whole image, its middle, and its corners, in pixels of the small image."""
    boxes = [(0.0, 0.0, 1.0, 1.0)]
    for edge in _EDGES:
        boxes += [(edge, edge, 1 - edge, 1 - edge)]
        boxes += [(left, top, left + 1 - edge, top + 1 - edge) for left in (0.0, edge) for top in (0.0, edge)]
    return [(a * _SMALL, b * _SMALL, c * _SMALL, d * _SMALL) for a, b, c, d in boxes]


_BOXES = _list_boxes()
BLANK_IMAGE = Fingerprint(np.zeros((len(_BOXES) + 7, WAVES * WAVES), dtype=np.float32))
"""Fingerprint of an image that cannot be read."""


def fingerprint_image(image: Image.Image) -> Fingerprint:
    """Describe an image by its coarse shades: low waves of its brightness, whitened.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, upright; its shorter side about a hundred pixels or more where the file has them.

    Returns
    -------
    Fingerprint
        19 views of 144 numbers: as it is, ten crops of 2.5 and 5 %, the eight ways to mirror and turn it (less one).
        Zero where the image is blank.

    Notes
    -----
    The discrete cosine transform of a 32 x 32 thumbnail, as in perceptual hashing (Zauner 2010), but kept as numbers
    instead of bits. Multiplying by frequency evens out the spectrum of natural images, without which all X-rays
    look the same.
    """
    grey = image.convert("L").resize((_SMALL, _SMALL), Image.Resampling.BILINEAR)
    shades = [grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box) for box in _BOXES]
    waves = _WHITEN * (_DCT @ np.stack([np.asarray(one, dtype=np.float64) for one in shades]) @ _DCT.T)
    waves[:, 0, 0] = 0.0
    first = waves[0]
    turned = [first * _SIGNS, first * _SIGNS[:, None], first * _SIGNS * _SIGNS[:, None]]
    turned += [one.T for one in (first, *turned)]
    return Fingerprint(
        _scale_to_unit(np.concatenate([waves, np.stack(turned)]).reshape(-1, WAVES * WAVES), _FAINT * SIDE)
    )


def normalise_text(text: str) -> str:
    """Reduce a text to its letters and digits, in lower case, one space between words.

    Examples
    --------
    >>> normalise_text("  Hello, WORLD!! ")
    'hello world'
    """
    cut = unicodedata.normalize("NFC", text)[: 2 * MOST_CHARACTERS]
    folded = unicodedata.normalize("NFKC", cut).casefold()
    letters = "".join(
        character if character.isalnum() or unicodedata.category(character)[0] == "M" else " " for character in folded
    )
    return " ".join(letters.split())[:MOST_CHARACTERS]


def fingerprint_text(source: str) -> Fingerprint:
    """Describe a text by the set of its pieces of four characters, hashed into 256 signed columns.

    Texts of fewer than 20 different pieces are only alike where letters and digits are the same.
    """
    text = normalise_text(source)
    characters = np.frombuffer(f" {text} ".encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
    if len(text) == 0:
        return Fingerprint(np.zeros((1, N_HASHED), dtype=np.float32), np.zeros(0, dtype=np.int64))
    if len(characters) < SHINGLE_CHARACTERS:
        characters = np.pad(characters, (0, SHINGLE_CHARACTERS - len(characters)))
    windows = np.lib.stride_tricks.sliding_window_view(characters, SHINGLE_CHARACTERS)
    with np.errstate(over="ignore"):
        shingles = np.unique(
            windows @ np.array([1, 1_000_003, 998_244_353, 2_147_483_647], dtype=np.int64) % (2**61 - 1)
        )
    if len(shingles) < FEWEST_SHINGLES:
        shingles = np.array([hash_text(text)], dtype=np.int64)
    mixed = shingles.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)
    columns, signs = (mixed % np.uint64(N_HASHED)).astype(np.intp), 1.0 - 2.0 * (mixed // np.uint64(N_HASHED) % 2)
    return Fingerprint(
        _scale_to_unit(np.asarray(np.bincount(columns, signs, N_HASHED)[None], dtype=np.float64), 0.0), shingles
    )


def hash_text(text: str) -> int:
    """Return a whole text as one number below 2^61 (the same in every process)."""
    number = 0
    for character in text:
        number = (number * 1_000_003 + ord(character)) % (2**61 - 1)
    return number


def fingerprint_series(source: Series) -> Fingerprint:
    """Describe a series by its shape and its slopes: every channel stretched to 128 steps and standardised.

    Gain and offset of a channel make no difference. The two halves of the vector have equal length, so a small
    distance means that both agree.
    """
    values = trim_series(source)
    at = np.linspace(0, values.shape[1] - 1, STEPS)
    steps = np.arange(values.shape[1])
    stretched = np.stack([np.interp(at, steps, channel) for channel in values.astype(np.float64)])
    away = stretched - stretched.mean(axis=1, keepdims=True)
    spread = away.std(axis=1, keepdims=True)
    flat = spread <= 1e-7 * np.maximum(np.abs(stretched).max(axis=1, keepdims=True), 1e-30)
    shape = np.where(flat, 0.0, away / np.where(flat, 1.0, spread))
    slopes = np.diff(shape, axis=1)
    parts = [part.ravel() / max(float(np.linalg.norm(part)), 1e-12) for part in (shape, slopes)]
    return Fingerprint(_scale_to_unit(np.concatenate(parts)[None], 0.0))


def _scale_to_unit(values: NDArray[np.float64], faint: float) -> Vectors:
    """Scale rows to length one; rows shorter than `faint` become zero."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.where(lengths > faint, values / np.maximum(lengths, 1e-12), 0.0).astype(np.float32)
