"""Which parts of an input an answer rests on: inputs with one part hidden, and what each part weighs.

Occlusion as in Zeiler and Fergus 2014 (arXiv:1311.2901): a patch of an image is filled with its mean colour, a word is
left out of a text, a stretch of a series is replaced by a straight line. Nothing here knows a model.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.modalities.preview_records import ImageWeights, SeriesWeights, TextWeights
from headstart.modalities.previews import encode_thumbnail, preview_series
from headstart.modalities.record import InputPart, Occlusion, PartWeights

GRID, PATCH = 8, 2
"""An image is cut into 8 x 8 cells; patches of 2 x 2 cells are hidden, one cell further each time."""
MOST_SEGMENTS, LEAST_WORDS = 40, 2
WINDOWS = 16
DRAWN_PIXELS, DRAWN_QUALITY, DRAWN_BYTES = 320, 70, 20_000
LEAST = 0.1
"""Of the heaviest part; what weighs less is not drawn."""


def _cut_edges(length: int, n_parts: int) -> list[int]:
    return [length * place // n_parts for place in range(n_parts + 1)]


def _list_patches() -> list[tuple[int, int]]:
    return [(row, column) for row in range(GRID - PATCH + 1) for column in range(GRID - PATCH + 1)]


def list_image_parts(image: Image.Image) -> list[InputPart]:
    """Hide overlapping patches of an image, one after the other.

    Examples
    --------
    >>> len(list_image_parts(Image.new("RGB", (64, 64))))
    49
    """
    pixels = np.asarray(image)
    mean = pixels.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    down, across = _cut_edges(image.height, GRID), _cut_edges(image.width, GRID)
    parts = []
    for row, column in _list_patches():
        hidden = pixels.copy()
        hidden[down[row] : down[row + PATCH], across[column] : across[column + PATCH]] = mean
        place = {"row": row + 1, "column": column + 1}
        parts.append(InputPart(f"row {row + 1}, column {column + 1}", Image.fromarray(hidden), place))
    return parts


def average_cells(weights: PartWeights) -> NDArray[np.float64]:
    """Return for each cell the mean weight of the patches that hid it, shape (8, 8)."""
    total, counts = np.zeros((GRID, GRID)), np.zeros((GRID, GRID))
    for (row, column), weight in zip(_list_patches(), weights, strict=True):
        total[row : row + PATCH, column : column + PATCH] += weight
        counts[row : row + PATCH, column : column + PATCH] += 1
    return total / counts


def weigh_image(image: Image.Image, weights: PartWeights) -> ImageWeights:
    """Return a thumbnail with what each of its cells weighs."""
    cells = _scale(average_cells(weights)).reshape(GRID, GRID)
    return ImageWeights(image=encode_thumbnail(image, DRAWN_PIXELS, DRAWN_QUALITY), cells=cells.tolist())


def cut_text(text: str) -> list[str]:
    """Cut a text into at most 40 pieces: words with the space behind them, or letters where there are no spaces.

    Examples
    --------
    >>> cut_text("bad  roads here"), "".join(cut_text("a " * 100)) == "a " * 100, len(cut_text("a " * 100))
    (['bad  ', 'roads ', 'here'], True, 40)
    """
    words = re.findall(r"\S+\s*|^\s+", text)
    tokens = words if len(words) >= LEAST_WORDS else list(text)
    edges = _cut_edges(len(tokens), min(MOST_SEGMENTS, len(tokens)) or 1)
    return ["".join(tokens[before:after]) for before, after in pairwise(edges) if after > before]


def list_text_parts(text: str) -> list[InputPart]:
    """Leave out one piece of a text after the other."""
    segments = cut_text(text)
    if len(segments) < LEAST_WORDS:
        return []
    return [
        InputPart(segment.strip(), "".join(segments[:at] + segments[at + 1 :])) for at, segment in enumerate(segments)
    ]


def weigh_text(text: str, weights: PartWeights) -> TextWeights:
    """Return the pieces of a text with what each of them weighs."""
    return TextWeights(pieces=list(zip(cut_text(text), _scale(weights).tolist(), strict=True)))


def list_series_parts(values: NDArray[np.float32]) -> list[InputPart]:
    """Replace one stretch of a series (channels, time) after the other by a straight line."""
    n_steps = values.shape[1]
    edges = _cut_edges(n_steps, min(WINDOWS, n_steps))
    if len(edges) < 3:
        return []
    parts = []
    for before, after in pairwise(edges):
        hidden = values.copy()
        ends = [max(0, before - 1), min(n_steps - 1, after)]
        for channel in hidden:
            channel[before:after] = np.interp(np.arange(before, after), ends, channel[ends])
        parts.append(InputPart(f"steps {before + 1} to {after}", hidden, {"first": before + 1, "last": after}))
    return parts


def weigh_series(values: NDArray[np.float32], weights: PartWeights) -> SeriesWeights:
    """Return a series with what each of its stretches weighs."""
    return SeriesWeights(series=preview_series(values, DRAWN_BYTES), stretches=_scale(weights).tolist())


def _scale(weights: PartWeights) -> PartWeights:
    """Divide by the heaviest; what weighs nearly nothing is 0."""
    most = float(np.abs(weights).max()) if weights.size else 0.0
    relative = weights / most if most > 0 else np.zeros(weights.shape)
    return np.where(np.abs(relative) > LEAST, np.round(relative, 2), 0.0)


def find_heaviest(weights: PartWeights, n: int = 3) -> list[int]:
    """Return the indices of the parts without which the answer loses most, the heaviest first.

    Parameters
    ----------
    weights : PartWeights, shape (n_parts,)
    n : int
        How many at most; parts of weight 0 or less are left out.

    Examples
    --------
    >>> find_heaviest(np.array([0.1, 0.5, -2.0, 0.0]))
    [1, 0]
    """
    return [int(at) for at in np.argsort(-weights, kind="stable")[:n] if weights[at] > 0]


IMAGE = Occlusion(list_image_parts, weigh_image)
TEXT = Occlusion(list_text_parts, weigh_text)
SERIES = Occlusion(list_series_parts, weigh_series)
