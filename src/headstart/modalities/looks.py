"""How rows look, as unit vectors in which a near copy of a row is close to it and another row is not.

One function a modality. Pictures come in several views, so that a crop or a turned copy is found as well. Texts and
series also get what a likely pair is verified with. Nothing here compares rows or knows a label.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.errors import DataError
from headstart.modalities.image import load
from headstart.modalities.image_values import BY_CONTENT
from headstart.modalities.series import Series, trimmed

Vectors = NDArray[np.float32]
"""(n_views, n_dims), each of length one, or zero where nothing can be compared; the first view is the row as it is."""
SIDE, WAVES = 32, 12
DECODED_PIXELS = 64
_SMALL = 80
_EDGES = (0.025, 0.05)
_FAINT = 3.0
"""A picture whose details are fainter (grey levels of 255, after the whitening) is blank: all blank ones are alike."""
N_HASHED, PIECE, MOST_CHARACTERS, FEWEST_PIECES = 256, 4, 4_000, 20
STEPS = 128


@dataclass(frozen=True)
class Look:
    """One row as it is compared.

    Parameters
    ----------
    vectors : Vectors, shape (n_views, n_dims)
    whole : array or None
        What two likely copies are verified on: the pieces of a text (sorted int64). None: the vectors tell all.
    """

    vectors: Vectors
    whole: NDArray[Any] | None = None


def _cosines() -> NDArray[np.float64]:
    waves = np.cos(np.pi * (np.arange(SIDE) + 0.5)[None] * np.arange(WAVES)[:, None] / SIDE)
    return np.asarray(waves / np.linalg.norm(waves, axis=1, keepdims=True))


_DCT = _cosines()
_WHITEN = 1.0 + np.add.outer(np.arange(WAVES), np.arange(WAVES))
_SIGNS = (-1.0) ** np.arange(WAVES)


def _boxes() -> list[tuple[float, float, float, float]]:
    """The whole picture, its middle, and its corners, in pixels of the small picture."""
    made = [(0.0, 0.0, 1.0, 1.0)]
    for edge in _EDGES:
        made += [(edge, edge, 1 - edge, 1 - edge)]
        made += [(left, top, left + 1 - edge, top + 1 - edge) for left in (0.0, edge) for top in (0.0, edge)]
    return [(a * _SMALL, b * _SMALL, c * _SMALL, d * _SMALL) for a, b, c, d in made]


_BOXES = _boxes()


def of_image(source: Path | str) -> Look:
    """Describe a picture by its coarse shades: low waves of its brightness, whitened.

    Parameters
    ----------
    source : Path or str

    Returns
    -------
    Look
        19 views of 144 numbers: as it is, ten crops of 2.5 and 5 %, the eight ways to mirror and turn it (less one).
        Zero where the picture cannot be read, or is blank.

    Notes
    -----
    The discrete cosine transform of a 32 x 32 thumbnail, as in perceptual hashing (Zauner 2010), but kept as numbers
    instead of bits. Multiplying by frequency evens out the spectrum of natural pictures, without which all X-rays
    look the same.
    """
    try:
        whole = load(source, {"resize": DECODED_PIXELS, **BY_CONTENT}).convert("L")
        grey = whole.resize((_SMALL, _SMALL), Image.Resampling.BILINEAR)
    except DataError:
        return Look(np.zeros((len(_BOXES) + 7, WAVES * WAVES), dtype=np.float32))
    shades = [grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box) for box in _BOXES]
    waves = _WHITEN * (_DCT @ np.stack([np.asarray(one, dtype=np.float64) for one in shades]) @ _DCT.T)
    waves[:, 0, 0] = 0.0
    first = waves[0]
    turned = [first * _SIGNS, first * _SIGNS[:, None], first * _SIGNS * _SIGNS[:, None]]
    turned += [one.T for one in (first, *turned)]
    return Look(_unit(np.concatenate([waves, np.stack(turned)]).reshape(-1, WAVES * WAVES), _FAINT * SIDE))


def plain(text: str) -> str:
    """Reduce a text to its letters and digits, in lower case, one space between words.

    Examples
    --------
    >>> plain("  Hello, WORLD!! ")
    'hello world'
    """
    cut = unicodedata.normalize("NFC", text)[: 2 * MOST_CHARACTERS]
    folded = unicodedata.normalize("NFKC", cut).casefold()
    kept = "".join(mark if mark.isalnum() or unicodedata.category(mark)[0] == "M" else " " for mark in folded)
    return " ".join(kept.split())[:MOST_CHARACTERS]


def of_text(source: str) -> Look:
    """Describe a text by the set of its pieces of four characters, hashed into 256 signed columns.

    Texts of fewer than 20 different pieces are only alike where letters and digits are the same.
    """
    text = plain(source)
    marks = np.frombuffer(f" {text} ".encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
    if len(text) == 0:
        return Look(np.zeros((1, N_HASHED), dtype=np.float32), np.zeros(0, dtype=np.int64))
    if len(marks) < PIECE:
        marks = np.pad(marks, (0, PIECE - len(marks)))
    windows = np.lib.stride_tricks.sliding_window_view(marks, PIECE)
    with np.errstate(over="ignore"):
        pieces = np.unique(windows @ np.array([1, 1_000_003, 998_244_353, 2_147_483_647], dtype=np.int64) % (2**61 - 1))
    if len(pieces) < FEWEST_PIECES:
        pieces = np.array([hash_of(text)], dtype=np.int64)
    mixed = pieces.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)
    columns, signs = (mixed % np.uint64(N_HASHED)).astype(np.intp), 1.0 - 2.0 * (mixed // np.uint64(N_HASHED) % 2)
    return Look(_unit(np.asarray(np.bincount(columns, signs, N_HASHED)[None], dtype=np.float64), 0.0), pieces)


def hash_of(text: str) -> int:
    """Give a whole text as one number below 2^61 (the same in every process)."""
    made = 0
    for mark in text:
        made = (made * 1_000_003 + ord(mark)) % (2**61 - 1)
    return made


def of_series(source: Series) -> Look:
    """Describe a series by its shape and its slopes: every channel stretched to 128 steps and standardised.

    Gain and offset of a channel make no difference. The two halves of the vector have equal length, so a small
    distance means that both agree.
    """
    values = trimmed(source)
    at = np.linspace(0, values.shape[1] - 1, STEPS)
    steps = np.arange(values.shape[1])
    stretched = np.stack([np.interp(at, steps, channel) for channel in values.astype(np.float64)])
    away = stretched - stretched.mean(axis=1, keepdims=True)
    spread = away.std(axis=1, keepdims=True)
    flat = spread <= 1e-7 * np.maximum(np.abs(stretched).max(axis=1, keepdims=True), 1e-30)
    shape = np.where(flat, 0.0, away / np.where(flat, 1.0, spread))
    slopes = np.diff(shape, axis=1)
    parts = [part.ravel() / max(float(np.linalg.norm(part)), 1e-12) for part in (shape, slopes)]
    return Look(_unit(np.concatenate(parts)[None], 0.0))


def _unit(values: NDArray[np.float64], faint: float) -> Vectors:
    """Bring rows to length one; shorter ones than `faint` become zero."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.where(lengths > faint, values / np.maximum(lengths, 1e-12), 0.0).astype(np.float32)


LOOKS: dict[str, Callable[[Any], Look]] = {"image": of_image, "text": of_text, "series": of_series}


def looks(modality: str, inputs: Sequence[Any]) -> list[Look]:
    """Describe several rows, in order."""
    return [LOOKS[modality](one) for one in inputs]
