"""Which parts of an input an answer rests on: inputs with one part hidden, and a drawing of what each part weighs.

Occlusion as in Zeiler and Fergus 2014 (arXiv:1311.2901): a patch of an image is filled with its mean colour, a word is
left out of a text, a stretch of a series is replaced by a straight line. Nothing here knows a model.
"""

from __future__ import annotations

import base64
import html
import io
import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.modalities.record import InputPart, Occlusion, PartWeights
from headstart.modalities.series import preview_series

GRID, PATCH = 8, 2
"""An image is cut into 8 x 8 cells; patches of 2 x 2 cells are hidden, one cell further each time."""
MOST_SEGMENTS, LEAST_WORDS = 40, 2
WINDOWS = 16
DRAWN_PIXELS = 224
STRONGEST = 0.75
"""Opacity of the colour over the heaviest part."""
_WIDE = "width:20rem;max-width:100%;height:auto"
FOR, AGAINST = "230,120,0", "20,90,200"


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
        parts.append(InputPart(f"row {row + 1}, column {column + 1}", Image.fromarray(hidden)))
    return parts


def average_cells(weights: PartWeights) -> NDArray[np.float64]:
    """Return for each cell the mean weight of the patches that hid it, shape (8, 8)."""
    total, counts = np.zeros((GRID, GRID)), np.zeros((GRID, GRID))
    for (row, column), weight in zip(_list_patches(), weights, strict=True):
        total[row : row + PATCH, column : column + PATCH] += weight
        counts[row : row + PATCH, column : column + PATCH] += 1
    return total / counts


def draw_image(image: Image.Image, weights: PartWeights) -> str:
    """Lay coloured cells over a thumbnail."""
    small = Image.fromarray(np.asarray(image))
    small.thumbnail((DRAWN_PIXELS, DRAWN_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=75, optimize=True)
    uri = base64.b64encode(buffer.getvalue()).decode("ascii")
    cell_weights, (width, height) = average_cells(weights), small.size
    colours = _choose_colours(cell_weights.ravel())
    boxes = "".join(
        f'<rect x="{column * width / GRID:.1f}" y="{row * height / GRID:.1f}" width="{width / GRID:.1f}" '
        f'height="{height / GRID:.1f}" fill="{colours[row * GRID + column]}"/>'
        for row in range(GRID)
        for column in range(GRID)
        if colours[row * GRID + column]
    )
    best = np.unravel_index(int(cell_weights.argmax()), cell_weights.shape)
    title = f"What speaks most for the answer lies in row {best[0] + 1} of 8 from the top, column {best[1] + 1} of 8."
    return (
        f'<svg viewBox="0 0 {width} {height}" style="{_WIDE}" role="img"><title>{title}</title>'
        f'<image href="data:image/jpeg;base64,{uri}" width="{width}" height="{height}"/>{boxes}</svg>'
    )


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


def draw_text(text: str, weights: PartWeights) -> str:
    """Colour the pieces of a text."""
    coloured = zip(cut_text(text), _choose_colours(weights), strict=True)
    spans = [
        f'<mark style="background:{colour or "none"};color:inherit">{html.escape(segment)}</mark>'
        for segment, colour in coloured
    ]
    return f'<p dir="auto">{"".join(spans)}</p>'


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
        parts.append(InputPart(f"steps {before + 1} to {after}", hidden))
    return parts


def draw_series(values: NDArray[np.float32], weights: PartWeights) -> str:
    """Lay coloured stretches over a plot."""
    plot, n = preview_series(values), len(weights)
    width, height = (int(size) for size in re.findall(r"\d+", plot)[2:4])
    boxes = "".join(
        f'<rect x="{width * at / n:.1f}" y="0" width="{width / n:.1f}" height="{height}" fill="{colour}"/>'
        for at, colour in enumerate(_choose_colours(weights))
        if colour
    )
    return plot.replace("</title>", f"</title>{boxes}", 1).replace("<svg ", f'<svg style="{_WIDE}" ', 1)


def _choose_colours(weights: PartWeights) -> list[str]:
    """Return a colour for each part, the stronger the heavier; none for what weighs nearly nothing."""
    most = float(np.abs(weights).max()) if len(weights) else 0.0
    if most <= 0:
        return [""] * len(weights)
    relative_weights = weights / most
    return [
        f"rgba({FOR if relative_weight > 0 else AGAINST},{STRONGEST * abs(relative_weight):.2f})"
        if abs(relative_weight) > 0.1
        else ""
        for relative_weight in relative_weights
    ]


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


IMAGE = Occlusion(list_image_parts, draw_image)
TEXT = Occlusion(list_text_parts, draw_text)
SERIES = Occlusion(list_series_parts, draw_series)
